"""The same evidence gives the same files, whatever the order, the repetition and the number of runs it came in, and at
whatever instants runs were killed in between.

A reader of the warehouse of one run goes on while the next one is published.
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .conftest import AS_OF, CompanyHome, company_files

EVIDENCE_FILES = "select count(*) from rpt_evidence_files"

IN_A_NEW_HOME, IN_A_USED_ONE = (1.5, 6.0, 12.0), (15.0,)
"""After so many seconds runs are killed, one after the other: while they begin, take in, read the models and build them."""


@settings(
    max_examples=1,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(random=st.randoms(use_true_random=False), data=st.data())
def test_evidence_split_over_runs_that_are_killed_shuffled_and_repeated_gives_the_same_files(company_home, random, data):
    files = company_files()
    random.shuffle(files)
    first_share = data.draw(st.floats(min_value=0.1, max_value=0.9))
    first = files[: int(len(files) * first_share)]
    # Without a period there is nothing to report on; the second run brings what the first lacked.
    first += [file for file in files if file.parts[:2] == ("decisions", "periods") and file not in first]
    with tempfile.TemporaryDirectory() as folder:
        home = CompanyHome(Path(folder))
        home.land(first)
        kill_runs(home, IN_A_NEW_HOME)
        home.run()
        reader = duckdb.connect(str(home.root / "warehouse.duckdb"), read_only=True)
        before = reader.execute(EVIDENCE_FILES).fetchone()
        home.land(files)
        repeated = random.sample(files, 20)
        for file in repeated:
            if not file.name.endswith(".manifest.json"):
                copy_again(home, file)
        kill_runs(home, IN_A_USED_ONE)
        assert reader.execute(EVIDENCE_FILES).fetchone() == before
        home.run()
        assert home.data() == company_home.data()
        assert home.upheld("verify", str(home.root)).returncode == 0
        assert reader.execute(EVIDENCE_FILES).fetchone() == before
        reader.close()
        with duckdb.connect(str(home.root / "warehouse.duckdb"), read_only=True) as fresh:
            assert fresh.execute(EVIDENCE_FILES).fetchone() > before


def kill_runs(home: CompanyHome, seconds: Iterable[float]) -> None:
    for wait in seconds:
        process = subprocess.Popen(home.command("run", "--as-of", AS_OF), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def copy_again(home: CompanyHome, file: Path) -> None:
    """Drop a file a second time under another name, with its sidecar."""
    target = home.root / "landing" / file
    sidecar = target.with_name(target.name + ".manifest.json")
    again = target.with_name("zz-again-" + target.name)
    again.write_bytes(target.read_bytes())
    if sidecar.exists():
        again.with_name(again.name + ".manifest.json").write_bytes(sidecar.read_bytes())
