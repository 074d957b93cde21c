import hashlib
import json
import multiprocessing
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from evidence_room import NOON

from pipelines.errors import BrokenEvidence
from pipelines.evidence.ledger import (
    FIRST_PREVIOUS_HASH,
    DeliveryRecord,
    Ledger,
    entries_naming,
    entries_of,
    mark_of,
    still_holds,
    verify_chain,
)

DELIVERY = DeliveryRecord(
    sha256="ab" * 32,
    system="okta",
    feed="users",
    instance="main",
    original_name="users.json",
    size_bytes=3,
    collected_at=NOON,
    collected_at_source="sidecar",
    status="accepted",
    records_parsed=1,
)
KEYS = [
    "entry",
    "previous_hash",
    "entry_hash",
    "ingested_at",
    "sha256",
    "system",
    "feed",
    "instance",
    "original_name",
    "size_bytes",
    "collected_at",
    "collected_at_source",
    "window_start",
    "window_end",
    "window_source",
    "declared_record_count",
    "declared_sha256",
    "query",
    "filtered",
    "snapshot_id",
    "collected_by",
    "sidecar_sha256",
    "status",
    "reject_reason",
    "records_parsed",
    "records_rejected",
    "first_event_at",
    "last_event_at",
    "continuation",
]


def ledger_of(tmp_path, count):
    ledger = Ledger.open(tmp_path / "evidence" / "ledger.jsonl")
    for number in range(count):
        ledger.append(replace(DELIVERY, original_name=f"users {number}.json"), NOON)
    return ledger


def test_a_line_is_canonical_json_with_every_key_and_is_bound_to_the_line_before(tmp_path):
    ledger = ledger_of(tmp_path, 3)
    previous_hash = FIRST_PREVIOUS_HASH
    for number, line in enumerate(ledger.path.read_bytes().splitlines(), 1):
        told = json.loads(line)
        assert list(told) == sorted(KEYS)
        assert (told["entry"], told["previous_hash"]) == (number, previous_hash)
        assert told["collected_at"] == told["ingested_at"] == "2026-03-02T12:00:00.000000Z"
        previous_hash = told.pop("entry_hash")
        canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(canonical.encode()).hexdigest() == previous_hash
    assert ledger.head == previous_hash


def test_entries_read_back_as_they_were_written(tmp_path):
    ledger = ledger_of(tmp_path, 2)
    unusual = replace(
        DELIVERY,
        original_name='naïve "quoted"\n名前\udce9.json',
        query="status eq \\ \u2028",
        collected_at=datetime(2026, 3, 2, 13, 0, 0, 5, tzinfo=timezone(timedelta(hours=1))),
        window_start=datetime(1999, 12, 31, tzinfo=UTC),
        filtered=True,
        declared_record_count=1 << 62,
    )
    written = ledger.append(unusual, NOON)
    assert written.original_name == 'naïve "quoted"\n名前\\udce9.json'
    assert written.collected_at == datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=UTC)
    again = Ledger.open(ledger.path)
    assert list(again.entries) == list(ledger.entries) == list(entries_of(ledger.path))
    assert again.entries[-1] == written
    assert again.head == ledger.head
    assert verify_chain(ledger.path) == []


def test_an_absent_ledger_is_an_empty_one_and_opening_makes_no_file(tmp_path):
    ledger = Ledger.open(tmp_path / "ledger.jsonl")
    assert (list(ledger.entries), ledger.head) == ([], FIRST_PREVIOUS_HASH)
    assert verify_chain(ledger.path) == []
    assert not ledger.path.exists()


def test_several_entries_are_chained_as_if_written_one_by_one(tmp_path):
    one_by_one = ledger_of(tmp_path / "a", 3)
    at_once = Ledger.open(tmp_path / "b" / "ledger.jsonl")
    at_once.append_all([replace(DELIVERY, original_name=f"users {n}.json") for n in range(3)], NOON)
    assert at_once.path.read_bytes() == one_by_one.path.read_bytes()


@pytest.mark.parametrize("left", [1, 2, 100, -2])
def test_a_last_line_cut_off_by_a_crash_is_removed_and_only_that(tmp_path, left):
    ledger = ledger_of(tmp_path, 3)
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join(lines[:2]) + lines[2][:left])
    assert [finding.kind for finding in verify_chain(ledger.path)] == ["torn"]
    mended = Ledger.open(ledger.path)
    assert len(mended.entries) == 2
    assert "line 3" in mended.repaired
    assert ledger.path.read_bytes() == b"".join(lines[:2])
    mended.append(replace(DELIVERY, original_name="users 2.json"), NOON)
    assert ledger.path.read_bytes() == b"".join(lines)


def test_a_first_line_cut_off_by_a_crash_leaves_an_empty_ledger(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b'{"collected_at":')
    assert list(Ledger.open(path).entries) == []
    assert path.read_bytes() == b""


def test_a_whole_last_entry_that_only_lacks_its_line_end_is_kept(tmp_path):
    ledger = ledger_of(tmp_path, 2)
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole[:-1])
    mended = Ledger.open(ledger.path)
    assert len(mended.entries) == 2
    assert ledger.path.read_bytes() == whole
    mended.append(DELIVERY, NOON)
    assert verify_chain(ledger.path) == []


def test_an_altered_line_end_is_not_taken_for_a_crash(tmp_path):
    ledger = ledger_of(tmp_path, 2)
    altered = ledger.path.read_bytes()[:-1] + b"\x0b"
    ledger.path.write_bytes(altered)
    with pytest.raises(BrokenEvidence, match="line 2"):
        Ledger.open(ledger.path)
    assert ledger.path.read_bytes() == altered


def test_nothing_is_chained_to_a_ledger_with_any_other_fault(tmp_path):
    ledger = ledger_of(tmp_path, 3)
    damaged = ledger.path.read_bytes().replace(b'"users 1.json"', b'"users 7.json"')
    ledger.path.write_bytes(damaged)
    with pytest.raises(BrokenEvidence, match=r"ledger\.jsonl line 2: entry 2 was altered"):
        Ledger.open(ledger.path)
    assert ledger.path.read_bytes() == damaged


def test_a_ledger_cut_while_it_is_open_is_not_written_on(tmp_path):
    ledger = ledger_of(tmp_path, 2)
    os.truncate(ledger.path, 100)
    with pytest.raises(BrokenEvidence, match="cut while in use"):
        ledger.append(DELIVERY, NOON)


def test_a_full_disk_leaves_no_half_line(tmp_path, monkeypatch):
    ledger = ledger_of(tmp_path, 2)
    before = ledger.path.read_bytes()
    write = os.write

    def run_out(descriptor, content):
        if len(content) < 600:
            raise OSError(28, "No space left on device")
        return write(descriptor, content[:500])

    monkeypatch.setattr(os, "write", run_out)
    with pytest.raises(OSError, match="No space"):
        ledger.append(DELIVERY, NOON)
    monkeypatch.undo()
    assert ledger.path.read_bytes() == before
    ledger.append(DELIVERY, NOON)
    assert verify_chain(ledger.path) == []


def _append_many(path, name):
    ledger = Ledger.open(path)
    for number in range(20):
        ledger.append(replace(DELIVERY, original_name=f"{name} {number}"), NOON)


def test_processes_that_append_at_the_same_time_make_one_chain(tmp_path):
    path = tmp_path / "ledger.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append_many, args=(path, name)) for name in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert verify_chain(path) == []
    names = [entry.original_name for entry in Ledger.open(path).entries]
    assert sorted(names) == sorted(f"{name} {number}" for name in "abc" for number in range(20))


def test_entries_of_one_file_are_found_by_its_hash_alone(tmp_path):
    ledger = ledger_of(tmp_path, 2)
    other = ledger.append(replace(DELIVERY, sha256="cd" * 32, declared_sha256="ef" * 32), NOON)
    assert list(entries_naming(ledger.path, {"cd" * 32, "ef" * 32})) == [other]
    assert list(entries_naming(tmp_path / "none", {"cd" * 32})) == []


def test_a_mark_holds_while_the_ledger_only_grows(tmp_path):
    empty = mark_of(tmp_path / "evidence" / "ledger.jsonl")
    ledger = ledger_of(tmp_path, 2)
    mark = mark_of(ledger.path)
    assert mark.head == ledger.head
    ledger.append(replace(DELIVERY, query="long " * 5000), NOON)
    assert still_holds(ledger.path, mark) and still_holds(ledger.path, empty)
    assert mark_of(ledger.path).head == ledger.head
    os.truncate(ledger.path, mark.size)
    assert still_holds(ledger.path, mark)
    os.truncate(ledger.path, mark.size - 1)
    assert not still_holds(ledger.path, mark)
    assert not still_holds(tmp_path / "none", mark)
