"""What the collector declared about an export, in `<file>.manifest.json` beside it.

Declarations are only read here. Whether the file keeps to them is for the completeness room to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.errors import UnreadableFile
from pipelines.evidence import instants

SUFFIX = ".manifest.json"
_LARGEST_BYTES = 1 << 20
_LARGEST_COUNT = (1 << 63) - 1


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """One sidecar; None means it declares nothing. Instants are aware and UTC, `sha256` is lower case."""

    collected_at: datetime | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None
    record_count: int | None = None
    sha256: str | None = None
    query: str | None = None
    filtered: bool = False
    snapshot_id: str | None = None
    collected_by: str | None = None
    unknown_keys: tuple[str, ...] = ()
    """Keys that mean nothing here. Worth a warning: a misspelt `filtered` would pass a partial export as whole."""


def read_sidecar(path: Path, name: str | None = None) -> Sidecar:
    """Read one sidecar. `name` is what to call it in messages (an original's own file name is a hash).

    Raises UnreadableFile, naming every faulty key, when it is not a JSON object with values of the right type.
    """
    name = name or path.name
    with path.open("rb") as file:
        content = file.read(_LARGEST_BYTES + 1)
    if len(content) > _LARGEST_BYTES:
        raise UnreadableFile(f"{name}: a sidecar is one small JSON object; this file is larger than 1 MiB.")
    try:
        declared = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_without_repeats)
    except _RepeatedKey as problem:
        raise UnreadableFile(f"{name}: key {str(problem)!r} stands there twice; keep one.") from problem
    except (ValueError, RecursionError) as problem:
        raise UnreadableFile(
            f"{name}: expected one JSON object in UTF-8, found something else ({problem})."
        ) from problem
    if not isinstance(declared, dict):
        raise UnreadableFile(f"{name}: expected one JSON object, found {_kind(declared)}.")

    faults: list[str] = []
    values: dict[str, Any] = {}
    for key, read in _READERS.items():
        if declared.get(key) is None:
            continue
        try:
            values[key] = read(declared[key])
        except ValueError as problem:
            faults.append(f"{key}: {problem}")
    start, end = values.get("window_start"), values.get("window_end")
    if start is not None and end is not None and end < start:
        faults.append("window_end: lies before window_start")
    if faults:
        raise UnreadableFile(f"{name}: {'; '.join(faults)}.")
    return Sidecar(**values, unknown_keys=tuple(key for key in declared if key not in _READERS))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, found {_kind(value)}")
    return value


def _instant(value: object) -> datetime:
    return instants.read(_text(value))


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST_COUNT:
        raise ValueError(f"expected a whole number from 0 up, found {_kind(value)}")
    return value


def _hash(value: object) -> str:
    text = _text(value).strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ValueError("expected the 64 hexadecimal digits of a SHA-256")
    return text


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, found {_kind(value)}")
    return value


_READERS: dict[str, Callable[[object], Any]] = {
    "collected_at": _instant,
    "window_start": _instant,
    "window_end": _instant,
    "record_count": _count,
    "sha256": _hash,
    "query": _text,
    "filtered": _flag,
    "snapshot_id": _text,
    "collected_by": _text,
}


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "an array", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), f"the number {value!r}" if isinstance(value, int | float) else repr(value))


class _RepeatedKey(Exception):
    pass


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKey(key)
        found[key] = value
    return found
