"""report.pdf, read back by another library: what each page says, and that evidence is only ever text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import hostile
import pypdfium2
import pytest
import typst
from made_up_warehouse import HOSTILE
from report_checks import FORMATS, PERIOD, compare_with_approved

from pipelines.home import Home
from pipelines.reports.bundle import Bundle
from pipelines.reports.formats.pdf import printable, render
from pipelines.reports.report import AuditReport, open_report
from pipelines.reports.visible_text import visible


def pages(content: bytes) -> list[str]:
    """The text of each page, in reading order."""
    document = pypdfium2.PdfDocument(content)
    return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]


def closed_up(text: str) -> str:
    """Text without any white space, since a page breaks lines where it likes."""
    return re.sub(r"[\s\u200b\ufffe]+", "", unicodedata.normalize("NFKC", text))


@pytest.fixture(scope="session")
def paper(bundle: Bundle) -> list[str]:
    return pages((bundle.path / "report.pdf").read_bytes())


@pytest.fixture
def report(home: Home) -> Iterator[AuditReport]:
    with open_report(home.warehouse, PERIOD) as report:
        yield replace(report, data_digest="0" * 64)


def test_the_text_is_the_approved_one(paper: list[str], tmp_path: Path) -> None:
    written = tmp_path / "report.txt"
    written.write_text("\n\f\n".join(paper), encoding="utf-8")
    compare_with_approved(written, FORMATS / "pdf" / "approved" / "report.txt")


def test_every_page_carries_period_cut_off_digest_and_its_number(paper: list[str], bundle: Bundle) -> None:
    for number, page in enumerate(paper, start=1):
        for told in (
            "period 2026-H1: 1 January 2026 to 30 June 2026",
            "evidence known by 2026-07-15 08:00 UTC",
            f"data digest {bundle.data_digest}",
            f"{number} / {len(paper)}",
        ):
            assert closed_up(told) in closed_up(page), (number, told)


def test_the_first_page_tells_scope_conclusions_and_what_is_not_covered(paper: list[str]) -> None:
    first = closed_up(paper[0])
    for told in (
        "Europe/Berlin; 2025-12-31 23:00 to 2026-06-30 22:00 UTC",
        "7 of 13 controls assessed",
        "2 decisions first collected after the instant they govern",
        "ROT Secret and key rotation",
        "1 failed expectation",
        "What this report does not cover",
        "APR Access approval, CHG Change approval",
        "3 of 30.",
    ):
        assert closed_up(told) in first, told


def test_thirteen_controls_and_what_is_not_covered_fit_the_first_page(report: AuditReport) -> None:
    worst = next(control for control in report.controls if control.control_id == "DOR")
    controls = tuple(
        replace(
            control,
            figures=worst.figures,
            conclusion=worst.conclusion,
            findings=worst.findings,
            timeline=worst.timeline,
        )
        for control in report.controls
    )
    decisions = tuple(decision for _ in range(2) for decision in report.late_decisions)
    first, *_ = pages(render.document(replace(report, controls=controls, late_decisions=decisions)))
    assert "13 of 13 controls assessed" in first
    assert "Characters that its fonts lack are written out as code points." in first.replace("\n", " ")


def test_a_control_tells_claim_population_bound_exceptions_and_waivers(paper: list[str]) -> None:
    (begin,) = [number for number, page in enumerate(paper) if "a credential interval that overlaps" in page]
    said = closed_up("".join(paper[begin : begin + 2]))
    for told in (
        "Secrets and keys are replaced before they outlive their maximum age.",
        "4 of 4 completeness expectations of this control passed.",
        "at most 7.4 % with 95 % confidence, one-sided",
        "Version 3 is open since 2024-01-09, 903.6 d; 90 d allowed.",
        "Mainframe batch cannot re-read its password before release 9.",
        "by ciso@acme.example, 2026-02-16 10:30 UTC",
        "overdue",
    ):
        assert closed_up(told) in said, told


def test_every_deviation_is_printed_with_operation_and_evidence(paper: list[str], home: Home) -> None:
    said = closed_up("".join(paper))
    with open_report(home.warehouse, PERIOD) as report:
        for row in report.table("deviations").records():
            assert closed_up(printable.printed(row["reason_text"])) in said
            assert row["operation_id"] in said
            cited = list(dict.fromkeys(token.split(":")[0] for token in row["evidence"].split()))
            assert all(sha256 in said for sha256 in cited[: render.CITED_FILES])


def test_the_same_report_is_the_same_file(report: AuditReport) -> None:
    assert render.document(report) == render.document(report)


def test_long_lists_are_cut_and_name_the_csv(report: AuditReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "ROWS_PER_CONTROL", 1)
    said = closed_up("".join(pages(render.document(report))))
    assert closed_up("1 of 3 are printed here. All are in data/deviations.csv.") in said


def test_a_period_without_any_operation_is_a_paper_too(home: Home) -> None:
    with open_report(home.warehouse, "2026-07") as empty:
        said = closed_up("".join(pages(render.document(empty))))
    assert closed_up("No operation fell due in the period.") in said


def test_text_from_evidence_is_never_markup(report: AuditReport) -> None:
    """Every hostile text is put wherever the paper prints text from evidence, and comes out as it went in."""
    texts = [text for text in (*HOSTILE, *hostile.TEXTS) if len(text) < 1000]

    def exceptions(most: int) -> Iterator[dict]:
        example = next(report.exceptions(1))
        for number, text in enumerate(texts):
            columns = (
                "subject_name",
                "reason_text",
                "identity_id",
                "entitlement",
                "cycle",
                "system",
                "reason",
            )
            row = dict.fromkeys(columns, text)
            yield (
                example
                | row
                | {
                    "control_id": "ROT",
                    "operation_id": f"{number:032d}",
                    "waiver_id": text,
                    "evidence": "",
                }
            )

    said = closed_up("".join(pages(render.document(replace(report, exceptions=exceptions)))))
    for text in texts:
        if not re.search(
            "[\u0590-\u06ff]", text
        ):  # what is written from right to left is extracted in another order
            assert said.count(closed_up(printable.printed(text))) >= 5, visible(text)


def test_a_text_as_long_as_a_book_is_printed(report: AuditReport) -> None:
    def exceptions(most: int) -> Iterator[dict]:
        yield next(report.exceptions(1)) | {"reason_text": "x" * 40_000, "evidence": ""}

    said = closed_up("".join(pages(render.document(replace(report, exceptions=exceptions)))))
    assert said.count("x") > 39_000


def test_the_fonts_have_every_character_that_is_printed_as_itself() -> None:
    """The standards the file conforms to forbid a character without a shape, so typesetting fails on one."""
    every = [chr(code) for code in range(0x20, 0x10000) if printable.printed(chr(code)) == chr(code)]
    assert len(every) > 900
    lines = "\n".join(
        f"#{_typst_string(text)}\n"
        for text in ("".join(every[at : at + 80]) for at in range(0, len(every), 80))
    )
    head = '#set document(title: "all")\n#set text(font: ("Libertinus Serif", "DejaVu Sans Mono"))\n'
    for weight in ("regular", "bold"):
        source = f'{head}#set text(weight: "{weight}")\n{lines}'
        typst.compile(source.encode(), format="pdf", ignore_system_fonts=True, pdf_standards=["ua-1", "a-2a"])


def _typst_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Jürgen Müller", "Jürgen Müller"),
        ("山田", "\\u5c71\\u7530"),
        ("\U0001f916", "\\U0001f916"),
        ("a\u202eb", "a\\u202eb"),
    ],
)
def test_what_the_fonts_lack_is_written_out(text: str, shown: str) -> None:
    assert printable.printed(text) == shown


def test_long_ids_can_be_broken_and_short_words_are_left_alone() -> None:
    assert printable.breakable("every_required_feed") == "every_required_feed"
    broken = printable.breakable("arn:aws:iam::123456789012:user/ci/deployer")
    assert broken.replace("\u200b", "") == "arn:aws:iam::123456789012:user/ci/deployer"
    assert max(map(len, broken.split("\u200b"))) < 25
    assert max(map(len, printable.breakable("a" * 300).split("\u200b"))) <= 8
