"""Writing a bundle: what the manifest says, and that a reader never finds half of one."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from made_up_warehouse import make_home
from report_checks import PERIOD

from pipelines.errors import BrokenEvidence, UserMistake
from pipelines.home import Home
from pipelines.reports import bundle as writing
from pipelines.reports.bundle import Bundle, formats, write_bundle
from pipelines.reports.manifest import ledger_head
from pipelines.reports.report import open_report
from pipelines.reports.words import percent, percent_at_least, percent_at_most


@pytest.fixture
def small(tmp_path: Path, home: Home) -> Home:
    """A home of its own on the same warehouse, for tests that write into it."""
    own = Home.at(tmp_path / "own")
    own.root.mkdir()
    own.warehouse.symlink_to(home.warehouse)
    return own


@pytest.fixture
def plain_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the data: these tests are about the folder, not about the page."""
    monkeypatch.setattr(writing, "formats", lambda: [module for module in formats() if module.WRITES_DATA])


def read_manifest(bundle: Bundle) -> dict:
    return json.loads((bundle.path / "manifest.json").read_text(encoding="utf-8"))


def test_formats_are_found_by_their_folder_data_first() -> None:
    assert [module.__name__.split(".")[-2] for module in formats()] == [
        "csv",
        "html",
        "oscal",
        "pdf",
        "xlsx",
    ]


def test_the_manifest_names_every_file_with_its_hash(bundle: Bundle) -> None:
    manifest = read_manifest(bundle)
    assert (manifest["_type"], list(manifest)) == (
        "https://in-toto.io/Statement/v1",
        ["_type", "predicate", "predicateType", "subject"],
    )
    on_disk = {p.relative_to(bundle.path).as_posix() for p in bundle.path.rglob("*") if p.is_file()} - {
        "manifest.json"
    }
    names = [subject["name"] for subject in manifest["subject"]]
    assert names == sorted(on_disk)
    for subject in manifest["subject"]:
        raw = (bundle.path / subject["name"]).read_bytes()
        assert subject["digest"] == {"sha256": hashlib.sha256(raw).hexdigest()}


def test_the_manifest_says_what_the_bundle_rests_on(bundle: Bundle, home: Home) -> None:
    predicate = read_manifest(bundle)["predicate"]
    assert predicate["period"] == {
        "period_id": PERIOD,
        "start": "2025-12-31T23:00:00.000000Z",
        "end": "2026-06-30T22:00:00.000000Z",
        "timezone": "Europe/Berlin",
    }
    assert predicate["as_of"] == "2026-07-15T08:00:00.000000Z"
    last = json.loads(home.ledger.read_text().splitlines()[-1])
    assert predicate["ledger_head"] == {"entry": 2, "entry_hash": last["entry_hash"]}
    assert predicate["conclusions"] == bundle.conclusions
    assert predicate["feed_timezones"] == {"servicenow/tickets": "Europe/Berlin"}
    assert predicate["not_assessed"] == ["APR", "CHG", "DEC", "OWN", "RVF", "VLT"]
    feeds = [file["feed"] for file in predicate["policy_files"]]
    assert feeds == ["decisions/periods", "decisions/policies", "decisions/waivers"]
    assert predicate["policy_files"][1]["name"] == "policies-2026-04-30.csv", "the newest file is in force"


def test_an_auditor_can_repeat_the_data_digest_with_a_shell(bundle: Bundle) -> None:
    command = "sha256sum data/* | LC_ALL=C sort | sha256sum"
    printed = subprocess.run(
        command, shell=True, cwd=bundle.path, capture_output=True, text=True, check=True
    ).stdout
    assert (
        printed.split()[0]
        == bundle.data_digest
        == read_manifest(bundle)["predicate"]["data_digest"]["sha256"]
    )
    assert bundle.data_digest in (bundle.path / "report.html").read_text(encoding="utf-8")


def test_writing_again_changes_no_byte(bundle: Bundle, home: Home, tmp_path: Path) -> None:
    again = write_bundle(make_home(tmp_path), PERIOD)
    assert again.files == bundle.files


@pytest.mark.usefixtures("plain_formats")
def test_files_no_longer_produced_vanish(small: Home) -> None:
    write_bundle(small, PERIOD)
    (small.report(PERIOD) / "manifest.json.sig").write_text("of another bundle")
    (small.report(PERIOD) / "data" / "no_more.csv").write_text("old")
    write_bundle(small, PERIOD)
    names = {p.relative_to(small.report(PERIOD)).as_posix() for p in small.report(PERIOD).rglob("*")}
    assert "manifest.json.sig" not in names and "data/no_more.csv" not in names
    assert [p.name for p in small.reports.iterdir()] == [PERIOD]


@pytest.mark.usefixtures("plain_formats")
@pytest.mark.parametrize("exchange", [True, False])
def test_a_run_that_fails_leaves_the_old_bundle(
    small: Home, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(writing, "_exchange", lambda one, other: False)
    before = write_bundle(small, PERIOD).files
    (module,) = writing.formats()
    whole = module.render

    def half(report, folder):
        whole(report, folder)
        raise OSError("no space left on device")

    monkeypatch.setattr(module, "render", half)
    with pytest.raises(OSError, match="no space left"):
        write_bundle(small, PERIOD)
    assert writing.file_digests(small.report(PERIOD)) == before
    assert [p.name for p in small.reports.iterdir()] == [PERIOD]


@pytest.mark.usefixtures("plain_formats")
def test_without_an_exchange_the_swap_still_replaces_everything(
    small: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_exchange", lambda one, other: False)
    write_bundle(small, PERIOD)
    (small.report(PERIOD) / "stale").write_text("x")
    write_bundle(small, PERIOD)
    assert not (small.report(PERIOD) / "stale").exists()
    assert [p.name for p in small.reports.iterdir()] == [PERIOD]


@pytest.mark.usefixtures("plain_formats")
def test_the_next_run_repairs_what_a_killed_run_left(small: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    old = write_bundle(small, PERIOD)
    # Killed between the two renames: the old one is aside, the new one has not its name yet.
    old.path.rename(small.reports / f".{PERIOD}.abc.old")
    (small.reports / f".{PERIOD}.abc.new").mkdir()
    other = small.reports / f".{PERIOD}-b.abc.new"
    other.mkdir()
    (module,) = writing.formats()
    monkeypatch.setattr(module, "render", lambda report, folder: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_bundle(small, PERIOD)
    assert writing.file_digests(small.report(PERIOD)) == old.files, "the old bundle is back"
    assert sorted(p.name for p in small.reports.iterdir()) == [other.name, PERIOD], (
        "another period's folder stays"
    )


def test_the_exchange_swaps_two_folders(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if writing._exchange(tmp_path / "one", tmp_path / "other"):
        assert (tmp_path / "one" / "other").exists() and (tmp_path / "other" / "one").exists()


def test_an_unknown_period_names_those_there_are(home: Home) -> None:
    with pytest.raises(UserMistake, match=r"no period '2031'\. Periods it has: 2026-07, 2026-H1"):
        write_bundle(home, "2031")


def test_without_a_warehouse_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="upheld run"):
        write_bundle(Home.at(tmp_path), PERIOD)


@pytest.mark.parametrize("period_id", ["../escape", "a/b", ".hidden", "", "..", "x\x00", "con\n", "end."])
def test_a_period_id_cannot_choose_a_place(home: Home, period_id: str) -> None:
    with pytest.raises(UserMistake, match="cannot name a folder"):
        write_bundle(home, period_id)


def test_the_head_of_a_ledger(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    assert ledger_head(ledger) is None
    ledger.write_text("")
    assert ledger_head(ledger) is None
    first = json.dumps({"entry": 1, "entry_hash": "a" * 64, "query": "q" * 200_000})
    ledger.write_text(first + "\n")
    assert ledger_head(ledger) == {"entry": 1, "entry_hash": "a" * 64}
    ledger.write_text(first + "\n" + '{"entry": 2, "entry_ha')
    assert ledger_head(ledger) == {"entry": 1, "entry_hash": "a" * 64}, "a torn append is not the head"
    ledger.write_text(first + "\nnot a ledger line\n")
    with pytest.raises(BrokenEvidence, match="upheld verify"):
        ledger_head(ledger)


def test_an_assessed_control_without_figures_stops_the_report(tmp_path: Path) -> None:
    import duckdb

    home = make_home(tmp_path)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("delete from rpt_control_coverage where control_id = 'OFF'")
    with (
        pytest.raises(RuntimeError, match="lacks the assessed control OFF"),
        open_report(home.warehouse, PERIOD),
    ):
        pass


@pytest.mark.parametrize(
    ("share", "nearest", "least", "most"),
    [
        (None, "\u2013", "\u2013", "\u2013"),
        (0.0, "0 %", "0 %", "0 %"),
        (1.0, "100 %", "100 %", "100 %"),
        (0.7, "70.0 %", "70.0 %", "70.0 %"),
        (0.0004, "< 0.1 %", "< 0.1 %", "0.1 %"),
        (0.99996, "> 99.9 %", "99.9 %", "> 99.9 %"),
        (0.02631, "2.6 %", "2.6 %", "2.7 %"),
    ],
)
def test_shares_are_never_rounded_to_nothing_or_to_all(
    share: float | None, nearest: str, least: str, most: str
) -> None:
    said = [form(share).replace("\u00a0", " ") for form in (percent, percent_at_least, percent_at_most)]
    assert said == [nearest, least, most]
