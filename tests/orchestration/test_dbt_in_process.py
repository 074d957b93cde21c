"""dbt as the pipelines run it, on a home without evidence: every model builds, every unit test passes."""

from __future__ import annotations

import os

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


def test_unit_tests_pass(built, project):
    results = dbt_in_process.run_unit_tests(built, project, AS_OF)
    assert results
    assert [f"{one.unique_id}: {one.message}" for one in results if not one.passed] == []


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
