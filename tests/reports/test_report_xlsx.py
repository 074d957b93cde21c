"""workbook.xlsx, read back by another library: real dates, safe text, counts that recompute, room for the tester."""

from __future__ import annotations

import csv
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import hostile
import openpyxl
import pytest
from made_up_warehouse import HOSTILE
from openpyxl.utils.escape import unescape
from openpyxl.workbook import Workbook
from report_checks import FORMATS, PERIOD, compare_with_approved

from pipelines.home import Home
from pipelines.reports.bundle import Bundle
from pipelines.reports.formats.xlsx import render
from pipelines.reports.report import AuditReport, Column, Table, open_report
from pipelines.reports.visible_text import visible


@pytest.fixture(scope="session")
def workbook(bundle: Bundle) -> Workbook:
    return openpyxl.load_workbook(bundle.path / "workbook.xlsx")


@pytest.fixture
def report(home: Home) -> Iterator[AuditReport]:
    with open_report(home.warehouse, PERIOD) as report:
        yield replace(report, data_digest="0" * 64)


def written(report: AuditReport, folder: Path) -> Workbook:
    render.render(report, folder)
    return openpyxl.load_workbook(folder / "workbook.xlsx")


def records(workbook: Workbook, sheet: str) -> list[dict]:
    head, *rows = workbook[sheet].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def with_rows(report: AuditReport, name: str, rows: list[tuple]) -> AuditReport:
    """The report with other rows in one of its tables."""
    tables = tuple(
        replace(table, read=lambda: iter(rows)) if table.name == name else table for table in report.tables
    )
    return replace(report, tables=tables)


def test_the_cells_are_the_approved_ones(workbook: Workbook, tmp_path: Path) -> None:
    lines = []
    for sheet in workbook:
        lines.append(
            f"== {sheet.title} {sheet.dimensions} frozen {sheet.freeze_panes} filter {sheet.auto_filter.ref}"
        )
        for row in list(sheet.iter_rows())[: 60 if sheet.title in ("Summary", "Legend") else 4]:
            lines += [
                f"{cell.coordinate} {cell.data_type} {cell.value!r}" for cell in row if cell.value is not None
            ]
    dump = tmp_path / "workbook.txt"
    dump.write_text("\n".join(lines) + "\n", encoding="utf-8")
    compare_with_approved(dump, FORMATS / "xlsx" / "approved" / "workbook.txt")


def test_sheets_come_in_the_order_of_the_work(workbook: Workbook) -> None:
    assert workbook.sheetnames == [
        *("Summary", "DOR", "EVD", "INC", "LOG", "OFF", "REV", "ROT"),
        *(
            "Deviations",
            "Samples",
            "Evidence index",
            "Completeness",
            "Unlinked",
            "Rejected",
            "Frameworks",
            "Legend",
        ),
    ]


def test_a_population_is_whole_and_typed(workbook: Workbook, home: Home) -> None:
    with open_report(home.warehouse, PERIOD) as report:
        expected = {
            r["operation_id"]: r
            for r in report.table("control_operations").records()
            if r["control_id"] == "OFF"
        }
    found = {row["Operation"]: row for row in records(workbook, "OFF")}
    assert found.keys() == expected.keys()
    for operation_id, row in found.items():
        there = expected[operation_id]
        assert row["Opened (UTC)"] == there["opened_at"] and isinstance(row["Opened (UTC)"], datetime)
        assert row["Measured"] == pytest.approx(there["measure_value"])
        assert row["Evidence"] == there["evidence"]
        assert (row["Outcome"], row["Subject"]) == (there["outcome"], visible(there["subject_name"]))


def test_sheets_are_filtered_frozen_and_of_sane_width(workbook: Workbook) -> None:
    sheet = workbook["ROT"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("C2", f"A1:U{sheet.max_row}")
    assert all(5 < column.width <= 80 for column in sheet.column_dimensions.values())
    assert "data digest" in sheet.oddFooter.left.text and PERIOD in sheet.oddHeader.left.text


def test_counts_on_summary_recompute_from_the_sheets(workbook: Workbook, bundle: Bundle) -> None:
    """What the formulas would count is what is reported, and the values saved with them agree."""
    saved = openpyxl.load_workbook(bundle.path / "workbook.xlsx", data_only=True)["Summary"]
    rows = {
        row[0].value.split()[0]: row
        for row in workbook["Summary"].iter_rows()
        if row[12].value and row[18].value
    }
    rows.pop("Control")
    assert rows.keys() == {"DOR", "EVD", "INC", "LOG", "OFF", "REV", "ROT"}
    for control, row in rows.items():
        outcomes = Counter(record["Outcome"] for record in records(workbook, control))
        by_formula = [len(records(workbook, control))] + [
            outcomes[re.search(r'"(\w+)"', cell.value)[1]] for cell in row[13:18]
        ]
        assert [cell.value for cell in (row[2], *row[4:9])] == by_formula
        assert [saved.cell(row[0].row, column + 1).value for column in (*range(12, 18), 18)] == [
            *by_formula,
            "yes",
        ]


def test_the_only_formulas_are_ours(bundle: Bundle, workbook: Workbook) -> None:
    for sheet in workbook:
        found = [cell.value for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
        if sheet.title != "Summary":
            assert not found, sheet.title
        assert all(re.match(r"=(COUNTIF|COUNTA|IF)\(", formula) for formula in found)
    with zipfile.ZipFile(bundle.path / "workbook.xlsx") as parts:
        assert not [name for name in parts.namelist() if "external" in name.lower() or "vba" in name.lower()]
        assert not any(b"<hyperlink" in parts.read(name) for name in parts.namelist())


def test_hostile_text_shows_as_it_is_and_stays_text(report: AuditReport, tmp_path: Path) -> None:
    texts = (*HOSTILE, *hostile.TEXTS)
    columns = [column.name for column in report.table("unlinked").columns]
    rows = [tuple(text if name in ("name", "native_id") else None for name in columns) for text in texts]
    sheet = written(with_rows(report, "unlinked", rows), tmp_path)["Unlinked"]
    names = [row[columns.index("name")] for row in sheet.iter_rows(min_row=2)]
    for text, cell in zip(texts, names, strict=True):
        shown = visible(text)
        assert cell.data_type == "s"
        if len(shown) <= render.LONGEST_TEXT:
            assert unescape(cell.value) == shown
        else:
            assert len(cell.value) == render.LONGEST_TEXT and cell.value.endswith(
                "the CSV file has it whole)"
            )
        assert cell.quotePrefix == bool(re.match("['=+\\-@\t\r\uff1d]", text)), text


def test_the_same_report_is_the_same_file_whatever_the_clock(
    report: AuditReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        render.render(report, tmp_path / name)
        contents.append((tmp_path / name / "workbook.xlsx").read_bytes())
        assert [path.name for path in (tmp_path / name).iterdir()] == ["workbook.xlsx"]
    assert contents[0] == contents[1]
    made = openpyxl.load_workbook(tmp_path / "one" / "workbook.xlsx").properties
    assert made.created == made.modified == report.period.as_of
    with zipfile.ZipFile(tmp_path / "one" / "workbook.xlsx") as parts:
        assert {part.date_time[0] for part in parts.infolist()} == {1980}


def test_a_population_longer_than_a_sheet_goes_on_in_another(
    report: AuditReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "LAST_ROW", 40)
    workbook = written(report, tmp_path)
    assert [name for name in workbook.sheetnames if name.startswith("ROT")] == ["ROT", "ROT (2)", "ROT (3)"]
    there = sum(row[2] == "ROT" for row in report.table("control_operations"))
    assert sum(len(records(workbook, name)) for name in ("ROT", "ROT (2)", "ROT (3)")) == there
    (line,) = [
        row for row in workbook["Summary"].iter_rows(values_only=True) if str(row[0]).startswith("ROT")
    ]
    assert line[12] == "=COUNTA('ROT'!$A$2:$A$41)+COUNTA('ROT (2)'!$A$2:$A$41)+COUNTA('ROT (3)'!$A$2:$A$41)"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("ROT", "ROT (2)"), ("a/b[c]:*?\\", "a_b_c_____"), ("'quoted'", "quoted"), ("History", "History_"), ("x" * 40, "x" * 31), ("\x00", "_x00"), ("", "Sheet")],
)  # fmt: skip
def test_any_text_becomes_a_name_a_sheet_can_have(
    report: AuditReport, tmp_path: Path, wanted: str, name: str
) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(tmp_path / "names.xlsx")) as workbook:
        workpaper = render._Workpaper(workbook, report)
        workpaper.sheet("rot")
        assert workpaper.sheet(wanted).get_name() == name


def test_without_samples_the_sheet_says_how_to_draw_one(report: AuditReport, tmp_path: Path) -> None:
    assert "`upheld sample PERIOD CONTROL`" in written(report, tmp_path)["Samples"]["A1"].value


def test_samples_have_room_for_the_testers_own_result(report: AuditReport, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with (tmp_path / "data" / "samples.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [
                ("period_id", "control_id", "seed", "rank", "subject_name", "opened_at", "evidence"),
                ("2026-H1", "ROT", "7", "1", "'=HYPERLINK(1)", "2026-01-04T00:00:00Z", "ab:1"),
                ("2026-H1", "ROT", "7", "2", "''quoted", "2026-01-05T00:00:00.250000Z", ""),
            ]
        )
    sheet = written(report, tmp_path)["Samples"]
    head, *rows = sheet.iter_rows(values_only=True)
    assert head == (
        *("Control", "No.", "Subject"),
        *("Tester's result", "Tester's initials", "Tested on", "Tester's note"),
        *("Seed", "Opened (UTC)", "Evidence"),
    )
    empty = (None, None, None, None)
    assert rows[0] == ("ROT", 1, "=HYPERLINK(1)", *empty, 7, datetime(2026, 1, 4), "ab:1")
    assert rows[1] == ("ROT", 2, "''quoted", *empty, 7, datetime(2026, 1, 5, 0, 0, 0, 250_000), None)
    assert sheet["C2"].data_type == "s" and sheet["C2"].quotePrefix
    rules = {str(rule.sqref): (rule.type, rule.formula1) for rule in sheet.data_validations.dataValidation}
    assert rules["D2:D3"] == ("list", '"No exception,Exception,Not testable"')
    assert rules["E2:E3"][0] == "textLength" and rules["F2:F3"][0] == "date"


def test_every_item_that_was_drawn_is_on_the_sheet(workbook: Workbook, bundle: Bundle) -> None:
    with (bundle.path / "data" / "samples.csv").open(encoding="utf-8", newline="") as file:
        drawn = [(row["control_id"], int(row["rank"]), row["operation_id"]) for row in csv.DictReader(file)]
    assert drawn == [(row["Control"], row["No."], row["Operation"]) for row in records(workbook, "Samples")]


def test_dates_before_spreadsheets_begin_are_text(report: AuditReport, tmp_path: Path) -> None:
    table = report.table("evidence_files")
    row = next(iter(table))
    at = [column.name for column in table.columns].index("first_event_at")
    old = (*row[:at], datetime(1899, 12, 30, 7), *row[at + 1 :])
    (cells,) = records(written(with_rows(report, "evidence_files", [old]), tmp_path), "Evidence index")
    assert cells["First event (UTC)"] == "1899-12-30T07:00:00Z"


def test_a_figure_that_is_not_finite_stops_the_workbook(report: AuditReport, tmp_path: Path) -> None:
    odd = Table("unlinked", (Column("share", "number"),), lambda: iter([(float("nan"),)]))
    broken = replace(
        report, tables=tuple(odd if table.name == "unlinked" else table for table in report.tables)
    )
    with pytest.raises(ValueError, match="share holds nan; undefined must be NULL"):
        render.render(broken, tmp_path)


def test_created_is_the_cut_off(workbook: Workbook) -> None:
    assert workbook.properties.created.replace(tzinfo=UTC) == datetime(2026, 7, 15, 8, tzinfo=UTC)
