"""Secrets that stand in evidence stay in the original and nowhere else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.ingest.descriptions import load_descriptions
from pipelines.ingest.ingest import ingest_landing
from pipelines.ingest.masking import MASK, shown
from tests.ingest.made_up_records import VAULT_REQUEST, cloudtrail, line, lines, vault

CANARY = "CANARY"


def _raw_log() -> bytes:
    """A Vault log as log_raw writes it: tokens, accessors, secret values and passwords in clear, in every place."""
    secret = {"password": "CANARY-1", "nested": {"deep": ["CANARY-2"]}}
    raw = [
        vault(
            1,
            auth={"client_token": "hvs.CANARY-3", "accessor": "CANARY-4", "display_name": "approle", "policies": ["CANARY-5"],
                  "metadata": {"role_name": "billing", "other": "CANARY-6"}},
            request={"id": "r1", "path": "kv/data/a", "client_token": "hvs.CANARY-7", "data": secret | {"versions": ["CANARY-8"]},
                     "headers": {"x-vault-token": ["CANARY-9"]}},
            response={"data": secret | {"version": "CANARY-10", "metadata": {"version": "CANARY-11", "custom": "CANARY-12"}},
                      "auth": {"client_token": "CANARY-13"}, "wrap_info": {"token": "CANARY-14"}},
            error="1 error occurred: password CANARY-15 is wrong",
        ),
        # Fields that should be text or numbers and hold something else.
        vault(2, auth={"display_name": {"token": "CANARY-16"}, "entity_id": ["CANARY-17"], "metadata": "CANARY-18"}),
        vault(3, request={"id": "r3", "path": {"p": "CANARY-19"}, "operation": ["CANARY-20"]}),
        vault(4, response={"data": {"version": {"v": "CANARY-21"}, "metadata": ["CANARY-22"]}}),
        vault(5, response="CANARY-23"),
        vault(6, request={"id": "r6", "path": "auth/token/lookup/hvs.CANARY24aaaaaaaaaaaaaaaaaaaa"}),
        vault(7, request={"id": "r7", "path": "auth/token/revoke/s.CANARY25bbbbbbbbbbbbbbbb"}),
        vault(8, time="CANARY-26 is no time but a text", request={"id": "r8", "path": "p"}) | {"time": ["CANARY-27"]},
        vault(9, CANARY_28="CANARY-29"),
        {"CANARY-30": "CANARY-31"},
        b'{"time":"2026-03-02T09:00:00Z","request":{"client_token":"CANARY-32',
        b"CANARY-33 plain",
    ]
    return lines(*raw)  # fmt: skip


FILES = {
    "hashicorp_vault/audit_log/raw.ndjson": _raw_log(),
    "hashicorp_vault/audit_log/cut.json": b'[{"time":"CANARY',
    "hashicorp_vault/audit_log/other.csv": b"CANARY-token,CANARY-value\n1,2\n",
    "hashicorp_vault/kv_metadata/list.ndjson": lines(
        {"mount": "kv", "path": "a", "data": {"current_version": 2, "data": {"password": "CANARY"}, "versions": {
            "1": {"created_time": "2026-03-02T09:00:00Z", "deletion_time": "", "destroyed": False, "value": "CANARY"},
            "2": {"created_time": {"CANARY": 1}, "deletion_time": ["CANARY"], "destroyed": True}}}},
    ),
    "aws/cloudtrail/assume_role.json": line({"Records": [
        cloudtrail(1, responseElements={"credentials": {"sessionToken": "CANARY", "secretAccessKey": "CANARY"},
                                        "accessKey": {"accessKeyId": "AKIA1", "secretAccessKey": "CANARY"}},
                   requestParameters={"userName": {"CANARY": 1}, "password": "CANARY", "secretString": "CANARY"}),
        {"eventID": "CANARY without the rest"} | {"eventID": ["CANARY"]}]}),
    "aws/credential_report/not_one.csv": b"hvs.CANARY,s.CANARY\nCANARY,CANARY\n",
    "aws/credential_report/odd.csv": b'user,arn,password,user_creation_time\nx,a,CANARY,\n"CANARY,x\n',
    "okta/system_log/token.json": line([
        {"uuid": "1", "published": "2026-03-02T09:00:00Z", "eventType": "x", "debugContext": {"debugData": {"token": "CANARY"}},
         "actor": {"id": "a", "secret": "CANARY"}, "target": [{"id": "t", "secret": "CANARY"}, "CANARY", {"id": {"k": "CANARY"}}]}]),
    "okta/users/users.json": line([{"id": "1", "status": "ACTIVE", "credentials": {"password": {"value": "CANARY"}}}]),
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Home:
    home = Home.at(tmp_path_factory.mktemp("secrets"))
    for name, content in FILES.items():
        path = home.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return home


@pytest.fixture(scope="module")
def summary(home):
    return ingest_landing(home)


def test_no_secret_reaches_lake_ledger_or_messages(home, summary, connection):
    assert summary.files_new == len(FILES) and summary.records_parsed >= 8 and summary.records_rejected >= 6
    assert CANARY not in "\n".join(summary.problems)
    assert CANARY.encode() not in home.ledger.read_bytes()
    tables = sorted(home.lake.rglob("*.parquet"))
    assert len(tables) > 2 * len(FILES)
    for table in tables:
        # Written out as text, since packed pages could hide it.
        rows = connection.execute(f"FROM read_parquet('{table}')").fetchall()
        assert CANARY not in str(rows), table.relative_to(home.lake)
        assert CANARY.encode() not in table.read_bytes()


def test_nothing_but_the_originals_and_landing_holds_a_secret(home, summary):
    holding = [
        path for path in home.root.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()
    ]
    assert all(path.is_relative_to(home.landing) or path.is_relative_to(home.originals) for path in holding)


def test_only_true_numbers_are_taken_where_a_number_is_expected(read):
    versions = ["7", 7, 7.5, True, -1, 10**30, {"v": 7}, [7], "seven", None]
    records = [vault(n, response={"data": {"version": version}}) for n, version in enumerate(versions)]
    found = read(lines(*records), "hashicorp_vault/audit_log")
    assert [row["response_version"] for row in found.rows] == [None, 7, None, None, -1, *[None] * 5]


def test_destroyed_versions_are_read_in_every_form_that_vault_takes(read):
    forms = [[1, 2], ["1", "2"], ["1,2"], "3", "3,4", 5, [], {"1": 2}, ["hmac-sha256:12ab"], [1, "x", None, [2]], True]
    records = [vault(n, request={"id": f"r{n}", "path": "p", "data": {"versions": form}}) for n, form in enumerate(forms)]
    found = read(lines(*records), "hashicorp_vault/audit_log")
    assert [row["request_versions"] for row in found.rows] == [
        [1, 2], [1, 2], [], [3], [3, 4], [5], [], [], [], [1], [],
    ]  # fmt: skip


def test_an_error_is_known_by_being_there_alone(read):
    errors = ["1 error occurred", "", None]
    found = read(lines(*(vault(n, error=error) for n, error in enumerate(errors)), vault(4)), "hashicorp_vault/audit_log")
    assert [row["has_error"] for row in found.rows] == ["true", None, None, None]


def test_an_error_within_the_answer_is_known_by_being_there_alone(read):
    errors = ["error verifying connection: password CANARY-15 is wrong", "", None, {"a": "CANARY-15"}]
    records = [vault(n, response={"data": {"error": error}}, error="") for n, error in enumerate(errors)]
    found = read(lines(*records, vault(5, response={"data": {}})), "hashicorp_vault/audit_log")
    assert [row["has_error_in_answer"] for row in found.rows] == ["true", None, None, "true", None]
    assert CANARY not in str(found.rows)
    assert CANARY not in str(shown(_feed("hashicorp_vault/audit_log"), records[0]))


def test_brackets_in_a_name_are_no_json(read):
    names = ["[bot] deploy", "{x", "[1]", "[", "{}", "{\"a\":1}"]
    records = [vault(n, auth={"display_name": name}) for n, name in enumerate(names)]
    found = read(lines(*records), "hashicorp_vault/audit_log")
    assert [row["auth_display_name"] for row in found.rows][:2] == names[:2]
    assert found.result.parsed == len(names)


# -- masking of what trace prints -------------------------------------------------------------------------------------


def _feed(name: str):
    return load_descriptions()[tuple(name.split("/"))]


def test_what_trace_shows_of_a_raw_log_holds_no_secret():
    import json

    for text in _raw_log().splitlines()[:-2]:
        value = shown(_feed("hashicorp_vault/audit_log"), json.loads(text))
        # Keys are the vendor's words; in a list of free keys they are shown, too.
        assert "CANARY-" not in str(value).replace("CANARY_28", "").replace("CANARY-30", "")
        assert "CANARY24" not in str(value) and "CANARY25" not in str(value)


def test_named_fields_are_shown_as_they_are_and_all_others_masked():
    record = VAULT_REQUEST | {"response": {"data": {"version": 4, "data": {"a": "b"}}}, "error": "no", "extra": [1, {"b": None}]}
    assert shown(_feed("hashicorp_vault/audit_log"), record) == {
        **VAULT_REQUEST,
        "request": VAULT_REQUEST["request"] | {"namespace": {"id": MASK, "path": "team/"}},
        "response": {"data": {"version": 4, "data": {"a": MASK}}},
        "error": MASK,
        "extra": [MASK, {"b": None}],
    }


def test_rows_of_a_credential_report_are_masked_by_heading():
    row = {"user": "x", "arn": "a", "access_key_1_last_used_region": "eu", "password_enabled": "true", "surprise": "s"}
    assert shown(_feed("aws/credential_report"), row) == row | {"access_key_1_last_used_region": MASK, "surprise": MASK}


def test_feeds_without_secrets_are_shown_whole():
    issue = {"key": "OPS-1", "fields": {"anything": 1}}
    assert shown(_feed("jira/issues"), issue) is issue


@pytest.mark.parametrize("record", ["text", 5, ["a", {"b": "c"}], None, True])
def test_what_is_no_object_is_masked_whole(record):
    assert "a" not in str(shown(_feed("aws/cloudtrail"), record)) or record is None


def test_a_crash_leaves_no_half_read_rows_behind(home, summary, tmp_path):
    folder = home.lake_folder("hashicorp_vault", "audit_log")
    copy = Home.at(tmp_path / "home")
    shutil.copytree(home.root, copy.root)
    leftover = copy.lake_folder("hashicorp_vault", "audit_log") / ".reading-1-1.rows"
    leftover.write_bytes(b"half")
    ingest_landing(copy)
    assert not leftover.exists() and not list(Path(folder).glob(".reading-*"))
