"""A CSV file with a record as JSON in a cell of each row comes to the rows of the records, each under its row's number."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.evidence import json_text
from pipelines.evidence.cells import Cells, as_lines, cells_with_records
from pipelines.evidence.csv_text import LARGEST_ROW, rows
from pipelines.evidence.records import find_records
from pipelines.ingest import content as content_module
from pipelines.ingest.content import HEAD
from pipelines.ingest.descriptions import load_descriptions
from tests.ingest.made_up_records import PACKINGS, cloudtrail, lines
from tests.ingest.wrappers import ENVELOPES, syslog

OFTEN = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CLOUDTRAIL = load_descriptions()["aws", "cloudtrail"]

# As Splunk, Purview, CloudWatch and a connector's raw table export: the headings, and where the record lies among them.
HEADINGS = {
    "splunk": (["_time", "_raw", "host"], 1),
    "purview": (["RecordId", "CreationDate", "RecordType", "Operation", "UserId", "AuditData"], 5),
    "log group": (["@timestamp", "@message"], 1),
    "raw table": (["_airbyte_ab_id", "_airbyte_data", "_airbyte_emitted_at"], 1),
    "alone": (["json"], 0),
}


def table(
    texts: Iterable[str],
    headings: Sequence[str],
    column: int,
    beside: str = 'x "y",\r\nz',
    delimiter: str = ",",
    line_end: str = "\r\n",
) -> bytes:
    """CSV with these texts in a column."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(headings)
    for text in texts:
        writer.writerow([text if place == column else beside for place in range(len(headings))])
    return out.getvalue().encode()


def splunk(*records: Any, **options: Any) -> bytes:
    return table(map(json.dumps, records), *HEADINGS["splunk"], **options)


@pytest.mark.parametrize(("headings", "envelope"), list(zip(itertools.cycle(HEADINGS), ENVELOPES)))
def test_a_record_in_a_cell_is_the_record_whatever_is_beside_and_around_it(read, plain_rows, headings, envelope):
    records = [cloudtrail(number, note="Zoë \"q\" {[,;\n") for number in range(1, 5)]
    expected = plain_rows(lines(*records), "aws/cloudtrail")
    around = [ENVELOPES[envelope](record) for record in records]
    for indent, count in ((None, 4), (2, 4), (None, 1)):
        texts = [json.dumps(each, indent=indent, ensure_ascii=False) for each in around[:count]]
        found = read(table(texts, *HEADINGS[headings]), "aws/cloudtrail")
        assert (found.rows, found.faults) == (expected[:count], {})


_beside = st.text(st.sampled_from("ab\"',;\t\n{}é"), max_size=6)


@OFTEN
@given(
    st.integers(1, 6), _beside, st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.sampled_from(sorted(PACKINGS)), st.integers(1, 2000),
)  # fmt: skip
def test_quotes_delimiters_encodings_packing_and_pieces_change_no_row(
    read, plain_rows, count, beside, delimiter, line_end, encoding, packing, size
):
    records = [cloudtrail(number, note='Zoë "q"') for number in range(count)]
    content = splunk(*records, beside=beside, delimiter=delimiter, line_end=line_end).decode().encode(encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content_module, "PIECE", size)
        found = read(content, "aws/cloudtrail", packing=packing)
    assert (found.rows, found.faults) == (plain_rows(lines(*records), "aws/cloudtrail"), {})


def test_rows_without_a_record_are_told_by_their_number_and_place(read):
    good = [json.dumps(cloudtrail(number)) for number in range(1, 6)]
    texts = [good[0], "", good[1], '{"eventID": ', good[2], "no json", '{"other": 1}', good[3]]
    content = table(texts, *HEADINGS["splunk"], line_end="\n") + b'\n\nx,"{""eventID"": ""open\n' + table([good[4]], [], 1)[1:]
    content = content.rstrip() + b'\nx,"' + good[4].replace('"', '""').encode() + b'",y'
    found = read(content, "aws/cloudtrail")
    assert [row["event_id"] for row in found.usable] == [f"event-{number}" for number in range(1, 6)]
    assert sorted(found.faults) == [2, 4, 6, 7, 9]
    for record in found.rejected:
        # The place is that of the row in the file.
        assert content[: record["byte_offset"]].endswith(b"\n") or record["byte_offset"] == 0
        assert content[record["byte_offset"] + record["byte_length"] :][:1] in (b"\n", b"\r", b"")


def test_a_row_that_is_too_long_is_rejected_alone(read):
    content = splunk(cloudtrail(1), cloudtrail(2, filler="x" * LARGEST_ROW), cloudtrail(3), line_end="\n", beside="x")
    found = read(content, "aws/cloudtrail")
    assert [row["event_id"] for row in found.usable] == ["event-1", "event-3"]
    assert found.faults.keys() == {2}


def test_a_file_longer_than_its_head_is_read_to_its_end(read, plain_rows):
    records = [cloudtrail(number, filler="x" * 700) for number in range(3000)]
    content = splunk(*records)
    assert len(content) > 2 * HEAD
    assert read(content, "aws/cloudtrail").rows == plain_rows(lines(*records), "aws/cloudtrail")


@OFTEN
@given(st.lists(st.sampled_from(["record", "envelope", "two", "", "x", "{", "syslog"]), min_size=1, max_size=8), st.sampled_from(sorted(PACKINGS)))
def test_what_is_read_is_found_again_by_its_number(read, tmp_path_factory, kinds, packing):
    numbers = itertools.count(1)
    texts = []
    for kind in kinds:
        made = cloudtrail(next(numbers))
        texts.append({
            "record": json.dumps(made), "envelope": json.dumps({"detail": made}, indent=1), "syslog": syslog(made),
            "two": json.dumps({"Records": [made, cloudtrail(next(numbers))]}),
        }.get(kind, kind))  # fmt: skip
    content = table(texts, *HEADINGS["splunk"])
    found = read(content, "aws/cloudtrail", packing=packing)
    if found.result.status == "rejected":
        return
    assert found.result.parsed == sum(2 if kind == "two" else kind in ("record", "envelope", "syslog") for kind in kinds)
    path = tmp_path_factory.getbasetemp() / f"cells{packing}"
    path.write_bytes(PACKINGS[packing](content))
    again = find_records(path, path.name, range(1, len(found.rows) + 2), CLOUDTRAIL.signs, CLOUDTRAIL.shapes)
    assert len(again) == len(found.rows)
    for number, row in enumerate(found.rows, 1):
        if row["reject_reason"] is None:
            assert again[number].value["eventID"] == row["event_id"]


def test_lines_with_something_before_their_json_are_lines(read):
    content = "\n".join(syslog(cloudtrail(number)) for number in (1, 2, 3)).encode()
    assert cells_with_records(content, True, CLOUDTRAIL.signs) is None
    assert len(read(content, "aws/cloudtrail").usable) == 3


@pytest.mark.parametrize("feed", ["okta/system_log", "kubernetes/audit_log", "generic/accounts", "aws/credential_report"])
def test_another_feed_s_records_in_cells_are_recognised(read, feed):
    content = table([json.dumps(cloudtrail(number), indent=2) for number in (1, 2)], *HEADINGS["purview"])
    found = read(content, feed)
    assert found.result.reject_reason == "this looks like aws/cloudtrail: move it to landing/aws/cloudtrail/"
    assert found.result.rejected == 1


@given(st.lists(st.sampled_from(['"', '""', ",", "\n", "\r\n", "{}", "{", '{"a":1}', "ü", " "]), max_size=30))
def test_every_line_ends_where_its_row_does(scraps):
    content = b"h,raw\n" + "".join(scraps).encode()
    _, *expected = rows([content], ",")
    found = json_text.lines(as_lines([content], Cells(",", 1, len(b"h,raw\n"))))
    assert [offset + length for offset, length, *_ in found] == [row.offset + row.length for row in expected]
