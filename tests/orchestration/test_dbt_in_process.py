"""dbt as the pipelines run it, on a home without evidence: every model builds, every unit test passes."""

from __future__ import annotations

import os
import re

import pytest

from pipelines.completeness.judge import judge
from pipelines.home import Home
from pipelines.ingest.ingest import ingest_landing
from pipelines.orchestration import dbt_in_process
from pipelines.orchestration.dbt_in_process import ParsedProject
from pipelines.orchestration.model_assets import SECOND_HALF
from pipelines.settings import BUILD_DATABASE_VARIABLE

AS_OF = "2026-07-20T06:00:00.000000Z"


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Home:
    home = Home.at(tmp_path_factory.mktemp("empty"))
    home.landing.mkdir()
    ingest_landing(home)
    return home


@pytest.fixture(scope="module")
def project(home) -> ParsedProject:
    return dbt_in_process.parse(home)


@pytest.fixture(scope="module")
def built(home, project) -> Home:
    folder = os.getcwd()
    for half in (["--exclude", SECOND_HALF], ["--select", SECOND_HALF]):
        results = dbt_in_process.build(home, project, AS_OF, half)
        assert [f"{one.unique_id}: {one.message}" for one in results if not one.passed] == []
        judge(home)
    assert os.getcwd() == folder
    assert BUILD_DATABASE_VARIABLE not in os.environ
    return home


def test_unit_tests_pass(built, project, monkeypatch):
    without_doing_the_same_again(monkeypatch)
    results = dbt_in_process.run_unit_tests(built, project, AS_OF)
    assert results
    assert [f"{one.unique_id}: {one.message}" for one in results if not one.passed] == []


def without_doing_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare six hundred unit tests what is most of their time: asking for the columns of tables that stay as they are, and
    taking the whole SQL of a model apart to find its first word, before which the made-up rows are put (dbt 1.11)."""
    from dbt import compilation
    from dbt.adapters.duckdb.impl import DuckDBAdapter

    ask, known = DuckDBAdapter.get_columns_in_relation, {}
    inject = compilation.inject_ctes_into_sql

    def columns(adapter, relation):
        # Each test's own result has such a name; two tests may have the same.
        if relation.identifier.endswith("__dbt_tmp"):
            return ask(adapter, relation)
        if str(relation) not in known:
            known[str(relation)] = ask(adapter, relation)
        return list(known[str(relation)])

    def injected(sql, ctes):
        begins = FIRST_WORD.match(sql)
        if not ctes or not begins:
            return inject(sql, ctes)
        made_up = ", ".join(cte.sql for cte in ctes)
        if begins["word"].lower() == "with":
            return f"{sql[: begins.end()]} {made_up}, {sql[begins.end() :]}"
        return f"{sql[: begins.start('word')]}with {made_up} {sql[begins.start('word') :]}"

    monkeypatch.setattr(DuckDBAdapter, "get_columns_in_relation", columns)
    monkeypatch.setattr(compilation, "inject_ctes_into_sql", injected)


FIRST_WORD = re.compile(r"(?:\s|--[^\n]*\n)*(?P<word>with(?!\s+recursive)|select)\b", re.IGNORECASE)


def test_a_failed_test_is_told_apart_from_what_was_skipped_after_it():
    results = [
        dbt_in_process.NodeResult("test.upheld.keys_are_unique", "fail", "Got 2 results", 0.1, 2),
        dbt_in_process.NodeResult("model.upheld.fct_after", "skipped", "", 0.0, None),
        dbt_in_process.NodeResult("model.upheld.stg_before", "success", "OK", 0.1, None),
    ]
    with pytest.raises(dbt_in_process.BrokenModels) as raised:
        dbt_in_process.raise_on_failure(results)
    assert str(raised.value) == "test.upheld.keys_are_unique: Got 2 results"
    dbt_in_process.raise_on_failure(results[2:])
