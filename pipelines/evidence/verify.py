"""Is what is kept still what was written down? Needs nothing but the home's evidence folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import UnreadableFile
from pipelines.evidence.findings import Finding
from pipelines.evidence.landing import printable
from pipelines.evidence.ledger import LedgerEntry, entries_of, verify_chain
from pipelines.evidence.originals import UNFINISHED_PREFIX, sha256_of
from pipelines.evidence.run_lock import another_run_is_at_work
from pipelines.evidence.sidecar import read_sidecar
from pipelines.home import Home


@dataclass
class _Expected:
    """What the ledger says about one original."""

    size_bytes: int | None = None
    declared_by: list[LedgerEntry] = field(default_factory=list)


def verify_home(home: Home, noted_head: str | None = None) -> list[Finding]:
    """Every fault in the ledger and the originals, in a stable order; an empty list means all is as written.

    Every original is hashed again. `noted_head` (an entry hash noted earlier, as every sealed bundle does) also
    shows entries cut off at the ledger's end. Reads only; runs beside another run.
    """
    findings = verify_chain(home.ledger, noted_head)
    expected = _expected(home)
    findings += _originals(home, expected)
    findings += _extra(home, expected)
    return sorted(findings)


def _expected(home: Home) -> dict[str, _Expected]:
    expected: dict[str, _Expected] = {}
    for entry in entries_of(home.ledger):
        if _is_hash(entry.sha256):
            expected.setdefault(entry.sha256, _Expected()).size_bytes = entry.size_bytes
        if entry.sidecar_sha256 is not None and _is_hash(entry.sidecar_sha256):
            expected.setdefault(entry.sidecar_sha256, _Expected()).declared_by.append(entry)
    return expected


def _originals(home: Home, expected: dict[str, _Expected]) -> Iterator[Finding]:
    # Imported here: it is slow to load, and trace and ingest never need it.
    from concurrent.futures import ThreadPoolExecutor

    writable: list[str] = []
    # Hashing leaves the interpreter's lock, so threads share the work.
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as workers:
        paths = ((home.original(sha256), sha256, told) for sha256, told in sorted(expected.items()))
        for finding, is_writable, sha256 in workers.map(_check_original, paths):
            yield from finding
            if is_writable:
                writable.append(sha256)
    if writable:
        yield Finding(
            "writable",
            f"original {writable[0]}",
            f"is not read-only, and {len(writable) - 1} others are not; if you restored a backup: chmod -R a-w."
            if len(writable) > 1
            else "is not read-only; if you restored a backup: chmod a-w.",
        )


def _check_original(job: tuple[Path, str, _Expected]) -> tuple[list[Finding], bool, str]:
    path, sha256, told = job
    where = f"original {sha256}"
    try:
        state = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return [Finding("missing", where, "is in the ledger but not kept.")], False, sha256
    if not stat.S_ISREG(state.st_mode):
        return [Finding("altered", where, "is no regular file any more.")], False, sha256
    is_writable = bool(stat.S_IMODE(state.st_mode) & 0o222)
    if told.size_bytes is not None and state.st_size != told.size_bytes:
        detail = f"was altered: {told.size_bytes} bytes were kept, {state.st_size} are there."
        return [Finding("altered", where, detail)], is_writable, sha256
    try:
        found = sha256_of(path)
    except OSError as problem:
        return [Finding("altered", where, f"can't be read ({problem.strerror}).")], is_writable, sha256
    if found != sha256:
        return [Finding("altered", where, f"was altered: its SHA-256 is {found} now.")], is_writable, sha256
    return list(_check_declarations(path, told.declared_by)), is_writable, sha256


def _check_declarations(path: Path, declared_by: Iterable[LedgerEntry]) -> Iterator[Finding]:
    """Whether the entries say of a sidecar what it says itself. A sidecar that can't be read declared nothing."""
    declared_by = list(declared_by)
    if not declared_by:
        return
    try:
        sidecar = read_sidecar(path)
    except UnreadableFile:
        return
    for entry in declared_by:
        told = {
            "collected_at": entry.collected_at,
            "window_start": entry.window_start,
            "window_end": entry.window_end,
            "record_count": entry.declared_record_count,
            "sha256": entry.declared_sha256,
            "query": entry.query,
            "snapshot_id": entry.snapshot_id,
            "collected_by": entry.collected_by,
        }
        for key, value in told.items():
            declared = getattr(sidecar, key)
            if declared is not None and declared != value:
                yield Finding(
                    "sidecar", f"ledger entry {entry.entry}", f"{key} is not what its sidecar declares."
                )
        if sidecar.filtered != entry.filtered:
            yield Finding(
                "sidecar", f"ledger entry {entry.entry}", "filtered is not what its sidecar declares."
            )


def _extra(home: Home, expected: dict[str, _Expected]) -> Iterator[Finding]:
    extra = [
        path
        for path in _kept(home.originals)
        if path != home.original(path.name) or path.name not in expected
    ]
    if not extra:
        return
    # A run keeps a file a moment before it writes the entry. Look again, and leave the rest to that run.
    if another_run_is_at_work(home):
        return
    for path in extra:
        yield Finding(
            "extra",
            printable(str(path.relative_to(home.evidence))),
            "is in no ledger entry: a run that was cut off left it (the next one clears that up), or someone put it there.",
        )


def _kept(originals: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(originals):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if path.parent == originals and name.startswith(UNFINISHED_PREFIX):
                continue
            yield path


def _is_hash(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")
