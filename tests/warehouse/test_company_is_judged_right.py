"""The example company's own story, told without SQL, says what every control has to conclude."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict

from tests.company import story

from .conftest import COMPANY

ASSESSED = {control for _, control in story.CONCLUSIONS}
IDENTIFYING = ("period_id", "control_id", "system", "instance", "subject_id", "cycle")
STATED = ("due_at", "performed_at", "outcome", "reason")


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def computed(home):
    return [row for path in sorted(home.root.glob("reports/*/data/control_operations.csv")) for row in rows(path)]


def by_subject(operations):
    found = defaultdict(list)
    for row in operations:
        found[tuple(row[name] for name in IDENTIFYING)].append(tuple(row[name] for name in STATED))
    return {subject: sorted(stated) for subject, stated in found.items()}


def test_every_operation_that_the_story_states_is_judged_so(company_home):
    stated = by_subject(rows(COMPANY / "expected_operations.csv"))
    found = by_subject(computed(company_home))
    assert {subject: found.get(subject) for subject in stated} == stated


def test_measures_are_those_of_the_story(company_home):
    found = {
        tuple(row[name] for name in (*IDENTIFYING, "due_at", "performed_at")): row["measure_value"]
        for row in computed(company_home)
    }
    for row in rows(COMPANY / "expected_operations.csv"):
        if row["measure_value"]:
            subject = tuple(row[name] for name in (*IDENTIFYING, "due_at", "performed_at"))
            assert abs(float(found[subject]) - float(row["measure_value"])) < 1e-5, row


def test_nothing_is_judged_that_the_story_does_not_know(company_home):
    stated = by_subject(rows(COMPANY / "expected_operations.csv"))
    unknown = [
        subject
        for subject, outcomes in by_subject(computed(company_home)).items()
        if subject not in stated
        # Of feeds the story lists only the exceptional slots.
        and not (subject[1] in {"LOG", "EVD"} and all(outcome[2] == "operated" for outcome in outcomes))
    ]
    assert unknown == []


def test_the_conclusions_are_those_of_the_story(company_home):
    found = {
        (row["period_id"], row["control_id"]): row["conclusion"]
        for path in company_home.root.glob("reports/*/data/control_coverage.csv")
        for row in rows(path)
    }
    assert found == story.CONCLUSIONS
    assert {control for _, control in found} == ASSESSED


def test_figures_add_up_from_the_operations(company_home):
    for path in company_home.root.glob("reports/*/data/control_coverage.csv"):
        outcomes = Counter((row["control_id"], row["outcome"]) for row in rows(path.parent / "control_operations.csv"))
        for row in rows(path):
            counts = {
                "operated": "operated", "deviations": "deviation", "waived": "waived",
                "indeterminate": "indeterminate", "pending": "pending",
            }
            for figure, outcome in counts.items():
                assert int(row[figure]) == outcomes[row["control_id"], outcome], (row["control_id"], figure)
            assert int(row["population"]) == sum(n for (control, _), n in outcomes.items() if control == row["control_id"])
            assert int(row["tested"]) == int(row["population"]) - int(row["pending"])


def test_every_evidence_reference_is_a_record_of_a_delivered_file(company_home):
    for path in company_home.root.glob("reports/*/data/control_operations.csv"):
        records = {
            row["sha256"]: int(row["records_parsed"]) + int(row["records_rejected"])
            for row in rows(path.parent / "evidence_files.csv")
        }
        for row in rows(path):
            assert row["evidence"], row
            for reference in row["evidence"].split(" "):
                sha256, number = reference.split(":")
                assert 1 <= int(number) <= records[sha256], row
