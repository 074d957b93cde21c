"""Carries out the steps of a run with Dagster's assets, in this process: what the command line calls."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import dagster as dg

from pipelines.definitions import definitions_of
from pipelines.home import Home
from pipelines.orchestration.decisions import PERIODS
from pipelines.orchestration.evidence_assets import build_evidence_assets
from pipelines.orchestration.instance import instance_of
from pipelines.orchestration.progress import Progress
from pipelines.orchestration.report_assets import BUNDLE


class Conductor:
    """The steps of one run, one method each. A step that fails raises what the room raised."""

    def __init__(self, home: Home, instance: dg.DagsterInstance, progress: Progress) -> None:
        self.home = home
        self.instance = instance
        self.progress = progress

    def ingest(self) -> None:
        """Take in everything that landed. Needs no dbt, so it doesn't wait for it."""
        dg.materialize(
            [build_evidence_assets(self.home)],
            instance=self.instance,
            resources={"progress": self.progress},
            run_config=_SILENT,
        )

    def build(self, as_of: str) -> None:
        """dbt's first half, with the evidence collected by `as_of` (RFC 3339)."""
        self._materialize("everything", self._keys_of("models"), as_of=as_of)

    def check(self) -> None:
        """Judge completeness, compute coverage, publish the warehouse: of the build as it is."""
        self._materialize("everything", self._keys_of("completeness", "coverage", "warehouse"))

    def build_and_check(self, as_of: str) -> None:
        """Both in one go: each execution costs Dagster seconds of bookkeeping."""
        keys = self._keys_of("models", "completeness", "coverage", "warehouse")
        self._materialize("everything", keys, as_of=as_of)

    def report(self, periods: Sequence[str]) -> None:
        """Write the bundles of these periods from the published warehouse."""
        self.instance.add_dynamic_partitions(PERIODS, list(periods))
        for period in periods:
            self._materialize("bundles", [BUNDLE], partition_key=period)

    @cached_property
    def _definitions(self) -> dg.Definitions:
        self.progress.begin("Models")
        self.progress.update("reading the project")
        return definitions_of(self.home, self.progress)

    def _keys_of(self, *steps: str) -> list[dg.AssetKey]:
        return sorted(
            key
            for assets in self._definitions.assets or []
            if isinstance(assets, dg.AssetsDefinition) and assets.op.name in steps
            for key in assets.keys
        )

    def _materialize(
        self,
        job: str,
        keys: Sequence[dg.AssetKey],
        as_of: str | None = None,
        partition_key: str | None = None,
    ) -> None:
        cut_off = {"resources": {"cut_off": {"config": {"as_of": as_of}}}} if as_of else {}
        self._definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            asset_selection=keys,
            partition_key=partition_key,
            run_config=_SILENT | cut_off,
        )


# A person at a terminal follows the progress; the log of events is in the Dagster instance.
_SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@contextmanager
def conductor(home: Home, progress: Progress) -> Iterator[Conductor]:
    """A conductor for `<home>`, with its Dagster instance open."""
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    with instance_of(home) as instance:
        yield Conductor(home, instance, progress)
