"""Short names for "the same code" and "the same landing folder", so that nothing is done twice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from pipelines.home import Home
from pipelines.settings import DBT_PROJECT, EXPECTATIONS, PROJECT, feed_timezones, settings_sha256

# Folders that tools write into the source tree.
_NOT_SOURCE = {"__pycache__", "target", "logs", "dbt_packages"}


def of_models(home: Home) -> str:
    """Changes with everything that decides how an evidence record becomes a staged row."""
    return _with_timezones(home, _of_files([DBT_PROJECT, PROJECT / "pipelines" / "ingest"]))


def of_code(home: Home) -> str:
    """Changes with everything that a run's outputs depend on besides its evidence."""
    code = _of_files([DBT_PROJECT, EXPECTATIONS, PROJECT / "pipelines", PROJECT / "requirements.lock"])
    settings = settings_sha256(home)
    return sha256(f"{code}{settings}".encode()).hexdigest() if settings else code


def _with_timezones(home: Home, fingerprint: str) -> str:
    zones = feed_timezones(home)
    return sha256(f"{fingerprint}{json.dumps(zones)}".encode()).hexdigest() if zones else fingerprint


def of_landing(landing: Path) -> str:
    """Changes when a file in the landing folder is added, removed, touched or resized. Reads no file."""
    found = sha256()
    for path, status in sorted(_walk(landing)):
        found.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def _walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            yield os.path.relpath(path, folder), os.lstat(path)


def _of_files(roots: Iterable[Path]) -> str:
    found = sha256()
    for root in roots:
        paths = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
        for path in paths:
            name = path.relative_to(PROJECT)
            if not _NOT_SOURCE & set(name.parts) and not path.name.startswith("."):
                found.update(f"{name}\0{sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()
