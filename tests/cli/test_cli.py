"""The command line's manners: what it imports, what it answers to mistakes, how it ends."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys

import pytest

from pipelines import cli
from pipelines.home import Home

HEAVY = {"dbt", "dagster", "great_expectations", "duckdb", "pandas"}


def upheld(*arguments: str) -> int:
    """The exit status of a command run in this process."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    return ended.value.code


def imported_by(*arguments: str) -> set[str]:
    """The heavy libraries that a command imports in a process of its own."""
    script = (
        "import sys, json, contextlib, io\n"
        "from pipelines import cli\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    cli.main({list(arguments)!r})\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return HEAVY & set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["--version"], ["verify"], ["sources", "--json"]]
)
def test_light_commands_import_nothing_heavy(tmp_path, arguments):
    (tmp_path / "evidence").mkdir()
    assert imported_by("--home", str(tmp_path), *arguments) == set()


def test_a_trace_imports_nothing_heavy(tmp_path):
    data = tmp_path / "reports" / "2026-H1" / "data"
    data.mkdir(parents=True)
    (data / "control_operations.csv").write_text(
        "operation_id,period_id,control_id,outcome,evidence\nop1,2026-H1,ROT,operated,\n"
    )
    assert imported_by("--home", str(tmp_path), "trace", "op1") == set()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frobnicate"], "No such command"),
        (["run", "--colour"], "No such option"),
        (["report"], "Missing argument"),
        (["run"], "no landing folder"),
        (["ingest"], "no landing folder"),
        (["run", "--as-of", "yesterday"], "--as-of: expected an instant"),
        (["build"], "No audit period is configured"),
        (["check"], "upheld build"),
        (["report", "2026-H1"], "upheld run"),
        (["verify"], "neither a home"),
        (["verify", "--manifest-sha256", "abc"], "64 hexadecimal digits"),
        (["verify", "--trusted-key", "no-such-file.pem"], "public key"),
        (["seal", "2026-H1"], "upheld run"),
        (["seal"], "Missing argument"),
        (["sample", "2026-H1", "ROT"], "upheld report 2026-H1"),
        (["sample", "2026-H1", "ROT", "--seed", "-1"], "--seed"),
        (["trace", "op1"], "op1"),
    ],
)
def test_a_mistake_is_answered_in_one_line(tmp_path, capfd, arguments, said):
    assert upheld("--home", str(tmp_path), *arguments) == cli.USERS_MISTAKE
    printed = capfd.readouterr()
    assert printed.out == ""
    [line] = printed.err.splitlines()
    assert line.startswith("upheld: ")
    assert said in line


def test_without_a_command_it_shows_its_help(capfd):
    assert upheld() == cli.DONE
    assert "Commands:" in capfd.readouterr().out


def test_a_home_that_another_run_holds_is_not_waited_for(tmp_path, capfd):
    home = Home.at(tmp_path)
    home.landing.mkdir()
    with home.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert upheld("--home", str(tmp_path), "run") == cli.USERS_MISTAKE
    assert "Another run" in capfd.readouterr().err


def test_a_bug_of_ours_shows_its_traceback_and_no_status_that_means_done(tmp_path, monkeypatch, capfd):
    def broken(home: Home) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("pipelines.orchestration.sources.summarise_sources", broken)
    assert upheld("--home", str(tmp_path), "sources") == cli.OUR_BUG
    assert "KeyError: 'surprise'" in capfd.readouterr().err


def test_the_home_comes_from_the_environment_too(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("UPHELD_HOME", str(tmp_path))
    assert upheld("run") == cli.USERS_MISTAKE
    assert str(tmp_path) in capfd.readouterr().err


def test_verify_names_each_fault_and_ends_with_one(tmp_path, capfd):
    home = Home.at(tmp_path)
    stray = home.original("ab" + "0" * 62)
    stray.parent.mkdir(parents=True)
    stray.write_text("who put this here?")
    assert upheld("verify", str(tmp_path)) == cli.DONE_WITH_FINDINGS
    assert "1 fault" in capfd.readouterr().out


def test_an_original_deleted_after_ingest_fails_verification(tmp_path, capfd):
    home = Home.at(tmp_path)
    exports = home.landing / "hr" / "employees"
    exports.mkdir(parents=True)
    (exports / "employees_20260302T053000Z.csv").write_text(
        "Employee_ID,Worker,Primary_Work_Email,Hire_Date,Termination_Date,Worker_Status\n"
        'E1,"Able, Ada",ada@acme.example,2024-01-08,,Active\n',
        encoding="utf-8",
    )
    assert upheld("--home", str(tmp_path), "ingest") == cli.DONE
    assert upheld("verify", str(tmp_path)) == cli.DONE
    (original,) = (path for path in home.originals.rglob("*") if path.is_file())
    original.unlink()
    capfd.readouterr()
    assert upheld("verify", str(tmp_path)) == cli.DONE_WITH_FINDINGS
    assert original.name in capfd.readouterr().out
