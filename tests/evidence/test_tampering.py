"""Whatever is done to the ledger or an original is found."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from evidence_room import NOON, EvidenceRoom
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.evidence.ledger import Ledger, canonical, verify_chain
from pipelines.evidence.run_lock import run_lock
from pipelines.evidence.verify import verify_home
from pipelines.home import Home


def fill(room):
    for day in range(1, 6):
        place = f"okta/users/users_2026030{day}T120000Z.json"
        room.land(
            place, json.dumps([{"id": f"u{day}", "status": "ACTIVE"}]).encode(), sidecar={"record_count": day}
        )
    room.land("aws/cloudtrail/undated.json.gz", os.urandom(5000))
    room.take_in()
    return room


@pytest.fixture
def filled(room):
    return fill(room)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """One home for the many examples of a property; each example undoes its change."""
    room = fill(EvidenceRoom(tmp_path_factory.mktemp("pristine") / "home"))
    assert verify_home(room.home) == []
    return room


def kinds(findings):
    return {finding.kind for finding in findings}


def kept_files(home):
    return sorted(path for path in home.originals.rglob("*") if path.is_file())


def overwrite(path, content):
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(0o444)


def test_untouched_evidence_has_no_findings(filled):
    assert verify_home(filled.home, Ledger.open(filled.home.ledger).head) == []
    assert verify_home(Home.at(filled.home.root / "nothing here")) == []


@settings(max_examples=300, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_bit_flipped_in_the_ledger_is_found(pristine, where, bit):
    path = pristine.home.ledger
    whole = path.read_bytes()
    altered = bytearray(whole)
    altered[int(where * len(whole))] ^= 1 << bit
    try:
        path.write_bytes(altered)
        assert verify_chain(path)
        assert kinds(verify_home(pristine.home)) & {"chain", "torn"}
    finally:
        path.write_bytes(whole)


def test_every_line_end_of_the_ledger_counts(pristine):
    path = pristine.home.ledger
    whole = path.read_bytes()
    ends = [position for position, byte in enumerate(whole) if byte == 0x0A]
    try:
        for position in ends:
            for replacement in (b"\r", b" ", b"\x0b", b"\x85", b"\r\n", b"\n\n", b""):
                path.write_bytes(whole[:position] + replacement + whole[position + 1 :])
                assert verify_chain(path), (position, replacement)
    finally:
        path.write_bytes(whole)


@settings(max_examples=200, deadline=None)
@given(
    which=st.floats(0, 1, exclude_max=True), where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7)
)
def test_any_bit_flipped_in_an_original_is_found(pristine, which, where, bit):
    kept = kept_files(pristine.home)
    path = kept[int(which * len(kept))]
    whole = path.read_bytes()
    altered = bytearray(whole)
    altered[int(where * len(whole))] ^= 1 << bit
    try:
        overwrite(path, altered)
        (finding,) = verify_home(pristine.home)
        assert (finding.kind, finding.where) == ("altered", f"original {path.name}")
    finally:
        overwrite(path, whole)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_removing_repeating_or_reordering_entries_is_found(pristine, data):
    path = pristine.home.ledger
    lines = path.read_bytes().splitlines(keepends=True)
    order = data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=1, max_size=len(lines) + 2))
    if order == list(range(len(order))):
        return  # as it was, or cut at the end: see below
    try:
        path.write_bytes(b"".join(lines[number] for number in order))
        assert "chain" in kinds(verify_home(pristine.home))
    finally:
        path.write_bytes(b"".join(lines))


@pytest.mark.parametrize("left", [0, 1, 5])
def test_entries_cut_at_the_end_are_found_by_a_head_noted_before(filled, left):
    path = filled.home.ledger
    noted = Ledger.open(path).head
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:left]))
    assert kinds(verify_chain(path)) == set()
    assert kinds(verify_chain(path, noted)) == {"head"}
    # Their originals are there still, and betray them even without.
    assert kinds(verify_home(filled.home)) == {"extra"}


def test_a_head_noted_before_holds_when_the_ledger_has_grown(filled):
    noted = Ledger.open(filled.home.ledger).head
    filled.land("okta/users/users_20260401T120000Z.json")
    filled.take_in()
    assert verify_home(filled.home, noted) == []


def test_a_line_rewritten_with_a_hash_to_match_breaks_the_chain_after_it(filled):
    import hashlib

    path = filled.home.ledger
    lines = path.read_bytes().splitlines(keepends=True)
    told = json.loads(lines[1])
    told["records_parsed"] = 0
    del told["entry_hash"]
    told["entry_hash"] = hashlib.sha256(canonical(told)).hexdigest()
    lines[1] = canonical(told) + b"\n"
    path.write_bytes(b"".join(lines))
    (finding,) = [each for each in verify_chain(path)]
    assert finding.where == "ledger.jsonl line 3"


def test_a_whole_chain_rewritten_is_found_by_a_head_noted_before(filled):
    head = Ledger.open(filled.home.ledger).head
    entries = list(Ledger.open(filled.home.ledger).entries)
    filled.home.ledger.unlink()
    forged = Ledger.open(filled.home.ledger)
    for entry in entries[1:]:
        record = {name: getattr(entry, name) for name in type(entry).__mro__[1].__dataclass_fields__}
        forged.append(type(entry).__mro__[1](**record), NOON)
    assert kinds(verify_chain(filled.home.ledger, head)) == {"head"}


def test_missing_extra_and_replaced_originals_are_found(filled):
    first, second, third, fourth, *_ = kept_files(filled.home)
    first.unlink()
    second.unlink()
    second.symlink_to(third)
    overwrite(third, b"another length")
    fourth.unlink()
    fourth.mkdir()
    (filled.home.originals / "ab").mkdir(exist_ok=True)
    extra = filled.home.originals / "ab" / ("ab" * 32)
    extra.write_bytes(b"nobody delivered this")
    found = {(finding.kind, finding.where) for finding in verify_home(filled.home)}
    assert found == {
        ("missing", f"original {first.name}"),
        ("altered", f"original {second.name}"),
        ("altered", f"original {third.name}"),
        ("altered", f"original {fourth.name}"),
        ("extra", f"originals/ab/{extra.name}"),
    }


def test_an_original_in_the_wrong_folder_is_found(filled):
    path = kept_files(filled.home)[0]
    elsewhere = filled.home.originals / "zz"
    elsewhere.mkdir()
    shutil.move(path, elsewhere / path.name)
    assert kinds(verify_home(filled.home)) == {"missing", "extra"}


def test_originals_that_can_be_written_are_told_once(filled):
    for path in kept_files(filled.home)[:3]:
        path.chmod(0o644)
    (finding,) = verify_home(filled.home)
    assert finding.kind == "writable"
    assert "2 others" in finding.detail


def test_an_entry_that_says_other_than_its_sidecar_is_found(room):
    path = room.land("okta/users/users_20260302T120000Z.json", sidecar={"record_count": 3, "filtered": True})
    room.take_in()
    genuine = Ledger.open(room.home.ledger).entries[0]
    room.home.ledger.unlink()
    record = {name: getattr(genuine, name) for name in type(genuine).__mro__[1].__dataclass_fields__}
    forged = type(genuine).__mro__[1](**(record | {"declared_record_count": 1, "filtered": False}))
    Ledger.open(room.home.ledger).append(forged, NOON)
    findings = verify_home(room.home)
    assert kinds(findings) == {"sidecar"}
    assert [finding.detail.split()[0] for finding in findings] == ["filtered", "record_count"]
    assert path.exists()


def test_what_a_run_at_work_has_kept_but_not_yet_written_down_is_its_own_business(filled):
    script = "import sys; from pipelines.evidence.verify import verify_home; from pipelines.home import Home\nprint(verify_home(Home.at(sys.argv[1])))"
    sha256 = "ab" * 32
    filled.home.original(sha256).parent.mkdir(exist_ok=True)
    filled.home.original(sha256).write_bytes(b"just kept")

    def verified_elsewhere():
        command = [sys.executable, "-c", script, str(filled.home.root)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    with run_lock(filled.home):
        assert verified_elsewhere() == "[]\n"
    assert sha256 in verified_elsewhere()


def test_verifying_changes_nothing_and_needs_no_right_to_write(filled):
    def everything():
        return {
            path: (path.lstat().st_mtime_ns, path.lstat().st_mode) for path in filled.home.evidence.rglob("*")
        }

    before = everything()
    os.truncate(filled.home.ledger, filled.home.ledger.stat().st_size - 10)
    after_cut = filled.home.ledger.read_bytes()
    assert kinds(verify_home(filled.home)) >= {"torn"}
    assert filled.home.ledger.read_bytes() == after_cut
    assert everything().keys() == before.keys()
