"""Homes that several tests read. Each is made once, by what a person would run; tests must not change them."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from pipelines.home import Home

# A change is judged by the same examples every time. With HYPOTHESIS_PROFILE=default, new ones are drawn.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@dataclass(frozen=True)
class Command:
    """What `upheld` said and how it ended."""

    status: int
    out: str
    err: str


Upheld = Callable[..., Command]

COMPANY_AS_OF = "2026-07-20T06:00:00Z"


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


def pytest_configure() -> None:
    """Collect garbage as seldom as the command line does."""
    gc.set_threshold(50_000, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one file go to one worker, because they share what it made, and all tests of the spoiled home likewise. What
    takes longest comes first, so that nobody is left with it alone: all models with their unit tests for one worker, the
    company's home for the other."""

    longest = ("built", "company", "spoiled", "staged", "landed")

    def home_of(item: pytest.Item) -> str | None:
        return next((name for name in longest if name in getattr(item, "fixturenames", ())), None)

    def group_of(item: pytest.Item) -> str:
        return "spoiled" if home_of(item) == "spoiled" else item.nodeid.split("::")[0]

    homes: dict[str, set[str | None]] = defaultdict(set)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
        homes[group_of(item)].add(home_of(item))
    items.sort(key=lambda item: min((*longest, None).index(home) for home in homes[group_of(item)]))


@pytest.fixture(scope="session")
def upheld() -> Upheld:
    """`upheld(home, *arguments)`: what it says and how it ends."""
    return run_upheld


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> CompanyRun:
    """The example company, run once for all tests of all workers. Read only."""
    made = made_once(tmp_path_factory, "company", _run_company)
    told = json.loads((made / "command.json").read_text(encoding="utf-8"))
    return CompanyRun(Home.at(made / "home"), COMPANY_AS_OF, Command(**told))


def _run_company(folder: Path) -> None:
    home = Home.at(folder / "home")
    shutil.copytree(Path(__file__).parent / "company" / "landing", home.landing)
    command = run_upheld(home, "run", "--as-of", COMPANY_AS_OF)
    (folder / "command.json").write_text(json.dumps(asdict(command)), encoding="utf-8")


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` filled, once for all workers: whoever is first makes it, the others wait for it."""
    session = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        # A worker's own folder is in the one that the whole session has.
        session = session.parent
    folder, finished = session / f"{name}-made-once", session / f"{name}-finished"
    with (session / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            finished.touch()
    return folder
