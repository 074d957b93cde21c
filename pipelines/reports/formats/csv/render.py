"""The data of a bundle: data/<table>.csv, one canonical form, so that the same figures are the same bytes.

- UTF-8 without byte order mark, LF line ends, a header row, RFC 4180 quoting only where it is needed.
- NULL is an empty field. Truth is `true` or `false`.
- An instant is RFC 3339 in UTC, `2026-03-02T00:00:00Z`; all six digits of a fraction follow only when it is not
  zero, `2026-03-02T00:00:00.250000Z`.
- A number has no exponent, is rounded to six decimals and loses trailing zeros: `31`, `0.026316`. Never `-0`.
- Text that a spreadsheet would run (it begins with = + - @, tab or CR) gets an apostrophe in front; text that
  already begins with apostrophes before such a character gets one more, so the original can always be told. Numbers
  are never touched: `-4.5` is a measure.
- Control characters and marks that reorder text are written out, as `\\n`, `\\x1b` or `\\u202e`.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.reports.canonical import canonical_number, canonical_time
from pipelines.reports.report import AuditReport, Column, Table
from pipelines.reports.visible_text import visible

WRITES_DATA = True

# The full-width forms count too: spreadsheets in East Asian locales read them as their plain twins.
_RUNNABLE = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def render(report: AuditReport, folder: Path) -> None:
    """Write each table of the report to `folder`/data/<table>.csv, row by row."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for table in report.tables:
        write_table(table, data / f"{table.name}.csv")


def write_table(table: Table, path: Path) -> None:
    """Write one table as it is read. Raises ValueError when a number is not finite: that is a bug in a model."""
    forms = [_form(table, column) for column in table.columns]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in table.columns])
        for row in table:
            writer.writerow(
                ["" if value is None else form(value) for form, value in zip(forms, row, strict=True)]
            )


def _form(table: Table, column: Column) -> Callable[[Any], str]:
    if column.kind != "number":
        return _FORMS[column.kind]

    def number(value: float) -> str:
        if not math.isfinite(value):
            raise ValueError(f"rpt_{table.name}.{column.name} holds {value}; undefined must be NULL")
        return canonical_number(value)

    return number


def neutral_text(value: str) -> str:
    """Text as a cell: visible, and never a formula."""
    shown = visible(value)
    return f"'{shown}" if _RUNNABLE.match(value) else shown


_FORMS: dict[str, Callable[[Any], str]] = {
    "text": neutral_text,
    "time": canonical_time,
    "integer": lambda value: str(int(value)),
    "truth": lambda value: "true" if value else "false",
}
