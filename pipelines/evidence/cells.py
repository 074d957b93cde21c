"""CSV files whose rows each hold a record as JSON in one cell, as log stores and compliance portals export what they have.

Such a file is read as lines of JSON, one for each row. Every line stands where its row does, so that numbers and places
are those of the file itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from pipelines.evidence.containers import Signs, layout, opened
from pipelines.evidence.csv_text import DELIMITERS, Row, first_record, rows
from pipelines.evidence.json_text import BOM
from pipelines.evidence.text import without_start

_ROWS_LOOKED_AT = 50
_NO_RECORD = b"-"
_MOST_BLANKS = 1 << 20
_ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


@dataclass(frozen=True)
class Cells:
    """A column of a CSV file whose cells hold JSON. Its first data row begins at byte `start`."""

    delimiter: str
    column: int
    start: int


def cells_with_records(head: bytes, is_whole: bool, signs: Signs) -> Cells | None:
    """The column that holds a feed's records in a file that begins with `head` (and ends with it where `is_whole`)."""
    for cells in cells_with_json(head, is_whole):
        found = layout(b"".join(_first_lines(head, is_whole, cells)), True, signs)
        records = found.sample if found else []
        fitting = [record for record in records if signs.fit(record)]
        if fitting and 2 * len(fitting) >= len(records) and signs.tell(fitting[0]):
            return cells
    return None


def cells_with_json(head: bytes, is_whole: bool) -> Iterator[Cells]:
    """The columns of a CSV file of whose first cells most hold a JSON object or list; none of what isn't CSV."""
    if b"{" not in head or head.removeprefix(BOM).lstrip()[:1] in (b"{", b"["):
        return
    for delimiter in DELIMITERS:
        first = first_record(head, delimiter)
        # Where the first line holds JSON, too, there is no heading row: lines with something before their JSON.
        if first is None or any("{" in heading for heading in first[0]):
            continue
        headings, _, start = first
        found = _first_rows(head, is_whole, delimiter, start)
        regular = [row.cells for row in found if row.cells is not None and len(row.cells) == len(headings)]
        for column, texts in enumerate(zip(*regular, strict=True)):
            if 2 * sum("{" in text and opened(text) is not None for text in texts) > len(found):
                yield Cells(delimiter, column, start)


def as_lines(chunks: Iterable[bytes], cells: Cells) -> Iterator[bytes]:
    """The file's text with one line for each row: what its cell holds, and blanks for all that is around it.

    A row that can't be taken apart is a line of its own text, which is no JSON.
    """
    place = 0
    for row in rows(without_start(chunks, cells.start), cells.delimiter, cells.start):
        line = _line(row, cells.column)
        yield from _blanks(row.offset - place)
        yield line
        yield from _blanks(row.length - len(line))
        yield b"\n"
        place = row.offset + row.length + 1


def _blanks(count: int) -> Iterator[bytes]:
    for start in range(0, count, _MOST_BLANKS):
        yield b" " * min(_MOST_BLANKS, count - start)


def _first_lines(head: bytes, is_whole: bool, cells: Cells) -> Iterator[bytes]:
    for row in _first_rows(head, is_whole, cells.delimiter, cells.start):
        yield _line(row, cells.column) + b"\n"


def _first_rows(head: bytes, is_whole: bool, delimiter: str, start: int) -> list[Row]:
    found = list(islice(rows([head[start:]], delimiter, start), _ROWS_LOOKED_AT))
    # The last one may go on behind the head.
    return found if is_whole or len(found) == _ROWS_LOOKED_AT else found[:-1]


def _line(row: Row, column: int) -> bytes:
    if row.cells is None:
        return (row.content or _NO_RECORD).translate(_ON_ONE_LINE)
    if column >= len(row.cells) or not row.cells[column].strip():
        return _NO_RECORD
    return row.cells[column].encode().translate(_ON_ONE_LINE)
