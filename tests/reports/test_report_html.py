"""report.html: the approved page, safe against what evidence says, and honest about what it leaves out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import pytest
from made_up_warehouse import HOSTILE
from report_checks import FORMATS, PERIOD, compare_with_approved

from pipelines.home import Home
from pipelines.reports.bundle import Bundle
from pipelines.reports.chapters import names_of
from pipelines.reports.formats.html import render
from pipelines.reports.formats.html.operations_data import FileIndex, pack_operations, script_json
from pipelines.reports.report import EvidenceFile, open_report
from pipelines.reports.visible_text import visible


class Page(HTMLParser):
    """Elements with their attributes, the text of scripts and styles, and all text that a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[dict[str, str | None], str]] = []
        self.text: list[str] = []
        self._inside: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = tag
            self.raw.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.raw[-1] = (self.raw[-1][0], self.raw[-1][1] + data)
        else:
            self.text.append(data)


@pytest.fixture(scope="session")
def html(bundle: Bundle) -> str:
    return (bundle.path / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="session")
def text(page: Page) -> str:
    return re.sub(r"\s+", " ", "".join(page.text))


def test_the_page_is_the_approved_one(bundle: Bundle) -> None:
    compare_with_approved(bundle.path / "report.html", FORMATS / "html" / "approved" / "report.html")


def test_no_name_from_evidence_becomes_an_element_or_an_attribute(page: Page) -> None:
    tags = Counter(tag for tag, _ in page.elements)
    assert tags["img"] == tags["iframe"] == tags["object"] == 0
    assert tags["style"] == 1
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert [s for s in scripts if s.get("type") != "application/json"] == [{}]
    handlers = [
        name
        for _, attributes in page.elements
        for name in attributes
        if name.startswith("on") or name == "style"
    ]
    assert not handlers


def test_the_policy_allows_exactly_the_style_and_the_script_of_the_page(page: Page) -> None:
    policy = next(
        a["content"]
        for t, a in page.elements
        if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None and policy.startswith("default-src 'none'")
    assert "unsafe" not in policy and "http" not in policy

    def digest(content: str) -> str:
        return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

    runs = [content for attributes, content in page.raw if attributes.get("type") != "application/json"]
    assert [f"'sha256-{digest(content)}'" in policy for content in runs] == [True, True]


def test_nothing_is_fetched(page: Page) -> None:
    targets = [
        value
        for tag, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "action", "data", "poster", "srcset", "xlink:href") and tag != "svg"
    ]
    assert targets and all(value and value.startswith(("#", "data:image/svg+xml,")) for value in targets)
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in targets if value and value.startswith("#")} <= set(ids)


def test_control_and_reordering_characters_are_written_out(html: str) -> None:
    assert html == "\n".join(visible(line) for line in html.split("\n"))


def test_hostile_names_are_data_in_the_table_of_operations(page: Page) -> None:
    blocks = {
        a["data-control"]: json.loads(content) for a, content in page.raw if a.get("class") == "operations"
    }
    names = blocks["OFF"]["columns"]["subject_name"]["v"]
    assert {visible(name) for name in HOSTILE} <= set(names)


def test_every_operation_is_in_the_page_with_its_evidence(page: Page, home: Home) -> None:
    files = json.loads(next(content for a, content in page.raw if a.get("id") == "evidence-files"))
    found = {}
    for attributes, content in page.raw:
        if attributes.get("class") == "operations":
            block = json.loads(content)
            column = block["columns"]["evidence"]["v"]
            for operation_id, packed in zip(block["columns"]["operation_id"]["v"], column, strict=True):
                groups = (group.split(":") for group in packed.split())
                found[operation_id] = {
                    f"{files[int(n)][0]}:{r}".rstrip(":") for n, records in groups for r in records.split(",")
                }
    with open_report(home.warehouse, PERIOD) as report:
        expected = {
            r["operation_id"]: set(r["evidence"].split())
            for r in report.table("control_operations").records()
        }
    assert found == expected


def test_every_deviation_is_told_with_its_reason_waiver_and_evidence(text: str, home: Home) -> None:
    with open_report(home.warehouse, PERIOD) as report:
        for row in report.table("deviations").records():
            assert re.sub(r"\s+", " ", visible(row["reason_text"])) in text
            assert row["operation_id"] in text
            assert row["waiver_id"] is None or f"Waiver {row['waiver_id']}" in text
            for token in row["evidence"].split():
                assert token in text


def test_the_first_page_tells_scope_digest_and_what_is_not_covered(text: str, bundle: Bundle) -> None:
    first = text[
        : text.index("Dormant identities insufficient") if "Dormant identities insufficient" in text else None
    ]
    for told in (
        "1 January 2026 to 30 June 2026",
        "2026-07-15 08:00 UTC",
        "7 of 13 controls assessed",
        bundle.data_digest,
        "2 decisions first collected after the instant they govern",
        "W-2026-007",
        "APR Access approval",
        "3 of 30.",
        "2 accounts, 1 actor",
        "2 records, 1 whole file",
    ):
        assert told in first, told


def test_the_word_that_is_the_auditors_is_never_used(html: str) -> None:
    assert "effective" not in html.lower()


def test_insufficient_evidence_and_deviations_both_show(text: str) -> None:
    assert "1 of 24 tested operations cannot be decided. 1 completeness expectation failed." in text
    assert "Even so, the evidence shows 1 deviation in 23 decided operations." in text


def test_a_running_period_says_how_far_it_is_judged(home: Home) -> None:
    with open_report(home.warehouse, PERIOD) as report:
        cutoff = datetime(2026, 5, 1, 12)
        running = replace(report, period=replace(report.period, as_of=cutoff, cutoff_at=cutoff))
        shown = render.page(running)
    assert "judged up to 2026-05-01 12:00 UTC" in shown
    assert "evidence ends" in shown


def test_a_period_without_any_operation_is_a_page_too(home: Home) -> None:
    with open_report(home.warehouse, "2026-07") as report:
        shown = Page(render.page(report))
    assert "No operation fell due in the period." in " ".join(shown.text)


def test_long_lists_are_cut_and_say_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "ROWS_PER_CONTROL", 1)
    monkeypatch.setattr(render, "EMBEDDED_OPERATIONS", 100)
    with open_report(home.warehouse, PERIOD) as report:
        shown = re.sub(r"\s+", " ", "".join(Page(render.page(report)).text))
        operations = sum(1 for _ in report.table("control_operations"))
    assert "1 of 3 are written out here. All are in data/deviations.csv." in shown
    assert f"{operations - 100} operations are not in this page" in shown


def test_json_in_the_page_cannot_end_its_element() -> None:
    text = "</script><!--<script>&\u2028"
    packed = script_json([text])
    assert "<" not in packed and ">" not in packed and "&" not in packed
    assert json.loads(packed) == [text]


def test_instants_keep_their_microseconds(home: Home) -> None:
    with open_report(home.warehouse, PERIOD) as report:
        columns = report.table("control_operations").columns
        late = next(row for row in report.table("deviations") if row[4].startswith("AKIAMALLORY"))
        packed = json.loads(pack_operations([late[:-1]], columns, report.period.start_at, FileIndex()))
    seconds = packed["columns"]["performed_at"]["c"]
    assert seconds == (late[13] - datetime(2025, 12, 31, 23)).total_seconds()


def test_a_file_delivered_every_week_has_one_short_name_and_is_found_by_all() -> None:
    weekly = [
        EvidenceFile("hr", "employees", "main", name, "a" * 64, None, "accepted", None)
        for name in ("week-1.csv", "week-2.csv", "week-3\u202e.csv")
    ]
    names = names_of(weekly)["a" * 64]
    assert names.shown == "week-1.csv (and under 2 other names)"
    assert names.every.split("\n") == ["week-1.csv", "week-2.csv", "week-3\\u202e.csv"]


def test_every_control_shows_the_shape_of_its_operations(page: Page) -> None:
    told = [
        attributes["aria-label"] or "" for _, attributes in page.elements if attributes.get("role") == "img"
    ]
    for shape in (
        "Slots of 2 subjects: indeterminate 2, operated 360.",
        "Operations by cycle. 2026-Q1: 38 of 38 operated; 2026-Q2: 38 of 38 operated.",
        "Age days of 110 operations against 90 d allowed: 3 beyond it.",
        "Lag hours of 28 operations against 24 h allowed: 1 beyond it.",
        "2 exceptions over time, 2 of them lasting to the end.",
    ):
        assert shape in told, told


def test_waivers_tell_who_approved_them_and_why(text: str) -> None:
    for told in (
        "2026-02-17 23:00 to 2026-06-30 22:00",
        "ciso@acme.example, 2026-02-16 10:30",
        "Mainframe batch cannot re-read its password before release 9.",
    ):
        assert told in text, told


def test_a_requirement_shows_its_controls_and_its_answer(text: str) -> None:
    assert re.search(
        r"PR\.AA-01\s?formerly PR\.AC-1 \(1\.1\)\s?Identities and credentials\s+ROT\s+Exceptions noted", text
    )
    assert re.search(r"APR not assessed\s+Not answered", text)
