"""Times without a zone are read in the zone that the home sets for their feed, by ingest and by dbt alike."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.errors import UserMistake
from pipelines.evidence.ledger import entries_of
from pipelines.home import Home
from pipelines.ingest.ingest import ingest_landing
from pipelines.ingest.projection import instant
from tests.ingest.made_up_records import cloudtrail, lines


@pytest.mark.parametrize(
    ("written", "in_utc", "in_berlin"),
    [
        ("2026-07-01T12:00:00", "2026-07-01 12:00:00", "2026-07-01 10:00:00"),
        ("2026-01-01 12:00:00.5", "2026-01-01 12:00:00.5", "2026-01-01 11:00:00.5"),
        ("2026-07-01", "2026-07-01 00:00:00", "2026-06-30 22:00:00"),
        ("2026-07-01T12:00:00Z", "2026-07-01 12:00:00", "2026-07-01 12:00:00"),
        ("2026-07-01T12:00:00+02:00", "2026-07-01 10:00:00", "2026-07-01 10:00:00"),
        ("2026-07-01 12:00:00 UTC", "2026-07-01 12:00:00", "2026-07-01 12:00:00"),
        ("1767225600", "2026-01-01 00:00:00", "2026-01-01 00:00:00"),
        ("never", None, None),
        # Two figures for the year: nobody's year 9 or 25.
        ("09/10/25 13:42", None, None),
        ("25-10-09", None, None),
    ],
)
def test_only_a_time_without_a_zone_is_moved(connection, written, in_utc, in_berlin):
    found = connection.execute(
        f"SELECT CAST({instant('t')} AS VARCHAR), CAST({instant('t', 'Europe/Berlin')} AS VARCHAR) FROM (SELECT ? AS t)", [written]
    ).fetchone()
    assert found == (in_utc, in_berlin)


def _home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path)
    export = home.landing / "aws" / "cloudtrail" / "log.json"
    export.parent.mkdir(parents=True)
    export.write_bytes(lines(cloudtrail(1, eventTime="2026-07-01T12:00:00")))
    return home


def test_a_log_is_read_anew_when_the_home_sets_another_zone(tmp_path):
    home = _home(tmp_path)
    ingest_landing(home)
    home.settings.write_text('[timezones]\n"aws/cloudtrail" = "Europe/Berlin"\n')
    ingest_landing(home)
    ingest_landing(home)
    first, second = entries_of(home.ledger)
    assert first.first_event_at == datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert second.first_event_at == datetime(2026, 7, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ('[timezones]\n"okta" = "UTC"', "'okta'"),
        ('[timezones]\n"okta/users" = "Europe/Bern"', "'Europe/Bern'"),
        ('[timezones]\n"okta/users" = 2', "found 'okta/users' = 2"),
        ('[timezones]\n"okta/user" = "Europe/Zurich"', "okta/user;"),
    ],
)
def test_a_zone_or_feed_that_there_is_not_is_a_mistake(tmp_path, settings, says):
    home = _home(tmp_path)
    home.settings.write_text(settings)
    with pytest.raises(UserMistake, match=r"upheld\.toml, \[timezones\]") as refused:
        ingest_landing(home)
    assert says in str(refused.value) and "\n" not in str(refused.value)
