"""What `upheld sources` says of deliveries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.evidence.ledger import DeliveryRecord, Ledger
from pipelines.home import Home
from pipelines.orchestration.sources import SourceSummary, as_plain, summarise_sources

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return DAY + timedelta(days=number - 1)


@pytest.fixture
def home(tmp_path) -> Home:
    return Home.at(tmp_path)


def deliver(home: Home, content: str, **told) -> None:
    values = {
        "sha256": content * 64,
        "system": "okta",
        "feed": "system_log",
        "instance": "main",
        "original_name": f"{content}.json",
        "size_bytes": 1,
        "collected_at": day(10),
        "collected_at_source": "sidecar",
        "status": "accepted",
        "records_parsed": 10,
    }
    Ledger.open(home.ledger).append(DeliveryRecord(**(values | told)), day(20))


def only(home: Home) -> SourceSummary:
    [source] = summarise_sources(home)
    return source


def test_a_home_without_evidence_has_no_sources(home):
    assert summarise_sources(home) == []


def test_a_log_has_gaps_where_no_window_reaches(home):
    deliver(home, "a", window_start=day(1), window_end=day(3))
    deliver(home, "b", window_start=day(2), window_end=day(4))
    deliver(home, "c", window_start=day(6), window_end=day(7))
    source = only(home)
    assert source.covered == (day(1), day(7))
    assert source.gaps == ((day(4), day(6)),)
    assert (source.files, source.records) == (3, 30)


def test_without_a_declared_window_a_log_covers_its_events_only(home):
    deliver(home, "a", first_event_at=day(1), last_event_at=day(2))
    deliver(home, "b", first_event_at=day(3), last_event_at=day(4))
    assert only(home).gaps == ((day(2), day(3)),)


def test_filtered_and_rejected_files_cover_nothing(home):
    deliver(home, "a", window_start=day(1), window_end=day(3), filtered=True)
    deliver(
        home,
        "b",
        window_start=day(1),
        window_end=day(3),
        status="rejected",
        records_parsed=0,
        records_rejected=1,
    )
    source = only(home)
    assert source.covered is None
    assert (source.files, source.rejected_files, source.rejected_records) == (2, 1, 1)


def test_a_snapshot_covers_no_window(home):
    deliver(home, "a", feed="users", first_event_at=day(1), last_event_at=day(2))
    assert only(home).covered is None


def test_one_file_delivered_twice_is_one_file(home):
    deliver(home, "a", feed="users", collected_at=day(3))
    deliver(home, "a", feed="users", collected_at=day(10))
    source = only(home)
    assert (source.files, source.records) == (1, 10)
    assert (source.first_collected_at, source.last_collected_at) == (day(3), day(10))


def test_what_a_later_sidecar_says_counts(home):
    deliver(home, "a", first_event_at=day(2), last_event_at=day(3))
    deliver(home, "a", first_event_at=day(2), last_event_at=day(3), window_start=day(1), window_end=day(4),
            sidecar_sha256="f" * 64)  # fmt: skip
    assert only(home).covered == (day(1), day(4))


def test_instances_are_told_apart_and_scripts_read_instants(home):
    deliver(home, "a", window_start=day(1), window_end=day(3))
    deliver(home, "b", instance="emea", window_start=day(5), window_end=day(6))
    emea, main = summarise_sources(home)
    assert (emea.instance, main.instance) == ("emea", "main")
    assert as_plain(main)["covered"] == ["2026-03-01T00:00:00.000000Z", "2026-03-03T00:00:00.000000Z"]
    assert as_plain(main)["gaps"] == []
