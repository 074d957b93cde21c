"""Whole runs over the example company: one for all tests that only look, and the means to make others."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from .raw_log import raw_log

COMPANY = Path(__file__).parents[1] / "company"
AS_OF = "2026-07-20T06:00:00Z"


class CompanyHome:
    """A home of its own, and the command `upheld` on it, in a process of its own as a person would run it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def land(self, files: Iterable[Path], source: Path = COMPANY / "landing") -> None:
        """Drop files, given relative to `source`, with their dates."""
        for file in files:
            target = self.root / "landing" / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / file, target)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "pipelines.cli", "--home", str(self.root), *arguments]

    def upheld(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, env=dict(os.environ), timeout=600, check=False
        )

    def run(self) -> subprocess.CompletedProcess[str]:
        """A whole run; statuses 0 and 1 both mean that it was done."""
        done = self.upheld("run", "--as-of", AS_OF)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return done

    def data(self) -> dict[str, bytes]:
        """Every data file of every bundle, by its path under reports/."""
        reports = self.root / "reports"
        return {str(path.relative_to(reports)): path.read_bytes() for path in sorted(reports.glob("*/data/*.csv"))}


def company_files() -> list[Path]:
    landing = COMPANY / "landing"
    return sorted(path.relative_to(landing) for path in landing.rglob("*") if path.is_file())


@pytest.fixture(scope="session")
def company_home(company) -> CompanyHome:
    """The example company after one whole run. Look, don't touch."""
    return CompanyHome(company.home.root)


@pytest.fixture(scope="session")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[CompanyHome, subprocess.CompletedProcess[str]]:
    """The example company after a run with damaged and mistaken evidence, and a Vault log with raw values, among its own."""
    home = CompanyHome(tmp_path_factory.mktemp("spoiled"))
    home.land(company_files())
    bad = COMPANY / "bad_landing"
    home.land((path.relative_to(bad) for path in sorted(bad.rglob("*")) if path.is_file()), source=bad)
    vault = home.root / "landing" / "hashicorp_vault" / "audit_log"
    (vault / "raw_20260304T000000Z.ndjson").write_bytes(raw_log())
    (vault / "raw_20260305T000000Z.ndjson.gz").write_bytes(gzip.compress(raw_log()))
    return home, home.run()


@pytest.fixture
def other_home(tmp_path: Path) -> CompanyHome:
    return CompanyHome(tmp_path / "home")
