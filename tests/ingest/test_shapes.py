"""One set of records, however it is wrapped and packed, gives one set of rows."""

from __future__ import annotations

import gzip
import json

import pytest
import zstandard

from pipelines.ingest.descriptions import load_descriptions
from tests.ingest.made_up_records import PACKINGS, cloudtrail, line, lines, vault

EVENTS = [cloudtrail(number) for number in range(1, 8)]
EVENTS[3] = cloudtrail(4, requestParameters=None, errorCode="AccessDenied", userIdentity={"type": "IAMUser", "userName": "Zoë 🐙 \"q\" ],}"})

JSON_SHAPES = {
    "lines": lines(*EVENTS),
    "lines_without_a_last_line_feed": lines(*EVENTS)[:-1],
    "lines_ending_in_crlf": lines(*EVENTS).replace(b"\n", b"\r\n"),
    "lines_after_a_byte_order_mark": b"\xef\xbb\xbf" + lines(*EVENTS),
    "array": line(EVENTS),
    "array_over_many_lines": json.dumps(EVENTS, indent=2).encode(),
    "array_after_a_byte_order_mark": b"\xef\xbb\xbf\n" + json.dumps(EVENTS, indent="\t").encode() + b"\n\n",
    "records": line({"Records": EVENTS}),
    "records_over_many_lines": json.dumps({"Records": EVENTS}, indent=1).encode(),
    "records_between_other_keys": line({"a": ["Records", {"Records": [1]}], "Records": EVENTS, "warnings": ["]}", []]}),
    "objects_one_after_the_other": b"\n".join(json.dumps(event, indent=4).encode() for event in EVENTS),
    "objects_glued_together": b"".join(json.dumps(event, indent=4).encode() for event in EVENTS),
}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("shape", JSON_SHAPES)
def test_every_json_shape_and_packing_gives_the_same_rows(read, plain_rows, shape, packing):
    found = read(JSON_SHAPES[shape], "aws/cloudtrail", packing=packing)
    assert found.result.parsed == len(EVENTS) and found.result.rejected == 0
    assert [row["event_id"] for row in found.rows] == [event["eventID"] for event in EVENTS]
    assert found.rows == plain_rows(JSON_SHAPES["lines"], "aws/cloudtrail")


CSV_SHAPES = {
    "plain": "{h}\n{rows}",
    "crlf": "{h}\r\n{rows}",
    "byte_order_mark": "\ufeff{h}\n{rows}",
    "semicolons": "{h}\n{rows}",
    "tabs": "{h}\n{rows}",
    "all_quoted": "{h}\n{rows}",
    "other_order_and_case": "{h}\n{rows}",
}
ACCOUNTS = [
    {"system": "gitea", "account_id": "1", "enabled": "true", "display_name": 'Carla "C" O\'Neil', "tags": "a=b;c=d"},
    {"system": "gitea", "account_id": "2", "enabled": "no", "display_name": "two\nlines, and a comma", "tags": ""},
    {"system": "gitea", "account_id": "3", "enabled": "1", "display_name": "Zoë 🐙", "tags": "env=prod"},
]


def _csv(shape: str) -> bytes:
    import csv
    import io

    text = io.StringIO()
    headings = list(ACCOUNTS[0])
    if shape == "other_order_and_case":
        headings.reverse()
    writer = csv.writer(
        text,
        delimiter={"semicolons": ";", "tabs": "\t"}.get(shape, ","),
        lineterminator="\r\n" if shape == "crlf" else "\n",
        quoting=csv.QUOTE_ALL if shape == "all_quoted" else csv.QUOTE_MINIMAL,
    )
    writer.writerow([h.upper().replace("_", " ") for h in headings] if shape == "other_order_and_case" else headings)
    writer.writerows([account[heading] for heading in headings] for account in ACCOUNTS)
    return (("\ufeff" if shape == "byte_order_mark" else "") + text.getvalue()).encode()


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("shape", CSV_SHAPES)
def test_every_csv_shape_and_packing_gives_the_same_rows(read, shape, packing):
    found = read(_csv(shape), "generic/accounts", packing=packing)
    assert found.result.parsed == 3 and found.result.rejected == 0
    assert [row["display_name"] for row in found.rows] == [account["display_name"] for account in ACCOUNTS]
    assert [row["tags"] for row in found.rows] == ["a=b;c=d", None, "env=prod"]
    assert found.rows == read(_csv("plain"), "generic/accounts").rows


def test_packing_is_told_by_content_where_the_name_says_nothing(read):
    packed = gzip.compress(JSON_SHAPES["records"])
    assert read(packed, "aws/cloudtrail", name="export.json").result.parsed == len(EVENTS)


def test_a_name_that_promises_gzip_is_held_to_it(read):
    found = read(JSON_SHAPES["records"], "aws/cloudtrail", name="export.json.gz")
    assert found.result.status == "rejected" and "gzip" in found.result.reject_reason


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_several_members_in_one_packed_file_are_all_read(read, pack):
    content = b"".join(pack(lines(vault(number))) for number in range(1, 50))
    assert read(content, "hashicorp_vault/audit_log").result.parsed == 49


@pytest.mark.parametrize("packing", [".gz", ".zst"])
@pytest.mark.parametrize("cut", [1, 4, 9, 200])
def test_a_packed_file_that_is_cut_is_unreadable_and_leaves_no_rows(read, packing, cut):
    packed = PACKINGS[packing](lines(*(vault(number) for number in range(1, 500))))
    found = read(packed[:-cut], "hashicorp_vault/audit_log", name=f"log.ndjson{packing}")
    assert found.result.status == "rejected" and "truncated" in found.result.reject_reason
    assert (found.result.parsed, found.result.rejected, found.rows, found.rejected) == (0, 0, None, [])


def test_a_gzip_file_with_a_wrong_checksum_is_unreadable(read):
    packed = bytearray(gzip.compress(lines(vault(1), vault(2))))
    packed[-6] ^= 1
    found = read(bytes(packed), "hashicorp_vault/audit_log", name="log.gz")
    assert found.result.status == "rejected" and "corrupt" in found.result.reject_reason


def test_an_array_far_larger_than_any_record_is_streamed(read):
    events = [cloudtrail(number % 3600, filler="x" * 2000) for number in range(20_000)]
    found = read(line({"Records": events, "nextToken": None}), "aws/cloudtrail")
    assert found.result.parsed == 20_000 and not found.result.continuation


@pytest.mark.parametrize(
    ("envelope", "more"),
    [
        ({"nextToken": "abc"}, True),
        ({"nextToken": None}, False),
        ({"IsTruncated": True}, True),
        ({"IsTruncated": False}, False),
        ({"isLast": False}, True),
        ({"isLast": True}, False),
        ({}, False),
    ],
)
def test_an_envelope_tells_whether_more_pages_follow(read, envelope, more):
    assert read(line({"Records": EVENTS} | envelope), "aws/cloudtrail").result.continuation is more


def test_a_page_of_a_jira_search_says_how_many_issues_there_are(read):
    issue = {"key": "OPS-1", "fields": {"summary": "[URGENT] access", "issuetype": {"name": "Task"}}}
    page = {"startAt": 0, "maxResults": 1, "total": 2, "issues": [issue]}
    found = read(line(page), "jira/issues")
    assert found.result.continuation
    assert not read(line(page | {"startAt": 1}), "jira/issues").result.continuation
    assert found.rows[0]["summary"] == "[URGENT] access"
    assert json.loads(found.rows[0]["record"]) == issue


@pytest.mark.parametrize("content", [b"[]", b" [ ]\n", b'{"Records":[]}', b'{"Records": [ ], "nextToken": null}'])
def test_an_empty_list_is_a_file_without_records(read, content):
    found = read(content, "aws/cloudtrail")
    assert (found.result.status, found.result.parsed, found.result.rejected, found.rows) == ("accepted", 0, 0, [])


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b" \n\t\n"])
@pytest.mark.parametrize("feed", ["aws/cloudtrail", "generic/accounts", "hashicorp_vault/audit_log"])
def test_an_empty_file_is_taken_only_when_its_sidecar_declares_no_records(read, feed, content):
    refused = read(content, feed)
    assert refused.result.status == "rejected" and "empty" in refused.result.reject_reason
    assert (refused.result.rejected, refused.rows) == (0, None)
    assert read(content, feed, declared_record_count=3).result.status == "rejected"
    taken = read(content, feed, declared_record_count=0)
    assert (taken.result.status, taken.result.parsed, taken.rows) == ("accepted", 0, [])


def test_reading_is_repeatable_to_the_byte(read, connection, tmp_path):
    from pipelines.ingest.reader import read_evidence_file

    original = tmp_path / "log"
    original.write_bytes(lines(*(vault(number % 3600) for number in range(60_000)), b"{broken"))
    made = []
    for attempt in ("a", "b"):
        target = tmp_path / attempt / "x.parquet"
        rejected = tmp_path / attempt / "rejected" / "x.parquet"
        feed = load_descriptions()["hashicorp_vault", "audit_log"]
        read_evidence_file(original, "log", feed, target, rejected, connection=connection)
        made.append((target.read_bytes(), rejected.read_bytes()))
    assert made[0] == made[1]


def _of_another_spelling(data) -> dict:
    # Keys that differ by case alone are looked up in the text of what is around them.
    return cloudtrail(1, eventName="GetSecretValue", additionalEventData=data)


@pytest.mark.parametrize(
    "data",
    [
        {"SecretId": "s", "other": 1},
        {"other": {"a": ["x"]}, "secretId": "s"},
        '{"SecretId": "s"}',
        '{"\\u0053ecretId": "s"}',
        '{"secret\\u0049d": "s", "other": "\\\\"}',
    ],
    ids=str,
)
def test_what_is_looked_up_is_found_however_its_key_is_written(read, data):
    [row] = read(lines(_of_another_spelling(data)), "aws/cloudtrail").rows
    assert row["service_secret_id"] == "s"


@pytest.mark.parametrize(
    "data", [{"TheSecretId": "s"}, {"a": {"SecretId": "s"}}, {"note": "SecretId"}, "SecretId", '{"SecretId": "s"', "{SecretId}", None], ids=str
)
def test_nothing_is_looked_up_where_the_key_only_seems_to_be(read, data):
    [row] = read(lines(_of_another_spelling(data)), "aws/cloudtrail").rows
    assert (row["service_secret_id"], row["reject_reason"]) == (None, None)


@pytest.mark.parametrize("text", ["", "{", "[", "{x}", "[x]", "]", "}", "\\", "z", "|", ";", "\u015b{", "\U0001005b", "\u215b", " {}", "5"])
def test_a_text_is_itself_whatever_it_begins_with(read, text):
    [row] = read(lines(cloudtrail(1, errorCode=text)), "aws/cloudtrail").rows
    assert row["error_code"] == text


@pytest.mark.parametrize("value", [{}, [], {"a": 1}, [1], "{}", '["a"]', '{"a": "b"}'], ids=str)
def test_an_object_or_a_list_is_no_text_even_where_it_came_as_text(read, value):
    [row] = read(lines(cloudtrail(1, errorCode=value)), "aws/cloudtrail").rows
    assert row["error_code"] is None
