"""report.html: the whole report of a period in one file that opens anywhere, fetches nothing and runs nothing else.

The page carries a content security policy that names its one style sheet and its one script by hash, so that text
from evidence could not load or run anything even if it got past escaping.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.reports import words
from pipelines.reports.chapters import (
    UNKNOWN,
    Chapter,
    Requirement,
    chapters,
    limits,
    names_of,
    requirements,
    tally,
)
from pipelines.reports.formats.html.operations_data import FileIndex, pack_operations, script_json
from pipelines.reports.formats.pictures.period_picture import caption, picture, stretch_name
from pipelines.reports.formats.pictures.shape_picture import shape_picture
from pipelines.reports.report import AuditReport
from pipelines.reports.visible_text import visible

WRITES_DATA = False

ROWS_PER_CONTROL = 200
"""Deviations, and as many indeterminate rows, written out under their control; the table of operations has them all."""
ROWS_PER_LIST = 100
"""Unlinked and rejected records written out; the CSV files have them all."""
EMBEDDED_OPERATIONS = 250_000
"""Beyond this a browser gets slow: exceptions stay, operated rows are left to the CSV, and the page says so."""

_FOLDER = Path(__file__).parent
_ATTENTION = sorted(words.OUTCOMES, key=lambda outcome: words.OUTCOMES[outcome].rank)


def render(report: AuditReport, folder: Path) -> None:
    """Write `folder`/report.html."""
    (folder / "report.html").write_text(page(report), encoding="utf-8", newline="\n")


@dataclass(frozen=True)
class Drawn:
    """A chapter with its pictures."""

    chapter: Chapter
    picture: Markup
    caption: str
    stretch: str
    shapes: list[tuple[Markup, str, str]]


def page(report: AuditReport) -> str:
    """The whole page as text; the same text for the same report."""
    files = FileIndex()
    known = names_of(report.evidence_files)
    operations = _operations_by_control(report)
    columns = report.table("control_operations").columns
    blocks = {
        control_id: Markup(pack_operations(rows, columns, report.period.start_at, files))
        for control_id, rows in sorted(operations.rows.items())
    }
    # Only now are all cited files known.
    index = [
        [sha256, visible(names.shown), visible(names.feeds), names.every]
        for sha256, names in ((sha256, known.get(sha256, UNKNOWN)) for sha256 in files.numbers)
    ]
    unlinked, rejected = report.table("unlinked"), report.table("rejected_records")
    environment = _environment()
    style = Markup(environment.get_template("report.css").render(digest=report.data_digest or ""))
    script = Markup((_FOLDER / "report.js").read_text(encoding="utf-8"))
    return environment.get_template("report.html.j2").render(
        report=report,
        period=report.period,
        chapters=[_drawn(chapter, report) for chapter in chapters(report, ROWS_PER_CONTROL)],
        not_assessed=[control for control in report.controls if control.figures is None],
        tally=tally(report),
        limits=limits(report),
        failed=[finding for finding in report.findings if not finding.passed],
        unlinked=list(islice(unlinked.records(), ROWS_PER_LIST)),
        unlinked_records=sum(1 for _ in unlinked),
        rejected=list(islice(rejected.records(), ROWS_PER_LIST)),
        rejected_records=sum(1 for _ in rejected),
        rejected_files=[file for file in report.evidence_files if file.status == "rejected"],
        blocks=blocks,
        file_index=Markup(script_json(index)),
        left_out=operations.left_out,
        requirements=_by_framework(report),
        span=Markup(
            script_json(
                [
                    _epoch(instant) - _epoch(report.period.start_at)
                    for instant in (report.period.end_at, report.period.cutoff_at)
                ]
            )
        ),
        origin=Markup(script_json(_epoch(report.period.start_at))),
        outcome_words=Markup(script_json({name: word.title for name, word in words.OUTCOMES.items()})),
        attention=_ATTENTION,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Whatever a template prints has its control and reordering characters written out; autoescape comes after.
        finalize=lambda value: (
            visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
    )
    environment.filters |= {
        "moment": moment,
        "day": words.day,
        "percent": words.percent,
        "percent_at_least": words.percent_at_least,
        "percent_at_most": words.percent_at_most,
        "duration": words.duration,
        "group": lambda number: f"{number:,}",
    }
    environment.globals |= {
        "counted": words.counted,
        "timing_sentence": words.timing_sentence,
        "CONCLUSIONS": words.CONCLUSIONS,
        "OUTCOMES": words.OUTCOMES,
        "ANSWERS": words.ANSWERS,
    }
    return environment


def moment(value: datetime | None) -> str:
    """A UTC instant as people read it, exact: seconds and fractions only where there are any."""
    if value is None:
        return words.UNDEFINED
    text = value.isoformat(sep=" ", timespec="microseconds" if value.microsecond else "seconds")
    return text.removesuffix(":00") if not value.microsecond else text.rstrip("0")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _epoch(instant: datetime) -> int:
    return int((instant - datetime(1970, 1, 1)).total_seconds())


@dataclass
class _Operations:
    rows: dict[str, list[tuple[Any, ...]]]
    left_out: int


def _operations_by_control(report: AuditReport) -> _Operations:
    """Every operation once, by control; exceptions before operated rows where there is not room for all."""
    table = report.table("control_operations")
    names = [column.name for column in table.columns]
    control, outcome = names.index("control_id"), names.index("outcome")
    found = _Operations({}, 0)
    exceptions = sum(
        control.figures.population - control.figures.operated
        for control in report.assessed
        if control.figures
    )
    room_for_operated = max(0, EMBEDDED_OPERATIONS - exceptions)
    room_for_exceptions = EMBEDDED_OPERATIONS
    for row in table:
        if row[outcome] == "operated":
            room_for_operated -= 1
            fits = room_for_operated >= 0
        else:
            room_for_exceptions -= 1
            fits = room_for_exceptions >= 0
        if fits:
            found.rows.setdefault(row[control], []).append(row)
        else:
            found.left_out += 1
    return found


def _by_framework(report: AuditReport) -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for requirement in requirements(report):
        name = " ".join(filter(None, (requirement.framework, requirement.version)))
        found.setdefault(name, []).append(requirement)
    return found


def _drawn(chapter: Chapter, report: AuditReport) -> Drawn:
    control = chapter.control
    assert control.timeline is not None, "only assessed controls have a chapter"
    return Drawn(
        chapter=chapter,
        picture=Markup(picture(control, report.period)),
        caption=caption(control, report.period),
        stretch=stretch_name(control.timeline),
        shapes=[
            (Markup(drawn.svg), drawn.alt, drawn.caption)
            for drawn in (shape_picture(shape, report.period) for shape in control.shapes)
        ],
    )
