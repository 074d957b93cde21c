"""Homes that several tests read. Each is made once, by what a person would run; tests must not change them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.home import Home


@dataclass(frozen=True)
class Command:
    """What `upheld` said and how it ended."""

    status: int
    out: str
    err: str


Upheld = Callable[..., Command]


def run_upheld(home: Home, *arguments: str) -> Command:
    """Run `upheld` in a process of its own, as a person does."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "--home", str(home.root), *arguments],
        capture_output=True,
        text=True,
    )
    return Command(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class CompanyRun:
    """The example company's home after one `upheld run`, and what the run said."""

    home: Home
    as_of: str
    command: Command


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers share nothing, so all tests of one home go to one of them, and so do those of one file. The company's home is
    made twice, so that what takes longest is shared out; and it comes first, so that nobody is left with it alone."""

    def home_of(item: pytest.Item) -> str | None:
        names = getattr(item, "fixturenames", ())
        if "spoiled" in names:
            return "spoiled"
        if "company" in names:
            return "company-warehouse" if "tests/warehouse/" in item.nodeid else "company-elsewhere"
        return None

    for item in items:
        item.add_marker(pytest.mark.xdist_group(home_of(item) or item.nodeid.split("::")[0]))
    # All models and their unit tests, in one worker, would else be what the other waits for at the end.
    items.sort(key=lambda item: home_of(item) is None and "built" not in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def upheld() -> Upheld:
    """`upheld(home, *arguments)`: what it says and how it ends."""
    return run_upheld


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> CompanyRun:
    """The example company, run once for all tests. Read only."""
    home = Home.at(tmp_path_factory.mktemp("company"))
    shutil.copytree(Path(__file__).parent / "company" / "landing", home.landing)
    as_of = "2026-07-20T06:00:00Z"
    return CompanyRun(home, as_of, run_upheld(home, "run", "--as-of", as_of))
