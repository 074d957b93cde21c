"""Memory for one lot of small files after the other: to get it from the system anew takes longer than to fill it."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pipelines.ingest.content import piped, write_all


class Tray:
    """Holds `size` bytes of files, and once more what is made of them. For one thread at a time."""

    def __init__(self, size: int) -> None:
        self._memory = memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        self._taken = 0
        self._file: int | None = None

    def room_for(self, size: int) -> memoryview | None:
        """Memory from the start of a page on for more than `size` bytes, None where so much isn't left."""
        pages = size // mmap.PAGESIZE + 1
        start, end = self._taken, self._taken + pages * mmap.PAGESIZE
        if end > len(self._memory):
            return None
        self._taken = end
        return self._memory[start:end]

    def clear(self) -> None:
        """Take back all room. What was in it isn't there any more."""
        self._taken = 0

    @contextmanager
    def as_file(self, chunks: Iterable[bytes | memoryview]) -> Iterator[str]:
        """A path under which another reader in this process can read these bytes. Nothing is written to disk."""
        if not hasattr(os, "memfd_create"):
            with piped(chunks) as path:
                yield path
            return
        if self._file is None:
            self._file = os.memfd_create("upheld", os.MFD_CLOEXEC)
        os.lseek(self._file, 0, os.SEEK_SET)
        write_all(self._file, chunks)
        # What is left of an earlier content. The memory that is written over stays as it is.
        os.ftruncate(self._file, os.lseek(self._file, 0, os.SEEK_CUR))
        yield f"/dev/fd/{self._file}"

    def close(self) -> None:
        """Give the memory back that `as_file` has."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
