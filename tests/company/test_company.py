"""The company's exports are what its story says, and the oracle agrees with the outcomes reasoned out by hand."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from . import oracle, story
from .build import HERE, all_files, unpacked
from .oracle import Operation
from .plan import all_exports

LANDING = HERE / "landing"


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return all_files()


@pytest.fixture(scope="module")
def expected() -> list[Operation]:
    return oracle.expected_operations()


def _committed() -> dict[str, bytes]:
    paths = [*LANDING.rglob("*"), *(HERE / "bad_landing").rglob("*"), HERE / "expected_operations.csv"]
    return {path.relative_to(HERE).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def test_building_again_gives_the_committed_bytes(made: dict[str, bytes]) -> None:
    committed = _committed()
    assert sorted(committed) == sorted(made)
    assert [path for path, data in made.items() if committed[path] != data] == []


def test_building_without_the_committed_files_gives_the_same_content(tmp_path: Path, made: dict[str, bytes]) -> None:
    fresh = all_files(committed=tmp_path)
    for path, data in made.items():
        if not path.startswith("bad_landing/") and not path.endswith(".manifest.json"):
            assert unpacked(path, fresh[path]) == unpacked(path, data), path


def test_the_company_stays_small(made: dict[str, bytes]) -> None:
    assert len(made) < 500
    assert sum(map(len, made.values())) < 1_500_000


def test_compressed_files_carry_no_time(made: dict[str, bytes]) -> None:
    for path, data in made.items():
        if path.endswith(".gz"):
            assert data[4:8] == b"\x00\x00\x00\x00", path


def _records(path: str, data: bytes) -> int:
    text = unpacked(path, data).decode("utf-8-sig")
    if ".csv" in path:
        return len(list(csv.reader(io.StringIO(text)))) - 1
    if ".ndjson" in path:
        return len([json.loads(line) for line in text.splitlines()])
    document = json.loads(text)
    if isinstance(document, dict):
        document = document.get("Records", document.get("issues"))
    return len(document)


def test_sidecars_agree_with_their_files(made: dict[str, bytes]) -> None:
    """In `landing/` nothing lies; the one that does is in `bad_landing/`."""
    sidecars = [path for path in made if path.startswith("landing/") and path.endswith(".manifest.json")]
    assert len(sidecars) > 50
    for path in sidecars:
        declared = json.loads(made[path])
        data = made[path.removesuffix(".manifest.json")]
        assert declared["record_count"] == _records(path.removesuffix(".manifest.json"), data), path
        if "sha256" in declared:
            assert declared["sha256"] == hashlib.sha256(data).hexdigest(), path


def test_every_file_says_when_it_was_collected() -> None:
    """By sidecar or by a stamp in its name: a checkout does not keep modification times."""
    for export in all_exports():
        stamp = export.name.split("_")[-1].split(".")[0].split("_")[0]
        assert export.sidecar or f"{export.collected_at:%Y%m%dT%H%M%SZ}" in export.name, (export.path, stamp)


def test_the_oracle_agrees_with_every_outcome_stated_by_hand(expected: list[Operation]) -> None:
    for stated in story.STATED:
        for period_id in ("2026-H1", "2026-Q2"):
            found = [
                (row.outcome, row.reason)
                for row in expected
                if (row.period_id, row.control_id, row.subject_id, oracle.when(row))
                == (period_id, stated.control_id, stated.subject_id, stated.when)
            ]
            wanted = [(stated.outcome, stated.reason)] if period_id in stated.periods else []
            assert found == wanted, (stated.edge, period_id)


def test_the_rows_lead_to_the_stated_conclusions(expected: list[Operation]) -> None:
    """LOG and EVD list only what did not operate, so "nothing listed" means that all of them did."""
    for (period_id, control_id), conclusion in story.CONCLUSIONS.items():
        outcomes = {row.outcome for row in expected if (row.period_id, row.control_id) == (period_id, control_id)}
        if "indeterminate" in outcomes or (period_id, control_id) in story.EVIDENCE_MISSING:
            assert conclusion == "insufficient_evidence"
        elif outcomes & {"deviation", "waived"}:
            assert conclusion == "exceptions_noted"
        else:
            assert conclusion == "no_exceptions_noted", (period_id, control_id)


def test_those_who_must_not_be_judged_are_not(expected: list[Operation]) -> None:
    judged = {(row.control_id, row.subject_id) for row in expected}
    for control_id, subject_id, why in story.NO_ROW:
        assert (control_id, subject_id) not in judged, why


def test_every_deviation_and_every_indeterminate_row_is_meant(expected: list[Operation]) -> None:
    """A slip in the story would show as an outcome nobody stated."""
    stated = {(s.control_id, s.subject_id) for s in story.STATED}
    unmeant = [
        (row.period_id, row.control_id, row.subject_id, row.reason)
        for row in expected
        if row.outcome in ("deviation", "waived", "indeterminate") and (row.control_id, row.subject_id) not in stated
    ]
    assert unmeant == []


def test_no_operation_is_listed_twice(expected: list[Operation]) -> None:
    keys = Counter(
        (row.period_id, row.control_id, row.subject_id, row.cycle, row.opened_at) for row in expected
    )
    assert [key for key, count in keys.items() if count > 1] == []


def test_the_two_periods_agree_on_what_both_see(expected: list[Operation]) -> None:
    """Both end at the same instant, so an occasion in both has one outcome."""
    seen: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for row in expected:
        seen.setdefault((row.control_id, row.subject_id, oracle.when(row)), set()).add((row.outcome, row.reason))
    assert {key: outcomes for key, outcomes in seen.items() if len(outcomes) > 1} == {}


def test_nothing_is_dated_after_as_of_but_what_must_stay_unknown() -> None:
    later = [export.path for export in all_exports() if export.collected_at > story.AS_OF]
    assert later == ["decisions/waivers/waivers_20260725T090000Z.csv"]
    assert all(export.window[1] <= export.collected_at for export in all_exports() if export.window)


def test_period_edges_are_local_midnights() -> None:
    assert story.H1.start == datetime.fromisoformat("2025-12-31T23:00:00+00:00")
    assert story.Q2.start == datetime.fromisoformat("2026-03-31T22:00:00+00:00")
    assert story.H1.end == story.Q2.end == datetime.fromisoformat("2026-06-30T22:00:00+00:00")
