"""The bytes of an evidence file as a stream: unpacked where they are packed, told by content and not by name."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.evidence.cells import Cells, as_lines
from pipelines.evidence.compression import check_compression, compression_of, compression_of_content
from pipelines.evidence.text import begins_utf_16, is_utf_16, text_of
from pipelines.ingest.line_count import LineCount

HEAD = 1 << 20
"""How much of a file is looked at before it is read: enough for any envelope and a sample of records."""

PIECE = 64 << 20
"""About how much one query is given through a pipe: two are at work at a time."""

_PIPE_SIZE = 1 << 20
_GATHERED = 1 << 18


class Content:
    """One evidence file, to be read any number of times from its start. `name` is its original name.

    `held` are the file's bytes where they are in memory, `counted` waits for the count of its lines where somebody who
    reads all of it counts them; both of the file as it lies on the disk. Raises UnreadableFile when the name says that it
    is packed and it is not.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        counted: Callable[[], LineCount] | None = None,
        held: memoryview | None = None,
    ) -> None:
        self.path = path
        self.name = name
        self.counted = counted
        self._held = held
        self.compression = compression_of_content(self._start())
        if compression_of(name) not in (None, self.compression):
            check_compression(path, name)
        self._head: bytes | None = None
        self._is_whole_in_head = False

    @property
    def head(self) -> bytes:
        """The first unpacked bytes, HEAD at the most."""
        if self._head is None:
            found = bytearray()
            for chunk in self.chunks():
                found += chunk
                if len(found) > HEAD:
                    break
            self._is_whole_in_head = len(found) <= HEAD
            self._head = bytes(found[:HEAD])
        return self._head

    def whole(self, most: int) -> memoryview | None:
        """The whole text, None where it is longer than `most`."""
        if self._held is not None and self.compression is None and not begins_utf_16(self._start()):
            return self._held if len(self._held) <= most else None
        found: list[bytes] = []
        left = most
        for chunk in self.chunks():
            found.append(chunk)
            left -= len(chunk)
            if left < 0:
                return None
        return memoryview(b"".join(found))

    def _start(self) -> bytes:
        if self._held is not None:
            return bytes(self._held[:4])
        with self.path.open("rb") as file:
            return file.read(4)

    @property
    def is_readable_by_database(self) -> bool:
        """Whether the file on disk, unpacked as `compression` says, is the text itself."""
        return not is_utf_16(self.path, self.name)

    @property
    def is_whole_in_head(self) -> bool:
        """Whether `head` is all there is."""
        return len(self.head) >= 0 and self._is_whole_in_head

    def chunks(self) -> Iterator[bytes]:
        """The text in pieces, UTF-8 as far as the file is text. Raises UnreadableFile where packed data is cut or corrupt."""
        return text_of(self.path, self.name)


class HeldContent(Content):
    """Text of a file, or found inside one, that is in memory."""

    _held: memoryview

    def __init__(self, outer: Content, text: bytes | memoryview, head: int = HEAD) -> None:
        self.path = outer.path
        self.name = outer.name
        self.counted = None
        self.compression = None
        self._held = memoryview(text)
        self._head = bytes(self._held[:head])
        self._is_whole_in_head = len(text) <= head

    @property
    def is_readable_by_database(self) -> bool:
        """It is in memory, and perhaps nowhere else."""
        return False

    def chunks(self) -> Iterator[bytes]:
        """The text, in pieces."""
        return in_chunks(self._held)


class ContentOfCells(Content):
    """Records that lie in the cells of a CSV file, one line for each row."""

    def __init__(self, outer: Content, cells: Cells) -> None:
        self.path = outer.path
        self.name = outer.name
        self.counted = None
        self.compression = None
        self._outer = outer
        self._cells = cells
        self._held = None
        self._head = None

    @property
    def is_readable_by_database(self) -> bool:
        """What the database would find in the file are rows."""
        return False

    def chunks(self) -> Iterator[bytes]:
        """The lines, in pieces."""
        return gathered(as_lines(self._outer.chunks(), self._cells))


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in larger pieces."""
    out: list[bytes] = []
    size = 0
    for piece in pieces:
        out.append(piece)
        size += len(piece)
        if size > _GATHERED:
            yield b"".join(out)
            out, size = [], 0
    yield b"".join(out)


def in_chunks(text: memoryview) -> Iterator[bytes]:
    """A text in memory, in pieces."""
    return (bytes(text[at : at + HEAD]) for at in range(0, len(text), HEAD))


class Pieces:
    """A stream in pieces of about PIECE bytes, to be read one after the other, each once and to its end.

    DuckDB keeps everything that it reads from a pipe until its query ends, so that a query must not be given more than
    memory may hold. `cut(chunk)` says at which byte of a chunk a piece may end, None where nowhere.
    """

    def __init__(self, chunks: Iterable[bytes], cut: Callable[[bytes], int | None]) -> None:
        self._chunks = iter(chunks)
        self._cut = cut
        self._left: bytes | None = b""
        self.count = 0
        """How many pieces there were so far."""

    def __iter__(self) -> Iterator[Iterator[bytes]]:
        """At least one piece, be it empty."""
        yield self._piece()
        while self._left is not None:
            yield self._piece()

    def _piece(self) -> Iterator[bytes]:
        self.count += 1
        size = 0
        chunk, self._left = self._left, None
        while chunk is not None:
            size += len(chunk)
            end = self._cut(chunk) if size >= PIECE else None
            if end is not None:
                yield chunk[:end]
                self._left = chunk[end:] or next(self._chunks, None)
                return
            yield chunk
            chunk = next(self._chunks, None)


def line_end(chunk: bytes) -> int | None:
    """Where a piece of lines may end: behind the last line feed."""
    return chunk.rfind(b"\n") + 1 or None


def write_all(descriptor: int, chunks: Iterable[bytes | memoryview]) -> None:
    """Write every byte, however few of them the system takes at a time."""
    for chunk in chunks:
        left = memoryview(chunk)
        while left:
            left = left[os.write(descriptor, left) :]


@contextmanager
def piped(chunks: Iterable[bytes | memoryview]) -> Iterator[str]:
    """A path under which another reader in this process can read these bytes, once, while they are made.

    Nothing is written to disk. What the making of the bytes raises is raised when the block ends.
    """
    read_end, write_end = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        # Where the user's share of pipe memory is spent, the pipe stays small, and slower.
        with suppress(OSError):
            fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    failures: list[BaseException] = []

    def pour() -> None:
        try:
            write_all(write_end, chunks)
        except BrokenPipeError:
            # The reader had enough, or failed and says why itself.
            pass
        except BaseException as problem:
            failures.append(problem)
        finally:
            os.close(write_end)

    pouring = threading.Thread(target=pour, name="pour", daemon=True)
    pouring.start()
    try:
        yield f"/dev/fd/{read_end}"
    finally:
        os.close(read_end)
        pouring.join()
        # Before anything the reader made of a stream that stopped early.
        if failures:
            raise failures[0]
