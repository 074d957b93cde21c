"""Feed descriptions: one YAML per feed is all there is to a feed."""

from __future__ import annotations

import pytest

from pipelines.ingest.descriptions import BrokenDescription, load_descriptions, match_headings, normal_heading
from pipelines.ingest.projection import lake_columns
from tests.ingest.made_up_records import lines

FEED = """
version: 2
sources:
  - name: acme
    tables:
      - name: audit
        description: What Acme logs.
        config:
          meta:
            kind: log
            shape: json
            wrappers: [entries]
            provides: [usage]
            masked: true
            event_time: at
            native_id: []
        columns:
          - name: at
            description: When.
            config: {meta: {path: time, type: instant, required: true}}
          - name: who
            description: Who.
            config: {meta: {path: actor.name, required: true}}
          - name: tags
            description: Tags.
            config: {meta: {path: actor.tags, type: json}}
"""


def _described(tmp_path, text: str):
    path = tmp_path / "acme" / "audit.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return load_descriptions(tmp_path)["acme", "audit"]


def test_every_feed_is_described_under_its_own_name():
    descriptions = load_descriptions()
    assert len(descriptions) >= 23
    for (system, feed), description in descriptions.items():
        assert description.file == f"pipelines/ingest/feeds/{system}/{feed}.yml"
        assert description.description and all(column.description for column in description.columns)
        # Logs and inventories of vaults and IAM; not tickets and changes, whose rules may name any field.
        assert description.masked is (description.kind in ("log", "snapshot") and system not in ("generic", "hr"))
        assert description.keeps_rejected_text is not description.masked


def test_a_new_feed_needs_a_description_and_no_code(read, tmp_path):
    feed = _described(tmp_path, FEED)
    record = {"time": "2026-03-02T09:00:00Z", "actor": {"name": "carla", "tags": {"a": [1]}, "password": "x"}}
    found = read(lines(record, {"time": "2026-03-02T09:00:01Z"}), feed)
    assert found.result.parsed == 1 and found.faults == {2: "actor.name: expected a value, found none"}
    row = found.rows[0]
    assert (row["at"], row["who"], row["tags"]) == ("2026-03-02T09:00:00Z", "carla", '{"a":[1]}')
    # Nothing names an event of this feed, so the record's own hash does.
    assert len(row["record_hash"]) == 64
    wrapped = read(b'{"entries":[' + lines(record).strip() + b"]}", feed)
    assert wrapped.rows[0] == row


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("kind: log", "kind: lag", "kind"),
        ("shape: json", "shape: xml", "shape"),
        ("provides: [usage]", "provides: [magic]", "magic"),
        ("event_time: at", "event_time: when", "event_time"),
        ("native_id: []", "native_id: [key]", "key is no column"),
        ("path: time", "headings: [time]", "json columns have a path"),
        ("type: json", "type: day", "day"),
        ("path: actor.name", "path: actor..name", "keys with dots"),
        ("path: actor.tags", "path: $", "never the whole record"),
        ("native_id: []", "native_id: []\n            actions: {field: what, means: {}}", "what is no column"),
        ("name: who", "name: at", "twice"),
        ("name: who", "name: reject_reason", "taken"),
        ("type: json", "type: json, values: [OFF]", "quote"),
        ("type: json", "type: list", "fields"),
        ("masked: true", "mosked: true", "mosked"),
    ],
)
def test_a_description_that_contradicts_itself_is_refused_by_file_and_fault(tmp_path, old, new, says):
    with pytest.raises(BrokenDescription, match=r"acme/audit\.yml") as refused:
        _described(tmp_path, FEED.replace(old, new))
    assert says in str(refused.value)


def test_the_fingerprint_changes_with_what_is_read_and_not_with_what_is_said(tmp_path):
    def fingerprint(folder: str, text: str) -> str:
        (tmp_path / folder).mkdir()
        return _described(tmp_path / folder, text).fingerprint

    first = fingerprint("a", FEED)
    assert first == fingerprint("b", FEED.replace("What Acme logs.", "All that Acme logs."))
    assert first != fingerprint("c", FEED.replace("actor.name", "actor.login"))


@pytest.mark.parametrize("written", ["Employee ID", "employee_id", "EMPLOYEE-ID", " Employee.Id ", "employeeId", "\ufeffEmployee ID"])
def test_headings_are_compared_without_case_and_separators(written):
    assert normal_heading(written) == "employeeid"


def test_headings_are_matched_to_columns_by_place():
    feed = load_descriptions()["hr", "employees"]
    places, twice = match_headings(feed.columns, ["Status", "x", "E-mail", "Employee #", "x"])
    assert (places, twice) == ({"employee_id": 3, "work_email": 2, "status": 0}, [])
    assert match_headings(feed.columns, ["Status", "Employee #", "status"])[1] == ["Status"]


def test_types_of_the_lake():
    vault = lake_columns(load_descriptions()["hashicorp_vault", "audit_log"])
    assert (vault["response_version"], vault["request_versions"], vault["time"]) == ("BIGINT", "BIGINT[]", "VARCHAR")
    assert list(vault)[-1] == "reject_reason"
    versions = lake_columns(load_descriptions()["hashicorp_vault", "kv_metadata"])["versions"]
    assert versions == 'MAP(VARCHAR, STRUCT("created_time" VARCHAR, "deletion_time" VARCHAR, "destroyed" VARCHAR))'
    assert "record_hash" in lake_columns(load_descriptions()["generic", "events"])
