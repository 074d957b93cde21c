"""All operations as compact JSON inside the page: columns, not rows, and each repeated text once.

One block per control. The page's script parses them when somebody looks at the table, so a page with 100,000
operations opens as quickly as one with ten.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from pipelines.reports.canonical import canonical_number
from pipelines.reports.chapters import cited
from pipelines.reports.report import Column
from pipelines.reports.visible_text import visible

_MICROSECOND = timedelta(microseconds=1)


def script_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in, nor open a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class FileIndex:
    """Numbers evidence files in order of first mention: 64 characters of hash become one small number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, sha256: str) -> int:
        return self.numbers.setdefault(sha256, len(self.numbers))

    def pack(self, evidence: str | None) -> str:
        """`<sha>:4 <sha>:9 <other>` -> `0:4,9 1:`."""
        packed: dict[int, list[str]] = {}
        for sha256, record in cited(evidence):
            packed.setdefault(self.number(sha256), []).append(record)
        return " ".join(f"{number}:{','.join(filter(None, records))}" for number, records in packed.items())


def pack_operations(
    rows: list[tuple[Any, ...]], columns: tuple[Column, ...], origin: datetime, files: FileIndex
) -> str:
    """The JSON of one control's operations. Instants are seconds from `origin`."""
    packed: dict[str, Any] = {}
    for number, column in enumerate(columns):
        values = [row[number] for row in rows]
        if column.name == "evidence":
            packed[column.name] = {"v": [files.pack(value) for value in values]}
        elif column.kind == "text":
            packed[column.name] = _texts(values)
        else:
            form = _seconds_from(origin) if column.kind == "time" else _number
            packed[column.name] = _values([None if value is None else form(value) for value in values])
    return script_json({"rows": len(rows), "columns": packed})


def _values(values: list[Any]) -> dict[str, Any]:
    if values and all(value == values[0] for value in values):
        return {"c": values[0]}
    return {"v": values}


def _texts(values: list[str | None]) -> dict[str, Any]:
    """`c` one value for all, `d` + `i` a list of different texts and which one each row has, or `v` plainly."""
    numbers: dict[str | None, int] = {}
    index = [numbers.setdefault(value, len(numbers)) for value in values]
    texts = [None if value is None else visible(value) for value in numbers]
    if len(texts) == 1:
        return {"c": texts[0]}
    if 2 * len(texts) <= len(values):
        return {"d": texts, "i": index}
    return {"v": [texts[number] for number in index]}


def _number(value: float) -> float | int:
    """The canonical six decimals, so that the page and the CSV show the same figure."""
    text = canonical_number(value)
    return float(text) if "." in text else int(text)


def _seconds_from(origin: datetime) -> Callable[[datetime], float | int]:
    def seconds(value: datetime) -> float | int:
        microseconds = (value - origin) // _MICROSECOND
        return microseconds / 1_000_000 if microseconds % 1_000_000 else microseconds // 1_000_000

    return seconds
