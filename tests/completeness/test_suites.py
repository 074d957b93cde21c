"""How suites are read."""

from __future__ import annotations

import pytest

from pipelines.completeness.suites import BrokenSuite, load_expectations


def test_the_questions_of_the_project_are_found():
    ids = {one.id for one in load_expectations()}
    assert {
        "every_input_has_a_required_feed",
        "required_log_covers_the_period",
        "one_event_one_content",
    } <= ids


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{id: a, table: t, expect: []}", "lacks why"),
        ("{id: a, why: w, table: t, expect: [], severity: low}", "unknown keys: severity"),
        ("{id: a, why: w, table: t, expect: [{kwargs: {}}]}", "a type and kwargs"),
    ],
)
def test_a_faulty_entry_says_what_is_wrong(tmp_path, entry, said):
    (tmp_path / "suite.yml").write_text(f"question: q\nexpectations:\n  - {entry}\n")
    with pytest.raises(BrokenSuite, match=said):
        load_expectations(tmp_path)


def test_one_id_is_used_once(tmp_path):
    entry = "question: q\nexpectations:\n  - {id: a, why: w, table: t, expect: []}\n"
    (tmp_path / "one.yml").write_text(entry)
    (tmp_path / "two.yml").write_text(entry)
    with pytest.raises(BrokenSuite, match="more than once: a"):
        load_expectations(tmp_path)
