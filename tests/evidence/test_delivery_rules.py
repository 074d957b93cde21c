"""When the same bytes are new evidence and when they are not."""

import random
from datetime import timedelta

import pytest
from evidence_room import NOON, EvidenceRoom

from pipelines.evidence.landing import scan
from pipelines.evidence.ledger import Ledger
from pipelines.evidence.verify import verify_home


def told(room):
    return [
        (entry.original_name, entry.collected_at_source, entry.collected_at, entry.records_parsed)
        for entry in Ledger.open(room.home.ledger).entries
    ]


def forget_landing(room):
    room.home.landing_index.unlink(missing_ok=True)


def test_an_unchanged_snapshot_collected_twice_is_evidence_twice_and_kept_once(room):
    for stamp in ("20260302T120000Z", "20260309T120000Z"):
        room.land(f"okta/users/users_{stamp}.json", b"[]")
    assert room.take_in() == 2
    assert len([path for path in room.home.originals.rglob("*") if path.is_file()]) == 1


def test_the_same_bytes_in_another_feed_or_instance_are_another_delivery(room):
    for place in ("okta/users", "okta/users/emea", "okta/system_log"):
        room.land(f"{place}/a_20260302T120000Z.json", b"[]")
    assert room.take_in() == 3


def test_a_file_taken_in_before_is_no_news_with_or_without_the_index(room):
    room.land("okta/users/users_20260302T120000Z.json", sidecar={"record_count": 1})
    room.land("okta/users/undated.json", b"[]")
    assert room.take_in() == 2
    assert room.take_in() == 0
    forget_landing(room)
    assert room.take_in() == 0


def test_a_copy_dated_only_by_its_own_time_is_no_further_collection(room):
    room.land("okta/users/a.json", b"[]", mtime=NOON)
    assert room.take_in() == 1
    room.land("okta/users/copy.json", b"[]", mtime=NOON + timedelta(days=7))
    assert room.take_in() == 0
    room.land("okta/users/older.json", b"[]", mtime=NOON - timedelta(days=7))
    assert room.take_in() == 1
    forget_landing(room)
    assert room.take_in() == 0


def test_what_a_sidecar_declares_of_a_copy_is_not_lost(room):
    room.land("okta/users/a.json", b"[]", mtime=NOON)
    assert room.take_in() == 1
    room.land("okta/users/copy.json", b"[]", sidecar={"record_count": 0}, mtime=NOON + timedelta(days=7))
    assert room.take_in() == 1
    assert Ledger.open(room.home.ledger).entries[-1].declared_record_count == 0
    assert verify_home(room.home) == []
    forget_landing(room)
    assert room.take_in() == 0


def test_a_file_dated_by_its_own_time_does_not_hide_a_dated_one(room):
    room.land("okta/users/a.json", b"[]", mtime=NOON)
    room.take_in()
    room.land("okta/users/b_20260310T000000Z.json", b"[]", mtime=NOON)
    assert room.take_in() == 1


def test_a_sidecar_that_arrives_later_is_told_in_a_further_entry(room):
    room.land("okta/users/users_20260302T120000Z.json")
    assert room.take_in() == 1
    room.land("okta/users/users_20260302T120000Z.json.manifest.json", b'{"record_count": 7}')
    assert room.take_in() == 1
    first, second = Ledger.open(room.home.ledger).entries
    assert first.key == second.key
    assert (first.sidecar_sha256, first.declared_record_count) == (None, None)
    assert second.declared_record_count == 7
    assert room.home.original(second.sidecar_sha256).read_bytes() == b'{"record_count": 7}'
    forget_landing(room)
    assert room.take_in() == 0


def test_a_corrected_sidecar_is_told_in_a_further_entry(room):
    for count in (7, 8):
        room.land("okta/users/users_20260302T120000Z.json", sidecar={"record_count": count})
        assert room.take_in() == 1


def test_reading_a_delivery_anew_is_told_when_it_brings_something_else_even_what_it_brought_once_before(room):
    room.land("okta/users/users_20260302T120000Z.json")
    for records_parsed, added in ((1, 1), (2, 1), (2, 0), (1, 1)):
        assert room.take_in(records_parsed) == added
        forget_landing(room)


def test_two_copies_of_one_delivery_are_each_told_once_not_in_turns_for_ever(room):
    room.land("okta/users/a_20260302T120000Z.json", b"[]", sidecar={"record_count": 0})
    room.land("okta/users/b_20260302T120000Z.json", b"[]")
    assert room.take_in() == 2
    for _ in range(3):
        forget_landing(room)
        assert room.take_in() == 0


@pytest.mark.parametrize("seed", range(5))
def test_what_readers_make_of_the_ledger_does_not_depend_on_the_order_of_arrival(tmp_path, seed):
    """Readers take the earliest of the deliveries dated by the files' own times, and none where others are dated."""
    landings = [
        ("okta/users/a.json", None, NOON),
        ("okta/users/b.json", None, NOON - timedelta(hours=1)),
        ("okta/users/c.json", None, NOON + timedelta(hours=1)),
        ("okta/users/emea/d_20260302T120000Z.json", None, NOON),
        ("okta/users/emea/d_20260302T120000Z.json", {"record_count": 0}, NOON),
        ("okta/users/emea/e.json", None, NOON),
    ]
    random.Random(seed).shuffle(landings)
    room = EvidenceRoom(tmp_path / "home")
    for place, sidecar, mtime in landings:
        room.land(place, b"[]", sidecar=sidecar, mtime=mtime)
        room.take_in()
    entries = Ledger.open(room.home.ledger).entries
    undated = [entry for entry in entries if entry.instance == "main"]
    assert min(entry.collected_at for entry in undated) == NOON - timedelta(hours=1)
    dated = [entry for entry in entries if entry.instance == "emea" and entry.collected_at_source == "name"]
    assert {entry.original_name for entry in dated} == {"d_20260302T120000Z.json"}
    assert [entry.declared_record_count for entry in dated if entry.sidecar_sha256] == [0]


def test_the_ledger_tells_the_deliveries_of_the_same_bytes_in_one_place(room):
    room.land("okta/users/a_20260302T120000Z.json", b"[]")
    room.land("okta/users/b_20260309T120000Z.json", b"[]")
    room.take_in()
    ledger = Ledger.open(room.home.ledger)
    assert list(ledger.deliveries(*ledger.entries[0].place)) == list(ledger.entries)
    assert list(ledger.deliveries("0" * 64, "okta", "users", "main")) == []
    assert not ledger.needs(room.delivery(scan(room.home)[0]))
