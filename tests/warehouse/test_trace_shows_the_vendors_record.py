"""From a row of the report to the vendor's own record, found a second time without our code."""

from __future__ import annotations

import csv
import gzip
import io
import json

import pytest
import zstandard


def independent_record(home, system, sha256, number):
    """The record of an original, read with the standard library only."""
    raw = (home.root / "evidence" / "originals" / sha256[:2] / sha256).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    elif raw[:4] == b"\x28\xb5\x2f\xfd":
        raw = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)).read()
    text = raw.decode("utf-8-sig")
    try:
        whole = json.loads(text)
    except ValueError:
        lines = text.split("\n")
        if lines[0].startswith("{"):
            return json.loads(lines[number - 1])
        return list(csv.DictReader(io.StringIO(text)))[number - 1]
    if isinstance(whole, list):
        return whole[number - 1]
    wrapper = next((key for key in ("Records", "issues") if key in whole), None)
    return whole[wrapper][number - 1] if wrapper else whole


def operations(home):
    with (home.root / "reports/2026-H1/data/control_operations.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files(home):
    with (home.root / "reports/2026-H1/data/evidence_files.csv").open(encoding="utf-8", newline="") as file:
        return {row["sha256"]: row for row in csv.DictReader(file)}


def leaves(value):
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif value not in (None, "", True, False):
        yield str(value)


IDENTIFYING = {
    "hashicorp_vault": lambda record: [record.get("time") or record["path"]],
    "aws": lambda record: [record.get("eventID") or record["arn"]],
    "okta": lambda record: [record.get("uuid") or record["id"]],
    "jira": lambda record: [record["key"]],
    "github": lambda record: [record.get("_document_id") or record["url"]],
    "generic": lambda record: [leaf for leaf in leaves(record)][:3],
    "decisions": lambda record: [leaf for leaf in leaves(record)][:3],
    "hr": lambda record: [leaf for leaf in leaves(record)][:2],
}


@pytest.mark.parametrize("control", ["ROT", "REV", "OFF", "LOG", "EVD", "APR", "RVF", "INC", "CHG"])
def test_trace_prints_the_records_that_an_independent_reader_finds(company_home, control):
    known = files(company_home)
    chosen = [row for row in operations(company_home) if row["control_id"] == control and row["outcome"] == "deviation"][:3]
    assert chosen
    for row in chosen:
        done = company_home.upheld("trace", row["operation_id"])
        assert done.returncode == 0, done.stderr
        assert row["reason_text"] in " ".join(done.stdout.split())
        for reference in row["evidence"].split(" "):
            sha256, number = reference.split(":")
            assert reference in done.stdout
            system = known[sha256]["system"]
            record = independent_record(company_home, system, sha256, int(number))
            for value in IDENTIFYING[system](record):
                assert value in done.stdout, (reference, value)


def test_what_is_not_named_of_a_vault_record_is_masked(company_home):
    known = files(company_home)
    for row in operations(company_home):
        references = [r.split(":") for r in row["evidence"].split(" ")]
        logs = [(sha, int(n)) for sha, n in references if known[sha]["feed"] == "audit_log"]
        if row["control_id"] == "ROT" and logs:
            record = independent_record(company_home, "hashicorp_vault", *logs[0])
            done = company_home.upheld("trace", row["operation_id"])
            assert record["request"]["path"] in done.stdout
            assert record["auth"]["client_token"] not in done.stdout
            return
    raise AssertionError("no rotation leads to an audit log")
