"""Killed at any instant and run again, a home comes to the same files."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from .conftest import AS_OF, company_files


@pytest.mark.parametrize("seconds", [(1.5, 6.0), (10.0, 16.0)])
def test_a_run_killed_twice_and_run_again_gives_the_same_files(company_home, other_home, seconds):
    other_home.land(company_files())
    for wait in seconds:
        process = subprocess.Popen(
            other_home.command("run", "--as-of", AS_OF), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
    other_home.run()
    assert other_home.data() == company_home.data()
    assert other_home.upheld("verify", str(other_home.root)).returncode == 0
