"""The crosswalk names only what exists: controls of the specification, requirements with a title, ids in use."""

from __future__ import annotations

import csv
import re

from pipelines.settings import DBT_PROJECT

SEEDS = DBT_PROJECT / "seeds" / "frameworks"
CONTROLS = {"ROT", "REV", "RVF", "OFF", "DEC", "APR", "LOG", "DOR", "OWN", "INC", "VLT", "CHG", "EVD"}


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def key(row: dict[str, str]) -> tuple[str, str, str]:
    return row["framework"], row["version"], row["requirement_id"]


def test_the_crosswalk_leads_to_known_requirements():
    known = {key(row) for row in seed("requirements")}
    assert not {key(row) for row in seed("crosswalk")} - known


def test_every_control_answers_some_requirement_directly():
    assert {row["control_id"] for row in seed("crosswalk") if row["relation"] == "direct"} == CONTROLS


def test_ids_of_older_editions_are_no_requirements_and_lead_to_one_or_to_a_family():
    ids = {(row["framework"], row["version"]): set() for row in seed("requirements")}
    for row in seed("requirements"):
        ids[row["framework"], row["version"]].add(row["requirement_id"])
    for alias in seed("requirement_aliases"):
        assert (alias["framework"], alias["old_version"]) not in ids, alias
        found = ids[alias["framework"], alias["new_version"]]
        assert any(one == alias["new_id"] or one.startswith(f"{alias['new_id']}-") for one in found), alias


def test_ids_are_written_as_their_owners_write_them():
    forms = {
        "NIST-CSF": r"(GV|ID|PR|DE|RS|RC)\.(?!AC)[A-Z]{2}-\d\d",
        "OWASP-NHI-Top10": r"NHI([1-9]|10):2025",
        "AICPA-TSC": r"CC[1-9]\.\d",
    }
    strange = [
        key(row)
        for row in seed("requirements")
        if row["framework"] in forms and not re.fullmatch(forms[row["framework"]], row["requirement_id"])
    ]
    assert not strange, strange


def test_all_common_criteria_are_listed():
    counts = {"1": 5, "2": 3, "3": 4, "4": 2, "5": 3, "6": 8, "7": 5, "8": 1, "9": 2}
    expected = {f"CC{series}.{n}" for series, many in counts.items() for n in range(1, many + 1)}
    assert {row["requirement_id"] for row in seed("requirements") if row["framework"] == "AICPA-TSC"} == expected
