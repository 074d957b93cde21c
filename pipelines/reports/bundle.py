"""Writing a bundle: everything into a folder of its own, then one swap. A reader sees the old or the new, whole."""

from __future__ import annotations

import ctypes
import importlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from pipelines.errors import UserMistake
from pipelines.home import Home
from pipelines.reports.manifest import data_digest, file_digests, write_manifest
from pipelines.reports.report import open_report


@dataclass(frozen=True)
class Bundle:
    """A written bundle. `conclusions`: control id -> code name; `data_digest`: hex; `files`: path -> SHA-256."""

    path: Path
    period_id: str
    conclusions: dict[str, str]
    data_digest: str
    files: dict[str, str]


def formats() -> list[ModuleType]:
    """The render module of every folder under formats/, those that write data first, each group by name."""
    folder = Path(__file__).parent / "formats"
    names = sorted(path.parent.name for path in folder.glob("*/render.py"))
    modules = [importlib.import_module(f"pipelines.reports.formats.{name}.render") for name in names]
    return sorted(modules, key=lambda module: not module.WRITES_DATA)


def write_bundle(home: Home, period_id: str) -> Bundle:
    """Write reports/<period_id>/ anew from the published warehouse; what is no longer produced vanishes.

    Raises UserMistake for an unknown period, one that cannot name a folder, or a home without a warehouse, and
    BrokenEvidence when the ledger's head cannot be read.
    """
    target = _target(home, period_id)
    with open_report(home.warehouse, period_id) as report:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(target)
        folder = Path(tempfile.mkdtemp(prefix=f".{period_id}.", suffix=".new", dir=target.parent))
        try:
            folder.chmod(0o755)
            for module in formats():
                if not module.WRITES_DATA and report.data_digest is None:
                    report = replace(report, data_digest=data_digest(file_digests(folder)))
                module.render(report, folder)
            write_manifest(report, folder, home.ledger)
            files = file_digests(folder)
            _flush(folder)
            _swap(folder, target)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Bundle(target, period_id, report.conclusions, data_digest(files), files)


def _target(home: Home, period_id: str) -> Path:
    """The bundle's folder. A period id comes from a file that somebody delivered: it must not choose a place."""
    if not re.fullmatch(r"[^\W_][\w .+-]{0,99}", period_id) or period_id.endswith((" ", ".")):
        raise UserMistake(
            f"Period {period_id!r} cannot name a folder. Use letters, digits, '-', '_', '.' in decisions/periods."
        )
    return home.report(period_id)


def _leftovers(target: Path, suffix: str) -> Iterator[Path]:
    pattern = re.compile(rf"\.{re.escape(target.name)}\.[^.]*\.{suffix}")
    return (path for path in target.parent.iterdir() if pattern.fullmatch(path.name))


def _clear_leftovers(target: Path) -> None:
    """Undo what a killed run left: an unfinished new folder, or the old one moved aside and not yet replaced."""
    for old in sorted(_leftovers(target, "old")):
        if target.exists():
            shutil.rmtree(old)
        else:
            old.rename(target)
    for unfinished in list(_leftovers(target, "new")):
        shutil.rmtree(unfinished)


def _flush(folder: Path) -> None:
    """Force files and folders to disk before the swap, or a power cut could leave a new name on empty files."""
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _swap(folder: Path, target: Path) -> None:
    """Put `folder` in the place of `target` and remove what was there."""
    if not target.exists():
        folder.rename(target)
    elif _exchange(folder, target):
        shutil.rmtree(folder)
    else:
        # Two renames where the file system cannot exchange: killed between them, the next run puts the old one back.
        aside = folder.with_suffix(".old")
        target.rename(aside)
        folder.rename(target)
        shutil.rmtree(aside)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders' names in one step (Linux renameat2, macOS renamex_np). False where that is not possible.

    POSIX rename cannot replace a folder that has files in it, and Python has no call for the exchange.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(one), os.fsencode(other)
    if sys.platform == "linux" and hasattr(libc, "renameat2"):
        at_working_folder, exchange = -100, 2
        return libc.renameat2(at_working_folder, first, at_working_folder, second, exchange) == 0
    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        swap = 2
        return libc.renamex_np(first, second, swap) == 0
    return False
