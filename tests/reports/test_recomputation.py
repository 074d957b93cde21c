"""The second way to the figures agrees with the first, and the reader's idea of a data file with the writer's."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.reports import report
from pipelines.reports.bundle import Bundle
from pipelines.reports.canonical import canonical_json, canonical_number, read_canonical_json
from pipelines.reports.data_files import ORDER, faults_of_form, is_form_of, kind_of
from pipelines.reports.recomputation import coverage_of


def test_a_columns_name_tells_its_kind_in_every_table_that_is_written() -> None:
    for source in report._SOURCES:
        for column in source.columns:
            assert kind_of(column.name) == column.kind, f"{source.name}.{column.name}"


def test_every_table_is_read_in_the_order_in_which_it_is_written() -> None:
    for source in report._SOURCES:
        assert ORDER[source.name] == source.keys


def test_every_file_of_a_bundle_is_in_the_canonical_form(bundle: Bundle) -> None:
    for path in sorted((bundle.path / "data").iterdir()):
        assert list(faults_of_form(path)) == [], path.name


@settings(max_examples=200)
@given(st.integers(0, 3000), st.integers(1, 3000))
def test_a_share_is_rounded_as_the_warehouse_rounds(part: int, rest: int) -> None:
    whole = part + rest
    (rounded,) = duckdb.sql(f"select round({part} / {whole}, 6)").fetchone()
    assert coverage_of({"deviation": part, "operated": rest}, True)["deviation_rate"] == canonical_number(
        rounded
    )


@pytest.mark.parametrize("whole", [128, 640, 3200, 12_800])
def test_halves_are_rounded_up_as_the_warehouse_does(whole: int) -> None:
    (rounded,) = duckdb.sql(f"select round(1 / {whole}, 6)").fetchone()
    assert coverage_of({"deviation": 1, "operated": whole - 1}, True)["deviation_rate"] == canonical_number(
        rounded
    )


@pytest.mark.parametrize(
    ("outcomes", "whole", "conclusion"),
    [
        ({}, True, "no_occurrence"),
        ({"pending": 3}, True, "no_occurrence"),
        ({"operated": 1}, True, "no_exceptions_noted"),
        ({"operated": 1}, False, "insufficient_evidence"),
        ({}, False, "insufficient_evidence"),
        ({"operated": 9, "deviation": 1}, True, "exceptions_noted"),
        ({"operated": 9, "waived": 1}, True, "exceptions_noted"),
        ({"deviation": 1, "indeterminate": 1}, True, "insufficient_evidence"),
    ],
)
def test_a_conclusion_follows_from_outcomes_and_expectations(
    outcomes: dict, whole: bool, conclusion: str
) -> None:
    assert coverage_of(outcomes, whole)["conclusion"] == conclusion


@pytest.mark.parametrize(
    ("column", "written", "not_written"),
    [
        ("opened_at", "2026-03-02T00:00:00Z", "2026-03-02 00:00:00Z"),
        ("opened_at", "2026-03-02T00:00:00.250000Z", "2026-03-02T00:00:00.25Z"),
        ("opened_at", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00.000000Z"),
        ("opened_at", "2028-02-29T00:00:00Z", "2026-02-29T00:00:00Z"),
        ("measure_value", "-4.5", "-4.50"),
        ("measure_value", "0", "-0"),
        ("measure_value", "1000000", "1e6"),
        ("measure_value", "0.026316", "0.0263158"),
        ("population", "31", "031"),
        ("population", "31", "31.0"),
        ("passed", "true", "TRUE"),
        ("subject_name", "'=1+1", "=1+1"),
        ("subject_name", "invoice\\u202egnp", "invoice\u202egnp"),
    ],
)
def test_one_form_is_written_and_another_is_not(column: str, written: str, not_written: str) -> None:
    assert is_form_of(kind_of(column), written)
    assert not is_form_of(kind_of(column), not_written)


def test_rows_whose_order_evidence_decided_are_not_held_to_what_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "unlinked.csv"
    path.write_text("kind,system,instance,native_id\naccount,okta,main,'=b\naccount,okta,main,a\n")
    assert list(faults_of_form(path)) == [], "= sorts before a; '= does not"
    path.write_text("kind,system,instance,native_id\naccount,okta,main,b\naccount,okta,main,a\n")
    assert list(faults_of_form(path)) == ["line 3: comes before the line above it, by native_id."]


@pytest.mark.parametrize(
    "raw", [b'{"a": 1}\n', b'{\n  "a": 1\n}', b'{\n  "b": 1,\n  "a": 1\n}\n', b'{\n  "a": 1,\n  "a": 1\n}\n']
)
def test_json_in_another_form_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        read_canonical_json(raw)
    assert read_canonical_json(canonical_json({"a": 1, "b": "ü"})) == {"a": 1, "b": "ü"}
