"""What a description can say of where a value lies, in JSON and in CSV."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipelines.ingest.descriptions import load_descriptions, split_path, written_path
from pipelines.ingest.masking import shown
from tests.ingest.made_up_records import line, lines

FEED = """
version: 2
sources:
  - name: acme
    tables:
      - name: directory
        description: What Acme knows of its accounts.
        config:
          meta:
            kind: snapshot
            shape: [json, csv]
            wrappers: [value]
            provides: [account_state]
            masked: true
            native_id: [id]
            nulls: ["null", ""]
            actions:
              field: activity
              means: {Add user.: account_created, Update user: [account_enabled, account_disabled]}
              use: []
            obtain:
              command: acme export
              permission: reader
              retention: 30 days
              retention_days: 30
              traps: [It lies.]
        columns:
          - name: id
            description: The id.
            config: {meta: {paths: [id, Id, properties.id], headings: [Id, Object ID], required: true}}
          - name: activity
            description: What happened.
            config: {meta: {paths: [activityDisplayName, Operation], headings: [Activity]}}
          - name: caller
            description: Who asked.
            config: {meta: {paths: [caller.value, caller], headings: [Caller]}}
          - name: decision
            description: A key with dots of its own.
            config: {meta: {path: 'annotations."authorization.k8s.io/decision"', headings: [Decision]}}
          - name: version
            description: A number.
            config: {meta: {path: version, type: integer, headings: [Version]}}
          - name: extra
            description: Anything.
            config: {meta: {path: extra, type: json, headings: [Extra]}}
          - name: targets
            description: Acted upon.
            config:
              meta:
                path: targetResources
                headings: [Targets]
                type: list
                fields:
                  id: id
                  owner: {paths: [owner.email, owner]}
                  modified: {path: modifiedProperties, fields: {name: displayName, new: newValue}}
"""
TARGETS = [
    {"id": 7, "owner": {"email": "a@x"}, "secret": "s", "modifiedProperties": [{"displayName": "k", "newValue": "v", "x": "s"}]},
    {"id": "8", "owner": "b@x", "modifiedProperties": None},
]
READ_TARGETS = [
    {"id": "7", "owner": "a@x", "modified": [{"name": "k", "new": "v"}]},
    {"id": "8", "owner": "b@x", "modified": None},
]


@pytest.fixture(scope="module")
def feed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feeds")
    (folder / "acme").mkdir()
    (folder / "acme" / "directory.yml").write_text(FEED)
    return load_descriptions(folder)["acme", "directory"]


def test_the_first_path_that_is_there_counts(read, feed):
    records = [{"id": "1", "Id": "2"}, {"Id": "2"}, {"properties": {"id": "3"}}, {"id": None, "Id": "4"}]
    assert [row["id"] for row in read(lines(*records), feed).rows] == ["1", "2", "3", "4"]


def test_keys_that_differ_by_case_alone_stay_apart(read, feed):
    found = read(line([{"id": "1", "Operation": "x"}, {"ID": "2"}]), feed)
    assert (found.result.parsed, found.result.rejected) == (1, 1)


def test_a_path_may_run_through_another(read, feed):
    records = [{"id": "1", "caller": "u1"}, {"id": "2", "caller": {"value": "u2", "link": "l"}}, {"id": "3", "caller": {}},
               {"id": "4", "caller": "{odd"}]  # fmt: skip
    assert [row["caller"] for row in read(lines(*records), feed).rows] == ["u1", "u2", None, "{odd"]


def test_a_key_with_dots_stands_in_quotes(read, feed):
    record = {"id": "1", "annotations": {"authorization.k8s.io/decision": "allow"}}
    assert read(line(record), feed).rows[0]["decision"] == "allow"
    assert split_path('a."b.c".d') == ("a", "b.c", "d") and written_path(("a", "b.c", "d")) == 'a."b.c".d'


@pytest.mark.parametrize("wrap", [lambda targets: targets, json.dumps], ids=["list", "text"])
def test_a_list_is_read_from_a_list_and_from_a_text_that_holds_one(read, feed, wrap):
    row = read(line({"id": "1", "targetResources": wrap(TARGETS)}), feed).rows[0]
    assert row["targets"] == READ_TARGETS


def test_lists_within_lists_may_be_texts_too(read, feed):
    inner = [TARGETS[0] | {"modifiedProperties": json.dumps(TARGETS[0]["modifiedProperties"])}, TARGETS[1]]
    assert read(line({"id": "1", "targetResources": inner}), feed).rows[0]["targets"] == READ_TARGETS


@pytest.mark.parametrize("odd", ["", "[broken", "words", {"id": "1"}, 5, True, [1, None, "x"]])
def test_what_is_no_list_of_objects_costs_nothing_but_itself(read, feed, odd):
    found = read(line({"id": "1", "targetResources": odd, "version": 3}), feed)
    assert found.result.parsed == 1 and found.rows[0]["version"] == 3


@pytest.mark.parametrize(
    ("written", "extra"),
    [({"a": [1]}, '{"a":[1]}'), ('{"a":[1]}', '{"a":[1]}'), ("words", '"words"'), ("[broken", '"[broken"'), (7, "7")],
)  # fmt: skip
def test_json_is_read_from_json_and_from_a_text_that_holds_it(read, feed, written, extra):
    assert read(line({"id": "1", "extra": written}), feed).rows[0]["extra"] == extra


def test_words_for_nothing_are_nothing_only_where_the_description_says_so(read, feed):
    row = read(line({"id": "1", "activityDisplayName": "null", "Operation": "Add user"}), feed).rows[0]
    assert row["activity"] == "Add user"
    call = {"eventID": "null", "eventTime": "2026-01-01T00:00:00Z", "eventName": "null"}
    assert read(line(call), "aws/cloudtrail").rows[0]["event_name"] == "null"


def test_the_content_decides_whether_a_file_is_json_or_csv(read, feed):
    csv = 'Object ID,Activity,Version,Extra,Targets\n1,Add user,3,"{""a"":1}","[{""id"":""9""}]"\n2,null,x,words,\n'
    rows = read(csv.encode(), feed).rows
    assert [(row["id"], row["activity"], row["version"], row["extra"]) for row in rows] == [
        ("1", "Add user", 3, '{"a":1}'), ("2", None, None, '"words"'),
    ]  # fmt: skip
    assert [row["targets"] for row in rows] == [[{"id": "9", "owner": None, "modified": None}], None]
    assert [row["id"] for row in read(line({"value": [{"id": "1"}]}), feed).rows] == ["1"]


def test_the_whole_row_of_a_csv_is_an_object_of_its_headings(read, feed):
    record = replace(feed.column("extra"), name="record", paths=(("$",),), headings=(), type="json")
    whole = replace(feed, masked=False, columns=(*feed.columns, record))
    row = read(b"Id,Status of it\n1,open\n2,\n", whole).rows[1]
    assert json.loads(row["record"]) == {"Id": "2", "Status of it": None}


def test_actions_and_how_to_obtain_say_nothing_of_how_bytes_are_read(tmp_path, feed):
    assert feed.actions.means == {"Add user.": ("account_created",), "Update user": ("account_enabled", "account_disabled")}
    assert (feed.obtain.command, feed.obtain.retention_days, feed.obtain.traps) == ("acme export", 30, ("It lies.",))
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "directory.yml").write_text(FEED.replace("acme export", "acme dump").replace("account_created", "x"))
    assert load_descriptions(tmp_path)["acme", "directory"].fingerprint == feed.fingerprint


def test_what_is_masked_follows_the_paths(feed):
    record = {"Id": "1", "caller": {"value": "u", "link": "s"}, "extra": {"a": 1}, "targetResources": json.dumps(TARGETS),
              "other": "s", "annotations": {"authorization.k8s.io/decision": "allow", "x": "s"}}  # fmt: skip
    found = shown(feed, record)
    assert (found["Id"], found["extra"], found["other"]) == ("1", {"a": 1}, "***")
    assert found["caller"] == {"value": "u", "link": "***"}
    assert found["annotations"] == {"authorization.k8s.io/decision": "allow", "x": "***"}
    targets = json.loads(found["targetResources"])
    assert targets[0]["owner"] == {"email": "a@x"} and targets[1]["owner"] == "b@x"
    assert targets[0]["secret"] == "***"
    assert targets[0]["modifiedProperties"] == [{"displayName": "k", "newValue": "v", "x": "***"}]


def test_a_record_in_another_spelling_behind_the_first_ones_is_read_all_the_same(read):
    graph = {"id": "a", "createdDateTime": "2026-03-02T09:00:00Z", "userId": "u1", "status": {"errorCode": 0}}
    other = {"Id": "b", "CreatedDateTime": "2026-03-02T10:00:00Z", "UserId": "u2", "Status": {"errorCode": 0}}
    alone = read(lines(*[{**graph, "id": f"a{n}"} for n in range(400)]), "entra/sign_ins")
    mixed = read(lines(*[{**graph, "id": f"a{n}"} for n in range(400)], other), "entra/sign_ins")
    assert (alone.result.parsed, mixed.result.parsed) == (400, 401)
    assert mixed.rows[:400] == alone.rows
