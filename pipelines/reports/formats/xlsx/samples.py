"""The samples that were drawn, as they stand in the bundle's data, with the types they had."""

from __future__ import annotations

import csv
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.reports.report import Column, Kind

ANSWERS = ("No exception", "Exception", "Not testable")
TESTED_ON = "Tested on"
TO_FILL_IN = (
    ("Tester's result", 18),
    ("Tester's initials", 12),
    (TESTED_ON, 13),
    ("Tester's note", 50),
)
READ_FIRST = ("control_id", "rank", "subject_name", "subject_id", "outcome", "reason_text")
"""What a tester reads before filling in."""
_NEUTRALISED = re.compile(r"''*([=+\-@\uff1d\uff0b\uff0d\uff20]|\\t|\\r)")
_NUMBERS = ("rank", "seed", "frame_size", "sample_size")


def read_samples(path: Path) -> tuple[tuple[Column, ...], list[tuple[Any, ...]]]:
    """Columns and rows of data/samples.csv; none where no sample was drawn."""
    if not path.exists():
        return (), []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        columns = tuple(Column(name, _kind(name)) for name in next(rows, []))
        return columns, [
            tuple(_value(column, text) for column, text in zip(columns, row, strict=True)) for row in rows
        ]


def _kind(name: str) -> Kind:
    return "time" if name.endswith("_at") else "number" if name in _NUMBERS else "text"


def _value(column: Column, text: str) -> Any:
    if not text:
        return None
    if column.kind == "time":
        return datetime.fromisoformat(text.removesuffix("Z"))
    if column.kind == "number":
        return float(text)
    # The CSV keeps a spreadsheet from running text by an apostrophe; a cell of ours needs none.
    return text[1:] if _NEUTRALISED.match(text) else text
