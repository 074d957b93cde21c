from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.evidence import instants
from pipelines.evidence.collection_time import collected_at, stamp_in_name
from pipelines.evidence.sidecar import Sidecar

QUARTER_TO_NOON = datetime(2026, 3, 2, 11, 45, tzinfo=UTC)
MTIME = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    [
        "users_20260302T114500Z.json",
        "users_20260302T1145Z.json.gz",
        "2026-03-02T11-45-00Z.csv",
        "2026-03-02T11:45:00Z.csv",
        "2026-03-02T114500Z.csv",
        "okta-2026-03-02T11:45:00.000Z-part1.json.zst",
        "111122223333_CloudTrail_eu-central-1_20260302T1145Z_042000lARKfIELD.json.gz",
        "from_20260201T000000Z_to_20260302T114500Z.ndjson",
    ],
)
def test_a_utc_stamp_in_the_name_is_the_collection_time_the_last_one_where_there_are_several(name):
    assert collected_at(None, name, MTIME) == (QUARTER_TO_NOON, "name")


@pytest.mark.parametrize(
    "name",
    [
        "users_20260302.csv",
        "users_2026-03-02.csv",
        "users_20260302T114500.csv",  # local time, whose we don't know
        "audit-2026-03-02T11-45-00.000.log",
        "users_20261302T114500Z.csv",  # no month 13
        "users_20260302T114500Zulu.csv",
        "users_120260302T114500Z.csv",
        "users_2026-0302T114500Z.csv",
        "users_\u0662\u0660\u0662\u0666\u0660\u0663\u0660\u0662T114500Z.csv",  # digits, but not ASCII
    ],
)
def test_anything_less_than_a_utc_stamp_leaves_the_files_own_time(name):
    assert collected_at(None, name, MTIME) == (MTIME, "mtime")


def test_a_stamp_that_names_no_instant_does_not_hide_one_that_does():
    assert stamp_in_name("20260302T114500Z_20260230T000000Z.csv") == QUARTER_TO_NOON


def test_the_sidecar_outranks_the_name():
    declared = datetime(2026, 3, 5, tzinfo=UTC)
    found = collected_at(Sidecar(collected_at=declared), "users_20260302T114500Z.csv", MTIME)
    assert found == (declared, "sidecar")
    assert collected_at(Sidecar(), "users_20260302T114500Z.csv", MTIME)[1] == "name"


@given(st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC)), st.integers(-14 * 60, 14 * 60))
def test_an_instant_reads_back_as_it_was_written_from_any_zone(instant, minutes_east):
    try:
        elsewhere = instant.astimezone(timezone(timedelta(minutes=minutes_east)))
    except OverflowError:
        return
    assert instants.read(instants.written(elsewhere)) == instant
    assert len(instants.written(instant)) == len("2026-03-02T00:00:00.000000Z")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-02T11:45:00Z", QUARTER_TO_NOON),
        ("2026-03-02T12:45:00+01:00", QUARTER_TO_NOON),
        ("2026-03-02T12:45:00+0100", QUARTER_TO_NOON),
        ("2026-03-02t11:45:00z", QUARTER_TO_NOON),
        ("2026-03-02 11:45:00", QUARTER_TO_NOON),
        ("2026-03-02T11:45:00.123456789Z", QUARTER_TO_NOON.replace(microsecond=123456)),
        ("2026-03-02T11:45:00.5Z", QUARTER_TO_NOON.replace(microsecond=500000)),
    ],
)
def test_the_usual_spellings_of_an_instant_are_read(text, instant):
    assert instants.read(text) == instant


@pytest.mark.parametrize(
    "text", ["2026-03-02", "", "yesterday", "2026-02-30T00:00:00Z", "2026-03-02T25:00:00Z", "1772451900"]
)
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(ValueError, match="expected an instant"):
        instants.read(text)


def test_a_naive_instant_is_never_written():
    with pytest.raises(ValueError, match="without a zone"):
        instants.written(datetime(2026, 3, 2))
