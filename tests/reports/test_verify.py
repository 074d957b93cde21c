"""What verification finds: whatever somebody changes in a sealed home, in a bundle or in both, with the file named."""

from __future__ import annotations

import json
import os
import random
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from report_checks import PERIOD
from sealable import SEALED_AT, Keys, make_keys, make_sealable

from pipelines.errors import UserMistake
from pipelines.evidence.findings import Finding
from pipelines.home import Home
from pipelines.orchestration.verification import verify
from pipelines.reports import bundle as writing
from pipelines.reports.bundle import formats
from pipelines.reports.canonical import canonical_json
from pipelines.reports.digests import data_digest, file_digests, sha256_of
from pipelines.reports.seal import seal_bundle
from pipelines.reports.signature import envelope, signing_key
from pipelines.settings import SIGNING_KEY_VARIABLE

FLIPS = 1000


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("keys"), "signer")


@pytest.fixture(scope="session")
def sealed_home(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Home:
    """A home with one signed and sealed bundle of data files. Not to be changed."""
    home = make_sealable(tmp_path_factory.mktemp("sealed"), size=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SIGNING_KEY_VARIABLE, str(keys.private))
        patch.setattr(writing, "formats", lambda: [module for module in formats() if module.WRITES_DATA])
        seal_bundle(home, PERIOD, SEALED_AT)
    return home


@pytest.fixture
def own(sealed_home: Home, tmp_path: Path) -> Home:
    """A copy of the sealed home, to be tampered with; writable, as an attacker makes it."""
    shutil.copytree(sealed_home.root, tmp_path / "own", symlinks=True)
    for folder in (tmp_path / "own").rglob("*"):
        if folder.is_dir():
            folder.chmod(0o755)
    return Home.at(tmp_path / "own")


def faults(findings: list[Finding]) -> list[Finding]:
    """Without the write permissions that the copy was given."""
    return [finding for finding in findings if finding.kind != "writable"]


def alter(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.chmod(0o644)
    path.write_bytes(change(path.read_bytes()))


def rewrite(home: Home, change: Callable[[Path], None], key: Path | None = None) -> Path:
    """What somebody with write access to everything does: change data, then make the manifest fit, and sign it anew."""
    bundle = home.report(PERIOD)
    for path in bundle.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    change(bundle / "data")
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    digests = file_digests(bundle)
    for subject in manifest["subject"]:
        subject["digest"]["sha256"] = digests[subject["name"]]
    manifest["predicate"]["data_digest"]["sha256"] = data_digest(digests)
    payload = canonical_json(manifest)
    (bundle / "manifest.json").write_bytes(payload)
    (bundle / "manifest.dsse.json").unlink()
    if key:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(SIGNING_KEY_VARIABLE, str(key))
            signer = signing_key(home)
        assert signer is not None
        (bundle / "manifest.dsse.json").write_bytes(envelope(payload, signer))
    return bundle


def test_a_sealed_home_has_no_fault(sealed_home: Home, keys: Keys) -> None:
    found = verify(sealed_home.root, keys.public)
    assert found.findings == []
    assert found.what == "Ledger and originals, 1 bundle"
    assert verify(sealed_home.report(PERIOD), keys.public).findings == []
    noted = sha256_of(sealed_home.report(PERIOD) / "manifest.json")
    assert verify(sealed_home.report(PERIOD), manifest_sha256=noted.upper()).findings == []


def test_every_flipped_byte_is_found_and_its_file_named(own: Home, keys: Keys, tmp_path: Path) -> None:
    """Positions are drawn from a seed: half in a bundle handed over, a quarter in the ledger, a quarter in originals."""
    rng = random.Random(20260630)
    handed_over = tmp_path / "bundle"
    shutil.copytree(own.report(PERIOD), handed_over)
    # What a flip can't touch need not be looked at a thousand times.
    shutil.rmtree(own.reports)
    shutil.rmtree(own.sealed)
    bundle = sorted(path for path in handed_over.rglob("*") if path.is_file())
    originals = sorted(path for path in own.originals.rglob("*") if path.is_file())
    named = {path: path.relative_to(handed_over).as_posix() for path in bundle}
    named |= {path: f"original {path.name}" for path in originals} | {own.ledger: own.ledger.name}
    for path in named:
        path.chmod(0o644)
    unnoticed = []
    for number in range(FLIPS):
        group, root = [
            (bundle, handed_over),
            ([own.ledger], own.root),
            (bundle, handed_over),
            (originals, own.root),
        ][number % 4]
        path = rng.choice(group)
        raw = path.read_bytes()
        place = rng.randrange(len(raw))
        flipped = bytearray(raw)
        flipped[place] ^= rng.randrange(1, 256)
        path.write_bytes(flipped)
        found = faults(verify(root, keys.public).findings)
        if not any(fault.where.startswith(named[path]) for fault in found):
            unnoticed.append(f"{path} byte {place} is {flipped[place]:#x}: {found}")
        path.write_bytes(raw)
    assert unnoticed == []
    assert faults(verify(own.root, keys.public).findings) == []
    assert verify(handed_over, keys.public, ledger=own.root).findings == []


def test_a_ledger_cut_at_its_end_no_longer_holds_the_bundles_place(own: Home, keys: Keys) -> None:
    lines = own.ledger.read_bytes().splitlines(keepends=True)
    own.ledger.write_bytes(b"".join(lines[:-1]))
    found = faults(verify(own.report(PERIOD), keys.public).findings)
    assert ("head", "ledger.jsonl") in {(fault.kind, fault.where) for fault in found}
    found = faults(verify(own.root).findings)
    assert ("head", "ledger.jsonl") in {(fault.kind, fault.where) for fault in found}


def test_a_ledger_that_grew_still_holds_the_bundles_place(own: Home, keys: Keys) -> None:
    from sealable import deliver

    files = [
        {
            "system": "okta",
            "feed": "users",
            "instance": "main",
            "original_name": "late.json",
            "sha256": __import__("hashlib").sha256(b"okta/users/late.json").hexdigest(),
            "collected_at": SEALED_AT,
            "status": "accepted",
            "records_parsed": 1,
        }
    ]
    deliver(own, files)
    assert faults(verify(own.root, keys.public).findings) == []


@pytest.mark.parametrize("with_ledger_file", [True, False])
def test_a_bundle_handed_over_is_held_against_a_ledger_that_is_named(
    sealed_home: Home, tmp_path: Path, keys: Keys, with_ledger_file: bool
) -> None:
    handed_over = tmp_path / "bundle"
    shutil.copytree(sealed_home.report(PERIOD), handed_over)
    alone = verify(handed_over, keys.public)
    assert alone.findings == [] and alone.what == "Bundle"
    assert any("--ledger" in note for note in alone.notes)
    ledger = sealed_home.ledger if with_ledger_file else sealed_home.root
    assert verify(handed_over, keys.public, ledger=ledger).findings == []
    strange = make_sealable(tmp_path / "other", size=0)
    alter(strange.ledger, lambda raw: b"".join(raw.splitlines(keepends=True)[:3]))
    found = verify(handed_over, keys.public, ledger=strange.root).findings
    assert [(fault.kind, fault.where) for fault in found] == [("head", "ledger.jsonl")]


def test_a_removed_file_an_added_one_and_an_added_folder_are_named(own: Home, keys: Keys) -> None:
    bundle = own.report(PERIOD)
    (bundle / "data" / "unlinked.csv").unlink()
    (bundle / "data" / "extra.csv").write_text("a\n1\n")
    (bundle / "notes").mkdir()
    found = {(fault.kind, fault.where) for fault in verify(bundle, keys.public).findings}
    assert {("missing", "data/unlinked.csv"), ("extra", "data/extra.csv"), ("extra", "notes")} <= found


def test_a_file_that_became_a_link_is_altered_though_it_leads_to_the_same_bytes(
    own: Home, keys: Keys
) -> None:
    path = own.report(PERIOD) / "data" / "deviations.csv"
    shutil.copyfile(path, own.root / "elsewhere.csv")
    path.unlink()
    path.symlink_to(own.root / "elsewhere.csv")
    found = verify(own.report(PERIOD), keys.public).findings
    assert ("altered", "data/deviations.csv") in {(fault.kind, fault.where) for fault in found}


def test_without_its_manifest_a_bundle_is_still_a_bundle_and_says_so(own: Home, keys: Keys) -> None:
    (own.report(PERIOD) / "manifest.json").unlink()
    found = verify(own.report(PERIOD), keys.public).findings
    assert ("missing", "manifest.json") in {(fault.kind, fault.where) for fault in found}


def test_a_removed_sealed_bundle_is_missed_by_its_home(own: Home, keys: Keys) -> None:
    shutil.rmtree(own.report(PERIOD))
    found = verify(own.root, keys.public).findings
    assert [(fault.kind, fault.where) for fault in found] == [("missing", f"reports/{PERIOD}")]


def test_the_sealed_copy_of_the_warehouse_is_held_against_the_manifest(own: Home, keys: Keys) -> None:
    alter(own.sealed_warehouse(PERIOD), lambda raw: raw[:-1] + b"\x00" if raw[-1] else raw[:-1] + b"\x01")
    found = faults(verify(own.root, keys.public).findings)
    assert [(fault.kind, fault.where) for fault in found] == [
        ("altered", f"sealed/{PERIOD}/warehouse.duckdb")
    ]


def more_operated(data: Path) -> None:
    """A deviation made good in one place only."""
    path = data / "control_coverage.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("exceptions_noted", "no_exceptions_noted"), encoding="utf-8"
    )


def nothing(_: Path) -> None:
    """Every file stays as it is."""


@pytest.mark.parametrize("change", [more_operated, nothing])
def test_a_manifest_made_to_fit_is_found_with_either_anchor(
    own: Home, keys: Keys, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    noted = sha256_of(own.report(PERIOD) / "manifest.json")
    other = make_keys(tmp_path, "other")
    bundle = rewrite(own, change, other.private)
    found = {(fault.kind, fault.where) for fault in verify(bundle, keys.public).findings}
    assert ("signature", "manifest.dsse.json") in found
    if change is more_operated:
        found = {(fault.kind, fault.where) for fault in verify(bundle, manifest_sha256=noted).findings}
        assert ("altered", "manifest.json") in found
    bundle = rewrite(own, change)
    found = {(fault.kind, fault.where) for fault in verify(bundle, keys.public).findings}
    assert ("signature", "manifest.dsse.json") in found, "a signature that is gone is missed"


def test_a_swapped_manifest_does_not_pass_for_the_signed_one(own: Home, keys: Keys) -> None:
    alter(
        own.report(PERIOD) / "manifest.json",
        lambda raw: raw.replace(b"ciso@acme.example", b"ceo@acme.example"),
    )
    found = verify(own.report(PERIOD), keys.public).findings
    assert {("altered", "manifest.json"), ("signature", "manifest.dsse.json")} <= {
        (fault.kind, fault.where) for fault in found
    }


def test_without_an_anchor_it_says_what_cannot_be_told(own: Home) -> None:
    found = verify(own.report(PERIOD))
    assert any("can't be told without a key you trust" in note for note in found.notes)
    assert any("that signature was not checked" in note for note in found.notes)


# -- rewritten bundles whose figures do not follow from their rows ----------------------------------------------------


def replaced(name: str, old: str, new: str, count: int = 1) -> Callable[[Path], None]:
    def change(data: Path) -> None:
        path = data / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        path.write_bytes(text.replace(old, new, count).encode())

    return change


@pytest.mark.parametrize(
    ("change", "where", "said"),
    [
        (more_operated, "data/control_coverage.csv", "conclusion is no_exceptions_noted"),
        (replaced("control_coverage.csv", "0.994475", "0.994476"), "data/control_coverage.csv", "evidence_coverage"),
        (replaced("control_operations.csv", ",deviation,late,", ",operated,late,"), "data/control_coverage.csv", "operated is"),
        (replaced("deviations.csv", ",deviation,late,", ",waived,late,"), "data/deviations.csv", "differs from"),
        (replaced("expectations.csv", ",EVD,true,", ",EVD,false,"), "data/control_coverage.csv", "insufficient_evidence"),
        (replaced("control_operations.csv", "2026-H1,", "2026-H2,"), "data/control_operations.csv", "of period 2026-H2"),
        (replaced("samples.csv", ",operated,", ",deviation,"), "data/samples.csv", "draws"),
        (replaced("control_coverage.csv", "\n", "\r\n"), "data/control_coverage.csv", "canonical"),
        (replaced("control_coverage.csv", ",Evidence cadence,", ',"Evidence cadence",'), "data/control_coverage.csv", "canonical"),
        (replaced("control_operations.csv", ",31,24,", ",31.0,24,"), "data/control_operations.csv", "measure_value"),
        (replaced("control_operations.csv", ",31,24,", ",3.1e1,24,"), "data/control_operations.csv", "measure_value"),
        (replaced("control_operations.csv", "T00:00:00Z", "T00:00:00+00:00"), "data/control_operations.csv", "instant"),
        (replaced("expectations.csv", "true", "True"), "data/expectations.csv", "true or false"),
        (replaced("evidence_files.csv", ",accepted,", ",=accepted,"), "data/evidence_files.csv", "text"),
        (replaced("control_operations.csv", "operation_id", "\ufeffoperation_id"), "data/control_operations.csv", ""),
    ],
)  # fmt: skip
def test_whoever_rewrites_files_and_manifest_is_still_held_to_the_rules(
    own: Home, keys: Keys, change: Callable[[Path], None], where: str, said: str
) -> None:
    bundle = rewrite(own, change, keys.private)
    found = [fault for fault in verify(bundle).findings if not fault.where.startswith(("reports", "sealed"))]
    assert any(fault.where == where and said in fault.detail for fault in found), found


def test_rows_in_another_order_are_not_the_canonical_file(own: Home, keys: Keys) -> None:
    def swapped(data: Path) -> None:
        path = data / "control_operations.csv"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        lines[5], lines[6] = lines[6], lines[5]
        path.write_text("".join(lines), encoding="utf-8")

    found = verify(rewrite(own, swapped, keys.private)).findings
    assert any(
        fault.where == "data/control_operations.csv" and "by operation_id" in fault.detail for fault in found
    )


def test_evidence_that_nobody_delivered_is_named(own: Home, keys: Keys) -> None:
    def invented(data: Path) -> None:
        path = data / "control_operations.csv"
        text = path.read_text(encoding="utf-8")
        sha256 = text.rstrip("\n").rpartition("\n")[2].rpartition(",")[2].split(":")[0]
        path.write_text(text.replace(sha256, "0" * 64), encoding="utf-8")

    found = verify(rewrite(own, invented, keys.private)).findings
    assert any("not in evidence_files.csv" in fault.detail for fault in found)


def test_a_manifest_in_another_json_form_is_not_taken(own: Home, keys: Keys) -> None:
    alter(own.report(PERIOD) / "manifest.json", lambda raw: json.dumps(json.loads(raw)).encode())
    found = verify(own.report(PERIOD)).findings
    assert any(fault.where == "manifest.json" and "canonical" in fault.detail for fault in found)


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"{}\n", b"\xff", b'{\n  "_type": 1\n}\n', b"[" * 100_000]
)
def test_whatever_stands_in_the_manifests_place_is_a_fault_and_no_crash(
    own: Home, keys: Keys, content: bytes
) -> None:
    for name in ("manifest.json", "manifest.dsse.json"):
        alter(own.report(PERIOD) / name, lambda _: content)
    found = verify(own.report(PERIOD), keys.public).findings
    assert {"manifest.json", "manifest.dsse.json"} <= {fault.where for fault in found}


# -- anchors ----------------------------------------------------------------------------------------------------------


def test_an_anchor_that_is_none_is_a_mistake(sealed_home: Home, tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(UserMistake, match="64 hexadecimal digits"):
        verify(sealed_home.report(PERIOD), manifest_sha256="abc")
    with pytest.raises(UserMistake, match="for one bundle"):
        verify(sealed_home.root, manifest_sha256="0" * 64)
    with pytest.raises(UserMistake, match="public key"):
        verify(sealed_home.root, keys.private)
    with pytest.raises(UserMistake, match="neither a ledger"):
        verify(sealed_home.report(PERIOD), ledger=tmp_path)


def test_a_sealed_bundle_that_can_be_written_to_is_told(own: Home, keys: Keys) -> None:
    if os.name == "posix":
        assert stat.S_IMODE(own.report(PERIOD).stat().st_mode) & 0o222
    found = verify(own.root, keys.public).findings
    assert ("writable", f"reports/{PERIOD}") in {(fault.kind, fault.where) for fault in found}
