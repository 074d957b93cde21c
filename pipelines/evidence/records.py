"""Finds records in an original by their number, in the unit the vendor counts in.

A record's number is its line, its place in the array (or in the array under a key such as `Records`), or its CSV row
after the header, always from 1; where lines or values are pages, records are counted on through all of them. Lines and
CSV rows are streamed; a JSON document is read whole.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.evidence.cells import Cells, as_lines, cells_with_records
from pipelines.evidence.containers import NO_SIGNS, Layout, Signs, Unwrapping, is_json, json_on, layout
from pipelines.evidence.csv_text import DELIMITERS, Row, first_record, rows
from pipelines.evidence.json_text import BOM, DECODER, past_space, written
from pipelines.evidence.text import LARGEST_ANSWER, csv_within, text_of, without_start

_HEAD = 1 << 20

_Text = Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class FoundRecord:
    """One record. `text` is what the vendor wrote, `value` the same read: any JSON value, or heading -> text for CSV.

    `is_plain` says that `value` holds everything `text` does, so that showing the text shows no more than the value
    (a JSON object may hold a key twice). `problem` says why there is no value; there is no text then either.
    """

    place: str
    value: Any = None
    text: str | None = None
    is_plain: bool = False
    problem: str | None = None


def find_records(
    path: Path,
    name: str,
    numbers: Collection[int],
    signs: Signs | None = NO_SIGNS,
    shapes: Sequence[str] = ("json", "csv"),
) -> dict[int, FoundRecord]:
    """The records with these numbers. A number that is not in the file is not in the answer.

    `name` is the original name, `signs` what the feed's JSON records are known by, `shapes` in which it comes. What lies behind
    the place where a file can't be read any further is in the answer with that problem. Raises UnreadableFile when
    packed data is cut or corrupt.
    """
    wanted = {number for number in numbers if number > 0}
    found: dict[int, FoundRecord] = {}
    try:
        for number, record in _records(path, name, signs, shapes, wanted) if wanted else ():
            found[number] = record
            if len(found) == len(wanted):
                break
    except (ValueError, RecursionError) as problem:
        # Its words could quote the record.
        where = f" at character {problem.pos}" if isinstance(problem, json.JSONDecodeError) else ""
        for number in wanted - found.keys():
            found[number] = FoundRecord(
                f"record {number}", problem=f"the file can't be read to here: a fault{where}"
            )
    return found


def _records(
    path: Path, name: str, signs: Signs | None, shapes: Sequence[str], wanted: Collection[int]
) -> Iterator[tuple[int, FoundRecord]]:
    text: _Text = partial(text_of, path, name)
    head, is_whole = _head(text)
    found = cells = None
    if signs is not None:
        if (cells := cells_with_records(head, is_whole, signs)) is not None:
            text = partial(_lines_of_cells, text, cells)
            head, is_whole = _head(text)
        if cells is not None or is_json(head, shapes):
            found = layout(head, is_whole, signs)
    if found is None:
        yield from _from_csv(_csv_text(text, head), wanted)
        return
    with _opened(text()) as stream:
        if found.form == "lines":
            yield from _from_lines(stream, found.unwrapping, wanted, "line" if cells is None else "row")
        else:
            yield from _from_document(stream.read(), found, wanted)


def _lines_of_cells(text: _Text, cells: Cells) -> Iterator[bytes]:
    return as_lines(text(), cells)


def _csv_text(text: _Text, head: bytes) -> _Text:
    """The text of a CSV file, or of one that a JSON answer holds."""
    if not head.removeprefix(BOM).lstrip().startswith(b"{"):
        return text
    with _opened(text()) as stream:
        whole = stream.read(LARGEST_ANSWER)
    return lambda: iter([csv_within(whole) or whole])


def _head(text: _Text) -> tuple[bytes, bool]:
    """The first bytes, and whether they are all."""
    with _opened(text()) as stream:
        head = stream.read(_HEAD + 1)
    return head[:_HEAD], len(head) <= _HEAD


class _Stream(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            self._left = memoryview(next(self._pieces, b""))
            if not self._left:
                return 0
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def _opened(text: Iterator[bytes]) -> BinaryIO:
    return io.BufferedReader(_Stream(text), 1 << 18)


# -- lines ------------------------------------------------------------------------------------------------------------


def _from_lines(
    stream: BinaryIO, unwrapping: Unwrapping, wanted: Collection[int], unit: str
) -> Iterator[tuple[int, FoundRecord]]:
    offset = 0
    number = 0
    # A line without any of these is one record, whatever it says.
    signs_of_pages = (*(json.dumps(key).encode() for key in unwrapping.wrappers), b'"[')
    for place, line in enumerate(stream, 1):
        content = line.rstrip(b"\n").removeprefix(BOM)
        may_be_page = content.lstrip().startswith(b"[") or any(sign in content for sign in signs_of_pages)
        if may_be_page or number + 1 in wanted:
            for record in _within(content, f"{unit} {place}", offset, unwrapping, 0):
                number += 1
                if number in wanted:
                    yield number, record
        else:
            number += 1
        offset += len(line)


def _within(
    content: bytes, place: str, offset: int, unwrapping: Unwrapping, level: int
) -> Iterator[FoundRecord]:
    """The records in one value, each as the vendor wrote it."""
    bare = content.lstrip()
    if bare[:1] not in (b"{", b"["):
        content = json_on(bare) or content
    whole = _read_json(content, place, offset, len(content))
    if whole.problem is not None:
        yield whole
        return
    records = list(unwrapping.records(whole.value, level))
    for number, record in enumerate(records, 1):
        if record is whole.value:
            yield whole
        else:
            inside = f"record {number} in {place}" if len(records) > 1 else f"in {place}"
            yield FoundRecord(inside, record, written(record).decode(), is_plain=True)


def _read_json(content: bytes, place: str, offset: int, length: int) -> FoundRecord:
    try:
        text = content.decode("utf-8")
        repeats: list[str] = []
        value = json.loads(text, object_pairs_hook=lambda pairs: _object_noting_repeats(pairs, repeats))
    except (ValueError, RecursionError):
        # Not its text: what can't be read can't be masked either.
        problem = f"no JSON: {length} bytes at offset {offset}, SHA-256 {_hash(content)}"
        return FoundRecord(place, problem=problem)
    return FoundRecord(place, value, text.strip(), is_plain=not repeats)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _object_noting_repeats(pairs: list[tuple[str, Any]], repeats: list[str]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        repeats.append("")
    return found


# -- documents --------------------------------------------------------------------------------------------------------

def _from_document(
    content: bytes, found: Layout, wanted: Collection[int]
) -> Iterator[tuple[int, FoundRecord]]:
    unwrapping = found.unwrapping
    number = 0
    text = content.decode("utf-8-sig")
    places: Iterable[tuple[str, int, int, int]] = _places(text, unwrapping)
    if found.form == "sequence" or _are_several(text):
        try:
            places = list(places)
            is_faulty = any(level == 0 and text[start] not in "{[" for _, start, _, level in places)
        except (ValueError, RecursionError):
            is_faulty = True
        if is_faulty:
            # Ingest, too, reads such a file line by line; where nothing in it is a record, it is rejected whole.
            yield from _from_lines(io.BytesIO(content), unwrapping, wanted, "line")
            return
    for place, start, end, level in places:
        for record in _within(text[start:end].encode("utf-8", "surrogatepass"), place, start, unwrapping, level):
            number += 1
            if number in wanted:
                yield number, record


def _are_several(text: str) -> bool:
    """Whether a text that begins with a whole JSON value goes on behind it."""
    try:
        return past_space(text, DECODER.raw_decode(text, past_space(text, 0))[1]) < len(text)
    except (ValueError, RecursionError):
        return False


# Each of the walkers below yields (place, start, end, level) of the values it passes and returns where it stopped.
_Walk = Generator[tuple[str, int, int, int], None, int]


def _places(text: str, unwrapping: Unwrapping) -> _Walk:
    start = past_space(text, 0)
    if not _are_several(text):
        # One document, or one that breaks off: its records are told apart in it.
        return (yield from _places_in(text, start, unwrapping))
    at = start
    number = 0
    while at < len(text):
        number += 1
        begin, at = at, DECODER.raw_decode(text, at)[1]
        at = past_space(text, at)
        yield f"document {number}", begin, at, 0
    return at


def _places_in(text: str, start: int, unwrapping: Unwrapping) -> _Walk:
    if text[start] == "[":
        return (yield from _array(text, start, ""))
    document, end = DECODER.raw_decode(text, start)
    if isinstance(document, dict) and not unwrapping.signs.fit(document) and unwrapping.arrays_of(document):
        return (yield from _wrapped_arrays(text, start, unwrapping))
    yield "the document", start, end, 0
    return end


def _wrapped_arrays(text: str, start: int, unwrapping: Unwrapping) -> _Walk:
    at = past_space(text, start + 1)
    members = 0
    while text[at : at + 1] != "}":
        if members:
            at = _past(text, at, ",")
        members += 1
        if text[at : at + 1] != '"':
            raise ValueError(f"expected a key at character {at}")
        key, at = DECODER.raw_decode(text, at)
        at = _past(text, past_space(text, at), ":")
        if key in unwrapping.wrappers and text[at : at + 1] == "[":
            at = yield from _array(text, at, f" of {key}")
        else:
            at = DECODER.raw_decode(text, at)[1]
        at = past_space(text, at)
    return at + 1


def _array(text: str, start: int, of_what: str) -> _Walk:
    at = past_space(text, start + 1)
    number = 0
    while text[at : at + 1] != "]":
        if number:
            at = _past(text, at, ",")
        number += 1
        begin, at = at, DECODER.raw_decode(text, at)[1]
        yield f"element {number}{of_what}", begin, at, 1
        at = past_space(text, at)
    return at + 1


def _past(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise ValueError(f"expected {sign!r} at character {at}")
    return past_space(text, at + 1)


# -- CSV --------------------------------------------------------------------------------------------------------------


def _from_csv(text: _Text, wanted: Collection[int]) -> Iterator[tuple[int, FoundRecord]]:
    head, _ = _head(text)
    firsts = {delimiter: first for delimiter in DELIMITERS if (first := first_record(head, delimiter)) is not None}
    if not firsts:
        return
    delimiter = max(firsts, key=lambda each: len(firsts[each][0]))
    headings, _, start = firsts[delimiter]
    header = head[:start].removeprefix(BOM).strip(b"\r\n").decode("utf-8", "replace")
    for number, row in enumerate(rows(without_start(text(), start), delimiter, start), 1):
        if number in wanted:
            yield number, _from_row(f"row {number}", header, headings, row)


def _from_row(place: str, header: str, headings: Sequence[str], row: Row) -> FoundRecord:
    if row.cells is None or row.content is None:
        sha256 = row.sha256 or _hash(row.content or b"")
        return FoundRecord(place, problem=f"no CSV row: {row.length} bytes, SHA-256 {sha256}")
    value, is_plain = _named(headings, row.cells)
    return FoundRecord(place, value, f"{header}\n{row.content.decode()}", is_plain)


def _named(headings: Sequence[str], row: Sequence[str]) -> tuple[dict[str, str], bool]:
    """Heading -> value. A heading that repeats or is missing gets its column's number, so that nothing is hidden."""
    named: dict[str, str] = {}
    for number, value in enumerate(row, 1):
        heading = headings[number - 1] if number <= len(headings) else ""
        if not heading or heading in named:
            heading = f"{heading} (column {number})".strip()
        named[heading] = value
    return named, len(named) == len(row)


def rewritten_csv(record: dict[str, Any]) -> str:
    """A CSV record with its headings, written anew (after masking)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(record.keys())
    writer.writerow(record.values())
    return text.getvalue().rstrip("\n")
