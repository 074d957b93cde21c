import os
import subprocess
import sys

import pytest

from pipelines.errors import UserMistake
from pipelines.evidence.run_lock import another_run_is_at_work, run_lock

HOLD = """
import sys
from pipelines.evidence.run_lock import run_lock
from pipelines.home import Home
with run_lock(Home.at(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_run(room):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(room.home.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_is_refused_in_one_line_that_names_the_first(room, other_run):
    assert another_run_is_at_work(room.home)
    with pytest.raises(UserMistake) as refusal, run_lock(room.home):
        pass
    assert str(refusal.value) == (
        f"Another run (process {other_run.pid}) is at work in {room.home.root}; wait until it is done."
    )


def test_a_run_that_was_killed_holds_nothing(room, other_run):
    other_run.kill()
    other_run.wait()
    assert not another_run_is_at_work(room.home)
    with run_lock(room.home):
        assert room.home.lock.read_text() == f"{os.getpid()}\n"


def test_a_step_may_take_the_lock_that_its_command_holds(room):
    with run_lock(room.home):
        with run_lock(room.home):
            assert not another_run_is_at_work(room.home)
        assert room.home.lock.read_text() == f"{os.getpid()}\n"
    assert room.home.lock.read_text() == ""


def test_a_run_clears_up_what_a_crash_left_half_copied(room):
    room.land("okta/users/a.json")
    room.take_in()
    leftover = room.home.originals / ".keeping-x1"
    leftover.write_bytes(b"half")
    with run_lock(room.home):
        assert not leftover.exists()


def test_a_run_that_fails_gives_the_lock_back(room):
    with pytest.raises(ZeroDivisionError), run_lock(room.home):
        raise ZeroDivisionError
    with run_lock(room.home):
        pass
