"""Real exports through ingest and staging: what the canonical rows of their records are."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.evidence.originals import sha256_of
from pipelines.home import Home
from pipelines.ingest.ingest import ingest_landing
from pipelines.orchestration import dbt_in_process
from pipelines.orchestration.dbt_in_process import ParsedProject
from pipelines.warehouse import open_read_only

SAMPLES = Path(__file__).parents[1] / "samples"
AS_OF = "2026-07-20T06:00:00.000000Z"
"""Later than every sample."""


@dataclass(frozen=True)
class StagedSamples:
    """The staging tables of some systems, with every sample of their feeds in them."""

    home: Home

    def rows(self, model: str, columns: str, sample: str | Path) -> list[tuple[Any, ...]]:
        """These columns of a staging model for one sample, `system/feed/file` or its path, after the record number, in order."""
        return self.rows_per_subject(model, f"record_number, {columns}", sample)

    def rows_per_subject(self, model: str, columns: str, sample: str | Path) -> list[tuple[Any, ...]]:
        """The same of a model that has a row for several records, such as use per day."""
        with open_read_only(self.home.build_database) as connection:
            return connection.execute(
                f"SELECT {columns} FROM {model} WHERE sha256 = ? ORDER BY ALL", [sha256_of(SAMPLES / sample)]
            ).fetchall()


def stage(home: Home, systems: list[str]) -> StagedSamples:
    """Land the samples of these systems, ingest them and run their staging models."""
    for system in systems:
        shutil.copytree(SAMPLES / system, home.landing / system)
    return stage_landed(home, systems)


def stage_landed(home: Home, systems: list[str]) -> StagedSamples:
    """Ingest what has landed and run the staging models of these systems."""
    ingest_landing(home)
    folders = [argument for system in systems for argument in ("--select", f"path:models/staging/{system}")]
    # Staging tables ask the ledger what was delivered; nothing else is needed.
    dbt_in_process.raise_on_failure(dbt_in_process.build(home, parsed_project(), AS_OF, folders))
    return StagedSamples(home)


@cache
def parsed_project() -> ParsedProject:
    """The project, parsed once for all homes of a worker: which home it is about is asked when a model is built."""
    with tempfile.TemporaryDirectory() as folder:
        return dbt_in_process.parse(Home.at(folder))
