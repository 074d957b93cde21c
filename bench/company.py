"""How long `upheld` takes on the example company, and how much memory: a first run, a further one, one with no news.

Run it with `make bench`. Wall time and peak memory (of the process itself) are those of the whole command.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

LANDING = Path(__file__).resolve().parent.parent / "tests" / "company" / "landing"


@dataclass(frozen=True)
class Measured:
    """One command: seconds of wall time, peak resident memory in MB, exit status."""

    seconds: float
    megabytes: float
    status: int


def measure(*arguments: str) -> Measured:
    """Run `upheld` in a process of its own, its output thrown away."""
    began = monotonic()
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "pipelines.cli", *arguments],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)],
    )
    _, status, usage = os.wait4(process, 0)
    per_megabyte = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Measured(monotonic() - began, usage.ru_maxrss / per_megabyte, os.waitstatus_to_exitcode(status))


def main() -> None:
    """Print one line per scenario."""
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(LANDING, home / "landing")
        files = [path for path in (home / "landing").rglob("*") if path.is_file()]
        print(f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB in landing")
        here = ["--home", str(home)]
        for scenario, arguments in (
            ("first run", [*here, "run", "--as-of", "2026-07-20T06:00:00Z"]),
            ("another cut-off", [*here, "run", "--as-of", "2026-07-21T06:00:00Z"]),
            ("nothing new", [*here, "run", "--as-of", "2026-07-21T06:00:00Z"]),
            ("verify", [*here, "verify"]),
            ("--help", ["--help"]),
        ):
            done = measure(*arguments)
            if done.status not in (0, 1):
                sys.exit(f"{scenario}: exit status {done.status}")
            print(f"{scenario:<16}{done.seconds:8.2f} s{done.megabytes:8.0f} MB")


if __name__ == "__main__":
    main()
