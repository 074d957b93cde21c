import errno
import fcntl
import hashlib
import mmap
import os
import stat

import pytest

from pipelines.errors import BrokenEvidence, NotKept
from pipelines.evidence import originals
from pipelines.evidence.originals import keep, remove_unfinished_copies


def test_a_file_is_kept_once_unchanged_and_read_only_and_stays_in_landing(room):
    content = os.urandom(3_000_000)
    path = room.land("okta/users/a.json", content)
    first, again = keep(room.home, path), keep(room.home, path)
    assert first == again
    assert first.sha256 == hashlib.sha256(content).hexdigest()
    assert first.size_bytes == len(content)
    assert first.path == room.home.original(first.sha256)
    assert first.path.read_bytes() == path.read_bytes() == content
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o444
    assert [each for each in room.home.originals.rglob("*") if each.is_file()] == [first.path]


@pytest.mark.parametrize("size", [4096, originals._CHUNK, originals._CHUNK + 1, 2 * originals._CHUNK + 4096, 3 * originals._CHUNK])
def test_a_copy_of_any_length_is_the_same_bytes_under_their_hash(room, size):
    content = os.urandom(size)
    kept = keep(room.home, room.land("okta/users/a.json", content))
    assert (kept.path.read_bytes(), kept.sha256) == (content, hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, originals._CHUNK, originals._CHUNK + 1, 3 * originals._CHUNK + 5])
@pytest.mark.parametrize("more", [1, 4096, 2 * originals._CHUNK, -1, -4096])
def test_where_there_is_room_for_a_file_its_bytes_are_there_afterwards(room, size, more):
    content = os.urandom(size)
    there = memoryview(mmap.mmap(-1, max(1, size + more)))
    kept = keep(room.home, room.land("okta/users/a.json", content), room=there)
    assert (kept.path.read_bytes(), kept.sha256) == (content, hashlib.sha256(content).hexdigest())
    if len(there) > size:
        assert bytes(there[:size]) == content


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="this system writes through its cache always")
@pytest.mark.parametrize("refused_by", ["the file system", "the disk", "the disk, half way"])
def test_where_the_cache_cant_be_passed_by_the_copy_goes_through_it(room, monkeypatch, refused_by):
    content = os.urandom(2 * originals._CHUNK + 5)
    set_flags, write = fcntl.fcntl, os.write

    def refuse_to_set(descriptor, command, flags=0):
        if command == fcntl.F_SETFL and flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "Invalid argument")
        return set_flags(descriptor, command, flags)

    def refuse_to_write(descriptor, chunk):
        if set_flags(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            if refused_by == "the disk" or len(chunk) < originals._CHUNK:
                raise OSError(errno.EINVAL, "Invalid argument")
            return write(descriptor, chunk[:4096])
        return write(descriptor, chunk)

    if refused_by == "the file system":
        monkeypatch.setattr(fcntl, "fcntl", refuse_to_set)
    else:
        monkeypatch.setattr(os, "write", refuse_to_write)
    assert keep(room.home, room.land("okta/users/a.json", content)).path.read_bytes() == content


def test_an_empty_file_is_evidence_too(room):
    assert keep(room.home, room.land("okta/users/a.json", b"")).sha256 == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("change", ["grows", "is rewritten", "shrinks"])
def test_a_file_that_changes_while_it_is_copied_is_left_for_the_next_run(room, monkeypatch, change):
    path = room.land("okta/users/a.json", b"x" * 100_000)
    copy = originals._copy_and_hash

    def copy_while_someone_writes(*arguments):
        done = copy(*arguments)
        if change == "grows":
            with path.open("ab") as file:
                file.write(b"more")
        elif change == "is rewritten":
            path.write_bytes(b"y" * 100_000)
        else:
            os.truncate(path, 10)
        return done

    monkeypatch.setattr(originals, "_copy_and_hash", copy_while_someone_writes)
    with pytest.raises(
        NotKept,
        match=r"^landing/okta/users/a\.json: changed while it was being copied; left for the next run",
    ):
        keep(room.home, path)
    assert list(room.home.originals.iterdir()) == []
    monkeypatch.undo()
    assert keep(room.home, path).path.read_bytes() == path.read_bytes()


def test_nothing_is_taken_from_outside_landing(room, tmp_path):
    secret = tmp_path / "shadow"
    secret.write_text("root")
    room.land("okta/users/a.json")
    folder = room.home.landing / "okta" / "users"
    (folder / "link.json").symlink_to(secret)
    for path in (folder / "link.json", folder / ".." / ".." / ".." / ".." / "shadow", secret):
        with pytest.raises(NotKept, match="leads out of landing"):
            keep(room.home, path)
    assert not room.home.originals.exists()


def test_a_pipe_a_folder_and_a_vanished_file_are_told_not_waited_for(room):
    folder = room.land("okta/users/a.json").parent
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    for name in ("pipe", "folder", "vanished"):
        with pytest.raises(NotKept, match=f"okta/users/{name}: not taken in"):
            keep(room.home, folder / name)


def test_bytes_whose_original_was_altered_are_not_taken_for_kept(room):
    path = room.land("okta/users/a.json", b"as it was")
    kept = keep(room.home, path).path
    kept.chmod(0o644)
    kept.write_bytes(b"longer than it was")
    with pytest.raises(BrokenEvidence, match="altered after it was kept"):
        keep(room.home, path)


def test_what_a_crash_left_half_copied_is_cleared_up(room):
    kept = keep(room.home, room.land("okta/users/a.json"))
    (room.home.originals / ".keeping-x1").write_bytes(b"half")
    remove_unfinished_copies(room.home)
    assert [each for each in room.home.originals.rglob("*") if each.is_file()] == [kept.path]
