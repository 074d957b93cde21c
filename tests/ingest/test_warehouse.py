"""The published warehouse is whole, is replaced in one step, and blocks nobody."""

from __future__ import annotations

import os

import pytest

from pipelines import warehouse
from pipelines.errors import UserMistake
from pipelines.home import Home


@pytest.fixture
def home(tmp_path) -> Home:
    return Home.at(tmp_path / "home")


def _build(home: Home, statement: str) -> None:
    connection = warehouse.open_build(home.build_database)
    connection.execute(statement)
    connection.close()


def test_public_tables_and_views_are_published_and_no_others(home):
    _build(home, "CREATE TABLE fct_a AS SELECT 1 AS x; CREATE TABLE stg_b AS SELECT 2; CREATE TABLE int_c AS SELECT 3;"
           'CREATE VIEW rpt_d AS SELECT x + 1 AS y FROM "build"."main"."fct_a"; CREATE TABLE dim_e (z INT)')  # fmt: skip
    assert warehouse.publish(home) == ["dim_e", "fct_a", "rpt_d"]
    connection = warehouse.open_read_only(home.warehouse)
    assert connection.execute("SELECT * FROM rpt_d").fetchall() == [(2,)]
    assert [row[0] for row in connection.execute("SHOW TABLES").fetchall()] == ["dim_e", "fct_a", "rpt_d"]
    with pytest.raises(warehouse.QueryFailed):
        connection.execute("CREATE TABLE fct_new AS SELECT 1")


def test_a_reader_of_the_old_warehouse_goes_on_and_a_new_one_sees_the_new(home):
    _build(home, "CREATE TABLE rpt_a AS SELECT 1 AS x")
    warehouse.publish(home)
    old = warehouse.open_read_only(home.warehouse)
    assert old.execute("SELECT x FROM rpt_a").fetchone() == (1,)
    for value in (2, 3):
        _build(home, f"UPDATE rpt_a SET x = {value}")
        warehouse.publish(home)
        assert warehouse.open_read_only(home.warehouse).execute("SELECT x FROM rpt_a").fetchone() == (value,)
        assert old.execute("SELECT x FROM rpt_a").fetchone() == (1,)


def test_a_failing_publication_leaves_the_old_warehouse_and_nothing_half_written(home, monkeypatch):
    _build(home, "CREATE TABLE rpt_a AS SELECT 1 AS x")
    warehouse.publish(home)
    before = home.warehouse.read_bytes()
    monkeypatch.setattr(warehouse.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no room")))
    _build(home, "UPDATE rpt_a SET x = 2")
    with pytest.raises(OSError, match="no room"):
        warehouse.publish(home)
    assert home.warehouse.read_bytes() == before
    assert sorted(os.listdir(home.root)) == ["build", "warehouse.duckdb"]


def test_what_a_crashed_publication_left_is_removed(home):
    _build(home, "CREATE TABLE rpt_a AS SELECT 1 AS x")
    for name in (".publishing-1.duckdb", ".publishing-1.duckdb.wal"):
        (home.root / name).write_bytes(b"half")
    warehouse.publish(home)
    assert sorted(os.listdir(home.root)) == ["build", "warehouse.duckdb"]


@pytest.mark.parametrize("statement", [None, "CREATE TABLE stg_a AS SELECT 1"])
def test_nothing_to_publish_is_told_in_one_line(home, statement):
    if statement:
        _build(home, statement)
    with pytest.raises(UserMistake, match="upheld build"):
        warehouse.publish(home)
    assert not home.warehouse.exists()


def test_an_absent_warehouse_is_told_in_one_line(home):
    with pytest.raises(UserMistake, match="upheld run"):
        warehouse.open_read_only(home.warehouse)


def test_time_zones_work_and_instants_are_utc():
    connection = warehouse.in_memory(threads=1)
    assert connection.execute(
        "SELECT CAST(timezone('Europe/Berlin', TIMESTAMP '2026-07-01 00:00:00') AT TIME ZONE 'UTC' AS VARCHAR)"
    ).fetchone() == ("2026-06-30 22:00:00",)
    assert connection.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)


def test_a_file_that_is_written_anew_is_read_anew(tmp_path):
    connection = warehouse.in_memory(threads=2)
    for value in range(20):
        connection.execute(
            f"COPY (SELECT {value} AS x, repeat('{value}', 90) AS y FROM range(99)) TO '{tmp_path}/a.parquet' "
            "(FORMAT parquet, USE_TMP_FILE false)"
        )
        assert connection.execute(f"SELECT max(x) FROM read_parquet('{tmp_path}/a.parquet')").fetchone() == (value,)
