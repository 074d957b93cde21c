"""The one place that knows how `<home>` is laid out. No other module joins these paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """A home folder: what landed, what is kept, what was computed from it."""

    root: Path

    @classmethod
    def at(cls, root: str | Path) -> Home:
        return cls(Path(root).expanduser().resolve())

    # -- what people drop -------------------------------------------------------------------------
    @property
    def settings(self) -> Path:
        """What is set for this home; may be absent."""
        return self.root / "upheld.toml"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    # -- what is kept for ever --------------------------------------------------------------------
    @property
    def evidence(self) -> Path:
        return self.root / "evidence"

    @property
    def originals(self) -> Path:
        return self.evidence / "originals"

    def original(self, sha256: str) -> Path:
        """Where the unchanged bytes with this SHA-256 are kept."""
        return self.originals / sha256[:2] / sha256

    @property
    def ledger(self) -> Path:
        return self.evidence / "ledger.jsonl"

    @property
    def landing_index(self) -> Path:
        """A cache of what landing files were already taken in; safe to delete."""
        return self.evidence / "landing_index.json"

    # -- what is derived and can be rebuilt -------------------------------------------------------
    @property
    def lake(self) -> Path:
        return self.root / "lake"

    def lake_folder(self, system: str, feed: str) -> Path:
        return self.lake / system / feed

    def lake_file(self, system: str, feed: str, sha256: str) -> Path:
        return self.lake_folder(system, feed) / f"{sha256}.parquet"

    def rejected_file(self, system: str, feed: str, sha256: str) -> Path:
        """Records of one evidence file that could not be used; absent when there are none."""
        return self.lake_folder(system, feed) / "rejected" / f"{sha256}.parquet"

    @property
    def build(self) -> Path:
        return self.root / "build"

    @property
    def build_database(self) -> Path:
        return self.build / "build.duckdb"

    @property
    def dbt_target(self) -> Path:
        return self.build / "dbt"

    @property
    def expectation_results(self) -> Path:
        return self.build / "expectation_results.parquet"

    @property
    def build_state(self) -> Path:
        """What the build database was made with: the models' fingerprint and the knowledge cut-off."""
        return self.build / "build_state.json"

    @property
    def last_run(self) -> Path:
        """What the last finished run was made of; lets a run with nothing new end quickly."""
        return self.build / "last_run.json"

    @property
    def lock(self) -> Path:
        return self.root / "run.lock"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    # -- what leaves ------------------------------------------------------------------------------
    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def report(self, period_id: str) -> Path:
        """A period's bundle by the name of its folder: the first revision's is the period's id."""
        return self.reports / period_id

    def report_data(self, period_id: str) -> Path:
        """The published data files of one period."""
        return self.report(period_id) / "data"

    @property
    def sealed(self) -> Path:
        """What a home keeps of each sealed bundle beside it: a copy of its manifest and the warehouse it was made from."""
        return self.root / "sealed"

    def sealed_manifest(self, bundle: str) -> Path:
        return self.sealed / bundle / "manifest.json"

    def sealed_warehouse(self, bundle: str) -> Path:
        return self.sealed / bundle / "warehouse.duckdb"

    def sample(self, period_id: str, name: str) -> Path:
        """The folder of one sample that somebody drew."""
        return self.root / "samples" / period_id / name
