"""Real exports: every record is accounted for, as an independent count by the standard library finds them."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.ingest.descriptions import FeedDescription, load_descriptions

SAMPLES = Path(__file__).parent.parent / "samples"
FILES = sorted(path for path in SAMPLES.glob("*/*/*") if path.is_file())


def _values(path: Path, feed: FeedDescription) -> list[Any] | None:
    """The values on the lines of a file, or the documents in it; None for CSV."""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    text = text.decode("utf-16" if text[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    if feed.signs is None or ("csv" in feed.shapes and text.lstrip()[:1] not in "{["):
        return None
    try:
        return [json.loads(text)]
    except ValueError:
        pass
    written_on = [line for line in text.split("\n") if line.strip()]
    values = [_parsed(line[line.find("{") :] if line[:1] not in "{[" else line) for line in written_on]
    if 2 * sum(isinstance(value, dict | list) for value in values) >= len(values):
        return values
    decoder, documents = json.JSONDecoder(), []
    while text := text.lstrip():
        document, end = decoder.raw_decode(text)
        documents.append(document)
        text = text[end:]
    return documents


def _parsed(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        # Syslog puts a header before it.
        return json.loads(text[max(text.find("{"), 0) :] if text[:1] == "<" else text)
    except ValueError:
        return None


def _records(value: Any, feed: FeedDescription) -> list[Any]:
    """The outermost objects with all that the feed requires, wherever they are; beside them in a list, everything."""
    value = _parsed(value)
    if _fits(value, feed):
        return [value]
    if isinstance(value, list):
        return [record for element in value for record in _records(element, feed)]
    parts = list(value.values()) if isinstance(value, dict) else []
    holding = [part for part in map(_parsed, parts) if any(_fits(r, feed) for r in _records(part, feed)) and part]
    holding = holding or [value[key] for key in feed.wrappers if isinstance(value, dict) and isinstance(value.get(key), list)]
    return [record for part in holding for record in _records(part, feed)] if holding else [value]


def _fits(record: Any, feed: FeedDescription) -> bool:
    def at(path: tuple[str, ...]) -> Any:
        found = record
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    return isinstance(record, dict) and all(
        any(at(path) not in (None, "") for path in column.paths) for column in feed.required_columns if column.paths
    )


def test_there_are_samples_of_every_shape():
    assert len(FILES) >= 15 and sum(path.stat().st_size for path in FILES) < 300_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_record_of_a_real_export_is_accounted_for(read, path):
    system, name = path.parts[-3:-1]
    feed = load_descriptions()[system, name]
    found = read(path.read_bytes(), feed, name=path.name)
    if found.result.status == "rejected":
        assert path.name in REFUSED and REFUSED[path.name] in found.result.reject_reason
        return
    values = _values(path, feed)
    if values is None:
        assert found.result.parsed + found.result.rejected == _rows(path)
        return
    records = [record for value in values for record in _records(value, feed)]
    assert found.result.parsed + found.result.rejected == len(records)
    assert found.result.parsed <= sum(_fits(record, feed) for record in records)
    numbers = {number for number, record in enumerate(records, 1) if not _fits(record, feed)}
    assert numbers <= found.faults.keys()


def _rows(path: Path) -> int:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    decoded = text.decode("utf-16" if text[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    if decoded.lstrip().startswith("{"):
        decoded = json.loads(decoded)["Content"]
        if "," not in decoded:
            decoded = base64.b64decode(decoded).decode()
    return sum(bool(row) for row in csv.reader(io.StringIO(decoded, newline=""))) - 1


REFUSED = {
    # A list of people that says nothing of leaving, and one that is no list of people.
    "dbt_workday__workday_worker_leave_status_data.csv": "termination_date",
    "dbt_workday__workday_organization_role_worker_data.csv": "employee_id",
}


def test_fields_of_real_records_are_where_the_descriptions_say(read):
    def first(name: str) -> dict[str, Any]:
        path = next(path for path in FILES if path.name == name)
        return read(path.read_bytes(), "/".join(path.parts[-3:-1]), name=name).usable[0]

    key = first("stratus__aws.persistence.iam-backdoor-user.json")
    assert (key["event_name"], key["response_access_key_id"][:4]) == ("CreateAccessKey", "AKIA")
    assert key["request_user_name"] == key["response_access_key_user"]
    vault = first("dd-core__vault_audit.json")
    assert (vault["operation"], vault["path"]) == ("update", "sys/policies/acl/admin")
    okta = first("panther-scenario__okta-add-administrator__brute_force_logins.jsonl")
    assert (okta["event_type"], okta["actor_type"]) == ("user.session.start", "User")
    jira = first("faros__ce_test_resources_issues__issues.json")
    assert jira["key"] == "TEST-1" and json.loads(jira["histories"])[0]["items"][0]["field"] == "status"
    root = first("cloudmapper__iam-credential-report.csv")
    assert (root["user"], root["access_key_1_active"], root["password_enabled"]) == ("<root_account>", "true", "not_supported")
