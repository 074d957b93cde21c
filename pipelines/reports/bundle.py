"""Writing a bundle: everything into a folder of its own, then one swap. A reader sees the old or the new, whole."""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from pipelines.errors import BrokenEvidence
from pipelines.home import Home
from pipelines.reports.changes import CHANGES_NAME, Change, changes_between, write_changes
from pipelines.reports.digests import data_digest, file_digests, sha256_of
from pipelines.reports.manifest import Basis, Seal, ledger_head, write_manifest
from pipelines.reports.report import AuditReport, open_report
from pipelines.reports.revisions import MANIFEST_NAME, Revision, last_sealed, name_of
from pipelines.reports.sampling import SamplingPlan, draw_samples, plan_of, write_samples
from pipelines.reports.signature import signing_key
from pipelines.settings import settings_sha256, table_of

HOW_TO_VERIFY = "HOW_TO_VERIFY.md"


@dataclass(frozen=True)
class Bundle:
    """A bundle that stands. `conclusions`: control id -> code name; `data_digest`: hex; `files`: path -> SHA-256.

    `changes`: what a revision says differently from the sealed bundle before it; None for a first revision.
    """

    path: Path
    period_id: str
    conclusions: dict[str, str]
    data_digest: str
    files: dict[str, str]
    revision: int = 1
    is_sealed: bool = False
    changes: list[Change] | None = None


def formats() -> list[ModuleType]:
    """The render module of every folder under formats/, those that write data first, each group by name."""
    folder = Path(__file__).parent / "formats"
    names = sorted(path.parent.name for path in folder.glob("*/render.py"))
    modules = [importlib.import_module(f"pipelines.reports.formats.{name}.render") for name in names]
    return sorted(modules, key=lambda module: not module.WRITES_DATA)


def write_bundle(home: Home, period_id: str, seal: Seal | None = None) -> Bundle:
    """Write a period's bundle from the published warehouse, in the place of the unsealed one; `seal` it, where given.

    What is no longer produced vanishes. Behind a sealed bundle a revision is written, unless the data are the same: then
    the sealed one is returned and nothing is written. Raises UserMistake for an unknown period, one that cannot name a
    folder, a home without a warehouse or settings and keys that can't be used, and BrokenEvidence when the ledger's
    head cannot be read or the sealed bundle was altered.
    """
    sealed = last_sealed(home, period_id)
    number = sealed.number + 1 if sealed else 1
    target = home.report(name_of(period_id, number))
    plan = plan_of(table_of(home, "sampling"), f"{home.settings}, [sampling]")
    key = signing_key(home)
    with open_report(home.warehouse, period_id) as report:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(target)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent))
        try:
            folder.chmod(0o755)
            report = _write_data(report, folder, plan)
            if sealed and report.data_digest == sealed_digest(sealed):
                shutil.rmtree(folder)
                shutil.rmtree(target, ignore_errors=True)
                return _standing(sealed, period_id)
            _render(report, folder, writes_data=False)
            shutil.copyfile(Path(__file__).parent / HOW_TO_VERIFY, folder / HOW_TO_VERIFY)
            changes = None
            if sealed:
                changes = changes_between(sealed.path, folder)
                write_changes(changes, folder / CHANGES_NAME)
            write_manifest(report, folder, _basis(home, plan, number, sealed, seal), key)
            files = file_digests(folder)
            _flush(folder)
            _swap(folder, target)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Bundle(
            path=target,
            period_id=period_id,
            conclusions=report.conclusions,
            data_digest=data_digest(files),
            files=files,
            revision=number,
            is_sealed=seal is not None,
            changes=changes,
        )


def _write_data(report: AuditReport, folder: Path, plan: SamplingPlan) -> AuditReport:
    """Write data/, samples drawn from it included. Returns the report with the digest that every page carries."""
    _render(report, folder, writes_data=True)
    data = folder / "data"
    write_samples(draw_samples(data / "control_operations.csv", plan), data / "samples.csv")
    return replace(report, data_digest=data_digest(file_digests(folder)))


def _render(report: AuditReport, folder: Path, writes_data: bool) -> None:
    for module in formats():
        if writes_data == module.WRITES_DATA:
            module.render(report, folder)


def _basis(home: Home, plan: SamplingPlan, number: int, sealed: Revision | None, seal: Seal | None) -> Basis:
    return Basis(
        ledger_head=ledger_head(home.ledger),
        settings_sha256=settings_sha256(home),
        sampling=plan.as_plain(),
        revision=number,
        replaces=(sealed.name, sha256_of(sealed.path / MANIFEST_NAME)) if sealed else None,
        seal=seal,
    )


def sealed_digest(sealed: Revision) -> str:
    """The data digest that a sealed bundle's files have now. Raises BrokenEvidence where it isn't the one it noted."""
    try:
        noted = json.loads((sealed.path / MANIFEST_NAME).read_bytes())["predicate"]["data_digest"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise BrokenEvidence(
            f"{sealed.path}: the sealed bundle can't be read ({problem}). Restore it from a backup."
        ) from None
    found = data_digest(file_digests(sealed.path))
    if found != noted:
        raise BrokenEvidence(
            f"{sealed.path}: the sealed bundle's data were altered. Run `upheld verify`, then restore it from a backup."
        )
    return found


def _standing(sealed: Revision, period_id: str) -> Bundle:
    manifest = json.loads((sealed.path / MANIFEST_NAME).read_bytes())["predicate"]
    return Bundle(
        path=sealed.path,
        period_id=period_id,
        conclusions=manifest["conclusions"],
        data_digest=manifest["data_digest"]["sha256"],
        files=file_digests(sealed.path),
        revision=sealed.number,
        is_sealed=True,
    )


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
