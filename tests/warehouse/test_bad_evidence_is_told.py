"""Damaged and mistaken evidence: one clear line each, and everything else still computed."""

from __future__ import annotations

import csv

import pytest

from tests.company.bad_evidence import bad_files
from tests.company.story import CONCLUSIONS


def test_the_run_is_done_and_says_with_its_status_that_evidence_was_rejected(spoiled):
    _, done = spoiled
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("bad", [bad for bad in bad_files() if bad.status == "rejected" or bad.rejected], ids=lambda bad: bad.path)
def test_each_bad_file_is_named_in_the_output(spoiled, bad):
    _, done = spoiled
    name = bad.path.rsplit("/", 1)[1]
    assert name in (done.stdout + done.stderr).replace("\n", "")


@pytest.mark.parametrize("bad", bad_files(), ids=lambda bad: bad.path)
def test_each_bad_file_is_registered_with_what_was_read_of_it(spoiled, bad):
    home, _ = spoiled
    with (home.root / "reports/2026-H1/data/evidence_files.csv").open(encoding="utf-8", newline="") as file:
        registered = {row["original_name"]: row for row in csv.DictReader(file)}
    row = registered[bad.path.rsplit("/", 1)[1]]
    assert (row["status"], int(row["records_parsed"]), int(row["records_rejected"])) == (bad.status, bad.parsed, bad.rejected)


def test_every_control_is_still_computed_for_every_period(spoiled):
    home, _ = spoiled
    for period in ("2026-H1", "2026-Q2"):
        with (home.root / f"reports/{period}/data/control_coverage.csv").open(encoding="utf-8", newline="") as file:
            found = {row["control_id"]: int(row["population"]) for row in csv.DictReader(file)}
        assert set(found) == {control for _, control in CONCLUSIONS}
        assert all(found.values())
