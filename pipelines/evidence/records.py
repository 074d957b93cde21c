"""Finds records in an original by their number, in the unit the vendor counts in.

A record's number is its line, its place in the array (or in the array under a key such as `Records`), or its CSV row
after the header, always from 1. Lines and CSV rows are streamed; a JSON document is read whole.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import re
import sys
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from pipelines.errors import UnreadableFile
from pipelines.evidence.compression import unpacked

_BOM = b"\xef\xbb\xbf"
_HEAD = 1 << 20
_JSON_NAMES = (".json", ".jsonl", ".ndjson", ".log")
_DELIMITERS = ",;\t|"

Container = Literal["lines", "document", "csv"]


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
    path: Path, name: str, numbers: Collection[int], wrappers: Sequence[str] = ()
) -> dict[int, FoundRecord]:
    """The records with these numbers. A number that is not in the file is not in the answer.

    `name` is the original name; `wrappers` are the keys under which an array of records may sit. Raises UnreadableFile where the file can't be read as what it is.
    """
    wanted = {number for number in numbers if number > 0}
    if not wanted:
        return {}
    found: dict[int, FoundRecord] = {}
    for number, record in _records(path, name, wrappers, wanted):
        found[number] = record
        if len(found) == len(wanted):
            break
    return found


def _records(
    path: Path, name: str, wrappers: Sequence[str], wanted: Collection[int]
) -> Iterator[tuple[int, FoundRecord]]:
    try:
        with _opened(path, name) as stream:
            head = stream.read(_HEAD)
        container = _container(head, name, wrappers)
        with _opened(path, name) as stream:
            if container == "lines":
                yield from _from_lines(stream, wanted)
            elif container == "csv":
                yield from _from_csv(stream, wanted)
            else:
                yield from _from_document(stream.read(), wrappers, wanted)
    except (ValueError, RecursionError, csv.Error) as problem:
        raise UnreadableFile(f"{name}: can't be read to the record ({problem}).") from problem


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


def _opened(path: Path, name: str) -> BinaryIO:
    return io.BufferedReader(_Stream(unpacked(path, name)), 1 << 18)


def _container(head: bytes, name: str, wrappers: Sequence[str]) -> Container:
    plain = name.lower()
    for suffix in (".gz", ".zst", ".zstd"):
        plain = plain.removesuffix(suffix)
    content = head.removeprefix(_BOM).lstrip()
    if content[:1] == b"[":
        return "document"
    if content[:1] != b"{":
        # CSV, or lines of which the first is damaged.
        return "lines" if plain.endswith(_JSON_NAMES) else "csv"
    lines = [line for line in content.split(b"\n") if line.strip()]
    if len(head) == _HEAD:
        lines.pop()  # cut off, perhaps
    if not lines:
        return "document"
    first = _object(lines[0])
    second = _object(lines[1]) if len(lines) > 1 else None
    if first is None:
        # Either a document over several lines, or lines of which the first is damaged.
        return "document" if second is None else "lines"
    if len(lines) == 1 and len(head) < _HEAD and any(isinstance(first.get(key), list) for key in wrappers):
        return "document"
    return "lines"


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


# -- lines ------------------------------------------------------------------------------------------------------------


def _from_lines(stream: BinaryIO, wanted: Collection[int]) -> Iterator[tuple[int, FoundRecord]]:
    offset = 0
    for number, line in enumerate(stream, 1):
        if number in wanted:
            content = line.removeprefix(_BOM) if number == 1 else line
            yield number, _read_json(content.strip(), f"line {number}", offset, len(line.rstrip(b"\r\n")))
        offset += len(line)


def _read_json(content: bytes, place: str, offset: int, length: int) -> FoundRecord:
    try:
        text = content.decode("utf-8")
        repeats: list[str] = []
        value = json.loads(text, object_pairs_hook=lambda pairs: _object_noting_repeats(pairs, repeats))
    except (ValueError, RecursionError):
        digest = hashlib.sha256(content).hexdigest()
        # Not its text: what can't be read can't be masked either.
        return FoundRecord(place, problem=f"no JSON: {length} bytes at offset {offset}, SHA-256 {digest}")
    return FoundRecord(place, value, text, is_plain=not repeats)


def _object_noting_repeats(pairs: list[tuple[str, Any]], repeats: list[str]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        repeats.append("")
    return found


# -- documents --------------------------------------------------------------------------------------------------------

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def _from_document(
    content: bytes, wrappers: Sequence[str], wanted: Collection[int]
) -> Iterator[tuple[int, FoundRecord]]:
    text = content.decode("utf-8-sig")
    for number, (place, start, end) in enumerate(_places(text, wrappers), 1):
        if number in wanted:
            yield number, _read_json(text[start:end].encode("utf-8"), place, start, end - start)


# Each of the walkers below yields (place, start, end) of the records it passes and returns where it stopped.
_Walk = Generator[tuple[str, int, int], None, int]


def _places(text: str, wrappers: Sequence[str]) -> _Walk:
    at = _skip_space(text, 0)
    while at < len(text):
        if text[at] == "[":
            at = yield from _array(text, at, "")
        elif text[at] == "{":
            at = yield from _object_or_wrapped_array(text, at, wrappers)
        else:
            start, at = at, _DECODER.raw_decode(text, at)[1]
            yield "the document", start, at
        at = _skip_space(text, at)
    return at


def _object_or_wrapped_array(text: str, start: int, wrappers: Sequence[str]) -> _Walk:
    at = _skip_space(text, start + 1)
    members = 0
    is_wrapper = False
    while text[at : at + 1] != "}":
        if members:
            at = _past(text, at, ",")
        members += 1
        if text[at : at + 1] != '"':
            raise ValueError(f"expected a key at character {at}")
        key, at = _DECODER.raw_decode(text, at)
        at = _past(text, _skip_space(text, at), ":")
        if key in wrappers and text[at : at + 1] == "[" and not is_wrapper:
            is_wrapper = True
            at = yield from _array(text, at, f" of {key}")
        else:
            at = _DECODER.raw_decode(text, at)[1]
        at = _skip_space(text, at)
    if not is_wrapper:
        yield "the document", start, at + 1
    return at + 1


def _array(text: str, start: int, of_what: str) -> _Walk:
    at = _skip_space(text, start + 1)
    number = 0
    while text[at : at + 1] != "]":
        if number:
            at = _past(text, at, ",")
        number += 1
        begin, at = at, _DECODER.raw_decode(text, at)[1]
        yield f"element {number}{of_what}", begin, at
        at = _skip_space(text, at)
    return at + 1


def _past(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise ValueError(f"expected {sign!r} at character {at}")
    return _skip_space(text, at + 1)


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


# -- CSV --------------------------------------------------------------------------------------------------------------


class _Remembering:
    """Passes lines on and keeps those since the last `taken`: a CSV row may span several."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._since: list[str] = []

    def __iter__(self) -> _Remembering:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._since.append(line)
        return line

    def taken(self) -> str:
        text = "".join(self._since)
        self._since.clear()
        return text.rstrip("\r\n")


def _from_csv(stream: BinaryIO, wanted: Collection[int]) -> Iterator[tuple[int, FoundRecord]]:
    csv.field_size_limit(sys.maxsize)
    lines = _Remembering(iter(io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")))
    first = next(lines, None)
    if first is None:
        return
    lines.taken()
    delimiter = max(_DELIMITERS, key=first.count)
    rows = csv.reader(itertools.chain([first], lines), delimiter=delimiter)
    headings = next(rows)
    header = (first + lines.taken()).rstrip("\r\n")
    number = 0
    for row in rows:
        text = lines.taken()
        if not row:
            continue
        number += 1
        if number in wanted:
            value, is_plain = _named(headings, row)
            yield number, FoundRecord(f"row {number}", value, f"{header}\n{text}", is_plain)


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
