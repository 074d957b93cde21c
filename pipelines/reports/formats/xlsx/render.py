"""workbook.xlsx: the auditor's workpaper, one sheet for each population.

Times are real dates in UTC and figures real numbers, so that filters, sorting and the auditor's own formulas work. The
only formulas are ours: on Summary, counts of what the other sheets hold. Text from evidence is always text: where a
spreadsheet would run it, the cell carries the mark that keeps it text when somebody edits it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from pipelines.reports import words
from pipelines.reports.chapters import chapters, limits
from pipelines.reports.formats.xlsx.legend import COLUMNS, NOTES
from pipelines.reports.formats.xlsx.samples import ANSWERS, READ_FIRST, TESTED_ON, TO_FILL_IN, read_samples
from pipelines.reports.report import AuditReport, Column, Control, Table
from pipelines.reports.visible_text import visible

WRITES_DATA = False

LAST_ROW = 1_048_575
"""The last row a sheet can have, counted from 0. A longer population goes on in a further sheet."""
LONGEST_TEXT = 32_767
"""The most characters a cell can hold."""

_RUNNABLE = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]|'")
_EARLIEST = datetime(1900, 3, 1)
_UNSAID = ("period_id", "control_id")
_HEADINGS = {name: heading for name, (heading, _width, _meaning) in COLUMNS.items()}
_WIDTHS = {name: width for name, (_heading, width, _meaning) in COLUMNS.items()}
_FIRST = ("outcome", "subject_name", "subject_id", "reason", "reason_text")
_FIGURES = ("population", "tested", "operated", "deviations", "waived", "indeterminate", "pending")
_COUNTED = {
    "operated": "operated",
    "deviations": "deviation",
    "waived": "waived",
    "indeterminate": "indeterminate",
    "pending": "pending",
}


def render(report: AuditReport, folder: Path) -> None:
    """Write `folder`/workbook.xlsx; the same bytes for the same report."""
    options = {
        # A row is written to disk as soon as the next begins: memory does not grow with the population.
        "constant_memory": True,
        "tmpdir": str(folder),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with closing(xlsxwriter.Workbook(str(folder / "workbook.xlsx"), options)) as workbook:
        _Workpaper(workbook, report).write(folder / "data" / "samples.csv")


class _Workpaper:
    def __init__(self, workbook: xlsxwriter.Workbook, report: AuditReport) -> None:
        self.workbook = workbook
        self.report = report
        self.names: set[str] = set()
        workbook.set_properties(
            {
                "title": f"Identity controls, {report.period.period_id}",
                "author": "Upheld",
                "comments": f"data digest {report.data_digest}",
                # The clock of the machine must not be in the file.
                "created": report.period.as_of.replace(tzinfo=UTC),
            }
        )
        workbook.set_calc_mode("auto")

        def form(**more: Any) -> Format:
            return workbook.add_format({"font_name": "Arial", "font_size": 9, "valign": "top"} | more)

        self.text = form()
        self.held_text = form(quote_prefix=True)
        self.wrapped = form(text_wrap=True)
        self.held_wrapped = form(text_wrap=True, quote_prefix=True)
        self.time = form(num_format="yyyy-mm-dd hh:mm:ss", align="left")
        self.integer = form(num_format="#,##0")
        self.number = form(num_format="#,##0.######")
        self.share = form(num_format="0.0%")
        self.bold = form(bold=True)
        self.held_bold = form(bold=True, quote_prefix=True)
        self.title = form(bold=True, font_size=16)
        self.heading = form(bold=True, font_size=11, font_color="#1d3f5e")
        self.head = form(bold=True, bg_color="#1d3f5e", font_color="#ffffff", text_wrap=True, border=1)
        self.fill_in = form(bg_color="#fff8e1", border=1, border_color="#d5dce3")
        self.fill_in_day = form(bg_color="#fff8e1", border=1, border_color="#d5dce3", num_format="yyyy-mm-dd")
        self.fill_in_head = form(
            bold=True, bg_color="#b54708", font_color="#ffffff", text_wrap=True, border=1
        )
        self.outcomes = {
            "deviation": form(bold=True, font_color="#b42318"),
            "waived": form(bold=True, font_color="#b54708"),
            "indeterminate": form(bold=True, font_color="#6938b8"),
            "pending": form(font_color="#55616d"),
        }

    def write(self, samples: Path) -> None:
        """All sheets. Summary comes first and is filled last, when it is known which sheets there are."""
        summary = self.sheet("Summary")
        populations = self.populations()
        self.table_sheets("Deviations", self.report.table("deviations"), skip=("period_id",))
        self.samples(samples)
        self.table_sheets("Evidence index", self.report.table("evidence_files"))
        self.table_sheets("Completeness", self.report.table("expectations"))
        self.table_sheets("Unlinked", self.report.table("unlinked"))
        self.table_sheets("Rejected", self.report.table("rejected_records"))
        self.table_sheets("Frameworks", self.report.table("framework_coverage"), skip=("period_id",))
        self.legend()
        self.summary(summary, populations)
        summary.activate()

    # -- sheets --------------------------------------------------------------------------------------------------

    def sheet(self, name: str) -> Worksheet:
        """A new sheet under a name that a spreadsheet accepts and that is not taken."""
        sheet = self.workbook.add_worksheet(self.free_name(name))
        period = self.report.period
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        told = f"Identity controls, {period.period_id} · evidence known by {_minute(period.as_of)} UTC"
        sheet.set_header(f"&L&8{_escaped(told)}&R&8&A")
        sheet.set_footer(f"&L&6data digest {self.report.data_digest}&R&8&P / &N")
        return sheet

    def free_name(self, wanted: str) -> str:
        plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "_", visible(wanted)).strip("' ")[:31] or "Sheet"
        if plain.casefold() == "history":
            plain = "History_"
        name, number = plain, 1
        while name.casefold() in self.names:
            number += 1
            name = f"{plain[: 31 - len(f' ({number})')]} ({number})"
        self.names.add(name.casefold())
        return name

    def populations(self) -> dict[str, list[str]]:
        """One sheet, or several, for each assessed control; returns their names."""
        table = self.report.table("control_operations")
        at = next(number for number, column in enumerate(table.columns) if column.name == "control_id")
        sheets = {
            control.control_id: _Rows(self, control.control_id, table.columns, _UNSAID)
            for control in self.report.assessed
        }
        for row in table:
            if row[at] in sheets:
                sheets[row[at]].add(row)
        for rows in sheets.values():
            rows.finish()
        return {control_id: rows.names for control_id, rows in sheets.items()}

    def table_sheets(self, name: str, table: Table, skip: tuple[str, ...] = ()) -> None:
        rows = _Rows(self, name, table.columns, skip)
        for row in table:
            rows.add(row)
        rows.finish()

    def samples(self, path: Path) -> None:
        """The samples that were drawn, each with room for what the tester found."""
        sheet = self.sheet("Samples")
        columns, drawn = read_samples(path)
        if not drawn:
            sheet.set_column(0, 0, 100)
            self.put_text(
                sheet, 0, 0, "No sample was drawn for this period. `upheld sample PERIOD CONTROL` draws one."
            )
            return
        # Who tests reads what was drawn, then fills in; how it was drawn stands behind.
        read = [at for name in READ_FIRST for at, column in enumerate(columns) if column.name == name]
        behind = [at for at, column in enumerate(columns) if column.name not in (*READ_FIRST, *_UNSAID[:1])]
        first = len(read)
        places = [*enumerate(read), *enumerate(behind, start=first + len(TO_FILL_IN))]
        for place, at in places:
            sheet.write_string(0, place, _heading(columns[at].name), self.head)
            sheet.set_column(place, place, _WIDTHS.get(columns[at].name, 18))
        for place, (heading, width) in enumerate(TO_FILL_IN, start=first):
            sheet.write_string(0, place, heading, self.fill_in_head)
            sheet.set_column(place, place, width)
        for number, row in enumerate(drawn, start=1):
            for place, at in places:
                self.put(sheet, number, place, columns[at], row[at])
            for place, (heading, _width) in enumerate(TO_FILL_IN, start=first):
                form = self.fill_in_day if heading == TESTED_ON else self.fill_in
                sheet.write_blank(number, place, None, form)
        self.validate(sheet, first, len(drawn))
        sheet.freeze_panes(1, min(3, first))
        sheet.autofilter(0, 0, len(drawn), len(places) + len(TO_FILL_IN) - 1)
        sheet.repeat_rows(0)

    def validate(self, sheet: Worksheet, first: int, last: int) -> None:
        """What a tester may enter: a result from the list, initials, a date."""
        sheet.data_validation(
            1,
            first,
            last,
            first,
            {
                "validate": "list",
                "source": list(ANSWERS),
                "input_title": "Your result",
                "input_message": "What your own test of this item showed.",
                "error_title": "Not a result",
                "error_message": f"Choose one of: {', '.join(ANSWERS)}.",
            },
        )
        sheet.data_validation(
            1,
            first + 1,
            last,
            first + 1,
            {
                "validate": "length",
                "criteria": "between",
                "minimum": 1,
                "maximum": 6,
                "error_title": "Not initials",
                "error_message": "Enter one to six characters.",
            },
        )
        sheet.data_validation(
            1,
            first + 2,
            last,
            first + 2,
            {
                "validate": "date",
                "criteria": ">=",
                "value": self.report.period.start_at.replace(hour=0, minute=0, second=0, microsecond=0),
                "error_title": "Not a date",
                "error_message": "Enter the day of your test, not before the period.",
            },
        )

    def legend(self) -> None:
        sheet = self.sheet("Legend")
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 1, 26)
        sheet.set_column(2, 2, 100)
        row = _count()
        for title, known in (("Conclusions", words.CONCLUSIONS), ("Outcomes", words.OUTCOMES)):
            sheet.write_string(next(row), 0, title, self.heading)
            for code, word in sorted(known.items(), key=lambda item: item[1].rank):
                line = next(row)
                for at, text in enumerate((word.title, code, word.meaning)):
                    sheet.write_string(line, at, text, self.wrapped)
            next(row)
        sheet.write_string(next(row), 0, "Columns", self.heading)
        for name, (heading, _width, meaning) in COLUMNS.items():
            line = next(row)
            for at, text in enumerate((heading, name, meaning)):
                sheet.write_string(line, at, text, self.wrapped)
        next(row)
        sheet.write_string(next(row), 0, "How this workbook is made", self.heading)
        for name, note in NOTES:
            line = next(row)
            sheet.write_string(line, 0, name, self.wrapped)
            sheet.write_string(line, 2, note, self.wrapped)

    def summary(self, sheet: Worksheet, populations: dict[str, list[str]]) -> None:
        report, period = self.report, self.report.period
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 34)
        sheet.set_column(2, 16, 13)
        row = _count()
        sheet.write_string(next(row), 0, "Identity controls", self.title)
        for name, value in (
            ("Period", f"{period.period_id}: {words.day(period.first_day)} to {words.day(period.last_day)}"),
            ("Time zone of the period", period.timezone),
            ("Evidence known by (UTC)", period.as_of),
            ("Judged up to (UTC)", period.cutoff_at),
            ("Data digest", report.data_digest or ""),
        ):
            line = next(row)
            sheet.write_string(line, 0, name, self.text)
            if isinstance(value, datetime):
                sheet.write_datetime(line, 1, value, self.time)
            else:
                self.put_text(sheet, line, 1, value, self.bold, self.held_bold)
        next(row)
        self.figures(sheet, row, populations)
        sheet.write_string(next(row), 0, "What is not covered", self.heading)
        for limit in limits(report):
            line = next(row)
            sheet.write_string(line, 0, limit.name, self.text)
            self.put_text(sheet, line, 1, f"{limit.amount} {limit.text}".strip())
        next(row)
        if report.late_decisions:
            sheet.write_string(
                next(row), 0, "Decisions first collected after the instant they govern", self.heading
            )
        for decision in report.late_decisions:
            line = next(row)
            self.put_text(sheet, line, 0, f"{decision.kind} {decision.decision_id}")
            self.put_text(
                sheet,
                line,
                1,
                f"governs from {_minute(decision.governs_from)}, first collected {_minute(decision.first_collected_at)} UTC",
            )

    def figures(self, sheet: Worksheet, row: Iterator[int], populations: dict[str, list[str]]) -> None:
        """Conclusions and reported figures, and beside them the same counts made by the spreadsheet."""
        line = next(row)
        sheet.write_string(line, 0, "Conclusions", self.heading)
        sheet.merge_range(line, 2, line, 11, "As reported in data/control_coverage.csv", self.head)
        sheet.merge_range(line, 12, line, 17, "Counted by this workbook from its sheets", self.head)
        line = next(row)
        counted = ["population", *_COUNTED]
        headings = [
            *("Control", "Conclusion"),
            *(_heading(name) for name in _FIGURES),
            *("Deviation rate", "One-sided 95 % upper limit", "Evidence coverage"),
            *(_heading(name) for name in counted),
            "Agrees",
        ]
        for at, heading in enumerate(headings):
            sheet.write_string(line, at, heading, self.head)
        for chapter in chapters(self.report, 0):
            self.control(sheet, next(row), chapter.control, counted, populations)
        for control in self.report.controls:
            if control.figures is None:
                line = next(row)
                self.put_text(sheet, line, 0, f"{control.control_id} {control.title}")
                sheet.write_string(line, 1, "Not assessed", self.text)
        next(row)

    def control(
        self,
        sheet: Worksheet,
        line: int,
        control: Control,
        counted: list[str],
        populations: dict[str, list[str]],
    ) -> None:
        figures = control.figures
        assert figures is not None, "only assessed controls have figures"
        self.put_text(sheet, line, 0, f"{control.control_id} {control.title}", self.bold, self.held_bold)
        conclusion = words.CONCLUSIONS.get(control.conclusion or "")
        sheet.write_string(line, 1, conclusion.title if conclusion else control.conclusion or "", self.text)
        for at, name in enumerate(_FIGURES, start=2):
            sheet.write_number(line, at, getattr(figures, name), self.integer)
        rates = (figures.deviation_rate, figures.deviation_rate_upper_95, figures.evidence_coverage)
        for at, rate in enumerate(rates, start=9):
            if rate is not None:
                sheet.write_number(line, at, rate, self.share)
        for at, name in enumerate(counted, start=12):
            outcome = _COUNTED.get(name)
            terms = [
                f'COUNTIF({_quoted(sheet_name)}!$A$2:$A${LAST_ROW + 1},"{outcome}")'
                if outcome
                else f"COUNTA({_quoted(sheet_name)}!$A$2:$A${LAST_ROW + 1})"
                for sheet_name in populations[control.control_id]
            ]
            sheet.write_formula(line, at, f"={'+'.join(terms)}", self.integer, getattr(figures, name))
        reported = f"C{line + 1}=M{line + 1},E{line + 1}=N{line + 1},F{line + 1}=O{line + 1}"
        reported += f",G{line + 1}=P{line + 1},H{line + 1}=Q{line + 1},I{line + 1}=R{line + 1}"
        sheet.write_formula(line, 18, f'=IF(AND({reported}),"yes","NO")', self.text, "yes")

    # -- cells ---------------------------------------------------------------------------------------------------

    def put(self, sheet: Worksheet, row: int, at: int, column: Column, value: Any) -> None:
        """One value as what it is: a date, a number, or text that stays text."""
        if value is None:
            return
        if column.kind == "text":
            if column.name == "outcome" and value in self.outcomes:
                sheet.write_string(row, at, value, self.outcomes[value])
            else:
                self.put_text(sheet, row, at, str(value))
        elif column.kind == "time":
            if value >= _EARLIEST:
                sheet.write_datetime(row, at, value, self.time)
            else:
                # A spreadsheet knows no earlier dates.
                sheet.write_string(row, at, f"{value.isoformat()}Z", self.text)
        elif column.kind == "truth":
            sheet.write_boolean(row, at, bool(value), self.text)
        else:
            if not math.isfinite(value):
                raise ValueError(f"{column.name} holds {value}; undefined must be NULL")
            sheet.write_number(row, at, value, self.integer if column.kind == "integer" else self.number)

    def put_text(
        self,
        sheet: Worksheet,
        row: int,
        at: int,
        value: str,
        plain: Format | None = None,
        held: Format | None = None,
    ) -> None:
        """Text as a reader may see it, never a formula, never more than a cell can hold."""
        text = visible(value)
        if len(text) > LONGEST_TEXT:
            more = " ... (cut: a cell holds no more; the CSV file has it whole)"
            text = text[: LONGEST_TEXT - len(more)] + more
        form = (held or self.held_text) if _RUNNABLE.match(value) else (plain or self.text)
        sheet.write_string(row, at, text, form)


class _Rows:
    """A table in as many sheets as it needs, row after row."""

    def __init__(
        self, workpaper: _Workpaper, name: str, columns: tuple[Column, ...], skip: Iterable[str]
    ) -> None:
        self.workpaper = workpaper
        self.name = name
        kept = [(number, column) for number, column in enumerate(columns) if column.name not in skip]
        # What a reader looks for first stands first, if the table has it.
        rank = {column: number for number, column in enumerate(_FIRST)}
        self.columns = sorted(kept, key=lambda item: rank.get(item[1].name, len(rank)))
        self.names: list[str] = []
        self.row = 0
        self._begin()

    def _begin(self) -> None:
        self.sheet = self.workpaper.sheet(self.name)
        self.names.append(self.sheet.get_name())
        self.row = 0
        self.sheet.freeze_panes(1, 2)
        self.sheet.repeat_rows(0)
        for at, (_number, column) in enumerate(self.columns):
            self.sheet.set_column(at, at, _WIDTHS.get(column.name, 18))
            self.sheet.write_string(0, at, _heading(column.name), self.workpaper.head)

    def add(self, row: tuple[Any, ...]) -> None:
        if self.row == LAST_ROW:
            self.finish()
            self._begin()
        self.row += 1
        for at, (number, column) in enumerate(self.columns):
            self.workpaper.put(self.sheet, self.row, at, column, row[number])

    def finish(self) -> None:
        self.sheet.autofilter(0, 0, max(self.row, 1), len(self.columns) - 1)


def _count(start: int = 0) -> Iterator[int]:
    while True:
        yield start
        start += 1


def _heading(name: str) -> str:
    return _HEADINGS.get(name) or name.replace("_", " ").capitalize()


def _quoted(sheet_name: str) -> str:
    """A sheet's name as a formula writes it."""
    return "'" + sheet_name.replace("'", "''") + "'"


def _escaped(text: str) -> str:
    """Text in a header or footer, where & begins a command."""
    return visible(text).replace("&", "&&")


def _minute(value: datetime | None) -> str:
    return words.UNDEFINED if value is None else value.isoformat(sep=" ", timespec="minutes")
