"""Originals: the bytes of every export, kept once under their SHA-256, read-only, and never changed.

A file that lands is copied, not moved: landing belongs to whoever drops files there.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.errors import BrokenEvidence, NotKept, UserMistake
from pipelines.evidence import instants
from pipelines.evidence.compression import check_compression, compression_of
from pipelines.evidence.landing import printable
from pipelines.home import Home

__all__ = [
    "Original",
    "check_compression",
    "compression_of",
    "keep",
    "make_folder",
    "remove_unfinished_copies",
    "sha256_of",
    "sync_folder",
]

READ_ONLY = 0o444
UNFINISHED_PREFIX = ".keeping-"

# Large enough that the copy costs few calls, small enough that what was just copied is hashed from the cache.
_CHUNK = 1 << 20

# A large copy is written to the disk while it is being made: all of it at the end would take as long again.
_WRITTEN_AT_ONCE = 32 << 20
_flush = getattr(os, "fdatasync", os.fsync)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True)
class Original:
    """Bytes that are kept. `path` is where; `mtime` is the landing file's modification time, UTC."""

    sha256: str
    size_bytes: int
    path: Path
    mtime: datetime


def keep(home: Home, path: Path) -> Original:
    """Copy a landing file (evidence or sidecar) to the originals and return its hash. Safe to repeat.

    Raises NotKept when the file can't be taken in now: it changed while it was copied, it is gone, it may not
    be read, it is no regular file, or it leads out of landing. Raises BrokenEvidence when an original of that
    hash is there with another size.
    """
    real = _within_landing(home, path)
    shown = _shown(home, path)
    try:
        with _opened(real, shown) as source, _unfinished_copy(home.originals) as (copy, copy_path):
            before = os.fstat(source)
            if not stat.S_ISREG(before.st_mode):
                raise NotKept(f"{shown}: not taken in: it is no regular file.")
            with _written_meanwhile(copy) as note_copied:
                sha256, size_bytes = _copy_and_hash(source, copy, shown, note_copied)
            after = os.fstat(source)
            if size_bytes != after.st_size or _state(before) != _state(after):
                raise NotKept(
                    f"{shown}: changed while it was being copied; left for the next run "
                    "(write under a name ending in .part and rename when finished)."
                )
            mtime = instants.of_nanoseconds(before.st_mtime_ns)
            original = Original(sha256, size_bytes, home.original(sha256), mtime)
            if not _is_kept_already(original):
                _settle(copy, copy_path, original.path)
            return original
    except OSError as problem:
        if problem.errno in _NO_ROOM:
            raise UserMistake(
                f"{home.originals}: can't keep {shown}: {problem.strerror}. Make room and run again."
            ) from problem
        raise


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, streamed. Raises OSError."""
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_unfinished_copies(home: Home) -> None:
    """Delete what a crash left half copied. Only while no other run is at work (see `run_lock`)."""
    for leftover in home.originals.glob(f"{UNFINISHED_PREFIX}*"):
        leftover.unlink(missing_ok=True)


def _within_landing(home: Home, path: Path) -> Path:
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(home.landing)):
        raise NotKept(f"{_shown(home, path)}: refused: it leads out of landing; put the file itself there.")
    return real


@contextmanager
def _opened(real: Path, shown: str) -> Iterator[int]:
    # O_NOFOLLOW: between the look and the opening, the file may have become a link to somewhere else.
    # O_NONBLOCK: opening a pipe would wait for a writer for ever.
    try:
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as problem:
        raise NotKept(f"{shown}: not taken in: {problem.strerror}.") from problem
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _unfinished_copy(originals: Path) -> Iterator[tuple[int, Path]]:
    make_folder(originals)
    descriptor, name = tempfile.mkstemp(prefix=UNFINISHED_PREFIX, dir=originals)
    try:
        yield descriptor, Path(name)
    finally:
        os.close(descriptor)
        Path(name).unlink(missing_ok=True)


@contextmanager
def _written_meanwhile(copy: int) -> Iterator[Callable[[int], None]]:
    """A function to be told how many bytes are in the copy; what they are is written to the disk beside further work."""
    flushed = 0
    flushing: Future[None] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="flush") as flusher:

        def note_copied(position: int) -> None:
            nonlocal flushed, flushing
            if position - flushed >= _WRITTEN_AT_ONCE and (flushing is None or flushing.done()):
                flushed = position
                flushing = flusher.submit(_flush, copy)

        yield note_copied
    if flushing is not None:
        flushing.result()


def _copy_and_hash(source: int, copy: int, shown: str, note_copied: Callable[[int], None]) -> tuple[str, int]:
    """Copy to the end of `source`, reading it once. What is hashed is the copy: that is what will be kept."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_CHUNK))
    position = 0
    in_kernel = hasattr(os, "copy_file_range")
    while True:
        copied = 0
        if in_kernel:
            try:
                copied = os.copy_file_range(source, copy, _CHUNK)
            except OSError:
                # Not between these two file systems, or not for this kind of file: read and write instead.
                in_kernel = False
        # Some file systems (procfs, a few network ones) answer 0 in the kernel where there is more to read.
        if not copied:
            try:
                taken = os.readv(source, [buffer])
            except OSError as problem:
                raise NotKept(f"{shown}: not taken in: {problem.strerror}.") from problem
            _write_all(copy, buffer[:taken])
            copied = taken
            if not copied:
                return digest.hexdigest(), position
        left = copied
        while left:
            got = os.preadv(copy, [buffer[:left]], position)
            if not got:
                raise OSError(f"the copy ended at byte {position} while it was being hashed")
            digest.update(buffer[:got])
            position += got
            left -= got
        note_copied(position)


def _write_all(descriptor: int, content: memoryview) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _state(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _is_kept_already(original: Original) -> bool:
    try:
        kept = original.path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(kept.st_mode) or kept.st_size != original.size_bytes:
        raise BrokenEvidence(
            f"original {original.sha256}: expected {original.size_bytes} bytes, found {kept.st_size}; "
            "it was altered after it was kept. Run `upheld verify`, then restore it from a backup."
        )
    return True


def _settle(copy: int, copy_path: Path, kept: Path) -> None:
    """Give a finished copy its lasting name, so that it survives a power cut from here on."""
    os.fchmod(copy, READ_ONLY)
    os.fsync(copy)
    make_folder(kept.parent)
    os.rename(copy_path, kept)
    sync_folder(kept.parent)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, that survive a power cut."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _shown(home: Home, path: Path) -> str:
    try:
        return printable(str(path.relative_to(home.root)))
    except ValueError:
        return printable(str(path))
