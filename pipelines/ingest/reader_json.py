"""Reads JSON feeds: lines, arrays, objects around arrays, objects one after the other.

The fast way parses typed fields in DuckDB, in parallel and in bounded memory. It is not trusted blindly: a row without
any named field, or a number of rows that is not the number of lines, sends a file through a second, careful pass.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from pipelines.evidence.containers import KeyPath, Layout, at, json_on, on_line
from pipelines.evidence.json_text import (
    BOM,
    LARGEST_RECORD,
    LARGEST_TAIL,
    Text,
    array_ends,
    judge,
    lines,
    values,
    written,
)
from pipelines.evidence.text import without_start
from pipelines.ingest.content import Content, Pieces, gathered, line_end
from pipelines.ingest.descriptions import FeedDescription, expecting, starts_with_any
from pipelines.ingest.line_count import LineCount
from pipelines.ingest.outcome import NotValid
from pipelines.ingest.projection import (
    BLANK,
    REJECT_REASON,
    has_typed_items,
    json_columns,
    json_shape,
    needs_whole_record,
    nothing_found,
    project_json,
)
from pipelines.ingest.reading import Tally, numbers_with_reason, rejected_rows, tally, write_piped, write_rows
from pipelines.ingest.recognition import json_layout
from pipelines.ingest.rejected import RejectedRecord, rejected_record
from pipelines.ingest.unwrapped import unwrapped
from pipelines.warehouse import Connection, QueryFailed, literal, name

_MOST_ENDS_TRIED = 8

_PLACE_OF_FAULT = re.compile(r"in (?:record/value|line) (\d+): ([a-z ]+)")

# What an envelope says when it is one page of several. `isLast` is the other way round.
_MORE_PAGES = (
    "nextToken", "NextToken", "nextPageToken", "next_page_token", "nextLink", "@odata.nextLink", "next", "Marker",
    "IsTruncated", "isTruncated", "hasMore", "has_more",
)  # fmt: skip


@dataclass(frozen=True)
class JsonFile:
    """A JSON file whose rows were written. `is_plain`: each of its values was taken for a record."""

    layout: Layout
    is_plain: bool
    continuation: bool = False
    tally: Tally | None = None
    """The counts of its rows, where they were needed to read it."""


def read_json(connection: Connection, content: Content, feed: FeedDescription, target: Path) -> JsonFile:
    """Write one row per record to `target`, in the file's order; blank lines keep a row.

    Raises NotThisFeed or NotValid when the file is refused as a whole, and UnreadableFile.
    """
    layout = json_layout(content, feed)
    quick = as_in_the_head(layout, feed) if layout.is_plain else feed
    if quick is not feed:
        with suppress(NotValid, QueryFailed):
            read = _read_plain(connection, content, layout, quick, target)
            found = read.tally or tally(connection, quick, target)
            if not found.rejected and not found.without_id:
                return replace(read, tally=found)
    return _read(connection, content, layout, feed, target)


def as_in_the_head(layout: Layout, feed: FeedDescription) -> FeedDescription:
    """The feed without what its first records need not and what costs a second look at each record.

    That is: spellings of a key that they don't use, places where records of another kind have what is required, a hash
    in the place of the vendor's own id, and texts in the place of lists. A later record to which that doesn't apply shows:
    it is rejected, lacks an id, or stops the reading.
    """
    records = layout.sample
    foreign = _foreign_starts(records, feed)
    unused = _unused_twins(records, feed) | _only_beside(foreign, records, feed)
    hashes = feed.hashes and not (feed.has_record_hash and feed.own_id and _have_ids(records, feed))
    quick = expecting(feed, unused, foreign, hashes=hashes)
    if needs_whole_record(quick):
        # What from_json() finds to be of another type, it makes nothing of, in silence.
        return quick
    return expecting(feed, unused, foreign, _typed_lists(records, quick), hashes)


def _unused_twins(records: Sequence[Any], feed: FeedDescription) -> frozenset[KeyPath]:
    twins = json_shape(feed).twin_paths
    unused = frozenset(path for path in twins if _is_unused(path, records))
    used = twins - unused
    is_settled = len({tuple(key.lower() for key in path) for path in used}) == len(used)
    # A record in the other spelling has to show: by something required that is found under that spelling alone.
    would_show = any(starts_with_any(path, unused) for column in feed.required_columns for path in column.paths)
    return unused if used and is_settled and would_show else frozenset()


def _foreign_starts(records: Sequence[Any], feed: FeedDescription) -> frozenset[KeyPath]:
    """Where records of another kind have what is required or their id, and these have nothing."""
    twins = json_shape(feed).twin_paths
    found: set[KeyPath] = set()
    for column in feed.columns:
        unused = [path for path in column.paths if _is_unused(path, records)]
        if len(unused) == len(column.paths) or not (column.required or column.name in feed.own_id):
            continue
        for path in unused:
            starts = (path[:depth] for depth in range(1, len(path) + 1))
            start = next(start for start in starts if _is_unused(start, records))
            if not starts_with_any(start, twins):
                found.add(start)
    return frozenset(found)


def _only_beside(foreign: frozenset[KeyPath], records: Sequence[Any], feed: FeedDescription) -> frozenset[KeyPath]:
    """What stands in a record only beside what is foreign: a log store's table has all of a record flattened, or nothing."""
    flattened = _flattened(feed)
    is_other = bool(foreign & flattened) and all(_is_unused(path, records) for path in flattened)
    return flattened - foreign if is_other else frozenset()


@cache
def _flattened(feed: FeedDescription) -> frozenset[KeyPath]:
    return frozenset(path for column in feed.columns for path in column.paths if _is_flattened(path, column.paths))


def _is_flattened(path: KeyPath, paths: Sequence[KeyPath]) -> bool:
    """Whether a path is another one as Log Analytics flattens it, with a letter for the type: actor.id as actor_id_s."""
    return len(path) == 1 and any(re.fullmatch(re.escape("_".join(other)) + "_[a-z]", path[0]) for other in paths)


def _typed_lists(records: Sequence[Any], feed: FeedDescription) -> frozenset[str]:
    """The columns whose lists are lists of objects in these records, and nothing else."""
    return frozenset(
        column.name
        for column in feed.columns
        if has_typed_items(column) and _are_lists([at(record, path) for path in column.paths for record in records])
    )


def _are_lists(values: Sequence[Any]) -> bool:
    there = [value for value in values if value is not None]
    return bool(there) and all(isinstance(value, list) and all(isinstance(v, dict) for v in value) for value in there)


def _is_unused(path: KeyPath, records: Sequence[Any]) -> bool:
    return all(at(record, path) is None for record in records)


def _have_ids(records: Sequence[Any], feed: FeedDescription) -> bool:
    """Whether these records all have the vendor's own id."""
    columns = [feed.column(column) for column in feed.own_id]
    return all(
        any(at(record, path) not in (None, "") for path in column.paths) for record in records for column in columns
    )


def _read(
    connection: Connection, content: Content, layout: Layout, feed: FeedDescription, target: Path
) -> JsonFile:
    if not layout.is_plain:
        return _read_unwrapped(connection, content, layout, feed, target)
    read = _read_plain(connection, content, layout, feed, target)
    # What was not used may be a record in some envelope, behind the file's head.
    if read.is_plain and any(_is_wrapped(text, layout) for _, _, text in _rejected(connection, content, read, target)):
        return _read_unwrapped(connection, content, layout, feed, target)
    return read


def rejected_of_json(
    connection: Connection, content: Content, feed: FeedDescription, read: JsonFile, rows: Path
) -> Iterator[RejectedRecord]:
    """The rejected records of a file that `read_json` wrote to `rows`, with their places and texts."""
    for number, reason, text in _rejected(connection, content, read, rows):
        yield rejected_record(
            number, reason, text.offset, text.length, text.content, text.sha256, feed.keeps_rejected_text
        )


def _rejected(
    connection: Connection, content: Content, read: JsonFile, rows: Path
) -> Iterator[tuple[int, str, Text]]:
    wanted = rejected_rows(connection, rows)
    number, reason = next(wanted, (0, ""))
    if not number:
        return
    texts = _texts(content, read.layout)
    for place, text in enumerate(texts if read.is_plain else _unwrapped_texts(texts, read.layout), 1):
        if place != number:
            continue
        yield number, reason, text
        number, reason = next(wanted, (0, ""))
        if not number:
            return
    # Never in silence: then this reader and the database's see other records in the file.
    raise RuntimeError(f"row {number} was rejected, and the file has no such record")


def _texts(content: Content, layout: Layout) -> Iterator[Text]:
    if layout.form == "lines":
        for offset, length, line, sha256 in lines(content.chunks()):
            yield Text(offset, length, sha256 or "", line)
    else:
        start = layout.start if layout.form == "array" else _bom(content)
        yield from values(without_start(content.chunks(), start), start, in_array=layout.form == "array")


def _unwrapped_texts(texts: Iterable[Text], layout: Layout) -> Iterator[Text]:
    """The records in values, each with the place of its value."""
    for text in texts:
        value = None if text.content is None else on_line(text.content)
        if not isinstance(value, dict | list):
            yield text
            continue
        for record in layout.unwrapping.records(value, layout.level):
            yield text if record is value else _within(text, record)


def _within(text: Text, record: Any) -> Text:
    content = written(record)
    return Text(text.offset, text.length, hashlib.sha256(content).hexdigest(), content)


def _is_wrapped(text: Text, layout: Layout) -> bool:
    value = None if text.content is None else on_line(text.content)
    if not isinstance(value, dict | list):
        return False
    is_bare = text.content is not None and text.content.lstrip()[:1] in (b"{", b"[", BOM[:1])
    return not is_bare or next(layout.unwrapping.records(value, layout.level), None) is not value


def _read_plain(
    connection: Connection, content: Content, layout: Layout, feed: FeedDescription, target: Path
) -> JsonFile:
    if layout.form == "lines":
        return JsonFile(layout, True, tally=_read_lines(connection, content, feed, target))
    if layout.form == "array":
        return _read_array(connection, content, layout, feed, target, True)
    return _read_sequence_or_lines(connection, content, layout, feed, target, True)


def _read_unwrapped(
    connection: Connection, content: Content, layout: Layout, feed: FeedDescription, target: Path
) -> JsonFile:
    if layout.form == "lines":
        _read_wrapped_lines(connection, content, layout, feed, target)
        return JsonFile(layout, False, _last_page_says_more(content, layout))
    if layout.form == "array":
        return _read_array(connection, content, layout, feed, target, False)
    return _read_sequence_or_lines(connection, content, layout, feed, target, False)


def _last_page_says_more(content: Content, layout: Layout) -> bool:
    """Whether the last of several pages in a file says that there are more."""
    if not layout.has_pages:
        return False
    last = None
    for text in _texts(content, layout):
        last = text.content if text.content is None or text.content.strip() else last
    page = on_line(last) if last is not None else None
    arrays = layout.unwrapping.arrays_of(page)
    return says_more_follows(page, len(arrays[0])) if arrays else False


# -- lines ------------------------------------------------------------------------------------------------------------


def _read_wrapped_lines(
    connection: Connection, content: Content, layout: Layout, feed: FeedDescription, target: Path
) -> None:
    """Write the records of lines in which something is around them, or before them."""
    for judges_all in (False, True):
        mark = f"upheld:{secrets.token_hex(16)}"
        try:
            pieces = Pieces(gathered(_values_on_lines(content, mark, judges_all)), line_end)
            query = partial(rows_query, feed, form="newline_delimited", mark=mark, layout=layout)
            write_piped(connection, pieces, query, target)
            return
        except QueryFailed:
            # Some line is no JSON: then every line is looked at before the database sees it.
            if judges_all:
                raise


def _values_on_lines(content: Content, mark: str, judges_all: bool) -> Iterator[bytes]:
    """The JSON value on every line, or in its place an object that says why there is none."""
    for _, _, line, _ in lines(content.chunks()):
        if line is None:
            value = written({mark: judge(None)[1]})
        else:
            bare = line.removeprefix(BOM).strip()
            if not bare:
                value = written({mark: BLANK})
            elif bare[:1] in (b"{", b"[") and not judges_all:
                value = bare
            else:
                good, reason = judge(json_on(bare) or bare, (dict, list))
                value = written({mark: reason}) if good is None else good
        yield value + b"\n"


def _read_lines(connection: Connection, content: Content, feed: FeedDescription, target: Path) -> Tally | None:
    try:
        rows, lines_to_expect, found = _read_lines_fast(connection, content, feed, target)
    except QueryFailed:
        if feed.is_strict:
            raise
        # A line that only ends in the next one, or is too long, stops DuckDB whatever it was told to ignore.
        suspects: Sequence[int] | None = None
    else:
        suspects = numbers_with_reason(connection, target, nothing_found(feed)) if found.rejected else []
        if rows == lines_to_expect and not suspects:
            return found
    if suspects is not None:
        try:
            _read_lines_carefully(connection, content, feed, target, suspects, rows)
            return None
        except _Misaligned:
            pass
    _read_lines_carefully(connection, content, feed, target, None, None)
    return None


def _read_lines_fast(
    connection: Connection, content: Content, feed: FeedDescription, target: Path
) -> tuple[int, int, Tally]:
    """The number of rows, how many there should be, and what they are."""
    if not content.is_readable_by_database:
        count = LineCount()
        pieces = Pieces(count.watch(content.chunks()), line_end)
        rows = write_piped(connection, pieces, partial(rows_query, feed, form="newline_delimited"), target)
        return rows, count.lines_to_expect, tally(connection, feed, target)
    # In parallel, straight from the file; meanwhile its lines are counted, and what is packed is checked: of packed
    # data that is cut, DuckDB reads what there is, and says nothing.
    query = rows_query(feed, str(content.path), "newline_delimited", compression=content.compression)
    with _counted_meanwhile(content) as counted:
        rows = write_rows(connection, query, target)
        found = tally(connection, feed, target)
        return rows, counted().lines_to_expect, found


@contextmanager
def _counted_meanwhile(content: Content) -> Iterator[Callable[[], LineCount]]:
    """The count of a file's lines, which is there when it is asked for; packed data is found to be whole, or raises."""
    if content.counted is not None and content.compression is None:
        yield content.counted
        return
    count = LineCount()
    with ThreadPoolExecutor(1, thread_name_prefix="count") as counter:
        counting = counter.submit(deque, count.watch(content.chunks()), 0)

        def counted() -> LineCount:
            counting.result()
            return count

        try:
            yield counted
        finally:
            counting.result()


class _Misaligned(Exception):
    """The rows of the first pass were not the lines that are not blank, one by one."""


def _read_lines_carefully(
    connection: Connection,
    content: Content,
    feed: FeedDescription,
    target: Path,
    suspects: Sequence[int] | None,
    rows_before: int | None,
) -> None:
    """Write exactly one row per line. Suspect lines (None: all) are judged one by one before DuckDB sees them.

    `suspects` are rows of the first pass, which had one for each line that is not blank: `rows_before` of them.
    """
    # No record can hold this key by chance or by malice.
    mark = f"upheld:{secrets.token_hex(16)}"
    passed = _Passed()
    pieces = Pieces(gathered(_mended(content, suspects, rows_before, mark, passed)), line_end)
    rows = write_piped(connection, pieces, partial(rows_query, feed, form="newline_delimited", mark=mark), target)
    if rows != passed.values:
        raise RuntimeError(f"{rows} rows were read of {passed.values} lines that had been checked")


@dataclass
class _Passed:
    """How many values were handed on."""

    values: int = 0


def _mended(
    content: Content, suspects: Sequence[int] | None, rows_before: int | None, mark: str, passed: _Passed
) -> Iterator[bytes]:
    """Every line, or in its place an object that says why it is no record."""
    next_suspect = iter(suspects or ())
    suspect = next(next_suspect, None)
    written_on = 0
    for _, _, line, _ in lines(content.chunks()):
        passed.values += 1
        if line is not None and not line.strip():
            line = written({mark: BLANK})
        else:
            if suspects is None or written_on == suspect:
                if written_on == suspect:
                    suspect = next(next_suspect, None)
                good, reason = judge(line)
                line = written({mark: reason}) if good is None else good
            written_on += 1
        if line is None:
            raise _Misaligned
        yield line + b"\n"
    if rows_before is not None and (rows_before != written_on or suspect is not None):
        raise _Misaligned


# -- documents --------------------------------------------------------------------------------------------------------


def _read_array(
    connection: Connection, content: Content, layout: Layout, feed: FeedDescription, target: Path, is_plain: bool
) -> JsonFile:
    """Write the records of one array. What turns out to be several values, or several arrays, is read as that."""
    ends_tried = 0
    problem = "its array or the object around it is not closed: perhaps the file was cut"
    query = partial(rows_query, feed, form="array", layout=None if is_plain else layout)
    cut = _between_records(layout)
    while True:
        end = _ArrayEnd()
        pieces = Pieces(_array_chunks(content, layout, ends_tried, end), cut)
        try:
            count = write_piped(connection, _as_arrays(pieces), query, target)
        except _NoArrayEnd:
            break
        except QueryFailed as failure:
            problem = _said_by(failure)
            if pieces.count > 1:
                # Perhaps it was cut within a record: no piece was a list then.
                cut = _nowhere
                continue
            if end.others_left:
                ends_tried += 1
                continue
            break
        around = end.envelope or {}
        if has_other_lists(around, layout):
            problem = f"several lists in one object of more than {LARGEST_RECORD >> 20} MiB"
            break
        more = says_more_follows(end.envelope, count) or (not is_plain and _last_page_says_more(content, layout))
        return JsonFile(layout, is_plain, more)
    sequence = replace(layout, form="sequence", start=0, prefix=b"", wrapper=None, has_pages=layout.wrapper is not None)
    try:
        document = _whole_document(content, problem)
    except _SeveralValues:
        return _read_sequence_or_lines(connection, content, sequence, feed, target, False)
    except _TooLong:
        try:
            _read_sequence(connection, content, sequence, feed, target, False)
        except NotValid:
            lists = "; if it holds several lists or pages, write each to a file of its own" if layout.wrapper else ""
            raise NotValid(f"expected one JSON document, found a fault ({problem}){lists}") from None
        return JsonFile(sequence, False, _last_page_says_more(content, sequence))
    if isinstance(document, dict) and not layout.unwrapping.arrays_of(document):
        raise NotValid(f"expected one JSON document, found a fault ({problem})")
    # The rows have to be those that their texts are found by: elements of the one array, or what is in the document.
    elements = _only_array(document, layout)
    if elements is None:
        records = list(layout.unwrapping.records(document))
    else:
        records = [record for element in elements for record in layout.unwrapping.records(element, layout.level)]
    # What is no object is no record whatever it is, and some numbers alone in an array stop DuckDB.
    objects = [written(record) if isinstance(record, dict) else b"{}" for record in records]
    count = _write_objects(connection, objects, feed, target)
    more = says_more_follows(document if isinstance(document, dict) else None, count)
    return JsonFile(sequence if elements is None else layout, False, more)


def _only_array(document: Any, layout: Layout) -> list[Any] | None:
    """The array that the layout is about, where the document holds records nowhere else."""
    if isinstance(document, list):
        return document
    keys = [key for key in document if layout.unwrapping.arrays_of({key: document[key]})]
    return document[layout.wrapper] if keys == [layout.wrapper] else None


def has_other_lists(around: dict[str, Any], layout: Layout) -> bool:
    """Whether the object around an array holds further records."""
    return any(key != layout.wrapper and around[key] for key in around if layout.unwrapping.arrays_of({key: around[key]}))


@dataclass
class _ArrayEnd:
    envelope: dict[str, Any] | None = None
    others_left: bool = False


class _NoArrayEnd(Exception):
    pass


def _array_chunks(content: Content, layout: Layout, ends_tried: int, end: _ArrayEnd) -> Iterator[bytes]:
    """What is in the array, without its brackets. Where it ends is only known when its end is seen."""
    held = bytearray()
    for chunk in without_start(content.chunks(), layout.start):
        held += chunk
        if len(held) > 2 * LARGEST_TAIL:
            yield bytes(held[:-LARGEST_TAIL])
            del held[:-LARGEST_TAIL]
    tail = bytes(held)
    candidates = itertools.islice(array_ends(layout.prefix, tail), ends_tried, None)
    found = next(candidates, None)
    if found is None:
        raise _NoArrayEnd
    ending, end.envelope = found
    end.others_left = ends_tried < _MOST_ENDS_TRIED
    yield tail[:ending]


def _between_records(layout: Layout) -> Callable[[bytes], int | None]:
    """Where a piece of an array may end: behind an object, before one that begins as the first one does.

    If that is not between two elements, the piece is no list, and no rows are made of it.
    """
    first = next(iter(layout.sampled), None)
    if not isinstance(first, dict) or not first:
        return _nowhere
    key = re.escape(written(next(iter(first))))
    between = re.compile(rb"\}(?=[ \t\r\n]*,[ \t\r\n]*\{[ \t\r\n]*" + key + rb"[ \t\r\n]*:)")

    def cut(chunk: bytes) -> int | None:
        last = deque(between.finditer(chunk), maxlen=1)
        return last[0].end() if last else None

    return cut


def _nowhere(chunk: bytes) -> None:
    return None


def _as_arrays(pieces: Iterable[Iterable[bytes]]) -> Iterator[Iterator[bytes]]:
    """Pieces of elements, each as an array, without the comma that parts it from the one before."""
    for number, piece in enumerate(pieces):
        yield itertools.chain([b"["], _without_comma(piece) if number else piece, [b"]"])


def _with_commas(elements: Iterable[bytes]) -> Iterator[bytes]:
    for number, element in enumerate(elements):
        yield b"," + element if number else element


def _without_comma(elements: Iterable[bytes]) -> Iterator[bytes]:
    is_first = True
    for chunk in elements:
        yield chunk.lstrip().removeprefix(b",") if is_first else chunk
        is_first = is_first and not chunk.strip()


def _read_sequence_or_lines(
    connection: Connection, content: Content, layout: Layout, feed: FeedDescription, target: Path, is_plain: bool
) -> JsonFile:
    try:
        _read_sequence(connection, content, layout, feed, target, is_plain)
    except NotValid:
        # Perhaps lines after all, the first of them damaged: then most of the file can be saved.
        as_lines = replace(layout, form="lines")
        _read_wrapped_lines(connection, content, as_lines, feed, target)
        if not tally(connection, feed, target).parsed:
            raise
        return JsonFile(as_lines, False, _last_page_says_more(content, as_lines))
    return JsonFile(layout, is_plain, not is_plain and _last_page_says_more(content, layout))


def _read_sequence(
    connection: Connection, content: Content, layout: Layout, feed: FeedDescription, target: Path, is_plain: bool
) -> None:
    poured = _Passed()
    problem = "what stands between two records is no JSON"
    try:
        pieces = Pieces(_with_commas(_sequence(content, poured)), len)
        query = partial(rows_query, feed, form="array", layout=None if is_plain else layout)
        count = write_piped(connection, _as_arrays(pieces), query, target)
        # Told to ignore errors, DuckDB passes over whatever follows a number up to the next comma.
        if not is_plain or count == poured.values:
            return
    except _TooLong:
        raise NotValid(
            f"expected records and pages of at most {LARGEST_RECORD >> 20} MiB, found a longer one: export smaller pages, or "
            "write one record per line"
        ) from None
    except QueryFailed as failure:
        problem = _said_by(failure)
    objects: list[bytes] = []
    size = 0
    for text in values(without_start(content.chunks(), _bom(content)), _bom(content)):
        good, reason = judge(text.content, (dict, list))
        if good is None:
            raise NotValid(f"{(reason or problem).replace('of the line', 'of a record')}, at byte {text.offset + 1}")
        records = [good] if is_plain else layout.unwrapping.records(json.loads(good))
        objects += [each if isinstance(each, bytes) else written(each) if isinstance(each, dict) else b"{}" for each in records]
        size += len(good)
        if size > LARGEST_RECORD:
            raise NotValid(f"expected JSON objects, found a fault ({problem})")
    _write_objects(connection, objects, feed, target)


class _SeveralValues(Exception):
    pass


class _TooLong(Exception):
    pass


def _sequence(content: Content, poured: _Passed) -> Iterator[bytes]:
    """The values of a file that has them one after the other."""
    for text in values(without_start(content.chunks(), _bom(content)), _bom(content)):
        if text.content is None:
            raise _TooLong
        if not text.content.startswith((b"{", b"[")):
            # DuckDB takes some numbers for values, and stops at others.
            raise NotValid(f"expected JSON objects, found something else at byte {text.offset + 1}")
        poured.values += 1
        yield text.content


def _write_objects(
    connection: Connection, objects: Sequence[bytes], feed: FeedDescription, target: Path
) -> int:
    """Write objects that Python has read already."""
    try:
        return write_piped(connection, _as_arrays([_with_commas(objects)]), partial(rows_query, feed, form="array"), target)
    except QueryFailed as failure:
        raise NotValid(f"expected one JSON document, found a fault ({_said_by(failure)})") from None


def _whole_document(content: Content, problem: str) -> Any:
    """A small document as Python reads it, which says better where a fault is and knows some that are none.

    Raises NotValid where Python refuses it, too, _TooLong where it is too large to be tried, and _SeveralValues.
    """
    gathered = bytearray()
    for chunk in content.chunks():
        gathered += chunk
        if len(gathered) > LARGEST_RECORD:
            raise _TooLong
    try:
        return json.loads(gathered.decode("utf-8-sig"))
    except json.JSONDecodeError as fault:
        if fault.msg == "Extra data":
            raise _SeveralValues from None
        raise NotValid(
            f"expected one JSON document, found a fault at line {fault.lineno}, character {fault.colno} ({fault.msg})"
        ) from None
    except UnicodeDecodeError as fault:
        raise NotValid(f"expected UTF-8, found something else at byte {fault.start + 1}") from None
    except (ValueError, RecursionError):
        raise NotValid("expected one JSON document, found nesting or a number too large to be read") from None


def _said_by(failure: Exception) -> str:
    """What DuckDB says of a fault, without anything it may quote."""
    text = str(failure)
    if "maximum_object_size" in text:
        return f"a record longer than {LARGEST_RECORD >> 20} MiB"
    found = _PLACE_OF_FAULT.search(text)
    return f"in record {found.group(1)}: {found.group(2).strip()}" if found else "no valid JSON"


def says_more_follows(envelope: dict[str, Any] | None, count: int) -> bool:
    """Whether the object around an array says that there are more pages."""
    if not envelope:
        return False
    if any(envelope.get(key) not in (None, "", False) for key in _MORE_PAGES) or envelope.get("isLast") is False:
        return True
    start, total = envelope.get("startAt"), envelope.get("total")
    return isinstance(start, int) and isinstance(total, int) and start + count < total


# -- queries ----------------------------------------------------------------------------------------------------------


def rows_query(
    feed: FeedDescription,
    path: str,
    form: str,
    mark: str | None = None,
    layout: Layout | None = None,
    compression: str | None = None,
) -> str:
    """A query for the rows of the values in `path`: each a record, or taken apart as `layout` says."""
    shape = json_shape(feed, mark)
    # Where a file is taken apart, a fault in it must not pass for a value; nor one in a typed list for an empty one.
    ignores = "false" if layout or feed.is_strict else "true"
    options = (
        f"{literal(path)}, format = {literal(form)}, ignore_errors = {ignores}, "
        f"compression = {literal(compression or 'uncompressed')}, maximum_object_size = {LARGEST_RECORD}"
    )
    names = [column for column in json_columns(feed) if column != REJECT_REASON]
    if layout or needs_whole_record(feed):
        records = f"read_json_objects({options})"
        if layout:
            records = f"({unwrapped(records, layout.unwrapping, layout.level, mark)})"
        source = f"(SELECT json, from_json(json, {literal(shape.structure)}) AS r FROM {records})"
        return project_json(feed, "r.", "json", mark).select(source, names)
    types = ", ".join(f"{name(key)}: {literal(sql_type)}" for key, sql_type in shape.columns.items())
    return project_json(feed, mark=mark).select(f"read_json({options}, columns = {{{types}}})", names)


def _bom(content: Content) -> int:
    return len(BOM) if content.head.startswith(BOM) else 0
