"""Killed at any instant and run again, a home comes to the same files; a reader of the old warehouse goes on."""

from __future__ import annotations

import shutil
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


def test_a_reader_of_the_published_warehouse_goes_on_while_the_next_one_is_published(company_home, other_home):
    shutil.copytree(company_home.root, other_home.root, symlinks=True)
    reader = duckdb.connect(str(other_home.root / "warehouse.duckdb"), read_only=True)
    count = "select count(*) from rpt_evidence_files"
    before = reader.execute(count).fetchone()
    export = other_home.root / "landing/okta/system_log/after_the_reader_came_20260715T000000Z.json"
    export.write_bytes(b"[]")
    other_home.run()
    assert reader.execute(count).fetchone() == before
    reader.close()
    with duckdb.connect(str(other_home.root / "warehouse.duckdb"), read_only=True) as fresh:
        assert fresh.execute(count).fetchone() > before
