"""Whatever a tool puts around records, the rows of the lake are the same, and each is found again by its number."""

from __future__ import annotations

import base64
import itertools
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.evidence.containers import layout
from pipelines.evidence.json_text import begun
from pipelines.evidence.records import find_records
from pipelines.ingest.content import HEAD
from pipelines.ingest.descriptions import load_descriptions
from pipelines.ingest.masking import shown
from pipelines.ingest.unwrapped import unwrapped
from tests.ingest.made_up_records import PACKINGS, cloudtrail, line, lines, vault
from tests.ingest.wrappers import ENVELOPES, PAGES, syslog

OFTEN = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEEDS = ["aws/cloudtrail", "okta/system_log", "hashicorp_vault/audit_log"]


def okta(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "uuid": f"uuid-{number}", "published": f"2026-03-02T09:00:{number % 60:02}.123Z", "eventType": "user.lifecycle.suspend",
        "outcome": {"result": "SUCCESS"}, "actor": {"id": "a", "type": "User"}, "target": [{"id": "t", "type": "User"}],
    } | changes  # fmt: skip


MADE = {"aws/cloudtrail": cloudtrail, "okta/system_log": okta, "hashicorp_vault/audit_log": vault}


def _rows(read, content: bytes, feed: str, **options: Any) -> list[dict[str, Any]]:
    found = read(content, feed, **options)
    assert found.result.rejected == 0, found.faults
    return found.rows


@pytest.mark.parametrize(("envelope", "feed"), list(zip(ENVELOPES, itertools.cycle(FEEDS))))
def test_an_envelope_around_each_record_changes_no_row(read, plain_rows, feed, envelope):
    records = [MADE[feed](number, note="Zoë \"q\" {[") for number in range(1, 5)]
    wrapped = [ENVELOPES[envelope](record) for record in records]
    expected = plain_rows(lines(*records), feed)
    assert len(expected) == 4
    assert _rows(read, lines(*wrapped), feed) == expected
    assert _rows(read, line(wrapped), feed) == expected
    assert _rows(read, json.dumps(wrapped, indent=1).encode(), feed) == expected
    assert _rows(read, b"".join(json.dumps(each, indent=1).encode() for each in wrapped), feed) == expected
    assert _rows(read, line(wrapped[0]), feed) == expected[:1]


@pytest.mark.parametrize(("page", "feed"), list(zip(PAGES, itertools.cycle(FEEDS))))
def test_pages_change_no_row_wherever_they_are_cut(read, plain_rows, feed, page):
    records = [MADE[feed](number) for number in range(1, 8)]
    expected = plain_rows(lines(*records), feed)
    pages = [PAGES[page](records[start:end]) for start, end in ((0, 3), (3, 4), (4, 7))]
    assert _rows(read, lines(*pages), feed) == expected
    assert _rows(read, b"\n".join(json.dumps(each, indent=1).encode() for each in pages), feed) == expected
    assert _rows(read, line(PAGES[page](records)), feed) == expected
    assert _rows(read, json.dumps(PAGES[page](records), indent=2).encode(), feed) == expected


# Of a text, nothing is known before its end.
@pytest.mark.parametrize("page", sorted(PAGES.keys() - {"array in text"}))
def test_a_page_is_known_although_the_head_of_the_file_ends_in_it(read, plain_rows, page):
    records = [cloudtrail(number, note='Zoë "q" {[', filler="x" * 4000) for number in range(1, 300)]
    expected = plain_rows(lines(*records), "aws/cloudtrail")
    whole = PAGES[page](records)
    assert len(line(whole)) > HEAD
    assert _rows(read, line(whole), "aws/cloudtrail") == expected
    assert _rows(read, json.dumps({"a_tool": [whole]}, indent=1).encode(), "aws/cloudtrail") == expected
    assert _rows(read, lines(whole, whole), "aws/cloudtrail") == [*expected, *expected]


@pytest.mark.parametrize("size", range(1, 80))
def test_a_list_that_breaks_off_anywhere_is_closed_after_what_is_whole(size):
    text = json.dumps([{"a": {"b": 'c"]}', "d\\": [1, 2, {"e": None}]}, "f": "g,"}, ["h", {}], "i"]).encode()[:size]
    closed = begun(text)
    assert isinstance(json.loads(closed), list)
    assert text.startswith(closed.rstrip(b"]}"))


def test_several_arrays_of_one_object_are_read_in_its_order(read):
    document = {"Events": [cloudtrail(1), cloudtrail(2)], "note": "x", "Records": [cloudtrail(3)], "nextToken": None}
    for written in (line(document), json.dumps(document, indent=1).encode(), lines(document, document)[: len(line(document)) + 1]):
        assert [row["event_id"] for row in _rows(read, written, "aws/cloudtrail")] == ["event-1", "event-2", "event-3"]


def test_syslog_lines_hold_one_record_each(read):
    records = [cloudtrail(number) for number in (1, 2, 3)]
    content = "\n".join(map(syslog, records)).encode() + b"\n\nno json\n"
    found = read(content, "aws/cloudtrail")
    assert [row["event_id"] for row in found.usable] == ["event-1", "event-2", "event-3"]
    # The blank line keeps its number.
    assert found.faults.keys() == {5} and found.result.rejected == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
@pytest.mark.parametrize("packing", PACKINGS)
def test_an_encoding_changes_no_row(read, encoding, packing):
    text = lines(cloudtrail(1, note="Zoë 🐙"), {"detail": cloudtrail(2)}).decode()
    expected = read(text.encode(), "aws/cloudtrail").rows
    assert _rows(read, text.encode(encoding), "aws/cloudtrail", packing=packing) == expected
    table = 'system,account_id,enabled,display_name\r\ngitea,1,true,"two\r\nlines Zoë"\r\n'
    rows = read(table.encode(), "generic/accounts").rows
    assert _rows(read, table.encode(encoding), "generic/accounts", packing=packing) == rows


@pytest.mark.parametrize("hold", [str, lambda text: base64.b64encode(text.encode()).decode()], ids=["text", "base64"])
def test_a_csv_file_in_a_json_answer_is_read_as_csv(read, hold):
    report = "user,arn,user_creation_time\nlena,arn:aws:iam::1:user/lena,2024-01-01T00:00:00Z\n"
    answer = {"Content": hold(report), "ReportFormat": "text/csv", "GeneratedTime": "2026-01-01T00:00:00Z"}
    expected = read(report.encode(), "aws/credential_report").rows
    assert len(expected) == 1
    assert _rows(read, json.dumps(answer, indent=1).encode(), "aws/credential_report") == expected


def test_the_last_page_says_whether_more_follow(read):
    pages = [{"value": [okta(1)], "@odata.nextLink": "x"}, {"value": [okta(2)]}]
    assert not read(lines(*pages), "okta/system_log").result.continuation
    assert read(lines(*reversed(pages)), "okta/system_log").result.continuation


def test_an_envelope_behind_the_head_is_opened_and_a_record_in_no_envelope_is_rejected(read):
    plain = [cloudtrail(number % 3600, filler="x" * 400) for number in range(4000)]
    late = [{"detail": cloudtrail(1)}, {"detail": {"eventID": "e"}}, syslog(cloudtrail(2)).encode(), {"Records": [cloudtrail(3)] * 2}]
    found = read(lines(*plain, *late), "aws/cloudtrail")
    assert (found.result.parsed, sorted(found.faults)) == (4004, [4002])


# -- the database and Python agree, and records are found again --------------------------------------------------------


_envelope = st.sampled_from(sorted(ENVELOPES))
_page = st.sampled_from(sorted(PAGES))
_scrap = st.sampled_from([5, None, "x", {}, [], [1], {"eventID": "e"}, {"detail": {"a": 1}}, {"_raw": "{broken"}, {"Records": []}, {"detail": 7},
                          {"columns": [{"name": "a"}, {"name": "b"}], "rows": [[1], [1, None], ["x", {}], []]}, {"columns": [{"name": 1}], "rows": [[1]]},
                          {"columns": [], "rows": []}, {"columns": [{"name": "a"}], "rows": [1]}, {"columns": [{"name": "a"}], "rows": []},
                          [{"field": "a", "value": 1}], [{"field": 1, "value": 1}], [{"field": "a"}]])  # fmt: skip


@st.composite
def _values(draw):
    numbers = itertools.count(1)
    values = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["record", "page", "scrap"]))
        if kind == "record":
            values.append(ENVELOPES[draw(_envelope)](cloudtrail(next(numbers))))
        elif kind == "page":
            held = [ENVELOPES[draw(_envelope)](cloudtrail(next(numbers))) for _ in range(draw(st.integers(0, 3)))]
            values.append(PAGES[draw(_page)](held))
        else:
            values.append(draw(_scrap))
    return values


@OFTEN
@given(_values(), st.sampled_from(["lines", "array", "sequence", "blank lines"]), st.sampled_from(sorted(PACKINGS)))
def test_what_is_read_is_found_again_by_its_number(read, tmp_path_factory, values, form, packing):
    content = {
        "lines": lines(*values),
        "blank lines": b"\n" + lines(*values).replace(b"\n", b"\n\n"),
        "array": line(values),
        "sequence": b"\n".join(json.dumps(value, indent=1).encode() for value in values),
    }[form]
    found = read(content, "aws/cloudtrail", packing=packing)
    if found.result.status == "rejected":
        # In a sequence, what is neither an object nor a list is a fault.
        is_faulty = form == "sequence" and not all(isinstance(value, dict | list) for value in values)
        assert is_faulty or not any("event-" in json.dumps(value) for value in values if isinstance(value, dict) and value.get("eventID"))
        return
    rows = [row for row in found.rows if row["reject_reason"] != "blank"]
    assert len(rows) == found.result.parsed + found.result.rejected
    path = tmp_path_factory.getbasetemp() / f"again{packing}"
    path.write_bytes(PACKINGS[packing](content))
    feed = load_descriptions()["aws", "cloudtrail"]
    again = find_records(path, path.name, range(1, len(found.rows) + 2), feed.signs, feed.shapes)
    assert len(again) == len(found.rows)
    for number, row in enumerate(found.rows, 1):
        if row["reject_reason"] is None:
            assert again[number].value["eventID"] == row["event_id"]
            assert shown(feed, again[number].value)["eventID"] == row["event_id"]


@OFTEN
@given(_values())
def test_the_database_takes_apart_what_python_takes_apart(connection, tmp_path_factory, values):
    content = lines(*values)
    found = layout(content, True, load_descriptions()["aws", "cloudtrail"].signs)
    if found is None or found.form != "lines":
        return
    path = tmp_path_factory.getbasetemp() / "values.ndjson"
    path.write_bytes(content)
    query = unwrapped(f"read_json_objects('{path}', format = 'newline_delimited')", found.unwrapping)
    got = [json.loads(row[0]) for row in connection.execute(query).fetchall()]
    assert got == [record for value in values for record in found.unwrapping.records(value)]


@OFTEN
@given(st.integers(0, 10_000), st.sampled_from(FEEDS), st.sampled_from(sorted(PACKINGS)), _envelope)
def test_order_pages_packing_and_envelopes_change_no_row(read, seed, feed, packing, envelope):
    draw = random.Random(seed)
    records = [MADE[feed](number) for number in range(1, draw.randrange(2, 12))]
    draw.shuffle(records)
    wrapped = [ENVELOPES[envelope](record) for record in records]
    cut = draw.randrange(len(wrapped) + 1)
    content = lines(*(page for page in (wrapped[:cut], wrapped[cut:]) if page))
    rows = _rows(read, content, feed, packing=packing)
    key = load_descriptions()[tuple(feed.split("/"))].native_id[0]
    expected = read(lines(*(MADE[feed](number) for number in range(1, len(records) + 1))), feed).rows
    assert sorted(rows, key=lambda row: row[key]) == sorted(expected, key=lambda row: row[key])


# -- another feed's file ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [*ENVELOPES.values(), *(lambda r, page=page: page([r, r]) for page in PAGES.values())],
                         ids=[*ENVELOPES, *PAGES])  # fmt: skip
def test_another_feed_s_records_are_recognised_in_every_wrapper(read, wrap):
    record = okta(1, displayMessage="x", severity="INFO", transaction={"id": "1"})
    found = read(line(wrap(record)), "aws/cloudtrail")
    assert found.result.status == "rejected" and found.result.rejected == 1
    assert found.result.reject_reason == "this looks like okta/system_log: move it to landing/okta/system_log/"


# -- ids ----------------------------------------------------------------------------------------------------------------


def test_a_record_without_an_id_of_its_own_gets_its_hash_wherever_it_stands(read):
    def event(number: int, **changes: Any) -> dict[str, Any]:
        return {"auditID": f"a{number}", "stage": "ResponseComplete", "stageTimestamp": "2026-03-02T09:00:00.000000Z",
                "verb": "get", "user": {"username": "u"}, "objectRef": {"resource": "pods"}} | changes  # fmt: skip

    plain = [event(number, filler="x" * 600) for number in range(3000)]
    late = event(1, auditID="")
    rows = read(lines(*plain, late), "kubernetes/audit_log").rows
    assert rows[0]["record_hash"] is None and len(rows[-1]["record_hash"]) == 64
    assert read(json.dumps([late], indent=1).encode(), "kubernetes/audit_log").rows[0]["record_hash"] == rows[-1]["record_hash"]


def test_several_lists_in_an_object_too_large_to_hold_are_refused_whole_and_the_way_out_is_told(read):
    events = [cloudtrail(number % 3600, filler="x" * 2000) for number in range(5_000)]
    document = {"Records": events, "Events": events}
    for content in (line(document), line(document | {"Events": events[:3]})):
        found = read(content, "aws/cloudtrail")
        if found.result.status == "rejected":
            assert "write each to a file of its own" in found.result.reject_reason and found.result.rejected == 1
        else:
            assert found.result.parsed == len(events) + 3
