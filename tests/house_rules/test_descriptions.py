"""Descriptions are complete: what a person reads in Dagster, in dbt's docs and in a report comes from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.completeness.suites import load_expectations
from pipelines.settings import EXPECTATIONS, FEEDS


def feeds() -> list[Any]:
    """(file, system, table) of every feed description."""
    return [
        pytest.param(path, source["name"], table, id=f"{source['name']}/{table['name']}")
        for path in sorted(FEEDS.glob("*/*.yml"))
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        for table in source["tables"]
    ]


@pytest.mark.parametrize(("path", "system", "table"), feeds())
def test_a_feed_says_what_it_is_and_what_each_column_means(path: Path, system: str, table: dict[str, Any]):
    assert (path.parent.name, path.stem) == (system, table["name"]), (
        "the file lies where its feed's name says"
    )
    assert len(table.get("description", "").split()) >= 5, "say what the feed proves"
    meta = table["config"]["meta"]
    assert meta["kind"] in {"log", "snapshot", "decision", "decision_log", "ticket"}
    shapes = [meta["shape"]] if isinstance(meta["shape"], str) else meta["shape"]
    assert shapes and set(shapes) <= {"json", "csv"}
    names = [column["name"] for column in table["columns"]]
    assert len(names) == len(set(names))
    undescribed = [
        column["name"]
        for column in table["columns"]
        # A description that repeats the name tells nobody anything.
        if column.get("description", "").lower().strip(" .") in {"", column["name"].replace("_", " ")}
    ]
    assert not undescribed, f"say what these columns mean: {undescribed}"
    where = {"path", "paths", "headings"}
    unplaced = [
        column["name"]
        for column in table["columns"]
        if not where & column.get("config", {}).get("meta", {}).keys()
    ]
    assert not unplaced, f"say under which path or heading the export has them: {unplaced}"


def test_every_log_says_when_its_events_happened():
    for path, system, table in (one.values for one in feeds()):
        meta = table["config"]["meta"]
        if meta["kind"] == "log":
            assert meta.get("event_time") in {column["name"] for column in table["columns"]}, (
                f"{system}: {path.name}"
            )


def test_every_suite_asks_a_question_and_every_expectation_says_why():
    for path in EXPECTATIONS.glob("*.yml"):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["question"].endswith("?"), path.name
    for expectation in load_expectations():
        assert len(expectation.why.split()) >= 10, f"{expectation.id}: say what would go unnoticed without it"
        assert expectation.id.islower() and " " not in expectation.id
