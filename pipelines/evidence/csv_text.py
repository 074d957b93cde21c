"""CSV as text: the heading row, rows with their places, and an independent count of rows.

DuckDB reads regular CSV; rows come through here one by one only where a file is irregular, to isolate its bad rows.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.evidence.json_text import BOM

DELIMITERS = (",", ";", "\t")
LARGEST_CELL = 1 << 20
LARGEST_ROW = 4 << 20

_LINE_END = re.compile(rb"\r\n|\n|\r")
# No byte of UTF-8.
_QUOTED = b"\xff"
_NOT_LINE_ENDS = re.compile(rb"[^\r\n]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its place. `cells` is None where it can't be taken apart; `fault` then says why."""

    offset: int
    length: int
    content: bytes | None
    sha256: str | None
    cells: list[str] | None
    fault: str | None = None


def first_record(head: bytes, delimiter: str) -> tuple[tuple[str, ...], str, int] | None:
    """The cells of the first row that is not blank, its line end, and the byte where the next row begins.

    None if there is no such row.
    """
    bom = len(head) - len(head.removeprefix(BOM))
    for row in rows([head[bom:]], delimiter):
        if row.cells is None or row.length >= LARGEST_CELL:
            return None
        end = bom + row.offset + row.length
        found = _LINE_END.match(head, end)
        line_end, start = (found.group().decode(), found.end()) if found else ("\n", end)
        return tuple(row.cells), line_end, start
    return None


class RowCount:
    """Counts the rows of well-formed CSV by its quotes and line ends alone. Feed it every chunk in turn.

    `is_well_formed` is False where a quote stands inside a cell that doesn't begin with one, or more follows the quote
    that ends a cell: readers disagree about which quotes count then, and so about rows.
    """

    def __init__(self, delimiter: str) -> None:
        self.rows = 0
        self.is_well_formed = True
        at_an_end = re.escape(delimiter.encode()) + rb"\r\n" + _QUOTED
        self._misplaced = re.compile(rb"[^%b]%b|%b[^%b]" % (at_an_end, _QUOTED, _QUOTED, at_an_end))
        self._last = b"\n"
        self._in_quotes = False
        self._in_row = False

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, counted on their way."""
        for chunk in chunks:
            self._count(chunk)
            yield chunk

    def row_end(self, chunk: bytes) -> int | None:
        """Behind which byte of the chunk that was counted last, or of its end, the last row with a line feed ends."""
        place, is_outside = len(chunk), not self._in_quotes
        while place >= 0:
            quote = chunk.rfind(b'"', 0, place)
            line_feed = chunk.rfind(b"\n", quote + 1, place) if is_outside else -1
            if line_feed >= 0:
                return line_feed + 1
            place, is_outside = quote, not is_outside
        return None

    def _count(self, chunk: bytes) -> None:
        parts = chunk.split(b'"')
        # A quoted part is text whatever it holds: it stands as one byte, its line ends gone.
        outside = _QUOTED.join(parts[1::2] if self._in_quotes else parts[0::2])
        if self._in_quotes:
            outside = _QUOTED + outside
        if len(parts) % 2 == 0:
            self._in_quotes = not self._in_quotes
        if self._in_quotes and len(parts) > 1:
            outside += _QUOTED
        if _QUOTED in outside or self._last == _QUOTED:
            self.is_well_formed = self.is_well_formed and not self._misplaced.search(self._last + outside)
        self._last = outside[-1:] or self._last
        runs = len(_NOT_LINE_ENDS.findall(outside))
        continues = self._in_row and outside[:1] not in (b"\r", b"\n", b"")
        self.rows += runs - continues
        if outside:
            self._in_row = outside[-1:] not in (b"\r", b"\n")


def rows(chunks: Iterable[bytes], delimiter: str, offset: int = 0) -> Iterator[Row]:
    """Every row but blank lines, taken apart strictly, each with its own fault.

    A row that can't be taken apart ends with its first line, so that an open quote does not swallow the rest.
    """
    csv.field_size_limit(LARGEST_CELL)
    source = _Lines(chunks, offset)
    while True:
        source.mark()
        reader = csv.reader(source, delimiter=delimiter, strict=True)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            line = source.back_to_first_line()
            yield _faulty(line, f"expected a CSV row, found a fault ({problem})")
            continue
        except _TooLong:
            line = source.back_to_first_line()
            yield _faulty(line, f"expected a row of at most {LARGEST_ROW >> 20} MiB, found a longer one")
            continue
        at, content = source.taken()
        if not cells:
            continue
        if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
            yield Row(at, len(content), content, None, None, "expected UTF-8, found other bytes")
        else:
            yield Row(at, len(content), content, None, cells)


def _faulty(line: tuple[int, int, bytes | None, str | None], fault: str) -> Row:
    at, length, content, sha256 = line
    return Row(at, length, content, sha256, None, fault)


class _TooLong(Exception):
    pass


class _Lines:
    """The physical lines of CSV as text for csv.reader, remembering those of the row that is being read."""

    def __init__(self, chunks: Iterable[bytes], offset: int) -> None:
        self._lines = _physical_lines(chunks)
        self._again: list[tuple[bytes | None, int, str | None]] = []
        self._row: list[tuple[bytes | None, int, str | None]] = []
        self._row_length = 0
        self._offset = offset

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._lines)
        self._row.append(line)
        self._row_length += line[1]
        if line[0] is None or self._row_length > LARGEST_ROW:
            raise _TooLong
        return line[0].decode("utf-8", "surrogateescape")

    def mark(self) -> None:
        """A new row begins here."""
        self._offset += self._row_length
        self._row = []
        self._row_length = 0

    def taken(self) -> tuple[int, bytes]:
        """Offset and bytes of the row just read, without its line end."""
        return self._offset, b"".join(line[0] or b"" for line in self._row).rstrip(b"\r\n")

    def back_to_first_line(self) -> tuple[int, int, bytes | None, str | None]:
        """Give back all but the first line of the row; returns that one as (offset, length, content, sha256)."""
        first, *rest = self._row
        self._again.extend(reversed(rest))
        self._row = [first]
        self._row_length = first[1]
        content = None if first[0] is None else first[0].rstrip(b"\r\n")
        return self._offset, first[1] if content is None else len(content), content, first[2]


def _physical_lines(chunks: Iterable[bytes]) -> Iterator[tuple[bytes | None, int, str | None]]:
    """(line with its end, its length, None), or (None, length, sha256) of a line longer than LARGEST_ROW."""
    pending = b""
    long_hash = None
    long_length = 0
    for chunk in chunks:
        ended = (pending + chunk).splitlines(keepends=True)
        pending = b""
        if ended and not ended[-1].endswith(b"\n"):
            # It may go on in the next chunk; after a carriage return, its line feed may be there.
            pending = ended.pop()
        for line in ended:
            if long_hash is not None:
                long_hash.update(line)
                yield None, long_length + len(line), long_hash.hexdigest()
                long_hash, long_length = None, 0
            else:
                yield _bounded(line)
        if long_hash is not None or len(pending) > LARGEST_ROW:
            kept = b"\r" if pending.endswith(b"\r") else b""
            long_hash = long_hash or hashlib.sha256()
            long_hash.update(pending[: len(pending) - len(kept)])
            long_length += len(pending) - len(kept)
            pending = kept
    if long_hash is not None:
        long_hash.update(pending)
        yield None, long_length + len(pending), long_hash.hexdigest()
    elif pending:
        yield _bounded(pending)


def _bounded(line: bytes) -> tuple[bytes | None, int, str | None]:
    if len(line) > LARGEST_ROW:
        return None, len(line), hashlib.sha256(line).hexdigest()
    return line, len(line), None
