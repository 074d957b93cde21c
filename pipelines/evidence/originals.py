"""Originals: the bytes of every export, kept once under their SHA-256, read-only, and never changed.

A file that lands is copied, not moved: landing belongs to whoever drops files there.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import itertools
import mmap
import os
import stat
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
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

# Large enough that neither the disk nor the hash waits for the other; a multiple of any disk's block.
_CHUNK = 1 << 20
# So many chunks are in memory, so that a write that is slow now and then holds nobody up.
_PLACES = 4
_BLOCK = 4096
_DIRECT = getattr(os, "O_DIRECT", 0)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True)
class Original:
    """Bytes that are kept. `path` is where; `mtime` is the landing file's modification time, UTC."""

    sha256: str
    size_bytes: int
    path: Path
    mtime: datetime


def keep(
    home: Home, path: Path, watch: Callable[[bytes], None] | None = None, room: memoryview | None = None
) -> Original:
    """Copy a landing file (evidence or sidecar) to the originals and return its hash. Safe to repeat.

    `watch` is shown all bytes, in their order. `room`, memory from the start of a page on, holds them afterwards if it is
    larger than the file.

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
            sha256, size_bytes = _copy_and_hash(source, copy, shown, watch, room)
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


def _copy_and_hash(
    source: int, copy: int, shown: str, watch: Callable[[bytes], None] | None, room: memoryview | None
) -> tuple[str, int]:
    """Copy to the end of `source`, reading it once: what is written is what was hashed."""
    places = _places(room)
    digest = hashlib.sha256()
    size = 0

    def take() -> tuple[memoryview, bool]:
        """The next chunk, and whether it is the last."""
        nonlocal size
        place = next(places)
        chunk = place[: _fill(place, source, shown)]
        size += len(chunk)
        digest.update(chunk)
        if watch is not None:
            watch(bytes(chunk))
        return chunk, len(chunk) < len(place)

    chunk, is_last = take()
    if is_last:
        _write_all(copy, chunk)
        return digest.hexdigest(), size
    _write_past_the_cache(copy)
    # The next are taken while the ones before them are written.
    with ThreadPoolExecutor(1, thread_name_prefix="write") as writer:
        writing: deque[Future[None]] = deque()
        while not is_last:
            writing.append(writer.submit(_write_all, copy, chunk))
            if len(writing) == _PLACES:
                writing.popleft().result()
            chunk, is_last = take()
        for write in writing:
            write.result()
    _write_all(copy, chunk)
    return digest.hexdigest(), size


def _places(room: memoryview | None) -> Iterator[memoryview]:
    """Where to put one chunk after the other: first where there is room, then in a few places by turns."""
    if room is not None:
        yield from _chunks_of(room)
    # Of whole pages, as a disk without a cache before it asks for.
    yield from itertools.cycle(_chunks_of(memoryview(mmap.mmap(-1, _PLACES * _CHUNK))))


def _chunks_of(memory: memoryview) -> Iterator[memoryview]:
    return (memory[start : start + _CHUNK] for start in range(0, len(memory), _CHUNK))


def _fill(buffer: memoryview, source: int, shown: str) -> int:
    """Read until the buffer is full or the file ends; returns how many bytes there were."""
    filled = 0
    try:
        while filled < len(buffer) and (taken := os.readv(source, [buffer[filled:]])):
            filled += taken
    except OSError as problem:
        raise NotKept(f"{shown}: not taken in: {problem.strerror}.") from problem
    return filled


def _write_past_the_cache(descriptor: int, on: bool = True) -> None:
    """Let what is written go straight to the disk, where system and file system can.

    A copy that is put away would push other things out of the memory, and to copy it there takes longer than to hash it.
    """
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    with suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | _DIRECT if on else flags & ~_DIRECT)


def _write_all(descriptor: int, content: memoryview) -> None:
    while content:
        if len(content) % _BLOCK:
            _write_past_the_cache(descriptor, on=False)
        try:
            content = content[os.write(descriptor, content) :]
        except OSError as problem:
            # A disk with blocks of another size.
            if problem.errno != errno.EINVAL or not fcntl.fcntl(descriptor, fcntl.F_GETFL) & _DIRECT:
                raise
            _write_past_the_cache(descriptor, on=False)


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
