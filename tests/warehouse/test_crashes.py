"""Killed at any instant and run again, a home comes to the same files; a reader of the old warehouse goes on."""

from __future__ import annotations

import signal
import subprocess
import time

import duckdb
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


def test_a_reader_of_the_published_warehouse_goes_on_while_the_next_one_is_published(other_home):
    files = company_files()
    other_home.land(file for file in files if file.parts[0] in {"decisions", "okta", "hr"})
    other_home.run()
    reader = duckdb.connect(str(other_home.root / "warehouse.duckdb"), read_only=True)
    count = "select count(*) from rpt_evidence_files"
    before = reader.execute(count).fetchone()
    other_home.land(files)
    other_home.run()
    assert reader.execute(count).fetchone() == before
    reader.close()
    with duckdb.connect(str(other_home.root / "warehouse.duckdb"), read_only=True) as fresh:
        assert fresh.execute(count).fetchone() > before
