"""The files under data/, read as strictly as they are written: one form, so that the same figures are the same bytes.

The form is described in formats/csv/render.py, which writes it. This is the reader's side, in plain Python: whoever
checks a bundle needs neither the warehouse nor what wrote it.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

from pipelines.reports.visible_text import visible

Kind = Literal["text", "time", "integer", "number", "truth"]

_INTEGERS = frozenset(
    {
        *("population", "tested", "operated", "deviations", "waived", "indeterminate", "pending"),
        *("size_bytes", "declared_record_count", "records_parsed", "records_rejected"),
        *("record_number", "byte_offset", "byte_length"),
        *("frame_size", "sample_size", "seed", "rank"),
    }
)
_NUMBERS = frozenset({"evidence_coverage", "deviation_rate", "deviation_rate_upper_95"})
_TRUTHS = frozenset({"passed", "filtered"})
_TIMES = frozenset({"window_start", "window_end"})

ORDER = {
    "control_coverage": ("control_id",),
    "control_operations": ("operation_id",),
    "deviations": ("operation_id",),
    "expectations": ("expectation", "control_id", "passed", "detail"),
    "evidence_files": ("system", "feed", "instance", "collected_at", "sha256", "original_name"),
    "framework_coverage": ("framework", "version", "requirement_id", "relation", "control_id"),
    "rejected_records": ("system", "feed", "instance", "sha256", "record_number"),
    "samples": ("control_id", "rank"),
    "unlinked": ("kind", "system", "instance", "native_id"),
}
"""By what the rows of a file are in ascending order; empty fields come last."""

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]{0,5}[1-9])?")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.(?!000000)[0-9]{6})?Z", re.ASCII)
_RUNNABLE = re.compile("[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")


@cache
def kind_of(column: str) -> Kind:
    """What a column holds. Its name tells, in every file."""
    if column.endswith("_at") or column in _TIMES:
        return "time"
    if column.endswith("_value") or column in _NUMBERS:
        return "number"
    if column.startswith("is_") or column in _TRUTHS:
        return "truth"
    return "integer" if column in _INTEGERS else "text"


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a data file, one by one. Raises ValueError where it is no CSV in UTF-8."""
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        try:
            yield from csv.DictReader(file, strict=True)
        except csv.Error as problem:
            raise ValueError(str(problem)) from None


def faults_of_form(path: Path) -> Iterator[str]:
    """What is not in the one written form, the first fault of each line, as `line 17: ...`."""
    csv.field_size_limit(sys.maxsize)
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in file:
            taken.append(line)
            yield line

    with path.open(encoding="utf-8", newline="") as file:
        columns: list[str] | None = None
        before: list[str] | None = None
        number = 0
        try:
            for row in csv.reader(lines(), strict=True):
                number += 1
                written, expected = "".join(taken), _written(row)
                taken.clear()
                fault = None
                if written != expected:
                    fault = "is not written in the one canonical way (quotes, spaces or line end)"
                elif columns is None:
                    columns = row
                    if len(set(columns)) != len(columns):
                        fault = "names a column twice"
                elif len(row) != len(columns):
                    fault = f"has {len(row)} fields; the heading has {len(columns)}"
                else:
                    fault = _fault_of_fields(columns, row) or _fault_of_order(path.stem, columns, before, row)
                    before = row
                if fault:
                    yield f"line {number}: {fault}."
        except (csv.Error, UnicodeDecodeError) as problem:
            yield f"line {number + 1}: is no CSV in UTF-8 ({problem})."
        if columns is None:
            yield "line 1: has no heading."


def is_form_of(kind: Kind, text: str) -> bool:
    """Whether a field that is not empty is written as its kind demands."""
    match kind:
        case "time":
            return bool(_TIME.fullmatch(text)) and _is_date(text)
        case "integer":
            return bool(_INTEGER.fullmatch(text)) and text != "-0"
        case "number":
            return bool(_NUMBER.fullmatch(text)) and text != "-0"
        case "truth":
            return text in ("true", "false")
    return not _RUNNABLE.match(text) and visible(text) == text


def _written(row: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _fault_of_fields(columns: list[str], row: list[str]) -> str | None:
    for column, text in zip(columns, row, strict=True):
        if text and not is_form_of(kind_of(column), text):
            return f"{column} is not written as {_FORM[kind_of(column)]}"
    return None


_FORM = {
    "time": "an instant such as 2026-03-02T00:00:00Z",
    "integer": "a plain whole number",
    "number": "a plain number with at most six decimals and no zeros at its end",
    "truth": "true or false",
    "text": "text that nothing runs and everybody sees",
}


def _fault_of_order(name: str, columns: list[str], before: list[str] | None, row: list[str]) -> str | None:
    if before is None:
        return None
    for key in ORDER.get(name, ()):
        if key not in columns:
            return None
        place = columns.index(key)
        one, other = before[place], row[place]
        if one == other:
            continue
        # Rows are ordered by what evidence says, before it was made safe to open: then the order can't be told here.
        if any(not text or text.startswith("'") or "\\" in text for text in (one, other)):
            return None
        in_order = int(one) < int(other) if kind_of(key) == "integer" else one < other
        return None if in_order else f"comes before the line above it, by {key}"
    return None
