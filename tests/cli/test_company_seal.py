"""The example company's year, sealed, sampled and verified as its operator and its auditor do."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import cli
from pipelines.home import Home

PERIOD = "2026-H1"


@pytest.fixture
def copied(company, tmp_path) -> Home:
    """The company's home after its run, to be changed at will."""
    shutil.copytree(company.home.root, tmp_path / "home", symlinks=True)
    return Home.at(tmp_path / "home")


@pytest.fixture
def keys(tmp_path, monkeypatch) -> tuple[Path, Path]:
    """A signing key, configured, and its public half."""
    private, public = tmp_path / "signer.pem", tmp_path / "signer.pub.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True, capture_output=True
    )
    subprocess.run(
        ["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True
    )
    monkeypatch.setenv("UPHELD_SIGNING_KEY", str(private))
    return private, public


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_figures_form_and_places_of_every_bundle_hold(company, upheld):
    verified = upheld(company.home, "verify", "--json")
    assert verified.status == cli.DONE, verified.out
    told = json.loads(verified.out)
    assert told["faults"] == [] and told["verified"] == "Ledger and originals, 2 bundles"
    assert any("can't be told" in note for note in told["notes"])


def test_a_period_is_sealed_signed_and_revised_by_what_comes_later(copied, keys, upheld):
    _, public = keys
    sealed = upheld(copied, "seal", PERIOD)
    assert sealed.status == cli.DONE, sealed.out + sealed.err
    bundle = copied.report(PERIOD)
    noted = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    assert noted in sealed.out
    before = {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}

    # On 25 July a waiver is delivered that governs the period.
    later = upheld(copied, "report", PERIOD, "--as-of", "2026-07-26T00:00:00Z")
    assert later.status in (cli.DONE, cli.DONE_WITH_FINDINGS), later.err
    revision = copied.report(f"{PERIOD}.r2")
    assert str(revision) in later.out
    assert {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()} == before
    changes = rows(revision / "changes.csv")
    (waivers,) = [row for row in changes if row["subject"] == "decisions/waivers/main"]
    assert waivers["change"] == "added"
    waived = [row for row in changes if (row["column"], row["after"]) == ("outcome", "waived")]
    assert waived and all(waivers["id"] in row["evidence"] for row in waived)

    for arguments in (
        ["verify"],
        ["verify", str(bundle), "--manifest-sha256", noted],
        ["verify", str(revision), "--trusted-key", str(public)],
    ):
        verified = upheld(copied, *arguments)
        assert verified.status == cli.DONE
        assert ": 0 faults." in verified.out, verified.out

    # The other period's bundle was written before there was a key.
    verified = upheld(copied, "verify", "--trusted-key", str(public), "--json")
    assert verified.status == cli.DONE_WITH_FINDINGS
    (unsigned,) = json.loads(verified.out)["faults"]
    assert unsigned["where"] == "reports/2026-Q2/manifest.dsse.json"


def test_what_blocks_a_seal_is_listed_and_ends_with_one(copied, upheld):
    (acceptances,) = (copied.landing / "decisions" / "gap_acceptances").iterdir()
    newer = acceptances.with_name("gap_acceptances_20260709T090000Z.csv")
    newer.write_text(acceptances.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert upheld(copied, "ingest").status == cli.DONE
    blocked = upheld(copied, "seal", PERIOD)
    assert blocked.status == cli.DONE_WITH_FINDINGS
    first, line = blocked.out.splitlines()
    assert first == f"{PERIOD} can't be sealed yet:"
    assert "came in after the build" in line and "upheld run --as-of" in line
    assert not copied.sealed.exists()


def test_a_sample_is_drawn_again_alike_with_masked_evidence(copied, upheld):
    first = upheld(copied, "sample", PERIOD, "ROT", "--seed", "7", "--size", "5")
    assert first.status == cli.DONE, first.err
    folder = copied.sample(PERIOD, "ROT-7-5")
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(written) == {"samples.csv", "evidence.jsonl", "drawn_from.json"}
    assert [row["rank"] for row in rows(folder / "samples.csv")] == ["1", "2", "3", "4", "5"]
    evidence = [json.loads(line) for line in written["evidence.jsonl"].splitlines()]
    assert {line["rank"] for line in evidence} == {1, 2, 3, 4, 5}
    assert all(line["problem"] is None for line in evidence)
    tokens = {f"{line['sha256']}:{line['record_number']}" for line in evidence}
    assert tokens == {token for row in rows(folder / "samples.csv") for token in row["evidence"].split()}
    assert upheld(copied, "sample", PERIOD, "ROT", "--seed", "7", "--size", "5").out == first.out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == written


def test_the_sample_without_options_is_the_bundles(company, copied, upheld):
    drawn = upheld(copied, "sample", PERIOD, "OFF", "--json")
    assert drawn.status == cli.DONE, drawn.err
    told = [
        row for row in rows(company.home.report_data(PERIOD) / "samples.csv") if row["control_id"] == "OFF"
    ]
    assert [item["operation_id"] for item in json.loads(drawn.out)] == [row["operation_id"] for row in told]
    unknown = upheld(copied, "sample", PERIOD, "XYZ")
    assert unknown.status == cli.USERS_MISTAKE and "Assessed: " in unknown.err


def test_sampling_and_verifying_a_company_import_nothing_heavy(copied):
    for arguments in (["verify", str(copied.report(PERIOD))], ["sample", PERIOD, "OFF", "--size", "1"]):
        script = (
            "import sys, json, contextlib, io\n"
            "from pipelines import cli\n"
            "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
            f"    cli.main(['--home', {str(copied.root)!r}, *{arguments!r}])\n"
            "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ
        )
        assert not {"dbt", "dagster", "great_expectations", "duckdb", "pandas", "pyarrow"} & set(
            json.loads(done.stdout)
        )
