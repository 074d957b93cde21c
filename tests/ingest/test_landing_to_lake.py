"""Taking in landing: everything once, whatever happens in between."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.evidence.ledger import Ledger, verify_chain
from pipelines.evidence.verify import verify_home
from pipelines.home import Home
from pipelines.ingest import ingest as ingest_module
from pipelines.ingest import lake as lake_module
from pipelines.ingest import reader as reader_module
from pipelines.ingest.descriptions import load_descriptions
from pipelines.ingest.drift import drift_of
from pipelines.ingest.ingest import ingest_landing
from tests.ingest.made_up_records import cloudtrail, line, lines, vault

VAULT = ("hashicorp_vault", "audit_log")


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory) -> Home:
    home = Home.at(tmp_path_factory.mktemp("empty"))
    home.landing.mkdir()
    ingest_landing(home)
    return home


@pytest.fixture
def home(tmp_path, empty_home) -> Home:
    """A home without evidence whose lake has its tables already."""
    home = Home.at(tmp_path / "home")
    shutil.copytree(empty_home.root, home.root)
    return home


def _land(home: Home, place: str, content: bytes, sidecar: dict[str, Any] | None = None, age: float = 60) -> Path:
    path = home.landing / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    landed = [path]
    if sidecar is not None:
        landed.append(path.with_name(path.name + ".manifest.json"))
        landed[-1].write_text(json.dumps(sidecar))
    for each in landed:
        os.utime(each, (time.time() - age,) * 2)
    return path


def _entries(home: Home):
    return list(Ledger.open(home.ledger).entries)


def _rows(home: Home, connection, system: str, feed: str) -> int:
    pattern = home.lake_folder(system, feed) / "*.parquet"
    return connection.execute(f"SELECT count(*) FROM read_parquet('{pattern}', union_by_name = true)").fetchone()[0]


def test_every_described_feed_has_empty_tables_before_any_evidence(tmp_path, connection):
    home = Home.at(tmp_path / "fresh")
    summary = ingest_landing(home)
    assert (summary.files_new, summary.files_seen, summary.problems) == (0, 0, [])
    for (system, feed), description in load_descriptions().items():
        table = home.lake_folder(system, feed) / "_schema.parquet"
        found = connection.execute(f"DESCRIBE FROM read_parquet('{table}')").fetchall()
        assert [column[0] for column in found][: len(description.columns)] == [c.name for c in description.columns]
        assert found[-1][0] == "reject_reason"
        assert (home.lake_folder(system, feed) / "rejected" / "_schema.parquet").exists()


def test_a_delivery_is_kept_read_and_written_down(home, connection):
    sidecar = {
        "collected_at": "2026-03-03T00:00:00Z", "window_start": "2026-03-02T00:00:00Z", "window_end": "2026-03-03T00:00:00Z",
        "record_count": 3, "query": "all", "filtered": True, "snapshot_id": "s", "collected_by": "cron",
    }  # fmt: skip
    path = _land(home, "hashicorp_vault/audit_log/eu/log.ndjson", lines(vault(1), b"{", vault(61)), sidecar)
    summary = ingest_landing(home)
    assert (summary.files_new, summary.records_parsed, summary.records_rejected) == (1, 2, 1)
    (entry,) = _entries(home)
    assert (entry.system, entry.feed, entry.instance, entry.original_name) == (*VAULT, "eu", "log.ndjson")
    assert (entry.status, entry.records_parsed, entry.records_rejected) == ("accepted", 2, 1)
    assert (str(entry.first_event_at), str(entry.last_event_at)) == ("2026-03-02 09:00:01+00:00", "2026-03-02 09:01:01+00:00")
    assert (str(entry.collected_at), entry.collected_at_source) == ("2026-03-03 00:00:00+00:00", "sidecar")
    assert (entry.window_source, entry.declared_record_count, entry.filtered) == ("sidecar", 3, True)
    assert home.original(entry.sha256).read_bytes() == path.read_bytes()
    assert home.lake_file(*VAULT, entry.sha256).exists() and home.rejected_file(*VAULT, entry.sha256).exists()
    assert _rows(home, connection, *VAULT) == 3
    assert verify_home(home) == []


def test_a_run_with_nothing_new_changes_nothing(home):
    _land(home, "hashicorp_vault/audit_log/a.ndjson", lines(vault(1)))
    _land(home, "aws/cloudtrail/b.json", b"broken")
    first = ingest_landing(home)
    assert first.files_new == 2 and len(first.problems) == 1
    before = home.ledger.read_bytes(), sorted(home.lake.rglob("*"))
    for _ in range(2):
        again = ingest_landing(home)
        assert (again.files_new, again.files_seen, again.problems) == (0, 2, [])
    home.landing_index.unlink(missing_ok=True)
    assert ingest_landing(home).files_new == 0
    assert (home.ledger.read_bytes(), sorted(home.lake.rglob("*"))) == before


@pytest.mark.parametrize("declared_first", [True, False])
def test_whether_nothing_may_be_in_a_file_is_for_its_own_sidecar_to_say(home, declared_first):
    declared = {"collected_at": "2026-03-03T00:00:00Z", "record_count": 0}
    deliveries = [("a.ndjson", declared), ("b.ndjson", None)]
    for name, sidecar in deliveries if declared_first else reversed(deliveries):
        _land(home, f"hashicorp_vault/audit_log/{name}", b"", sidecar)
        ingest_landing(home)
    ingest_landing(home)
    latest = {entry.original_name: entry for entry in _entries(home)}
    assert (latest["a.ndjson"].status, latest["b.ndjson"].status) == ("accepted", "rejected")
    assert home.lake_file(*VAULT, latest["a.ndjson"].sha256).exists()


def test_an_unchanged_snapshot_delivered_again_is_evidence_again_and_read_once(home, monkeypatch):
    content = b"system,account_id,enabled\na,1,true\n,,\n"
    _land(home, "generic/accounts/list_20260302T000000Z.csv", content)
    ingest_landing(home)
    monkeypatch.setattr(ingest_module, "prepared", lambda *_, **__: pytest.fail("was read again"))
    _land(home, "generic/accounts/list_20260309T000000Z.csv", content)
    _land(home, "generic/accounts/paydesk/list_20260309T000000Z.csv", content)
    assert ingest_landing(home).files_new == 2
    entries = _entries(home)
    assert len({entry.sha256 for entry in entries}) == 1
    assert [(e.instance, e.records_parsed, e.records_rejected) for e in entries] == [("main", 1, 1), ("main", 1, 1), ("paydesk", 1, 1)]


def test_a_sidecar_that_comes_later_is_a_further_entry_of_the_same_delivery(home):
    _land(home, "generic/accounts/list_20260302T000000Z.csv", b"system,account_id,enabled\na,1,true\n")
    ingest_landing(home)
    _land(home, "generic/accounts/list_20260302T000000Z.csv", b"system,account_id,enabled\na,1,true\n", {"record_count": 1})
    assert ingest_landing(home).files_new == 1
    first, second = _entries(home)
    assert first.key == second.key and (first.sidecar_sha256, second.declared_record_count) == (None, 1)
    assert ingest_landing(home).files_new == 0


def test_a_sidecar_that_can_not_be_read_rejects_its_file_until_it_is_mended(home):
    _land(home, "generic/accounts/list_20260302T000000Z.csv", b"system,account_id,enabled\na,1,true\n", {"record_count": "many"})
    summary = ingest_landing(home)
    assert "record_count" in summary.problems[0] and _entries(home)[0].status == "rejected"
    assert verify_home(home) == []
    _land(home, "generic/accounts/list_20260302T000000Z.csv", b"system,account_id,enabled\na,1,true\n", {"record_count": 1})
    assert ingest_landing(home).problems == []
    assert [(entry.status, entry.records_parsed) for entry in _entries(home)] == [("rejected", 0), ("accepted", 1)]


def test_a_misspelt_key_in_a_sidecar_is_told(home):
    _land(home, "generic/accounts/a.csv", b"system,account_id,enabled\na,1,true\n", {"filterd": True})
    assert "filterd" in ingest_landing(home).problems[0]


def test_a_feed_that_nobody_described_is_registered_and_read_once_it_is(home, monkeypatch):
    _land(home, "acme/audit/a.ndjson", lines(vault(1)))
    _land(home, "hashicorp_vault/audit_logs/a.ndjson", lines(vault(1)))
    summary = ingest_landing(home)
    assert [entry.status for entry in _entries(home)] == ["rejected", "rejected"]
    assert "no feed is called acme/audit" in summary.problems[0]
    assert "hashicorp_vault has audit_log, kv_metadata" in summary.problems[1]
    known = load_descriptions()
    described = known | {("acme", "audit"): replace(known[VAULT], system="acme", feed="audit")}
    monkeypatch.setattr(ingest_module, "load_descriptions", lambda: described)
    ingest_landing(home)
    assert [(e.system, e.status, e.records_parsed) for e in _entries(home)][2:] == [("acme", "accepted", 1)]


def test_limiting_the_feeds_leaves_the_others_for_later(home):
    _land(home, "hashicorp_vault/audit_log/a.ndjson", lines(vault(1)))
    _land(home, "aws/cloudtrail/b.json", line([cloudtrail(1)]))
    assert ingest_landing(home, {VAULT}).files_new == 1
    assert ingest_landing(home).files_new == 1


def test_rows_that_got_lost_are_made_anew_from_the_originals(home, connection):
    path = _land(home, "hashicorp_vault/audit_log/a.ndjson", lines(vault(1), vault(2)))
    ingest_landing(home)
    path.unlink()
    shutil.rmtree(home.lake)
    ingest_landing(home)
    assert _rows(home, connection, *VAULT) == 2 and len(_entries(home)) == 1


def test_a_changed_description_reads_the_originals_again(home, connection, monkeypatch):
    _land(home, "hashicorp_vault/audit_log/a.ndjson", lines(vault(1), vault(2, auth={"display_name": "x"})))
    _land(home, "aws/cloudtrail/b.json", line([cloudtrail(1)]))
    ingest_landing(home)
    known = load_descriptions()
    old = known[VAULT]
    stricter = tuple(replace(c, required=True) if c.name == "auth_display_name" else c for c in old.columns)
    changed = known | {VAULT: replace(old, columns=stricter, fingerprint="changed")}
    monkeypatch.setattr(ingest_module, "load_descriptions", lambda: changed)
    shutil.rmtree(home.landing)
    home.landing.mkdir()
    ingest_landing(home)
    assert [(e.system, e.records_parsed, e.records_rejected) for e in _entries(home)] == [
        ("aws", 1, 0), ("hashicorp_vault", 2, 0), ("hashicorp_vault", 1, 1),
    ]  # fmt: skip
    ingest_landing(home)
    assert len(_entries(home)) == 3


def _moments_of_a_crash(monkeypatch):
    """Every function after which the process may be gone, by name."""
    return {
        "keep": (ingest_module, "keep"),
        "rows": (reader_module, "_read"),
        "lasting name of the rejected": (reader_module.os, "replace"),
        "ledger": (ingest_module.Ledger, "append_all"),
        "index": (ingest_module.LandingIndex, "save"),
        "tables": (lake_module.Lake, "make_tables"),
    }


class _Crash(BaseException):
    pass


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("moment", list(_moments_of_a_crash(None)))
@pytest.mark.parametrize("call", [1, 2])
def test_a_crash_at_any_instant_costs_a_repetition_and_nothing_else(home, connection, monkeypatch, moment, before, call):
    contents = {"a": lines(vault(1), b"{", vault(3)), "b": gzip.compress(lines(vault(4))), "c": b"", "d": lines(vault(5))}
    for name, content in contents.items():
        _land(home, f"hashicorp_vault/audit_log/{name}.{'gz' if name == 'b' else 'log'}", content)
    if moment == "tables":
        shutil.rmtree(home.lake)
    owner, name = _moments_of_a_crash(monkeypatch)[moment]
    real = getattr(owner, name)
    calls = 0

    def crashing(*arguments, **options):
        nonlocal calls
        calls += 1
        if calls == call and before:
            raise _Crash
        result = real(*arguments, **options)
        if calls == call:
            raise _Crash
        return result

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, crashing)
        with contextlib.suppress(_Crash):
            ingest_landing(home)
    ingest_landing(home)
    entries = _entries(home)
    assert sorted((e.original_name, e.status, e.records_parsed, e.records_rejected) for e in entries) == [
        ("a.log", "accepted", 2, 1), ("b.gz", "accepted", 1, 0), ("c.log", "rejected", 0, 0), ("d.log", "accepted", 1, 0),
    ]  # fmt: skip
    assert verify_chain(home.ledger) == [] and verify_home(home) == []
    assert _rows(home, connection, *VAULT) == 5
    assert not [path for path in home.lake.rglob(".reading-*")]
    assert ingest_landing(home).files_new == 0


def test_a_large_file_is_read_while_it_is_kept_and_comes_to_the_same(home, connection, monkeypatch):
    content = lines(*(vault(number) for number in range(3000)), b"{", b"")
    monkeypatch.setattr(ingest_module, "_LARGE", 1000)
    monkeypatch.setattr(ingest_module, "_TICK_NANOSECONDS", 0)
    _land(home, "hashicorp_vault/audit_log/a.ndjson", content)
    seen = []
    real = ingest_module._Run._kept_while_read
    monkeypatch.setattr(
        ingest_module._Run, "_kept_while_read", lambda *a: seen.append(real(*a)) or seen[-1]
    )
    ingest_landing(home)
    assert seen and seen[0] is not None
    (entry,) = _entries(home)
    assert (entry.records_parsed, entry.records_rejected) == (3000, 1)
    assert home.original(entry.sha256).read_bytes() == content


def test_a_large_file_that_changes_while_it_is_read_is_left_or_read_from_what_was_kept(home, connection, monkeypatch):
    path = _land(home, "hashicorp_vault/audit_log/a.ndjson", lines(*(vault(number) for number in range(3000))))
    monkeypatch.setattr(ingest_module, "_LARGE", 1000)
    monkeypatch.setattr(ingest_module, "_TICK_NANOSECONDS", 0)
    real = ingest_module.prepared

    def growing(*arguments, **options):
        if arguments[0] == path:
            with path.open("ab") as file:
                file.write(lines(vault(7)))
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(ingest_module, "prepared", growing)
        ingest_landing(home)
    ingest_landing(home)
    last = _entries(home)[-1]
    for entry in _entries(home):
        kept = home.original(entry.sha256).read_bytes()
        assert entry.records_parsed == kept.count(b"\n")
    assert last.records_parsed == 3001 and last.sha256 != ""


def test_problems_name_the_file_the_record_and_what_to_do(home):
    _land(home, "hashicorp_vault/audit_log/eu/a.ndjson", lines(vault(1), b"{", vault(3)))
    _land(home, "stray.csv", b"x")
    problems = ingest_landing(home).problems
    assert any("landing/stray.csv" in problem for problem in problems)
    (mine,) = [problem for problem in problems if problem.startswith("hashicorp_vault/audit_log/eu/a.ndjson: ")]
    assert "1 of 3 records rejected; record 2: expected JSON" in mine and "export it again" in mine
    assert all("\n" not in problem for problem in problems)


def test_progress_is_told_file_by_file(home):
    _land(home, "hashicorp_vault/audit_log/a.ndjson", lines(vault(1)))
    said: list[str] = []
    ingest_landing(home, progress=said.append)
    assert said == ["1 of 1: hashicorp_vault/audit_log/a.ndjson"]


def test_a_fault_of_the_reader_is_told_registered_and_tried_again(home, monkeypatch):
    _land(home, "hashicorp_vault/audit_log/a.ndjson", lines(vault(1)))

    def failing(*_, **__):
        raise RuntimeError("quotes SECRET")

    with monkeypatch.context() as patch:
        patch.setattr(reader_module, "_read", failing)
        problems = ingest_landing(home).problems
        assert "fault of the reader" in problems[0] and "RuntimeError" in problems[0] and "SECRET" not in problems[0]
        assert ingest_landing(home).problems == problems
    assert [entry.status for entry in _entries(home)] == ["rejected"]
    assert ingest_landing(home).files_new == 1
    assert [entry.status for entry in _entries(home)] == ["rejected", "accepted"]


@pytest.mark.parametrize(
    "content",
    [
        lines(*(vault(n) for n in range(9))),
        lines(*(vault(n) for n in range(9))).rstrip(),
        lines(vault(1)) + b"\n\n" + lines(vault(2)) + b"\n",
        lines(vault(1)) + b'{"time":\n' + lines(vault(2)),
        lines(vault(1), "no object", vault(2)),
        b"\xef\xbb\xbf" + lines(vault(1), vault(2)),
        gzip.compress(lines(vault(1)) + b"\n" + lines(vault(2))),
        json.dumps([vault(1), vault(2)], indent=1).encode(),
    ],
    ids=["lines", "no line end at the end", "blank lines", "a record cut by a line end", "no object", "BOM", "packed", "array"],
)
def test_a_large_file_is_read_while_it_is_kept_as_it_is_read_afterwards(home, read, monkeypatch, content):
    monkeypatch.setattr(ingest_module, "_LARGE", 1)
    _land(home, "hashicorp_vault/audit_log/a", content)
    summary = ingest_landing(home)
    wanted = read(content, "/".join(VAULT)).result
    assert (summary.records_parsed, summary.records_rejected) == (wanted.parsed, wanted.rejected)
    assert _entries(home)[-1].last_event_at == wanted.last_event_at


def test_columns_that_only_tables_have_are_there_for_who_reads_a_feeds_files_together(home, connection):
    """Of JSON records their file has none of them, and the feed's files together have all."""
    event = {"uuid": "a", "published": "2026-03-02T09:00:00Z", "eventType": "user.session.start", "outcome": {"result": "SUCCESS"}}
    _land(home, "okta/system_log/a.ndjson", lines(event))
    assert ingest_landing(home).records_parsed == 1
    folder = home.lake_folder("okta", "system_log")
    [file] = [path for path in folder.glob("*.parquet") if path.name != "_schema.parquet"]
    alone = {column[0] for column in connection.execute(f"DESCRIBE FROM read_parquet('{file}')").fetchall()}
    together = connection.execute(
        f"FROM read_parquet(['{folder}/_schema.parquet', '{file}'], union_by_name = true)"
    ).fetchall()
    assert "target0_id" not in alone and [len(row) for row in together] == [len(alone) + 16]
    words = drift_of(home, load_descriptions()["okta", "system_log"], [(file.stem, "a.ndjson")]).words
    assert words is not None and words.records == 1
