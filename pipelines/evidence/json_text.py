"""JSON as text: lines, the values of an array or a sequence with their places, envelopes around arrays.

Plain Python for what few records need: finding, judging and mending single ones. Reading them all is DuckDB's work.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

LARGEST_RECORD = 16 << 20
"""A line or array element of more bytes is rejected: no record of any feed comes near it."""

LARGEST_TAIL = 1 << 20
"""How much may follow an array inside its envelope."""

BOM = b"\xef\xbb\xbf"

_MOST_ENDS_TRIED_BYTES = 16 << 20

_STRUCTURE = re.compile(rb'["{}\[\],]')
_STRING_STOP = re.compile(rb'["\\]')
_ENVELOPE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]', re.DOTALL)
_MARK_OR_QUOTE = re.compile(_ENVELOPE.pattern + rb'|"', re.DOTALL)
_CLOSING = {b"{": b"}", b"[": b"]"}
_SPACE = re.compile(r"[ \t\r\n]*")

DECODER = json.JSONDecoder()
"""Reads the value that begins at a place of a text, and says where it ends."""


@dataclass(frozen=True, slots=True)
class Text:
    """One record's text and its place in the unpacked file. `content` is None where it is too long to keep."""

    offset: int
    length: int
    sha256: str
    content: bytes | None


class _Gathering:
    """Bytes of one record as they come, in bounded memory."""

    __slots__ = ("_hash", "kept", "length", "offset")

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.length = 0
        self.kept: bytearray | None = bytearray()
        self._hash: Any = None

    def add(self, piece: bytes) -> None:
        self.length += len(piece)
        if self.kept is not None:
            self.kept += piece
            if len(self.kept) <= LARGEST_RECORD:
                return
            self._hash = hashlib.sha256(self.kept)
            self.kept = None
        else:
            self._hash.update(piece)

    def line(self) -> tuple[int, int, bytes | None, str | None]:
        if self.kept is None:
            return self.offset, self.length, None, self._hash.hexdigest()
        return self.offset, self.length, bytes(self.kept), None

    def text(self) -> Text:
        if self.kept is None:
            return Text(self.offset, self.length, self._hash.hexdigest(), None)
        content = bytes(self.kept)
        return Text(self.offset, self.length, hashlib.sha256(content).hexdigest(), content)


def lines(chunks: Iterable[bytes]) -> Iterator[tuple[int, int, bytes | None, str | None]]:
    """(offset, length, content, None) of every line, blank ones too, without its line feed.

    Of a line longer than LARGEST_RECORD the content is None, and its SHA-256 comes instead. Nothing is yielded after
    a last line feed.
    """
    offset = 0
    begun: _Gathering | None = None
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            if begun is None and len(piece) <= LARGEST_RECORD:
                yield offset, len(piece), piece, None
                offset += len(piece) + 1
                continue
            begun = begun or _Gathering(offset)
            begun.add(piece)
            yield begun.line()
            offset += begun.length + 1
            begun = None
        if rest:
            begun = begun or _Gathering(offset)
            begun.add(rest)
    if begun is not None:
        yield begun.line()


def values(chunks: Iterable[bytes], offset: int = 0, in_array: bool = False) -> Iterator[Text]:
    """The JSON values of a sequence, or of an array whose opening bracket lies just before the first byte.

    Tells values apart by their brackets and commas alone and checks no syntax: what stands between two values of a
    sequence goes with the later one, and what follows the last one is yielded too, so that nothing gets lost.
    """
    depth = 0
    in_string = False
    skip = 0
    position = offset
    gathering: _Gathering | None = None

    def take(piece: bytes, at: int) -> None:
        nonlocal gathering
        if gathering is None:
            stripped = piece.lstrip()
            if not stripped:
                return
            gathering = _Gathering(at + len(piece) - len(stripped))
            piece = stripped
        gathering.add(piece)

    def finished() -> Text | None:
        nonlocal gathering
        done, gathering = gathering, None
        if done is None:
            return None
        if done.kept is not None:
            done.kept = done.kept.rstrip()
            done.length = len(done.kept)
        return done.text()

    for chunk in chunks:
        at = skip
        skip = 0
        taken = 0
        while at < len(chunk):
            if in_string:
                found = _STRING_STOP.search(chunk, at)
                if found is None:
                    break
                if found.group() == b"\\":
                    at = found.end() + 1
                    skip = max(0, at - len(chunk))
                else:
                    in_string = False
                    at = found.end()
                continue
            found = _STRUCTURE.search(chunk, at)
            if found is None:
                break
            at = found.end()
            mark = found.group()
            if mark == b'"':
                in_string = True
            elif mark in b"{[":
                depth += 1
            elif mark == b",":
                if in_array and depth == 0:
                    take(chunk[taken : found.start()], position + taken)
                    taken = at
                    if (text := finished()) is not None:
                        yield text
            else:
                depth -= 1
                if in_array and depth < 0:
                    take(chunk[taken : found.start()], position + taken)
                    if (text := finished()) is not None:
                        yield text
                    return
                if not in_array and depth <= 0:
                    depth = 0
                    take(chunk[taken:at], position + taken)
                    taken = at
                    if (text := finished()) is not None:
                        yield text
        take(chunk[taken:], position + taken)
        position += len(chunk)
    if (text := finished()) is not None:
        yield text


def arrays_within(head: bytes) -> Iterator[tuple[str, int]]:
    """Under which keys the object that begins in `head` holds an array, and where the content of each begins."""
    depth = 0
    key: bytes | None = None
    expects_value = False
    for found in _ENVELOPE.finditer(head):
        mark = found.group()
        if mark in (b"{", b"["):
            if mark == b"[" and depth == 1 and expects_value and key is not None:
                with suppress(ValueError):
                    yield json.loads(key), found.end()
            depth += 1
            expects_value = False
        elif mark in (b"}", b"]"):
            depth -= 1
            if depth <= 0:
                return
        elif mark == b":":
            expects_value = depth == 1
        elif mark == b",":
            expects_value = False
        else:
            if depth == 1 and not expects_value:
                key = mark
            expects_value = False


def past_space(text: str, at: int) -> int:
    """Where JSON goes on behind the space at a place."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def begun(text: bytes) -> bytes:
    """The JSON object or list that begins in a text which ends within it: what is whole of it, closed."""
    open_brackets: list[bytes] = []
    end, closing = 0, b""
    # A text that breaks off in a string has a quote that no other one answers.
    for found in _MARK_OR_QUOTE.finditer(text):
        mark = found.group()
        if mark == b'"':
            break
        if mark in _CLOSING:
            open_brackets.append(_CLOSING[mark])
        elif mark in (b"}", b"]") and open_brackets:
            open_brackets.pop()
        elif mark != b",":
            continue
        # What comes before a comma is whole, and so is what just opened or closed.
        end = found.start() if mark == b"," else found.end()
        closing = b"".join(reversed(open_brackets))
        if not open_brackets:
            break
    return text[:end] + closing


def array_ends(prefix: bytes, tail: bytes) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Where in `tail` the array that `prefix` opens may end: offsets of its closing bracket, likeliest first.

    With each comes the envelope, the object around the array with the array left empty (None where the array is
    the whole document). Prefix, content and tail are each valid where they meet, so when the content between them
    is a valid list, the whole is valid JSON and was taken apart in the only possible way.
    """
    end = len(tail)
    follows = (b",", b"}") if prefix.startswith(b"{") else (b"",)
    # Every bracket further to the left makes a longer end to be tried: brackets by the million must not take hours.
    left_to_try = _MOST_ENDS_TRIED_BYTES
    while left_to_try > 0 and (end := tail.rfind(b"]", 0, end)) >= 0:
        after = tail[end + 1 : end + 64].lstrip()
        if after[:1] not in follows and len(after) > 0:
            continue
        left_to_try -= len(tail) - end
        try:
            around = json.loads((prefix + tail[end:]).decode("utf-8"))
        except (ValueError, RecursionError):
            continue
        yield end, around if isinstance(around, dict) else None


def judge(line: bytes | None, kinds: tuple[type, ...] = (dict,)) -> tuple[bytes | None, str | None]:
    """What one line is: (JSON of one of these kinds to read, None), or (None, why it is no record)."""
    if line is None:
        return None, f"expected a record of at most {LARGEST_RECORD >> 20} MiB, found a longer line"
    try:
        text = line.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as problem:
        return None, f"expected UTF-8, found something else at byte {problem.start + 1} of the line"
    try:
        value = json.loads(text)
    except json.JSONDecodeError as problem:
        return None, f"expected JSON, found a fault at character {problem.pos + 1} of the line ({problem.msg})"
    except (ValueError, RecursionError):
        return None, "expected JSON, found nesting or a number too large to be read"
    if not isinstance(value, kinds):
        return None, f"expected a JSON object, found {kind_of(value)}"
    try:
        text.encode("utf-8")
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        # Half of a surrogate pair (a name cut in the middle of an emoji) is JSON by its grammar, and DuckDB refuses
        # the whole record for it.
        return written(value), None
    return text.encode("utf-8"), None


def written(value: Any) -> bytes:
    """JSON of a value on one line, with U+FFFD for half surrogate pairs."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8")


def kind_of(value: Any) -> str:
    """What a JSON value is, in a word, without showing it."""
    kinds = {dict: "an object", list: "an array", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
