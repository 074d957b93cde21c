"""An export as UTF-8 text: unpacked, decoded where it is UTF-16, and taken out of a JSON answer that holds a CSV file."""

from __future__ import annotations

import base64
import binascii
import codecs
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.evidence.compression import unpacked

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)

LARGEST_ANSWER = 64 << 20
"""A JSON answer around a CSV file is read whole, up to this size."""

_HELD_UNDER = ("Content", "content", "body", "Body", "csv", "CSV", "data", "report")


def text_of(path: Path, name: str) -> Iterator[bytes]:
    """The content in pieces, unpacked, as UTF-8 where it says that it is UTF-16. Raises UnreadableFile like `unpacked`."""
    return as_utf_8(unpacked(path, name))


def without_start(chunks: Iterable[bytes], start: int) -> Iterator[bytes]:
    """The chunks without their first `start` bytes."""
    for chunk in chunks:
        if start >= len(chunk):
            start -= len(chunk)
            continue
        yield chunk[start:]
        start = 0


def is_utf_16(path: Path, name: str) -> bool:
    """Whether the content, unpacked, is UTF-16. Raises UnreadableFile like `unpacked`."""
    return begins_utf_16(next(iter(unpacked(path, name)), b"")[:4])


def as_utf_8(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same pieces; those of UTF-16 with a byte order mark as UTF-8 without one.

    Halves of surrogate pairs become bytes that are no UTF-8, so that they are told like any others.
    """
    left = iter(pieces)
    head = b""
    for piece in left:
        head += piece
        if len(head) >= 4:
            break
    if not begins_utf_16(head):
        yield from itertools.chain([head] if head else [], left)
        return
    decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
    for piece in itertools.chain([head], left):
        if text := decoder.decode(piece):
            yield text.encode("utf-8", "surrogatepass")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        # An odd byte at the end: the file was cut.
        yield b"\xff"


def begins_utf_16(head: bytes) -> bool:
    """Whether a content that begins with these four bytes is UTF-16."""
    return head.startswith(_UTF_16) and not head.startswith(_UTF_32)


def csv_within(document: bytes) -> bytes | None:
    """The CSV file that a JSON answer holds as text or in base64 (`{"Content": ...}`), None where it holds none."""
    try:
        answer = json.loads(document.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    for _ in range(2):
        if not isinstance(answer, dict):
            return None
        for key in _HELD_UNDER:
            if isinstance(answer.get(key), str) and (held := _csv_in(answer[key])) is not None:
                return held
        answer = next((part for part in answer.values() if isinstance(part, dict)), None)
    return None


def _csv_in(text: str) -> bytes | None:
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
        content.decode("utf-8")
    except (binascii.Error, ValueError):
        content = text.encode("utf-8", "surrogatepass")
    first = content.split(b"\n", 1)[0]
    return content if b"," in first and not first.lstrip().startswith((b"{", b"[")) else None
