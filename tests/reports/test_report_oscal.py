"""oscal/assessment-results.json, read by the OSCAL models of compliance-trestle: valid, stable, led back to evidence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import hostile
import pytest
from made_up_warehouse import HOSTILE
from report_checks import FORMATS, PERIOD, compare_with_approved
from trestle.oscal import OSCAL_VERSION
from trestle.oscal.assessment_results import AssessmentResults

from pipelines.home import Home
from pipelines.reports.bundle import Bundle
from pipelines.reports.formats.oscal import render
from pipelines.reports.report import AuditReport, open_report


def read(document: dict) -> AssessmentResults:
    return AssessmentResults.parse_obj(document["assessment-results"])


@pytest.fixture(scope="session")
def document(bundle: Bundle) -> dict:
    return json.loads((bundle.path / "oscal" / "assessment-results.json").read_text(encoding="utf-8"))


@pytest.fixture
def report(home: Home) -> Iterator[AuditReport]:
    with open_report(home.warehouse, PERIOD) as report:
        yield replace(report, data_digest="0" * 64)


def values(props: list[dict], name: str) -> list[str]:
    return [prop["value"] for prop in props if prop["name"] == name]


def test_the_document_is_the_approved_one(bundle: Bundle) -> None:
    name = "assessment-results.json"
    compare_with_approved(bundle.path / "oscal" / name, FORMATS / "oscal" / "approved" / name)


def test_it_is_an_assessment_results_document_of_the_version_it_names(document: dict) -> None:
    model = read(document)
    assert (
        document["assessment-results"]["metadata"]["oscal-version"] == OSCAL_VERSION == render.OSCAL_VERSION
    )
    assert model.metadata.last_modified.isoformat() == "2026-07-15T08:00:00+00:00"
    assert len(model.results) == 1


def test_ids_are_of_version_five_unique_and_every_reference_leads_somewhere(document: dict) -> None:
    ids: list[str] = []
    references: list[str] = []

    def walk(node: object) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "uuid":
                    ids.append(value)
                elif key == "observation-uuid":
                    references.append(value)
                elif key == "href" and value.startswith("#"):
                    references.append(value[1:])
                walk(value)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(document)
    assert all(UUID(one).version == 5 for one in ids)
    assert len(ids) == len(set(ids))
    assert references and set(references) <= set(ids)


def test_every_exception_is_an_observation_with_its_evidence_records(document: dict, home: Home) -> None:
    found = {}
    for observation in document["assessment-results"]["results"][0]["observations"]:
        for operation_id in values(observation["props"], "operation-id"):
            found[operation_id] = {
                token
                for evidence in observation.get("relevant-evidence", [])
                for token in values(evidence["props"], "evidence")
            }
            assert observation["collected"] <= "2026-07-15T08:00:00Z"
    with open_report(home.warehouse, PERIOD) as report:
        expected = {
            row["operation_id"]: set((row["evidence"] or "").split())
            for row in report.table("control_operations").records()
            if row["outcome"] in ("deviation", "waived", "indeterminate")
        }
    assert found == expected


def test_an_observation_is_dated_by_the_last_of_its_files(document: dict) -> None:
    (lena,) = [
        observation
        for observation in document["assessment-results"]["results"][0]["observations"]
        if observation["title"] == "OFF: Lena Leaver"
    ]
    # The report of leavers was first collected on 2 March, the log of the disabling on 12 March.
    assert lena["collected"] == "2026-03-12T04:00:00Z"


@pytest.mark.parametrize(
    ("control", "state", "reason"),
    [
        ("ROT", "not-satisfied", "fail"),
        ("DOR", "not-satisfied", "other"),
        ("INC", "not-satisfied", "other"),
        ("REV", "satisfied", "pass"),
    ],
)
def test_a_control_is_satisfied_only_where_that_was_shown(
    document: dict, control: str, state: str, reason: str
) -> None:
    (finding,) = [
        finding
        for finding in document["assessment-results"]["results"][0]["findings"]
        if finding["target"]["target-id"] == control
    ]
    status = finding["target"]["status"]
    assert (status["state"], status["reason"]) == (state, reason)
    assert finding["related-observations"]


def test_a_requirement_is_answered_by_its_controls(document: dict) -> None:
    findings = {
        values(finding["props"], "requirement")[0]: finding
        for finding in document["assessment-results"]["results"][0]["findings"]
        if values(finding["props"], "requirement")
    }
    assert findings.keys() == {"PR.AA-01", "PR.AA-05", "NHI4:2025"}
    assert findings["NHI4:2025"]["target"]["target-id"] == "OWASP-NHI-Top10-2025_NHI4-2025"
    assert "related-observations" not in findings["PR.AA-05"], "no assessed control answers it"
    assert findings["PR.AA-05"]["target"]["status"]["reason"] == "other"
    assert findings["PR.AA-01"]["target"]["status"]["reason"] == "fail"
    assert values(findings["PR.AA-01"]["props"], "former-ids") == ["PR.AC-1 (1.1)"]


def test_the_same_report_is_the_same_document_and_another_cut_off_has_other_ids(
    report: AuditReport, tmp_path: Path
) -> None:
    for name in ("one", "other"):
        render.render(report, tmp_path / name)
    one, other = (
        (tmp_path / name / "oscal" / "assessment-results.json").read_bytes() for name in ("one", "other")
    )
    assert one == other
    later = replace(report, period=replace(report.period, as_of=report.period.as_of.replace(day=16)))
    ids = [
        render.assessment_results(each)["assessment-results"]["results"][0]["uuid"]
        for each in (report, later)
    ]
    assert ids[0] != ids[1]


def test_hostile_text_is_valid_and_never_markup(report: AuditReport) -> None:
    texts = (*HOSTILE, *hostile.TEXTS, "", "   ")

    def exceptions(most: int) -> Iterator[dict]:
        example = next(report.exceptions(1))
        for number, text in enumerate(texts):
            columns = ("subject_name", "subject_id", "reason_text", "reason", "cycle", "waiver_id")
            yield (
                example
                | dict.fromkeys(columns, text)
                | {"control_id": "ROT", "operation_id": f"{number:032d}"}
            )

    document = render.assessment_results(replace(report, exceptions=exceptions))
    read(document)
    observations = document["assessment-results"]["results"][0]["observations"]
    for observation in observations:
        for field in ("title", "description"):
            assert not re.search(r"(?<!\\)(?:\\\\)*[<>\[\]*`]", observation[field]), observation[field]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<b>*x*</b>", "\\<b\\>\\*x\\*\\</b\\>"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("[link](x)", "\\[link\\](x)"),
        ("a_b & c", "a\\_b \\& c"),
        ("plain text, 3 - 2.", "plain text, 3 - 2."),
    ],
)
def test_markup_characters_stand_for_themselves(text: str, escaped: str) -> None:
    assert render.markup(text) == escaped


@pytest.mark.parametrize(
    ("text", "token"), [("NHI7:2025", "NHI7-2025"), ("AC-2(3)", "AC-2-3"), ("9.2.1", "_9.2.1"), ("", "none")]
)
def test_any_requirement_has_a_token(text: str, token: str) -> None:
    assert render.token(text) == token


def test_a_period_without_any_operation_is_a_document_too(home: Home) -> None:
    with open_report(home.warehouse, "2026-07") as empty:
        model = read(render.assessment_results(empty))
    assert all(finding.target.status.state.value == "not-satisfied" for finding in model.results[0].findings)


def test_long_lists_are_cut_and_name_the_csv(report: AuditReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "OBSERVED_PER_CONTROL", 1)
    monkeypatch.setattr(render, "RECORDS_PER_OBSERVATION", 1)
    text = json.dumps(render.assessment_results(report))
    assert "1 of 3 exceptions are observed here; data/deviations.csv has them all." in text
    assert "4 more records: see data/control" in text
