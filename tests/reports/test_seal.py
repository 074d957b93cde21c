"""Sealing: what blocks it, what it leaves behind, and that nothing changes a sealed bundle afterwards."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import duckdb
import pytest
from made_up_warehouse import AS_OF, HOUR
from report_checks import PERIOD
from sealable import SEALED_AT, Keys, deliver, make_keys, make_sealable

from pipelines.errors import BrokenEvidence, UserMistake
from pipelines.home import Home
from pipelines.orchestration.verification import verify
from pipelines.reports import bundle as writing
from pipelines.reports.bundle import formats, write_bundle
from pipelines.reports.data_files import rows_of
from pipelines.reports.digests import file_digests, sha256_of
from pipelines.reports.revisions import name_of, newest, revisions_of
from pipelines.reports.seal import blockers_of, seal_bundle
from pipelines.reports.signature import (
    PAYLOAD_TYPE,
    envelope,
    pre_authentication_encoding,
    signing_key,
    trusted_key,
)
from pipelines.settings import SIGNING_KEY_VARIABLE

NEW_FILE = {
    "system": "okta",
    "feed": "users",
    "instance": "main",
    "original_name": "found-later.json",
    "sha256": "2c6d3e6fd3cd18ad3f9a0dd4d2bee08e4b6f3a3f3d1a3b64a5a1f7c9e5b1a000",
    "collected_at": AS_OF - HOUR,
    "status": "accepted",
    "records_parsed": 900,
}


@pytest.fixture(autouse=True)
def data_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about folders, not about pages."""
    monkeypatch.setattr(writing, "formats", lambda: [module for module in formats() if module.WRITES_DATA])
    monkeypatch.delenv(SIGNING_KEY_VARIABLE, raising=False)


@pytest.fixture
def sealable(tmp_path: Path) -> Home:
    return make_sealable(tmp_path / "home", size=0)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("keys"), "signer")


def change_warehouse(home: Home, *statements: str) -> None:
    with duckdb.connect(str(home.warehouse)) as warehouse:
        for statement in statements:
            warehouse.execute(statement)


def late_evidence(home: Home) -> None:
    """A file that a later build knows shows that Lena's account was closed in time after all."""
    import hashlib

    file = NEW_FILE | {"sha256": hashlib.sha256(b"okta/users/found-later.json").hexdigest()}
    deliver(home, [file])
    change_warehouse(
        home,
        f"""
        insert into rpt_evidence_files (system, feed, instance, original_name, sha256, size_bytes, collected_at,
            collected_at_source, records_parsed, records_rejected, filtered, status)
        values ('okta', 'users', 'main', 'found-later.json', '{file["sha256"]}', 27, '{AS_OF - HOUR}', 'name', 900, 0, false,
            'accepted')
        """,
        "delete from rpt_deviations where subject_id = '00u812lena'",
        f"""
        update rpt_control_operations
        set outcome = 'operated', reason = null, evidence = '{file["sha256"]}:7'
        where subject_id = '00u812lena'
        """,
        """
        update rpt_control_coverage
        set operated = operated + 1, deviations = 0, deviation_rate = 0, deviation_rate_upper_95 = 0.101466,
            conclusion = 'no_exceptions_noted'
        where control_id = 'OFF' and period_id = '2026-H1'
        """,
    )


# -- what blocks ------------------------------------------------------------------------------------------------------


def test_nothing_blocks_a_period_that_is_over_and_whole(tmp_path: Path) -> None:
    assert blockers_of(make_sealable(tmp_path, size=0, accepted_by="no gap"), PERIOD) == []


def test_an_accepted_gap_permits_sealing_and_changes_no_conclusion(sealable: Home) -> None:
    assert blockers_of(sealable, PERIOD) == []
    before = write_bundle(sealable, PERIOD).conclusions
    bundle = seal_bundle(sealable, PERIOD, SEALED_AT)
    assert bundle.conclusions == before and before["LOG"] == "insufficient_evidence"
    manifest = json.loads((bundle.path / "manifest.json").read_bytes())
    (gap,) = manifest["predicate"]["seal"]["accepted_gaps"]
    assert (gap["subject"], gap["accepted_by"]) == ("hashicorp_vault/audit_log/main", "ciso@acme.example")


def test_an_open_gap_blocks_with_the_row_that_would_accept_it(tmp_path: Path) -> None:
    home = make_sealable(tmp_path, size=0, accepted_by=None)
    (line,) = blockers_of(home, PERIOD)
    assert "\n" not in line
    assert "2026-04-08 to 2026-04-09: Nothing covers 8 and 9 April." in line
    assert "2026-H1,hashicorp_vault/audit_log/main,2026-04-08,2026-04-09,<approved_by>" in line


def test_a_period_that_goes_on_cannot_be_sealed(sealable: Home) -> None:
    change_warehouse(sealable, "delete from rpt_gaps")
    (line,) = blockers_of(sealable, "2026-07")
    assert "ends at 2026-07-31T22:00:00Z" in line and "upheld run --as-of" in line


def test_evidence_that_came_in_after_the_build_blocks(sealable: Home) -> None:
    deliver(sealable, [NEW_FILE | {"sha256": "a" * 64, "collected_at": AS_OF + HOUR}])
    sealable.original("a" * 64).write_bytes(b"")
    lines = blockers_of(sealable, PERIOD)
    assert not any("came in after the build" in line for line in lines), (
        "collected after the cut-off: not of this seal"
    )
    deliver(sealable, [NEW_FILE])
    (line,) = [line for line in blockers_of(sealable, PERIOD) if "came in after the build" in line]
    assert "1 evidence files" in line and "okta/users/found-later.json" in line


def test_an_altered_original_blocks(sealable: Home) -> None:
    original = next(path for path in sealable.originals.rglob("*") if path.is_file())
    original.chmod(0o644)
    original.write_bytes(original.read_bytes()[:-1] + b"?")
    original.chmod(0o444)
    (line,) = blockers_of(sealable, PERIOD)
    assert original.name in line and "backup" in line


# -- what it leaves ---------------------------------------------------------------------------------------------------


def test_a_sealed_bundle_is_read_only_and_keeps_its_warehouse(sealable: Home) -> None:
    bundle = seal_bundle(sealable, PERIOD, SEALED_AT)
    assert bundle.path == sealable.report(PERIOD) and bundle.is_sealed
    for path in [bundle.path, *bundle.path.rglob("*")]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o222, path
    seal = json.loads((bundle.path / "manifest.json").read_bytes())["predicate"]["seal"]
    assert seal["sealed_at"] == "2026-07-16T09:00:00.000000Z"
    assert seal["warehouse"]["digest"]["sha256"] == sha256_of(sealable.sealed_warehouse(PERIOD))
    assert verify(sealable.root).findings == []


def test_a_sealed_bundle_stays_while_its_data_are_the_same(sealable: Home) -> None:
    sealed = seal_bundle(sealable, PERIOD, SEALED_AT)
    before = file_digests(sealed.path)
    again = write_bundle(sealable, PERIOD)
    assert (again.path, again.is_sealed, again.revision) == (sealed.path, True, 1)
    assert seal_bundle(sealable, PERIOD, SEALED_AT).path == sealed.path
    assert file_digests(sealed.path) == before
    assert sorted(path.name for path in sealable.reports.iterdir()) == [PERIOD]
    assert sorted(path.name for path in sealable.sealed.iterdir()) == [PERIOD]


def test_later_evidence_makes_a_revision_that_says_what_changed_and_why(sealable: Home) -> None:
    sealed = seal_bundle(sealable, PERIOD, SEALED_AT)
    before = file_digests(sealed.path)
    late_evidence(sealable)
    revision = write_bundle(sealable, PERIOD)
    assert revision.path == sealable.reports / f"{PERIOD}.r2"
    assert (revision.revision, revision.is_sealed) == (2, False)
    assert file_digests(sealed.path) == before
    told = json.loads((revision.path / "manifest.json").read_bytes())["predicate"]["revision"]
    assert told == {
        "number": 2,
        "replaces": {"name": PERIOD, "digest": {"sha256": sha256_of(sealed.path / "manifest.json")}},
    }
    changes = list(rows_of(revision.path / "changes.csv"))
    said = {
        (row["file"], row["change"], row["control_id"], row["column"], row["before"], row["after"])
        for row in changes
    }
    assert (
        "control_coverage",
        "changed",
        "OFF",
        "conclusion",
        "exceptions_noted",
        "no_exceptions_noted",
    ) in said
    assert ("control_operations", "changed", "OFF", "outcome", "deviation", "operated") in said
    assert ("evidence_files", "added", "", "original_name", "", "found-later.json") in said
    (outcome,) = [row for row in changes if row["column"] == "outcome"]
    (file,) = [row for row in changes if row["file"] == "evidence_files"]
    assert outcome["evidence"] == f"{file['id']}:7"
    assert verify(sealable.root).findings == []


def test_a_decision_nobody_knew_is_named_where_no_record_is_new(sealable: Home) -> None:
    seal_bundle(sealable, PERIOD, SEALED_AT)
    change_warehouse(
        sealable,
        """
        insert into rpt_evidence_files (system, feed, instance, original_name, sha256, size_bytes, collected_at, status, filtered)
        values ('decisions', 'policies', 'main', 'softer.csv', repeat('d', 64), 1, '2026-07-10', 'accepted', false)
        """,
        "update rpt_control_operations set threshold_value = 365 where subject_id = 'AKIAMALLORY000000000'",
    )
    revision = write_bundle(sealable, PERIOD)
    (row,) = [row for row in rows_of(revision.path / "changes.csv") if row["column"] == "threshold_value"]
    assert (row["before"], row["after"], row["evidence"]) == ("90", "365", "d" * 64)


def test_an_unsealed_revision_is_replaced_and_goes_when_the_data_are_as_sealed_again(sealable: Home) -> None:
    seal_bundle(sealable, PERIOD, SEALED_AT)
    shutil.copyfile(sealable.warehouse, sealable.root / "as_sealed.duckdb")
    late_evidence(sealable)
    assert write_bundle(sealable, PERIOD).revision == write_bundle(sealable, PERIOD).revision == 2
    shutil.copyfile(sealable.root / "as_sealed.duckdb", sealable.warehouse)
    assert write_bundle(sealable, PERIOD).path == sealable.report(PERIOD)
    assert [each.name for each in revisions_of(sealable, PERIOD)] == [PERIOD]


def test_a_revision_can_be_sealed_and_is_followed_by_the_next(sealable: Home) -> None:
    seal_bundle(sealable, PERIOD, SEALED_AT)
    late_evidence(sealable)
    second = seal_bundle(sealable, PERIOD, SEALED_AT)
    assert second.path.name == f"{PERIOD}.r2" and second.is_sealed
    change_warehouse(
        sealable,
        "update rpt_control_operations set reason_text = 'Said otherwise.' where control_id = 'REV'",
    )
    assert write_bundle(sealable, PERIOD).path.name == f"{PERIOD}.r3"
    assert newest(sealable, PERIOD).number == 3
    assert [each.is_sealed for each in revisions_of(sealable, PERIOD)] == [True, True, False]
    assert verify(sealable.root).findings == []


def test_a_sealed_bundle_that_was_altered_is_no_ground_for_a_revision(sealable: Home) -> None:
    bundle = seal_bundle(sealable, PERIOD, SEALED_AT)
    path = bundle.path / "data" / "deviations.csv"
    path.chmod(0o644)
    path.write_text("operation_id\n")
    with pytest.raises(BrokenEvidence, match="altered"):
        write_bundle(sealable, PERIOD)


def test_a_seal_that_was_cut_off_is_finished_by_the_next(sealable: Home) -> None:
    bundle = seal_bundle(sealable, PERIOD, SEALED_AT)
    sealable.sealed_manifest(PERIOD).unlink()
    bundle.path.chmod(0o755)
    again = seal_bundle(sealable, PERIOD, SEALED_AT)
    assert again.path == bundle.path
    assert sealable.sealed_manifest(PERIOD).read_bytes() == (bundle.path / "manifest.json").read_bytes()
    assert verify(sealable.root).findings == []


@pytest.mark.parametrize("period_id", ["2026-H1.r2", "x.r10"])
def test_a_period_cannot_be_called_like_a_revision(period_id: str) -> None:
    with pytest.raises(UserMistake, match="marks a revision"):
        name_of(period_id, 1)


# -- the signature ----------------------------------------------------------------------------------------------------


def test_the_encoding_that_is_signed_is_the_one_of_the_standard() -> None:
    # The example of the DSSE protocol, version 1.0.2.
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert len(PAYLOAD_TYPE) == 28, "HOW_TO_VERIFY.md spells the length out"


def test_a_key_signs_every_bundle_and_the_same_bundle_alike(
    sealable: Home, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SIGNING_KEY_VARIABLE, str(keys.private))
    first = file_digests(write_bundle(sealable, PERIOD).path)
    assert "manifest.dsse.json" in first
    assert file_digests(write_bundle(sealable, PERIOD).path) == first
    assert verify(sealable.report(PERIOD), keys.public).findings == []


def test_a_key_that_cannot_sign_is_a_mistake_before_anything_is_written(
    sealable: Home, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = sealable.root / "signer.pem"
    shutil.copyfile(keys.private, inside)
    (tmp_path / "no_key.pem").write_text("not a key")
    for path, said in [
        (inside, "lies in the home"),
        (tmp_path / "nowhere.pem", "can't be read"),
        (tmp_path / "no_key.pem", "can't be read"),
        (keys.public, "can't be read"),
    ]:
        monkeypatch.setenv(SIGNING_KEY_VARIABLE, str(path))
        with pytest.raises(UserMistake, match=said):
            write_bundle(sealable, PERIOD)
    assert not sealable.report(PERIOD).exists()


def test_a_signature_is_of_this_payload_and_this_key_only(
    sealable: Home, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SIGNING_KEY_VARIABLE, str(keys.private))
    key = signing_key(sealable)
    assert key is not None
    from pipelines.reports.signature import faults_of_envelope

    signed = envelope(b"payload", key)
    assert list(faults_of_envelope(signed, b"payload", trusted_key(keys.public))) == []
    assert list(faults_of_envelope(signed, b"another", trusted_key(keys.public)))


def test_settings_are_part_of_the_manifest(sealable: Home) -> None:
    sealable.settings.write_text("[sampling]\nseed = 7\n")
    manifest = json.loads((write_bundle(sealable, PERIOD).path / "manifest.json").read_bytes())["predicate"]
    assert manifest["configuration"] == {
        "name": "upheld.toml",
        "digest": {"sha256": sha256_of(sealable.settings)},
    }
    assert manifest["sampling"]["seed"] == 7
