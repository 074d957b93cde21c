"""HOW_TO_VERIFY.md: its commands, run as they stand, say of a bundle what it claims."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from report_checks import PERIOD
from sealable import SEALED_AT, Keys, make_keys, make_sealable

from pipelines.home import Home
from pipelines.reports import bundle as writing
from pipelines.reports.bundle import formats
from pipelines.reports.data_files import rows_of
from pipelines.reports.digests import data_digest, file_digests, sha256_of
from pipelines.reports.seal import seal_bundle
from pipelines.settings import SIGNING_KEY_VARIABLE


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("keys"), "signer")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Home:
    home = make_sealable(tmp_path_factory.mktemp("signed"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SIGNING_KEY_VARIABLE, str(keys.private))
        patch.setattr(writing, "formats", lambda: [module for module in formats() if module.WRITES_DATA])
        seal_bundle(home, PERIOD, SEALED_AT)
    return home


def section(bundle: Path, number: int) -> str:
    """The commands of one section, in the order in which they stand."""
    text = (bundle / "HOW_TO_VERIFY.md").read_text(encoding="utf-8")
    chapter = next(part for part in text.split("\n## ") if part.startswith(f"{number}."))
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", chapter, re.DOTALL | re.MULTILINE))


def run(bundle: Path, number: int, **variables: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {name: str(value) for name, value in variables.items()}
    return subprocess.run(
        ["sh", "-c", section(bundle, number)], cwd=bundle, env=environment, capture_output=True, text=True
    )


def test_the_signature_is_verified_with_openssl(signed: Home, keys: Keys) -> None:
    bundle = signed.report(PERIOD)
    done = run(bundle, 1, KEY=keys.public)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(sha256_of(bundle / "manifest.json"))
    assert done.stdout.splitlines()[-1] == "Signature Verified Successfully"
    key_line = next(
        line for line in done.stdout.splitlines() if line.endswith(" -") and "manifest" not in line
    )
    assert f'"keyid": "{key_line.split()[0]}"' in done.stdout


def test_openssl_refuses_another_key_and_an_altered_manifest(
    signed: Home, tmp_path: Path, keys: Keys
) -> None:
    other = make_keys(tmp_path, "other")
    assert run(signed.report(PERIOD), 1, KEY=other.public).returncode != 0
    copy = tmp_path / "bundle"
    shutil.copytree(signed.report(PERIOD), copy)
    manifest = copy / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_bytes(manifest.read_bytes().replace(b"exceptions_noted", b"exceptions_n0ted", 1))
    done = run(copy, 1, KEY=keys.public)
    assert done.returncode != 0 and "differ" in done.stdout + done.stderr


def test_files_and_data_digest_are_checked_with_sha256sum(signed: Home) -> None:
    bundle = signed.report(PERIOD)
    done = run(bundle, 2)
    assert done.returncode == 0, done.stderr
    assert "all files are as named" in done.stdout and "no file is missing, none is added" in done.stdout
    digest = data_digest(file_digests(bundle))
    assert f"{digest}  -" in done.stdout and f'"sha256": "{digest}"' in done.stdout


def test_sha256sum_names_altered_removed_and_added_files(signed: Home, tmp_path: Path) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(signed.report(PERIOD), copy)
    for path in copy.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    with (copy / "data" / "deviations.csv").open("a") as file:
        file.write("\n")
    (copy / "data" / "unlinked.csv").unlink()
    (copy / "data" / "extra.csv").touch()
    done = run(copy, 2)
    said = done.stdout + done.stderr
    assert "all files are as named" not in said and "none is added" not in said
    assert (
        "data/deviations.csv: FAILED" in said and "data/unlinked.csv" in said and "> data/extra.csv" in said
    )


def test_outcomes_are_counted_by_hand(signed: Home) -> None:
    bundle = signed.report(PERIOD)
    done = run(bundle, 3)
    outcomes = [row["outcome"] for row in rows_of(bundle / "data" / "control_operations.csv")]
    expected = [
        f"{each}: {outcomes.count(each)}"
        for each in ("operated", "deviation", "waived", "indeterminate", "pending")
    ]
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize("control", ["ROT", "LOG", "OFF"])
def test_the_sample_is_drawn_again_by_hand(signed: Home, control: str) -> None:
    bundle = signed.report(PERIOD)
    done = run(bundle, 4, CONTROL=control)
    assert done.returncode == 0, done.stderr
    size, frame, *drawn = done.stdout.splitlines()
    sample = [row for row in rows_of(bundle / "data" / "samples.csv") if row["control_id"] == control]
    assert (size.strip(), frame.split()[0]) == (sample[0]["frame_size"], sample[0]["frame_sha256"])
    told = [f"{row['draw_sha256']} {row['operation_id']}" for row in sample]
    shown = min(25, len(told))
    assert drawn[:shown] == told[:shown]


def test_an_original_and_the_place_in_the_ledger_are_found_by_hand(signed: Home) -> None:
    bundle = signed.report(PERIOD)
    original = next(path for path in signed.originals.rglob("*") if path.is_file())
    done = run(bundle, 5, ORIGINAL=original, LEDGER=signed.ledger)
    assert done.returncode == 0, done.stderr
    hashed, line, entry_hash = done.stdout.splitlines()
    head = json.loads((bundle / "manifest.json").read_bytes())["predicate"]["ledger_head"]
    assert hashed.split()[0] == original.name
    assert (int(line), entry_hash.split()[0]) == (head["entry"], head["entry_hash"])


@pytest.mark.parametrize(("deviations", "decided"), [(0, 76), (1, 28), (1, 23), (14, 32), (5, 1000)])
def test_the_formula_of_the_spreadsheet_names_the_same_bound(deviations: int, decided: int) -> None:
    """BETA.INV(0.95, d + 1, n - d) is the rate at which at most d of n deviate with a chance of 5 %."""
    from math import comb

    from pipelines.binomial import upper_limit_95

    def chance(rate: float) -> float:
        return sum(comb(decided, d) * rate**d * (1 - rate) ** (decided - d) for d in range(deviations + 1))

    limit = upper_limit_95(deviations, decided)
    assert limit is not None
    assert chance(limit - 1e-6) > 0.05 > chance(limit + 1e-6)
