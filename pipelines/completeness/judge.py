"""Puts every expectation to the tables of a build and writes the answers where dbt's second half reads them."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pipelines.completeness.suites import BrokenSuite, Expectation, load_expectations
from pipelines.errors import UserMistake
from pipelines.home import Home
from pipelines.settings import keep_quiet

GROUP_KEYS = ("period_id", "control_id", "system", "feed", "instance")

# great_expectations returns this many failing rows at most; every one of them is needed to know which groups fail.
_ALL_ROWS = 2_000_000_000
_TOLD_ROWS = 3


@dataclass(frozen=True)
class ExpectationResult:
    """One expectation's answer for one group of rows. A key is None where the judged table lacks it."""

    expectation: str
    suite: str
    why: str
    period_id: str | None
    control_id: str | None
    system: str | None
    feed: str | None
    instance: str | None
    passed: bool
    detail: str


def judge(home: Home) -> list[ExpectationResult]:
    """Judge `<home>`'s build and write `expectation_results.parquet`, whole or not at all.

    One result per expectation and group key in its table; one passed result without keys for an empty table.
    Raises UserMistake where nothing is built, BrokenSuite where an expectation can't be answered (our bug: it never
    counts as failed evidence).
    """
    if not home.build_database.exists():
        raise UserMistake(f"Nothing is built in {home.root}. Run `upheld build` first.")
    results = judge_tables(home.build_database, load_expectations())
    _write(home.expectation_results, results)
    return results


def judge_tables(database: Path, expectations: Sequence[Expectation]) -> list[ExpectationResult]:
    """The answers to `expectations` from a DuckDB file, which is opened read-only and closed again."""
    by_table: dict[str, list[Expectation]] = defaultdict(list)
    for expectation in expectations:
        by_table[expectation.table].append(expectation)
    found: dict[str, list[ExpectationResult]] = {}
    with _open(database) as source:
        for table, asked in by_table.items():
            found.update(_judge_table(source, table, asked))
    return [result for expectation in expectations for result in found[expectation.id]]


@contextmanager
def _open(database: Path) -> Iterator[Any]:
    keep_quiet()
    import great_expectations

    # Defining the class registers it: this import is what makes add_duckdb() exist.
    from pipelines.completeness import duckdb_source  # noqa: F401

    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_duckdb(
        "build",
        connection_string=f"duckdb:///{database}",
        kwargs={"connect_args": {"read_only": True}},
    )
    try:
        yield source
    finally:
        source.get_execution_engine().close()
        source.get_engine().dispose()


def _judge_table(source: Any, table: str, asked: list[Expectation]) -> dict[str, list[ExpectationResult]]:
    columns = [
        row[0]
        for row in _query(source, "select column_name from duckdb_columns() where table_name = :t", t=table)
    ]
    if not columns:
        raise BrokenSuite(f"{asked[0].suite}.yml asks about {table}, which the build doesn't have")
    keys = [key for key in GROUP_KEYS if key in columns]
    if not keys:
        raise BrokenSuite(
            f"{table} has none of the columns that say whom a result concerns: {', '.join(GROUP_KEYS)}"
        )
    for expectation in asked:
        if missing := [name for name in expectation.tell if name not in columns]:
            raise BrokenSuite(
                f"{expectation.suite}.yml, {expectation.id}: {table} has no column {missing[0]}"
            )
    groups = _groups(source, table, keys)
    failing = _failing_rows(source, table, asked, [*keys, *dict.fromkeys(n for e in asked for n in e.tell)])
    return {one.id: _results(one, keys, groups, failing[one.id]) for one in asked}


def _groups(source: Any, table: str, keys: list[str]) -> dict[tuple[str | None, ...], int]:
    """How many rows each group has."""
    named = ", ".join(keys)
    rows = _query(source, f"select {named}, count(*) from {table} group by {named}")
    return {tuple(row[:-1]): row[-1] for row in rows}


def _query(source: Any, sql: str, **values: str) -> list[Any]:
    import sqlalchemy

    with source.get_execution_engine().get_connection() as connection:
        return list(connection.execute(sqlalchemy.text(sql), values).fetchall())


def _failing_rows(
    source: Any, table: str, asked: list[Expectation], shown: list[str]
) -> dict[str, list[Mapping[str, Any]]]:
    """By expectation id: every row of the table that great_expectations found unexpected, as {column: value}."""
    import great_expectations
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    suite = great_expectations.ExpectationSuite(name=table)
    askers: dict[str, list[str]] = defaultdict(list)
    for expectation in asked:
        for expected in expectation.expect:
            # A suite drops an expectation it already has, and its meta with it: one question, several askers.
            question = json.dumps(expected, sort_keys=True)
            if question not in askers:
                suite.add_expectation(
                    ExpectationConfiguration(
                        type=expected["type"],
                        kwargs=dict(expected.get("kwargs", {})),
                        meta={"question": question},
                    ).to_domain_obj()
                )
            askers[question].append(expectation.id)

    batch = (
        source.add_table_asset(table, table_name=table).add_batch_definition_whole_table(table).get_batch()
    )
    answers = batch.validate(
        suite,
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": shown,
            "partial_unexpected_count": _ALL_ROWS,
            "return_unexpected_index_query": False,
        },
    ).results
    rows: dict[str, list[Mapping[str, Any]]] = {expectation.id: [] for expectation in asked}
    answered = set()
    for answer in answers:
        question = answer.expectation_config.meta["question"]
        answered.add(question)
        unexpected = _unexpected(answer, f"{table}: {question}")
        for asker in askers[question]:
            rows[asker].extend(unexpected)
    if silent := sorted(set(askers) - answered):
        raise BrokenSuite(f"{table}: no answer to {silent[0]}")
    return rows


def _unexpected(answer: Any, name: str) -> list[Mapping[str, Any]]:
    # exception_info is one flat dict, or one dict per metric that raised.
    raised = answer.exception_info or {}
    for info in [raised, *(value for value in raised.values() if isinstance(value, dict))]:
        if info.get("raised_exception"):
            raise BrokenSuite(f"{name}: {info.get('exception_message')}\n{info.get('exception_traceback')}")
    if answer.success:
        return []
    rows = answer.result.get("unexpected_index_list")
    if not rows:
        raise BrokenSuite(
            f"{name}: great_expectations names no rows for this type of expectation; use one that does"
        )
    return rows


def _results(
    expectation: Expectation,
    keys: list[str],
    groups: Mapping[tuple[str | None, ...], int],
    failing: Iterable[Mapping[str, Any]],
) -> list[ExpectationResult]:
    wrong: dict[tuple[str | None, ...], set[str]] = defaultdict(set)
    for row in failing:
        wrong[tuple(row[key] for key in keys)].add(_told(row, expectation.tell, keys))
    none = dict.fromkeys(GROUP_KEYS)
    results = [
        ExpectationResult(
            expectation=expectation.id,
            suite=expectation.suite,
            why=expectation.why,
            **{**none, **dict(zip(keys, group, strict=True))},
            passed=group not in wrong,
            detail=_summary(wrong[group]) if group in wrong else f"{rows:,} checked.",
        )
        for group, rows in sorted(
            groups.items(), key=lambda item: [(key is not None, key or "") for key in item[0]]
        )
    ]
    return results or [
        ExpectationResult(
            expectation=expectation.id,
            suite=expectation.suite,
            why=expectation.why,
            **none,
            passed=True,
            detail="Nothing to check.",
        )
    ]


def _told(row: Mapping[str, Any], tell: Sequence[str], keys: Sequence[str]) -> str:
    told = [str(row[name]) if name == "detail" else f"{name} {row[name]}" for name in tell if row[name]]
    if told:
        return ", ".join(told)
    return ", ".join(f"{name} is {value}" for name, value in row.items() if name not in {*keys, *tell}) + "."


def _summary(texts: set[str]) -> str:
    told = sorted(texts)
    rest = len(told) - _TOLD_ROWS
    return " ".join(told[:_TOLD_ROWS]) + (f" And {rest:,} more." if rest > 0 else "")


def _write(path: Path, results: Sequence[ExpectationResult]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            (field.name, pa.bool_() if field.name == "passed" else pa.string())
            for field in fields(ExpectationResult)
        ]
    )
    table = pa.Table.from_pylist([asdict(result) for result in results], schema=schema)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".tmp")
    pq.write_table(table, unfinished)
    os.replace(unfinished, path)
