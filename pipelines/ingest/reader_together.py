"""Reads many small JSON files of one feed with one query: to plan a query takes as long as to read megabytes with it.

All their records lie in one file in memory, and a record of our own stands before those of each file. Only files in
which nothing is wrong or unusual are read so; each of the others is left to be read by itself, where every fault is told.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pipelines.errors import UnreadableFile
from pipelines.evidence.containers import Layout, is_json
from pipelines.evidence.json_text import BOM, LARGEST_TAIL, array_ends, written
from pipelines.ingest.content import Content, HeldContent, in_chunks
from pipelines.ingest.descriptions import FeedDescription
from pipelines.ingest.line_count import LineCount
from pipelines.ingest.outcome import NotThisFeed, NotValid, ReadResult
from pipelines.ingest.projection import REJECT_REASON, json_columns
from pipelines.ingest.reader_json import (
    as_in_the_head,
    has_other_lists,
    rows_query,
    says_more_follows,
)
from pipelines.ingest.reading import Tally, tallies, write_rows
from pipelines.ingest.recognition import json_layout
from pipelines.ingest.tray import Tray
from pipelines.warehouse import Connection, QueryFailed, literal, name

LARGEST_SMALL = 8 << 20
"""A file of which more than this is text is read by itself."""

# The first records tell how the others lie; where one lies otherwise, it shows, and the file is read by itself.
_HEAD = 16 << 10
_MOST_AT_ONCE = 32 << 20
_TABLE = "read_together"
_FILE = "number_of_file"



@dataclass(frozen=True)
class _Small:
    """A file whose records are ready to be poured. `rows` is how many it must have, None where nothing tells."""

    number: int
    layout: Layout
    records: memoryview
    rows: int | None = None
    around: Mapping[str, object] = field(default_factory=dict)


def read_together(
    connection: Connection, contents: Sequence[Content], feed: FeedDescription, targets: Sequence[Path], tray: Tray
) -> dict[int, ReadResult]:
    """Write the rows of each file to the target in its place, as far as they can be read together.

    Returns what reading came to by the file's place in `contents`. Of a file that is not in the answer, nothing was
    written, or something that doesn't count.
    """
    if feed.signs is None or len(contents) < 2:
        return {}
    results: dict[int, ReadResult] = {}
    for (form, plan), files in _alike(contents, feed):
        results |= _read(connection, files, form, plan, targets, tray)
    return results


def _alike(
    contents: Sequence[Content], feed: FeedDescription
) -> Iterator[tuple[tuple[str, FeedDescription], list[_Small]]]:
    """The files that one query can read, in groups that memory can hold: of one form, and with one plan."""
    groups: dict[tuple[str, FeedDescription], list[_Small]] = defaultdict(list)
    for number, content in enumerate(contents):
        small = _small(number, content, feed)
        if small is None:
            continue
        form = "newline_delimited" if small.layout.form == "lines" else "array"
        key = form, as_in_the_head(small.layout, feed)
        if sum(len(each.records) for each in groups[key]) + len(small.records) > _MOST_AT_ONCE:
            yield key, groups.pop(key)
        groups[key].append(small)
    yield from groups.items()


def _small(number: int, content: Content, feed: FeedDescription) -> _Small | None:
    """The file, if it is small, and if nothing but lines, one array or one record is in it."""
    try:
        text = content.whole(LARGEST_SMALL)
        if not text or _is_blank(text) or not is_json(bytes(text[:_HEAD]), feed.shapes):
            return None
        layout = json_layout(HeldContent(content, text, _HEAD), feed)
    except (UnreadableFile, NotThisFeed, NotValid):
        return None
    if not layout.is_plain:
        return None
    if layout.form == "lines":
        count = LineCount()
        for chunk in in_chunks(text):
            count.add(chunk)
        return _Small(number, layout, text, count.lines_to_expect)
    if layout.form == "array":
        return _array(number, layout, text)
    # As a rule one record: if it is several, they are more rows than one, or no array.
    return _Small(number, layout, text[len(BOM) if text[: len(BOM)] == BOM else 0 :], 1)


def _is_blank(text: memoryview) -> bool:
    return all(chunk.isspace() for chunk in in_chunks(text))


def _array(number: int, layout: Layout, text: memoryview) -> _Small | None:
    tail_start = max(layout.start, len(text) - LARGEST_TAIL)
    found = next(array_ends(layout.prefix, bytes(text[tail_start:])), None)
    if found is None:
        return None
    end, around = found
    if has_other_lists(around or {}, layout):
        return None
    return _Small(number, layout, text[layout.start : tail_start + end], None, around or {})


def _read(
    connection: Connection,
    files: Sequence[_Small],
    form: str,
    plan: FeedDescription,
    targets: Sequence[Path],
    tray: Tray,
) -> dict[int, ReadResult]:
    if len(files) < 2:
        return {}
    # No record can hold this by chance or by malice.
    mark = f"upheld:{secrets.token_hex(16)}"
    pour: Callable[[Sequence[_Small], str], Iterator[bytes | memoryview]] = _array_of if form == "array" else _lines_of
    try:
        with tray.as_file(pour(files, mark)) as path:
            _gather(connection, rows_query(plan, path, form, mark), mark)
        if _count_marks(connection, mark) == len(files):
            return _settled(connection, files, plan, targets, mark)
    except QueryFailed:
        pass
    finally:
        connection.execute(f"DROP TABLE IF EXISTS {_TABLE}")
    # One of them is damaged, or is not closed and swallowed the next one's mark: others can still be read together.
    half = len(files) // 2
    again = partial(_read, connection, form=form, plan=plan, targets=targets, tray=tray)
    return again(files[:half]) | again(files[half:])


def _array_of(files: Sequence[_Small], mark: str) -> Iterator[bytes | memoryview]:
    yield b"["
    for position, small in enumerate(files):
        yield (b"," if position else b"") + written({mark: mark})
        if not _is_blank(small.records):
            yield b","
            yield small.records
    yield b"]"


def _lines_of(files: Sequence[_Small], mark: str) -> Iterator[bytes | memoryview]:
    for small in files:
        yield written({mark: mark}) + b"\n"
        yield small.records
        if bytes(small.records[-1:]) != b"\n":
            yield b"\n"


def _gather(connection: Connection, query: str, mark: str) -> None:
    """The rows of all files in a table, each with the number of its file, from 1."""
    connection.execute(
        f"CREATE TEMP TABLE {_TABLE} AS SELECT *, count(*) FILTER ({REJECT_REASON} = {literal(mark)}) "
        f"OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS {_FILE} FROM ({query})"
    )


def _count_marks(connection: Connection, mark: str) -> int:
    [(count,)] = connection.execute(
        f"SELECT count(*) FROM {_TABLE} WHERE {REJECT_REASON} = {literal(mark)}"
    ).fetchall()
    return int(count)


def _settled(
    connection: Connection,
    files: Sequence[_Small],
    plan: FeedDescription,
    targets: Sequence[Path],
    mark: str,
) -> dict[int, ReadResult]:
    """Write the rows of each file that has nothing but good ones."""
    rows = f"(SELECT * FROM {_TABLE} WHERE {REJECT_REASON} IS DISTINCT FROM {literal(mark)})"
    found = tallies(connection, plan, rows, _FILE)
    columns = ", ".join(map(name, json_columns(plan)))
    results = {}
    for number, small in enumerate(files, 1):
        tally = found.get(number, Tally(0, 0, 0, None, None))
        is_whole = small.rows is None or tally.parsed == small.rows
        if tally.rejected or tally.without_id or not is_whole:
            continue
        query = f"SELECT {columns} FROM {_TABLE} WHERE {_FILE} = {number} AND {REJECT_REASON} IS NULL"
        write_rows(connection, query, targets[small.number])
        results[small.number] = ReadResult(
            parsed=tally.parsed,
            first_event_at=tally.first_event_at,
            last_event_at=tally.last_event_at,
            continuation=says_more_follows(dict(small.around), tally.parsed),
        )
    return results
