"""What the completeness room says about tables whose faults are known."""

from __future__ import annotations

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines.completeness.judge import ExpectationResult, judge, judge_tables
from pipelines.completeness.suites import BrokenSuite, Expectation, load_expectations
from pipelines.errors import UserMistake
from pipelines.home import Home

TABLES = """
create table fct_feed_coverage (
    period_id varchar, system varchar, feed varchar, instance varchar, kind varchar, sparse boolean,
    evidence_files bigint, uncovered_seconds double, missed_slots bigint, rejected_records bigint,
    rejected_files bigint, detail varchar);
create table fct_delivery_declarations (
    system varchar, feed varchar, instance varchar, sha256 varchar, original_name varchar,
    declared_record_count bigint, found_record_count bigint, declared_sha256 varchar, found_sha256 varchar,
    seconds_outside_window double, seconds_after_collection double, detail varchar);
create table fct_control_inputs (
    period_id varchar, control_id varchar, system varchar, instance varchar, input varchar, required_feeds bigint,
    detail varchar);
create table fct_population_reconciliation (
    system varchar, feed varchar, instance varchar, sha256 varchar, collected_at timestamp,
    records_in_source bigint, subjects_in_population bigint, detail varchar);
create table fct_control_operations (
    operation_id varchar, period_id varchar, control_id varchar, system varchar, instance varchar, evidence varchar);
create table fct_account_links (
    system varchar, instance varchar, account_id varchar, identity_id varchar, link_rule varchar,
    listed_as_unlinked boolean, accounted_for boolean, detail varchar);
create table fct_event_conflicts (
    system varchar, feed varchar, instance varchar, event_id varchar, sightings bigint, detail varchar);
create table fct_retention_gaps (
    period_id varchar, system varchar, feed varchar, instance varchar, source_retention_days double,
    gap_from timestamp, gap_to timestamp, detail varchar);
create table fct_unread_times (
    system varchar, feed varchar, instance varchar, column_name varchar, problem varchar, unread_times bigint,
    example varchar, evidence varchar, detail varchar);
"""


@pytest.fixture
def home(tmp_path) -> Home:
    home = Home.at(tmp_path)
    home.build.mkdir(parents=True)
    fill(home, TABLES)
    return home


def fill(home: Home, sql: str) -> None:
    with duckdb.connect(str(home.build_database)) as connection:
        connection.execute(sql)


def answers(results: list[ExpectationResult], expectation: str) -> dict[tuple, tuple[bool, str]]:
    """By (period, control, system, feed, instance) without the empty ones: passed, detail."""
    found = {}
    for one in results:
        if one.expectation == expectation:
            keys = (one.period_id, one.control_id, one.system, one.feed, one.instance)
            found[tuple(key for key in keys if key)] = (one.passed, one.detail)
    return found


def test_empty_tables_pass_once_without_keys(home):
    results = judge(home)
    assert {one.expectation for one in results} == {one.id for one in load_expectations()}
    assert len(results) == len(load_expectations())
    assert all(one.passed and one.system is None and one.period_id is None for one in results)


def test_each_feed_of_a_period_is_judged_on_its_own(home):
    fill(
        home,
        """
        insert into fct_feed_coverage values
            ('2026-H1', 'okta', 'system_log', 'main', 'log', false, 9, 0, 0, 0, 0, 'Whole.'),
            ('2026-H1', 'hashicorp_vault', 'audit_log', 'main', 'log', false, 9, 86400, 0, 0, 0, '3 Feb is missing.'),
            ('2026-Q1', 'hashicorp_vault', 'audit_log', 'main', 'log', false, 9, 0, 0, 0, 0, 'Whole.'),
            ('2026-H1', 'hr', 'employees', 'main', 'snapshot', false, 3, 0, 2, 1, 0, 'Two weeks and a line.')
        """,
    )
    results = judge(home)
    assert answers(results, "required_log_covers_the_period") == {
        ("2026-H1", "okta", "system_log", "main"): (True, "1 checked."),
        ("2026-H1", "hashicorp_vault", "audit_log", "main"): (False, "3 Feb is missing."),
        ("2026-Q1", "hashicorp_vault", "audit_log", "main"): (True, "1 checked."),
        ("2026-H1", "hr", "employees", "main"): (True, "1 checked."),
    }
    hr = ("2026-H1", "hr", "employees", "main")
    assert answers(results, "required_snapshot_in_every_slot")[hr] == (False, "Two weeks and a line.")
    assert answers(results, "required_feed_has_no_rejects")[hr] == (False, "Two weeks and a line.")


def test_a_rejected_file_fails_as_a_rejected_record_does(home):
    fill(
        home,
        "insert into fct_feed_coverage values ('p', 'hr', 'employees', 'main', 'snapshot', false, 1, 0, 0, 0, 1, 'Torn.')",
    )
    assert answers(judge(home), "required_feed_has_no_rejects") == {
        ("p", "hr", "employees", "main"): (False, "Torn.")
    }


def test_each_stretch_that_the_source_dropped_fails_its_feed(home):
    fill(
        home,
        "insert into fct_retention_gaps values ('p', 'okta', 'system_log', 'main', 90, '2026-01-01', '2026-01-05', 'Dropped.')",
    )
    assert answers(judge(home), "collected_before_the_source_dropped_it") == {
        ("p", "okta", "system_log", "main"): (False, "Dropped.")
    }


def test_times_that_cant_be_read_fail_their_feed(home):
    fill(
        home,
        "insert into fct_unread_times values ('jira', 'issues', 'main', 'created', 'unreadable', 2, 'gestern', 'a:1', 'Unread.')",
    )
    assert answers(judge(home), "every_time_can_be_read") == {("jira", "issues", "main"): (False, "Unread.")}


def test_an_unknown_figure_never_passes(home):
    fill(
        home,
        "insert into fct_feed_coverage values ('p', 'okta', 'users', 'main', 'log', false, 1, null, 0, 0, 0, null)",
    )
    assert answers(judge(home), "required_log_covers_the_period") == {
        ("p", "okta", "users", "main"): (False, "uncovered_seconds is None.")
    }


def test_what_a_delivery_does_not_declare_cannot_be_contradicted(home):
    fill(
        home,
        """
        insert into fct_delivery_declarations values
            ('okta', 'users', 'main', 'a', 'a.json', null, 5, null, 'a', null, null, 'Nothing declared.'),
            ('okta', 'users', 'emea', 'b', 'b.json', 9, 8, 'x', 'b', 60, 5, 'b.json differs.'),
            ('okta', 'users', 'apac', 'c', 'c.json', 9, null, 'x', null, 0, 0, 'c.json is unreadable.')
        """,
    )
    results = judge(home)
    for expectation in ("declared_count_agrees", "declared_hash_agrees"):
        assert {keys[-1]: passed for keys, (passed, _) in answers(results, expectation).items()} == {
            "main": True,
            "emea": False,
            "apac": False,
        }
    for expectation in ("events_inside_declared_window", "events_precede_collection"):
        assert {keys[-1]: passed for keys, (passed, _) in answers(results, expectation).items()} == {
            "main": True,
            "emea": False,
            "apac": True,
        }


def test_one_group_with_many_faults_tells_the_first_and_counts_the_rest(home):
    fill(
        home,
        "insert into fct_event_conflicts select 'okta', 'system_log', 'main', 'e' || i, 2, 'Event ' || i || '.'"
        " from range(1000, 1500) numbers(i)",
    )
    assert answers(judge(home), "one_event_one_content") == {
        ("okta", "system_log", "main"): (False, "Event 1000. Event 1001. Event 1002. And 497 more.")
    }


def test_an_operation_without_evidence_is_named(home):
    fill(
        home,
        """
        insert into fct_control_operations values
            ('op1', 'p', 'ROT', 'aws', 'main', 'ab:1'), ('op2', 'p', 'ROT', 'aws', 'main', ''),
            ('op3', 'p', 'OFF', 'aws', 'main', 'ab:2'), ('op3', 'p', 'APR', 'aws', 'main', 'ab:2')
        """,
    )
    results = judge(home)
    assert answers(results, "every_operation_has_lineage")[("p", "ROT", "aws", "main")] == (
        False,
        "operation_id op2",
    )
    assert answers(results, "operation_ids_unique") == {
        ("p", "ROT", "aws", "main"): (True, "2 checked."),
        ("p", "OFF", "aws", "main"): (False, "operation_id op3"),
        ("p", "APR", "aws", "main"): (False, "operation_id op3"),
    }


def test_populations_inputs_and_accounts(home):
    fill(
        home,
        """
        insert into fct_population_reconciliation values
            ('aws', 'credential_report', 'main', 'a', '2026-03-02', 7, 6, 'One user is missing.'),
            ('aws', 'credential_report', 'main', 'b', '2026-03-09', 7, 7, 'Equal.');
        insert into fct_control_inputs values
            ('p', 'ROT', 'aws', 'main', 'credential_state', 1, 'Promised.'),
            ('p', 'DOR', 'aws', 'main', 'account_state', 1, 'Promised.'),
            ('p', 'DOR', 'aws', 'main', 'usage', 0, 'Nothing shows use.');
        insert into fct_account_links values
            ('aws', 'main', 'a1', 'i1', 'tag', false, true, 'Linked.'),
            ('okta', 'main', 'a2', null, null, false, false, 'a2 is lost.')
        """,
    )
    results = judge(home)
    assert answers(results, "population_equals_source_count") == {
        ("aws", "credential_report", "main"): (False, "One user is missing.")
    }
    assert answers(results, "every_input_has_a_required_feed") == {
        ("p", "ROT", "aws", "main"): (True, "1 checked."),
        ("p", "DOR", "aws", "main"): (False, "Nothing shows use."),
    }
    assert answers(results, "every_account_is_accounted_for") == {
        ("aws", "main"): (True, "1 checked."),
        ("okta", "main"): (False, "a2 is lost."),
    }


def test_the_results_file_is_the_contract_and_the_build_stays_writable(home):
    judge(home)
    first = home.expectation_results.read_bytes()
    fill(home, "select 1")  # the judge let go of the file
    judge(home)
    assert home.expectation_results.read_bytes() == first
    assert pq.read_schema(home.expectation_results).names == [
        "expectation", "suite", "why", "period_id", "control_id", "system", "feed", "instance", "passed", "detail",
    ]  # fmt: skip
    assert [path.name for path in home.build.iterdir() if path.suffix == ".tmp"] == []


def test_a_question_that_cannot_be_answered_is_our_bug(home):
    def asked(table: str, type: str, **kwargs) -> list[Expectation]:
        return [Expectation("x", "suite", "why", table, ({"type": type, "kwargs": kwargs},), tell=())]

    fill(home, "insert into fct_control_operations values ('op1', 'p', 'ROT', 'aws', 'main', 'ab:1')")
    with pytest.raises(BrokenSuite, match="nowhere"):
        judge_tables(home.build_database, asked("nowhere", "expect_column_values_to_be_null", column="a"))
    with pytest.raises(BrokenSuite, match="no_such_column"):
        judge_tables(
            home.build_database,
            asked("fct_control_operations", "expect_column_values_to_be_null", column="no_such_column"),
        )
    with pytest.raises(BrokenSuite, match="names no rows"):
        judge_tables(
            home.build_database, asked("fct_control_operations", "expect_table_row_count_to_equal", value=0)
        )


def test_judging_before_building_is_a_users_mistake(tmp_path):
    with pytest.raises(UserMistake, match="upheld build"):
        judge(Home.at(tmp_path))


def test_judging_leaves_no_files_around(home, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", str(elsewhere))
    judge(home)
    assert list(elsewhere.iterdir()) == []
    assert {path.name for path in home.build.iterdir()} == {"build.duckdb", "expectation_results.parquet"}
