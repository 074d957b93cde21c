"""What can't be used is kept apart with its number, place and reason, and everything else is read."""

from __future__ import annotations

import json
import time
from hashlib import sha256

import pytest

from pipelines.evidence import json_text
from tests.ingest.made_up_records import PACKINGS, cloudtrail, line, lines, vault

VAULT = "hashicorp_vault/audit_log"


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize(
    "bad",
    [
        b'{"time":', b'{"time":"2026', b"{", b"[", b'"', b"plain text", b'{"a":1}}', b"\x00", b'{"a":"\xff"}', b'{"a":[',
        b'{"time":"2026-03-02T09:00:00Z","type":"x","request":{"id":"1","path":"p"', b"[1]", b"5", b"null", b'{"a":"\\',
    ],
)  # fmt: skip
def test_a_bad_line_takes_no_other_line_with_it(read, bad, packing):
    content = lines(vault(1), vault(2), bad, vault(4), vault(5), bad, bad, vault(8))
    found = read(content, VAULT, packing=packing)
    assert (found.result.status, found.result.parsed, found.result.rejected) == ("accepted", 5, 3)
    assert sorted(found.faults) == [3, 6, 7]
    assert [row["request_id"] for row in found.usable] == ["req-1", "req-2", "req-4", "req-5", "req-8"]
    assert [row["request_id"] for row in found.rows] == ["req-1", "req-2", None, "req-4", "req-5", None, None, "req-8"]
    for record in found.rejected:
        start, length = record["byte_offset"], record["byte_length"]
        assert content[start : start + length] == bad and record["text_sha256"] == sha256(bad).hexdigest()


def test_lines_that_only_together_are_an_object_are_two_bad_lines(read):
    halves = [b'{"time":"2026-03-02T09:00:00Z","type":"response","request":{"id":"r","path":', b'"p"}}']
    found = read(lines(vault(1), *halves, vault(4)), VAULT)
    assert (found.result.parsed, sorted(found.faults)) == (2, [2, 3])


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("blank", [b"", b"  \t", b"\r", b"\x0c"])
def test_a_blank_line_keeps_its_number_and_is_no_record(read, blank, packing):
    found = read(lines(blank, vault(2), blank, blank, vault(5), blank), VAULT, packing=packing)
    assert (found.result.parsed, found.result.rejected) == (2, 0)
    assert [n for n, row in enumerate(found.rows, 1) if row["reject_reason"] is None] == [2, 5]
    assert {row["reject_reason"] for row in found.rows if row["request_id"] is None} == {"blank"}


@pytest.mark.parametrize("end", [b"\n", b"\n\n\n", b"\r\n\r\n", b"", b"   ", b"\n  \n"])
def test_blank_lines_at_the_end_change_nothing(read, end):
    found = read(lines(vault(1), vault(2)).rstrip() + end, VAULT)
    assert (found.result.parsed, found.result.rejected) == (2, 0)


def test_blank_and_bad_lines_together_leave_every_number_right(read):
    content = lines(b"", vault(2), b"{", vault(4), b"", b'{"a":1}', vault(7))
    found = read(content, VAULT)
    assert [n for n, row in enumerate(found.rows, 1) if row["reject_reason"] is None] == [2, 4, 7]
    assert sorted(found.faults) == [3, 6]


def test_a_record_without_a_required_field_is_rejected_by_its_name(read):
    bad = vault(2)
    del bad["request"]["path"]
    found = read(lines(vault(1), bad, vault(3, type="")), VAULT)
    assert found.result.parsed == 1
    assert found.faults == {
        2: "request.path: expected a value, found none",
        3: "type: expected a value, found none",
    }


@pytest.mark.parametrize("time", ["soon", "redacted", "2026-13-01T00:00:00Z", "2026-03-02T25:00:00Z", "infinity", "epoch", -5])
def test_an_event_without_a_readable_time_is_rejected(read, time):
    found = read(lines(cloudtrail(1), cloudtrail(2, eventTime=time)), "aws/cloudtrail")
    assert list(found.faults) == [2] and found.faults[2].startswith("eventTime: expected an instant")


@pytest.mark.parametrize(
    ("time", "instant"),
    [
        ("2026-03-02T09:00:00Z", "2026-03-02 09:00:00"),
        ("2026-03-02T09:00:00.123456789Z", "2026-03-02 09:00:00.123456"),
        ("2026-03-02T09:00:00.6656485Z", "2026-03-02 09:00:00.665648"),
        ("2026-03-02 09:00:00", "2026-03-02 09:00:00"),
        ("2026-03-02T09:00:00.5", "2026-03-02 09:00:00.500000"),
        ("2026-03-02T09:00:00.089+0000", "2026-03-02 09:00:00.089000"),
        ("2026-03-02T09:00:00-0700", "2026-03-02 16:00:00"),
        ("2026-03-02T09:00:00.1+05:30", "2026-03-02 03:30:00.100000"),
        (1772442000, "2026-03-02 09:00:00"),
        (1772442000.25, "2026-03-02 09:00:00.250000"),
        ("1772442000123", "2026-03-02 09:00:00.123000"),
        ("1772442000123456", "2026-03-02 09:00:00.123456"),
        ("3/2/2026, 9:00:00.707 PM", "2026-03-02 21:00:00.707000"),
        ("03/02/2026 12:00:05 AM", "2026-03-02 00:00:05"),
    ],
)
def test_event_times_are_read_in_every_form_that_exporters_write(read, time, instant):
    found = read(lines(cloudtrail(1, eventTime=time)), "aws/cloudtrail")
    assert found.result.parsed == 1
    assert str(found.result.first_event_at) == f"{instant}+00:00" == str(found.result.last_event_at)


def test_first_and_last_event_are_instants_and_not_texts(read):
    times = ["2026-03-02T09:00:00.5Z", "2026-03-02T09:00:00Z", "2026-03-02T08:30:00-0100", "2026-03-02T10:00:00+05:00"]
    found = read(lines(*(cloudtrail(n, eventTime=time) for n, time in enumerate(times))), "aws/cloudtrail")
    assert str(found.result.first_event_at) == "2026-03-02 05:00:00+00:00"
    assert str(found.result.last_event_at) == "2026-03-02 09:30:00+00:00"


def test_unusable_elements_of_an_array_are_isolated(read):
    content = line([cloudtrail(1), 5, None, "x", [cloudtrail(2)], {}, cloudtrail(7), {"eventID": "e"}])
    found = read(content, "aws/cloudtrail")
    assert (found.result.parsed, sorted(found.faults)) == (3, [2, 3, 4, 6, 8])
    assert found.faults[8] == "eventTime: expected a value, found none; eventName: expected a value, found none"
    texts = [content[r["byte_offset"] :][: r["byte_length"]] for r in found.rejected]
    assert [json.loads(text) for text in texts] == [5, None, "x", {}, {"eventID": "e"}]
    assert [r["text_sha256"] for r in found.rejected] == [sha256(text).hexdigest() for text in texts]


@pytest.mark.parametrize(
    "broken",
    [
        line([cloudtrail(1), cloudtrail(2)])[:-1],
        line([cloudtrail(1), cloudtrail(2)])[:-1] + b",",
        line([cloudtrail(1), cloudtrail(2)])[:-9],
        line([cloudtrail(1)])[:-1] + b",]",
        line([cloudtrail(1)]) + b" x",
        b"[" + line(cloudtrail(1)) + line(cloudtrail(2)) + b"]",
        line({"Records": [cloudtrail(1)]})[:-1],
        line({"Records": [cloudtrail(1)]})[:-2],
        line({"Records": [cloudtrail(1)]}) + b"]",
        b'{"Records": [{"eventID": }]}',
        json.dumps(cloudtrail(1), indent=1).encode() + b"\n{\n",
        line([cloudtrail(1)]).replace(b"event-1", b"event\xff"),
    ],
)
def test_a_syntax_error_in_a_document_rejects_the_file_as_one_record(read, broken):
    found = read(broken, "aws/cloudtrail")
    assert (found.result.status, found.result.parsed, found.result.rejected) == ("rejected", 0, 1)
    assert [row["reject_reason"] for row in found.rows] == [found.result.reject_reason] == [found.faults[1]]
    assert found.rejected[0]["byte_length"] == len(broken) and found.rejected[0]["text"] is None


@pytest.mark.parametrize("number", [b"-9223372036854775809", b"1e400", b"1" * 4000, b"-0", b"0.1e-5"])
def test_a_number_where_a_record_should_be_is_a_rejected_record(read, number):
    assert read(b"[" + number + b"]", "aws/cloudtrail").result.rejected == 1
    found = read(b"[" + line(cloudtrail(1)) + b"," + number + b", " + number + b"]", "aws/cloudtrail")
    assert (found.result.status, found.result.parsed, found.result.rejected) == ("accepted", 1, 2)


def test_half_a_surrogate_pair_is_no_reason_to_lose_a_record(read):
    cut = cloudtrail(2, userAgent="x").copy()
    text = line(cut).replace(b'"x"', b'"emoji \\ud83d"')
    for content in (lines(cloudtrail(1), text, cloudtrail(3)), b"[" + text + b"]", b'{"Records":[' + text + b"]}"):
        found = read(content, "aws/cloudtrail")
        assert found.result.rejected == 0 and "event-2" in [row["event_id"] for row in found.usable]


def test_damaged_first_lines_do_not_hide_the_lines_behind_them(read):
    found = read(lines(b'{"time":"2026-03-0', b'{"ti', *(vault(n) for n in range(3, 9))), VAULT)
    assert (found.result.parsed, sorted(found.faults)) == (6, [1, 2])
    found = read(lines(b'{"time":"2026-03-0' + b"x" * json_text.LARGEST_TAIL * 2, *(vault(n) for n in range(2, 9))), VAULT)
    assert (found.result.parsed, sorted(found.faults)) == (7, [1])


@pytest.mark.parametrize("size", [1 << 20, 40 << 20])
def test_an_endless_line_is_isolated(read, size):
    found = read(lines(vault(1), b'{"a":"' + b"x" * size, vault(3)), VAULT)
    assert (found.result.parsed, list(found.faults)) == (2, [2])
    assert found.rejected[0]["byte_length"] == size + 6


def test_an_array_element_beyond_all_measure_rejects_the_file_in_plain_words(read):
    content = line([cloudtrail(1), cloudtrail(2, filler="x" * (40 << 20))])
    found = read(content, "aws/cloudtrail")
    assert found.result.status == "rejected" and "longer than 16 MiB" in found.result.reject_reason


@pytest.mark.parametrize("nesting", [b"[" * 200_000 + b"]" * 200_000, b'{"a":' * 200_000 + b"1" + b"}" * 200_000],
                         ids=["lists", "objects"])
def test_deep_nesting_harms_nothing(read, nesting):
    deep = b'{"zz":' + nesting + b"," + line(vault(2))[1:]
    found = read(lines(vault(1), deep, nesting, vault(4)), VAULT)
    assert found.result.parsed + found.result.rejected == 4
    assert {row["request_id"] for row in found.usable} >= {"req-1", "req-4"}
    array = read(b"[" + line(cloudtrail(1)) + b"," + nesting + b"]", "aws/cloudtrail")
    assert array.result.parsed + array.result.rejected in (1, 2)


@pytest.mark.parametrize("end", [b"]" * 1_000_000, b"]}" * 500_000, b'],"a":[]}' * 100_000, b"]" + b" " * 900_000 + b"]}"],
                         ids=["lists", "objects", "both", "blanks"])
def test_brackets_by_the_million_take_no_hours(read, end):
    begun = time.monotonic()
    found = read(b'{"Records":[' + line(cloudtrail(1)) + end, "aws/cloudtrail")
    assert found.result.status == "rejected" and time.monotonic() - begun < 30


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("feed", [VAULT, "aws/cloudtrail", "generic/accounts"])
def test_utf_16_is_read_where_it_says_so_and_else_refused_by_its_name(read, feed, encoding):
    record = vault(1) if feed == VAULT else cloudtrail(1)
    text = "system,account_id,enabled\ngitea,1,true\n" if feed == "generic/accounts" else lines(record).decode()
    found = read(text.encode(encoding), feed)
    if encoding == "utf-16":
        assert (found.result.parsed, found.rows) == (1, read(text.encode(), feed).rows)
        return
    assert found.result.status == "rejected" and "UTF-16" in found.result.reject_reason
    assert found.result.rejected == 1


@pytest.mark.parametrize(
    ("content", "feed", "looks_like"),
    [
        (lines(vault(1), vault(2)), "aws/cloudtrail", VAULT),
        (line({"Records": [cloudtrail(1)]}), VAULT, "aws/cloudtrail"),
        (line([{"uuid": "1", "published": "2026-03-02T09:00:00Z", "eventType": "x"}]), "aws/cloudtrail", "okta/system_log"),
        (line({"Records": [cloudtrail(1)]}), "generic/accounts", "aws/cloudtrail"),
        (b"system,account_id,enabled\na,b,true\n", "aws/cloudtrail", "generic/accounts"),
        (b"period_id,start,end,timezone\n", "decisions/owners", "decisions/periods"),
        (b"user,arn,user_creation_time,password_enabled,mfa_active\n", "hr/employees", "aws/credential_report"),
        (b"Employee ID;Name;Termination Date\n1;a;\n", "generic/tickets", "hr/employees"),
    ],
)
def test_a_file_in_the_wrong_folder_is_recognised_and_refused_whole(read, content, feed, looks_like):
    found = read(content, feed)
    assert (found.result.status, found.result.rejected) == ("rejected", 1)
    assert f"this looks like {looks_like}" in found.result.reject_reason


def test_a_file_is_never_told_to_move_to_the_folder_it_lies_in(read):
    staff = b"EEID,Full Name,Department,Business Unit,Date of Joining\n1,Lena,IT,Ops,2024-01-01\n"
    assert "no heading for termination_date" in read(staff, "hr/employees").result.reject_reason
    leavers = staff.replace(b"Joining\n", b"Joining,Exit Date\n").replace(b"01\n", b"01,2026-03-02\n")
    [row] = read(leavers, "hr/employees").usable
    assert (row["hire_date"], row["termination_date"]) == ("2024-01-01", "2026-03-02")


def test_records_that_no_feed_knows_are_rejected_one_by_one(read):
    wrapped = [{"version": "0", "detail-type": "AWS API Call via CloudTrail", "detail": {"eventID": n}} for n in (1, 2)]
    found = read(lines(*wrapped), "aws/cloudtrail")
    assert (found.result.status, found.result.parsed, found.result.rejected) == ("accepted", 0, 2)
    assert "eventID" in found.faults[1]


@pytest.mark.parametrize("content", [b"<!DOCTYPE html>\n<p>Session expired</p>\n", b"hello", bytes(range(256)) * 9])
@pytest.mark.parametrize("feed", [VAULT, "okta/users", "hr/employees", "aws/credential_report"])
def test_what_is_no_export_at_all_is_refused_whole(read, feed, content):
    found = read(content, feed)
    assert (found.result.status, found.result.parsed, found.result.rejected) == ("rejected", 0, 1)


def test_the_text_of_a_rejected_record_is_kept_only_where_it_can_hold_no_secret(read):
    hr = b"Employee ID,Name,Termination Date\n,Nobody,\n"
    assert read(hr, "hr/employees").rejected[0]["text"] == ",Nobody,"
    assert read(lines(vault(1), b"{secret"), VAULT).rejected[0]["text"] is None


def test_csv_where_a_feed_comes_as_json_alone_is_called_csv(read):
    history = b"User name,Event time,Event name\nann,2026-03-02T09:00:00Z,CreateUser\n"
    assert read(history, "aws/cloudtrail").result.reject_reason == (
        "expected JSON (lines, an array, or an object with Records or Events), found what looks like CSV: export it as JSON"
    )
    assert "found text without any object" in read(b"no such thing\n", "aws/cloudtrail").result.reject_reason
