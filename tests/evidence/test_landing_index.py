import os
from datetime import timedelta

import pytest
from evidence_room import NOON

from pipelines.evidence import landing_index, originals
from pipelines.evidence.landing import scan
from pipelines.evidence.landing_index import LandingIndex


@pytest.fixture(autouse=True)
def files_are_old_enough(monkeypatch):
    monkeypatch.setattr(landing_index, "_TICK_NANOSECONDS", 0)


def known(room):
    index = LandingIndex.open(room.home)
    return [index.knows(landed) for landed in scan(room.home)]


def test_a_run_with_nothing_new_opens_no_landing_file(room, monkeypatch):
    room.land("okta/users/a.json", sidecar={})
    room.land("okta/users/b.json")
    room.take_in()
    monkeypatch.setattr(originals, "_copy_and_hash", lambda *_: pytest.fail("a file was read"))
    assert known(room) == [True, True]
    room.take_in()


@pytest.mark.parametrize(
    "change",
    [
        lambda room, path: path.write_bytes(b"other"),
        lambda room, path: os.utime(path, (0, 0)),
        lambda room, path: room.land("okta/users/a.json.manifest.json", b"{}"),
        lambda room, path: (path.write_bytes(b"x" * 3), os.utime(path, (NOON.timestamp(), NOON.timestamp()))),
    ],
    ids=["other size", "other date", "sidecar arrived", "same size and date, other bytes"],
)
def test_a_changed_file_is_not_known(room, change):
    path = room.land("okta/users/a.json", b"{}\n")
    room.take_in()
    assert known(room) == [True]
    change(room, path)
    assert known(room) == [False]


def test_a_sidecar_that_changed_or_went_makes_its_file_unknown(room):
    path = room.land("okta/users/a.json", sidecar={})
    sidecar = path.with_name("a.json.manifest.json")
    room.take_in()
    room.land("okta/users/a.json.manifest.json", b'{"record_count": 1}')
    assert known(room) == [False]
    room.take_in()
    sidecar.unlink()
    assert known(room) == [False]


def test_a_file_that_changes_while_it_is_read_is_looked_at_again(room):
    path = room.land("okta/users/a.json")
    room.take_in()
    index = LandingIndex.open(room.home)
    (landed,) = scan(room.home)
    fingerprint = index.fingerprint(landed)
    path.write_bytes(b"written meanwhile")
    index.note(landed, fingerprint)
    index.save()
    assert known(room) == [False]


def test_a_file_as_fresh_as_the_clocks_tick_is_looked_at_again(room, monkeypatch):
    monkeypatch.setattr(landing_index, "_TICK_NANOSECONDS", 3600 * 10**9)
    room.land("okta/users/a.json", mtime=NOON - timedelta(days=900))
    room.take_in()
    assert known(room) == [False]


def test_deleting_or_breaking_the_index_only_costs_time(room):
    room.land("okta/users/a_20260302T120000Z.json")
    room.take_in()
    for content in (None, b"", b"[]", b'{"version": 1}', b'{"version":1,"ledger":[0],"files":{}}', b"\xff"):
        if content is None:
            room.home.landing_index.unlink()
        else:
            room.home.landing_index.write_bytes(content)
        assert known(room) == [False]
        assert room.take_in() == 0
        assert known(room) == [True]


def test_an_index_of_another_ledger_is_not_believed(room):
    room.land("okta/users/a_20260302T120000Z.json")
    room.take_in()
    room.home.ledger.unlink()
    assert known(room) == [False]
    assert room.take_in() == 1


def test_an_index_older_than_the_ledger_is_believed_for_what_it_knows(room):
    room.land("okta/users/a_20260302T120000Z.json")
    room.take_in()
    old = room.home.landing_index.read_bytes()
    room.land("okta/users/b_20260302T120000Z.json")
    room.take_in()
    room.home.landing_index.write_bytes(old)
    assert known(room) == [True, False]


def test_files_that_left_landing_are_forgotten(room):
    path = room.land("okta/users/a.json")
    room.take_in()
    path.unlink()
    room.take_in()
    assert b"a.json" not in room.home.landing_index.read_bytes()
