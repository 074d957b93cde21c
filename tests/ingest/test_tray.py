"""A tray holds one lot of files after the other, and nothing of an earlier one is ever found on it."""

from __future__ import annotations

import mmap
import os

import pytest

from pipelines.ingest.tray import Tray
from tests.ingest.made_up_records import line


@pytest.fixture(params=["in memory", "through a pipe"])
def tray(request, monkeypatch):
    if request.param == "through a pipe":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    elif not hasattr(os, "memfd_create"):
        pytest.skip("this system has no files in memory")
    made = Tray(8 * mmap.PAGESIZE)
    yield made
    made.close()


def test_there_is_room_for_more_than_each_file_until_the_tray_is_full(tray):
    sizes = [0, 1, mmap.PAGESIZE - 1, mmap.PAGESIZE, 2 * mmap.PAGESIZE]
    rooms = [tray.room_for(size) for size in sizes]
    assert all(len(room) > size for room, size in zip(rooms, sizes, strict=True))
    for number, room in enumerate(rooms):
        room[:] = bytes([number]) * len(room)
    assert [set(room) for room in rooms] == [{number} for number in range(len(rooms))]
    assert tray.room_for(0) is None
    tray.clear()
    assert len(tray.room_for(7 * mmap.PAGESIZE)) == 8 * mmap.PAGESIZE


def test_a_file_on_the_tray_is_read_as_it_is_and_never_as_it_was(tray, connection):
    # Of one length, within one tick of any clock: nothing but its content tells it from the one before.
    for text in ["first", "again", "third", "a longer one, " * 9000, "short", "other"]:
        with tray.as_file([b"[", line({"a": text}), memoryview(b"]")]) as path:
            found = connection.execute(f"SELECT a FROM read_json('{path}', format = 'array', columns = {{a: 'VARCHAR'}})").fetchall()
        assert found == [(text,)]


def test_a_file_that_could_not_be_finished_leaves_nothing_behind(tray, connection):
    def cut():
        yield b'[{"a": "' + b"x" * 9000
        raise MemoryError

    with pytest.raises(MemoryError), tray.as_file(cut()) as path:
        # A reader of a pipe who stops before its end never learns why there was no more of it. This one reads on.
        connection.execute(f"SELECT a FROM read_json('{path}', format = 'array', columns = {{a: 'VARCHAR'}})").fetchall()
    with tray.as_file([line([{"a": "short"}])]) as path:
        assert connection.execute(f"SELECT a FROM read_json('{path}', format = 'array', columns = {{a: 'VARCHAR'}})").fetchall() == [("short",)]
