"""Times that an export states in a form nobody knows: what depends on them can't be concluded, and the report says why."""

from __future__ import annotations

import csv
import shutil

import duckdb
import pytest

from .conftest import CompanyHome

EXPORT = (
    b"Summary,Issue key,Issue id,Issue Type,Status,Reporter,Reporter Id,Created,Updated\r\n"
    b"Access,OPS-901,10901,Access Request,Approved,Ann,712020:aa,9. lokakuuta 2025 13:42,2026-04-09 13:42\r\n"
    b"Access,OPS-902,10902,Access Request,Approved,Ann,712020:aa,09/Apr/26 1:42 PM,2026-04-09 13:42\r\n"
)
ON_TICKETS = {"APR", "CHG", "DEC", "INC", "RVF"}


@pytest.fixture(scope="module")
def with_finnish_dates(company_home: CompanyHome, tmp_path_factory: pytest.TempPathFactory) -> CompanyHome:
    """The example company after one more export of its tickets, in which the months are Finnish."""
    home = CompanyHome(tmp_path_factory.mktemp("finnish") / "home")
    shutil.copytree(company_home.root, home.root, symlinks=True)
    landed = home.root / "landing/jira/issues/navigator_20260610T055000Z.csv"
    landed.write_bytes(EXPORT)
    home.run()
    return home


def rows(home: CompanyHome, period: str, file: str) -> list[dict[str, str]]:
    path = home.root / "reports" / period / "data" / file
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def conclusions(home: CompanyHome, period: str) -> dict[str, str]:
    return {row["control_id"]: row["conclusion"] for row in rows(home, period, "control_coverage.csv")}


def test_controls_that_need_tickets_can_conclude_nothing_and_the_others_what_they_did(company_home, with_finnish_dates):
    before, after = conclusions(company_home, "2026-Q2"), conclusions(with_finnish_dates, "2026-Q2")
    assert all(before[control] != "insufficient_evidence" for control in ON_TICKETS)
    assert after == before | dict.fromkeys(ON_TICKETS, "insufficient_evidence")


def test_the_report_names_the_column_the_text_the_record_and_what_to_do(with_finnish_dates):
    asked = [row for row in rows(with_finnish_dates, "2026-Q2", "expectations.csv") if row["expectation"] == "every_time_can_be_read"]
    assert {row["control_id"] for row in asked if row["passed"] == "false"} == ON_TICKETS
    told = next(row["detail"] for row in asked if row["control_id"] == "APR")
    assert told.startswith('jira/issues/main: 1 time in created can\'t be read, for instance "9. lokakuuta 2025 13:42" in ')
    assert ":1; expected an instant such as 2026-03-02T09:00:00Z" in told and "export it again as JSON" in told


def test_what_can_be_read_beside_it_is_read(with_finnish_dates):
    with duckdb.connect(str(with_finnish_dates.root / "warehouse.duckdb"), read_only=True) as connection:
        created = connection.execute(
            "select ticket_id, cast(created_at as varchar) from fct_tickets where ticket_id in ('OPS-901', 'OPS-902') order by all"
        ).fetchall()
    assert created == [("OPS-901", None), ("OPS-902", "2026-04-09 13:42:00")]
