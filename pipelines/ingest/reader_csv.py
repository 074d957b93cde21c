"""Reads CSV feeds: with or without byte order mark, any line end, quoted line ends, `,` `;` or tab between cells.

The fast way lets DuckDB parse strictly; whatever it refuses, and any row count that an independent count does not
confirm, sends the file through a second pass, row by row, that isolates bad rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from pipelines.evidence.csv_text import LARGEST_ROW, Row, RowCount, rows
from pipelines.evidence.text import without_start
from pipelines.ingest.content import Content, Pieces
from pipelines.ingest.descriptions import FeedDescription
from pipelines.ingest.projection import REJECT_REASON, lake_columns, project_csv
from pipelines.ingest.reading import rejected_rows, write_piped
from pipelines.ingest.recognition import CsvLayout, csv_layout
from pipelines.ingest.rejected import RejectedRecord, rejected_record
from pipelines.warehouse import Connection, QueryFailed, literal

_MARK = "why_no_record"
_ESCAPED = {"\n": "'\\n'", "\r\n": "'\\r\\n'", "\r": "'\\r'"}


def read_csv(connection: Connection, content: Content, feed: FeedDescription, target: Path) -> CsvLayout:
    """Write one row per data row to `target`, in the file's order; blank lines are no rows.

    Raises NotThisFeed when the file is refused as a whole, and UnreadableFile.
    """
    layout, places = csv_layout(content, feed)
    count = RowCount(layout.delimiter)
    try:
        pieces = Pieces(count.watch(_data(content, layout)), count.row_end)
        found = write_piped(connection, pieces, partial(_query, feed, layout, places), target)
        # One column alone: DuckDB takes blank lines for rows.
        if found == count.rows and count.is_well_formed and len(layout.headings) > 1:
            return layout
    except QueryFailed:
        pass
    passed = _Passed()
    pieces = Pieces(_mended(content, layout, passed), len)
    found = write_piped(connection, pieces, partial(_query, feed, layout, places, is_mended=True), target)
    if found != passed.rows:
        raise RuntimeError(f"{found} rows were read of {passed.rows} that had been checked")
    return layout


def rejected_of_csv(
    connection: Connection, content: Content, feed: FeedDescription, layout: CsvLayout, written: Path
) -> Iterator[RejectedRecord]:
    """The rejected rows of a file that `read_csv` wrote to `written`, with their places and texts."""
    wanted = rejected_rows(connection, written)
    number, reason = next(wanted, (0, ""))
    for at, row in enumerate(_rows(content, layout), 1):
        if at != number:
            continue
        yield rejected_record(
            number, reason, row.offset, row.length, row.content, row.sha256, feed.keeps_rejected_text
        )
        number, reason = next(wanted, (0, ""))
        if not number:
            return


def _data(content: Content, layout: CsvLayout) -> Iterator[bytes]:
    """The bytes after the heading row."""
    return without_start(content.chunks(), layout.start)


def _rows(content: Content, layout: CsvLayout) -> Iterator[Row]:
    return rows(_data(content, layout), layout.delimiter, layout.start)


class _Passed:
    rows = 0


def _mended(content: Content, layout: CsvLayout, passed: _Passed) -> Iterator[bytes]:
    """Every row as regular CSV, with a first cell that says why it is no record, where it is none."""
    width = len(layout.headings)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in _rows(content, layout):
        passed.rows += 1
        cells, fault = _cells(row, width)
        writer.writerow([fault, *cells])
        if out.tell() > 1 << 18:
            yield out.getvalue().encode("utf-8")
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode("utf-8")


def _cells(row: Row, width: int) -> tuple[list[str], str]:
    if row.cells is None:
        return [""] * width, row.fault or "no CSV row"
    cells = row.cells
    # Some tools end every row with a separator.
    if len(cells) == width + 1 and not cells[-1]:
        cells = cells[:-1]
    if len(cells) != width:
        return [""] * width, f"expected {width} cells as in the heading row, found {len(cells)}"
    return cells, ""


def _query(
    feed: FeedDescription,
    layout: CsvLayout,
    places: Mapping[str, int],
    path: str,
    is_mended: bool = False,
) -> str:
    names = ([_MARK] if is_mended else []) + [f"c{position}" for position in range(len(layout.headings))]
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in names)
    # Told and not guessed: DuckDB would take a carriage return inside quotes for the end of a line.
    delimiter, line_end = (",", "\n") if is_mended else (layout.delimiter, layout.line_end)
    source = (
        f"read_csv({literal(path)}, auto_detect = false, header = false, delim = {literal(delimiter)}, quote = '\"', "
        f"new_line = {_ESCAPED[line_end]}, escape = '\"', compression = 'none', max_line_size = {4 * LARGEST_ROW}, parallel = false, "
        f"columns = {{{columns}}})"
    )
    ordered = [column for column in lake_columns(feed) if column != REJECT_REASON]
    return project_csv(feed, places, layout.headings, _MARK if is_mended else None).select(source, ordered)
