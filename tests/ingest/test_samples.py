"""Real exports: every record is accounted for, as an independent count by the standard library finds them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipelines.ingest.descriptions import FeedDescription, load_descriptions

SAMPLES = Path(__file__).parent.parent / "samples"
FILES = sorted(path for path in SAMPLES.glob("*/*/*") if path.is_file())


def _records(path: Path, feed: FeedDescription) -> list[Any]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    if feed.shapes == ("csv",) or ("csv" in feed.shapes and text.lstrip()[:1] not in "{["):
        return list(csv.DictReader(io.StringIO(text, newline="")))
    try:
        document = json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    if isinstance(document, dict):
        return next((document[key] for key in feed.wrappers if isinstance(document.get(key), list)), [document])
    return document


def _is_usable(record: Any, feed: FeedDescription) -> bool:
    def at(paths: tuple[tuple[str, ...], ...]) -> Any:
        for path in paths:
            found = record
            for key in path:
                found = found.get(key) if isinstance(found, dict) else None
            if found not in (None, ""):
                return found
        return None

    times = [column for column in feed.required_columns if column.type == "instant"]
    return all(at(column.paths) not in (None, "") for column in feed.required_columns) and all(
        re.match(r"(19|20)\d\d-\d\d-\d\d.\d\d:\d\d:\d\d(\D|$)|\d{12,13}(\.0)?$", str(at(column.paths))) for column in times
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
    records = _records(path, feed)
    assert found.result.parsed + found.result.rejected == len(records)
    if "json" in feed.shapes:
        assert [row["reject_reason"] is None for row in found.rows] == [_is_usable(record, feed) for record in records]


REFUSED = {
    # A list of people that says nothing of leaving, and one that is no list of people.
    "dbt_workday__workday_worker_leave_status_data.csv": "termination_date",
    "dbt_workday__workday_organization_role_worker_data.csv": "employee_id",
    "cloudmapper__iam-get-credential-report.json": "found JSON",
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
