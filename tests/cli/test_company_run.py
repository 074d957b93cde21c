"""A whole run on the example company, as a person sees it."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import cli
from pipelines.home import Home


@pytest.fixture
def copied(company, tmp_path) -> Home:
    """The company's home after its run, to be changed at will."""
    shutil.copytree(company.home.root, tmp_path / "home", symlinks=True)
    return Home.at(tmp_path / "home")


def test_the_run_ends_with_conclusions_bundles_and_problems(company):
    run = company.command
    assert run.status == cli.DONE_WITH_FINDINGS, run.err
    assert "exceptions noted" in run.out
    for period in ("2026-H1", "2026-Q2"):
        assert str(company.home.report(period)) in run.out
    assert "problems" in run.out
    assert "Traceback" not in run.err
    assert "dagster" not in run.err.lower(), "progress for people, not a log of events"


def test_the_same_run_again_does_nothing_and_ends_alike(company, upheld):
    before = company.home.build_database.stat().st_mtime_ns
    again = upheld(company.home, "run", "--as-of", company.as_of)
    assert again.status == company.command.status
    assert "Nothing new" in again.out
    assert company.home.build_database.stat().st_mtime_ns == before
    assert again.out.splitlines()[1:] == company.command.out.splitlines()


def test_doing_nothing_imports_nothing_heavy(company):
    script = (
        "import sys, json, contextlib, io\n"
        "from pipelines import cli\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    cli.main(['--home', {str(company.home.root)!r}, 'run', '--as-of', {company.as_of!r}])\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"dbt", "dagster", "great_expectations", "duckdb"} & set(json.loads(done.stdout))


def test_an_operation_can_be_traced_to_its_evidence(company, upheld):
    with (company.home.report("2026-H1") / "data" / "control_operations.csv").open(encoding="utf-8") as file:
        operation = next(row for row in csv.DictReader(file) if row["outcome"] == "deviation")
    traced = upheld(company.home, "trace", operation["operation_id"])
    assert traced.status == cli.DONE, traced.err
    assert operation["reason"] in traced.out
    assert operation["evidence"].split(":")[0] in traced.out
    assert f"Rule {operation['control_id']}" in traced.out
    as_json = upheld(company.home, "trace", "--json", operation["operation_id"])
    assert json.loads(as_json.out)["row"]["operation_id"] == operation["operation_id"]


def test_home_and_bundle_verify_until_somebody_alters_them(company, copied, upheld):
    assert upheld(company.home, "verify").status == cli.DONE
    assert upheld(company.home, "verify", str(company.home.report("2026-H1"))).status == cli.DONE

    data = copied.report("2026-H1") / "data" / "deviations.csv"
    data.write_text(data.read_text(encoding="utf-8").replace("late", "fine"), encoding="utf-8")
    verified = upheld(copied, "verify", str(copied.report("2026-H1")))
    assert verified.status == cli.DONE_WITH_FINDINGS
    assert "data/deviations.csv" in verified.out


def test_sources_list_every_feed_that_delivered(company, upheld):
    listed = upheld(company.home, "sources", "--json")
    assert listed.status == cli.DONE, listed.err
    delivered = {
        (path.parent.parent.name, path.parent.name)
        for path in company.home.landing.glob("*/*/*")
        if path.is_file()
    }
    assert delivered <= {(source["system"], source["feed"]) for source in json.loads(listed.out)}
    assert "okta/system_log" in upheld(company.home, "sources").out


def test_an_unknown_period_is_a_mistake_before_anything_is_built(copied, upheld):
    before = copied.build_database.stat().st_mtime_ns
    run = upheld(copied, "run", "--period", "2031-H1")
    assert run.status == cli.USERS_MISTAKE
    assert run.err.splitlines()[-1].startswith("upheld: There is no period '2031-H1'. Configured")
    assert copied.build_database.stat().st_mtime_ns == before


def files_of(bundle: Path) -> dict[str, bytes]:
    return {str(path.relative_to(bundle)): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}


def test_step_by_step_comes_to_the_same_bundle_as_in_one_go(company, copied, upheld):
    expected = files_of(copied.report("2026-Q2"))
    for arguments in (
        ["ingest"],
        ["build", "--as-of", company.as_of],
        ["check"],
        ["report", "2026-Q2"],
    ):
        step = upheld(copied, *arguments)
        assert step.status in (cli.DONE, cli.DONE_WITH_FINDINGS), step.err
    assert files_of(copied.report("2026-Q2")) == expected
