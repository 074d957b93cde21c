"""Whatever the bytes: reading ends, and parsed + rejected is the number of records an independent count finds."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.ingest.made_up_records import PACKINGS, line, lines, vault

FEEDS = ["hashicorp_vault/audit_log", "aws/cloudtrail", "okta/system_log", "jira/issues", "hr/employees", "generic/events",
         "decisions/policies"]  # fmt: skip
OFTEN = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

_good_line = st.integers(1, 3000).map(lambda number: line(vault(number)))
_scraps = st.sampled_from(
    [b"", b" ", b"\r", b"{", b"}", b"[", b"]", b'"', b'{"time":', b'{"a":"\xff"}', b"\x00", b"5", b"null", b'{"a":1}',
     b'{"time":"x","type":"y","request":{"id":"1","path":"p"}}', b'"p"}}', b'{"time":"2026-03-02T09:00:00Z","type":"t",',
     b'"request":{"id":"1","path":"p"}}', b"\xef\xbb\xbf", b'{"a":"\\ud800"}', b"\\", b"1,2,3", b"// x"]
)  # fmt: skip
_lines = st.lists(st.one_of(_good_line, _good_line, _scraps, st.binary(max_size=12)), max_size=12)


def _holds_together(found) -> None:
    result = found.result
    assert result.rejected == len(found.rejected)
    if result.status == "rejected":
        assert result.parsed == 0 and result.rejected in (0, 1) and result.reject_reason
    else:
        assert result.parsed == len(found.usable)
    for record in found.rejected:
        assert "\n" not in record["reason"] and record["reason"]
        if result.status == "accepted":
            assert found.rows[record["record_number"] - 1]["reject_reason"] == record["reason"]


@OFTEN
@given(st.binary(max_size=400), st.sampled_from(FEEDS), st.sampled_from(sorted(PACKINGS)))
def test_arbitrary_bytes_end_in_a_result(read, content, feed, packing):
    _holds_together(read(content, feed, packing=packing))


@OFTEN
@given(st.binary(max_size=200), st.sampled_from([".gz", ".zst"]), st.data())
def test_damaged_packed_files_end_in_a_result(read, content, packing, data):
    packed = bytearray(PACKINGS[packing](content))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    _holds_together(read(bytes(packed), "hashicorp_vault/audit_log", name=f"log{packing}"))


@OFTEN
@given(_lines, st.sampled_from(["", ".gz"]))
def test_every_line_is_a_row_and_every_good_line_is_used(read, pieces, packing):
    content = b"\n".join([line(vault(1)), line(vault(2)), line(vault(3)), *pieces])
    found = read(content, "hashicorp_vault/audit_log", packing=packing)
    _holds_together(found)
    written = content.split(b"\n")
    if 2 * sum(_is_object(each) for each in written) < sum(bool(each.strip()) for each in written):
        return
    records = [each for each in written if each.strip()]
    assert found.result.status == "accepted"
    assert found.result.parsed + found.result.rejected == len(records)
    usable = [json.loads(each)["request"]["id"] for each in written if _is_usable(each)]
    assert [row["request_id"] for row in found.usable] == usable
    for record in found.rejected:
        at = record["byte_offset"]
        assert content[at : at + record["byte_length"]] == written[record["record_number"] - 1]


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text.removeprefix(b"\xef\xbb\xbf")), dict)
    except ValueError:
        return False


def _is_usable(text: bytes) -> bool:
    return _is_object(text) and str(json.loads(text).get("time", "")).startswith("2026")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["eventID", "a", "b"]), inner, max_size=3),
    max_leaves=6,
)
_event = st.fixed_dictionaries({"eventID": st.text(min_size=1, max_size=5), "eventName": st.just("x"), "eventTime": st.just("2026-03-02T09:00:00Z")})


@OFTEN
@given(st.lists(_json | _event, max_size=8), st.sampled_from(["array", "records", "indented"]), st.integers(0, 400))
def test_every_element_of_an_array_is_a_row_and_a_cut_one_is_refused_whole(read, elements, form, cut):
    document = elements if form == "array" else {"before": [1], "Records": elements, "after": ["]", {}]}
    content = json.dumps(document, indent=1 if form == "indented" else None).encode()
    found = read(content, "aws/cloudtrail")
    _holds_together(found)
    usable = [e["eventID"] for e in elements if isinstance(e, dict) and set(e) == {"eventID", "eventName", "eventTime"}]
    if found.result.status == "accepted":
        values = list(_flat(elements))
        assert found.result.parsed + found.result.rejected == len(values)
        assert [row["event_id"] for row in found.usable] == usable
        for record in found.rejected:
            text = content[record["byte_offset"] :][: record["byte_length"]]
            # The place is that of the element, and a list among them is a page.
            value = values[record["record_number"] - 1]
            assert json.loads(text) == value or value in _flat(json.loads(text))
    else:
        assert not usable
    shorter = read(content[: -1 - cut % len(content)], "aws/cloudtrail")
    _holds_together(shorter)
    assert shorter.result.parsed == 0


def _flat(elements):
    for element in elements:
        if isinstance(element, list) and any(isinstance(each, dict) for each in element):
            yield from _flat(element)
        else:
            yield element


_cell = st.text(st.sampled_from('ab1 ,";\n\r\tü'), max_size=6)


@OFTEN
@given(st.lists(st.lists(_cell, min_size=4, max_size=4), max_size=8), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_well_formed_csv_is_read_to_the_row_and_the_cell(read, table, end, quoted):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL if quoted or end == "\n" else csv.QUOTE_MINIMAL)
    writer.writerow(["system", "account_id", "enabled", "display_name"])
    writer.writerows([cells[0], cells[1], "true", cells[3]] for cells in table)
    found = read(text.getvalue().encode(), "generic/accounts")
    _holds_together(found)
    assert found.result.status == "accepted" and len(found.rows) == len(table)
    # Spaces before a quote are the one thing that readers of CSV do not agree about.
    for row, cells in zip(found.rows, table, strict=True):
        assert [row["system"] or "", row["account_id"] or "", row["display_name"] or ""] == [cells[0], cells[1], cells[3]]


_csv_scraps = st.lists(
    st.sampled_from([b"a,b,true\n", b"a", b",", b'"', b'""', b"\n", b"\r\n", b"\r", b'"x\ny"', b"\xff", b"\x00", b" "]), max_size=25
)


@OFTEN
@given(_csv_scraps)
@example([b"a", b'"', b"a,b,true\n", b'"'])
@example([b'"', b"a,b,true\n", b'"', b"a,b,true\n"])
def test_damaged_csv_gives_as_many_rows_as_a_plain_reader_finds(read, scraps):
    content = b"system,account_id,enabled\n" + b"".join(scraps)
    found = read(content, "generic/accounts")
    _holds_together(found)
    assert found.result.status == "accepted"
    assert len(found.rows) == found.result.parsed + found.result.rejected == _rows_by_hand(content) - 1


def _rows_by_hand(content: bytes) -> int:
    """Rows of CSV, where one that can't be taken apart ends with its first line."""
    text = content.decode("utf-8", "surrogateescape")
    left = io.StringIO(text, newline="").readlines()
    count = 0
    while left:
        reader = csv.reader(iter(left), strict=True)
        try:
            cells = next(reader)
            used = reader.line_num
        except StopIteration:
            break
        except csv.Error:
            cells, used = [""], 1
        count += bool(cells)
        left = left[used:]
    return count


def test_what_follows_a_number_between_objects_is_kept_line_by_line(read):
    found = read(lines(vault(1), b"1,2,3", b"{", b"{", b"{"), "hashicorp_vault/audit_log")
    assert (found.result.parsed, found.result.rejected) == (1, 4)
    assert sorted(found.faults) == [2, 3, 4, 5]


@pytest.mark.parametrize("wrap", [list, lambda elements: {"Records": elements}], ids=["list", "records"])
def test_elements_that_stop_the_database_are_each_rejected_in_their_place(read, wrap):
    found = read(json.dumps(wrap([None, 7, 23_167_315_803_905_351_680])).encode(), "aws/cloudtrail")
    assert (found.result.parsed, found.result.rejected) == (0, 3)
    assert sorted(found.faults) == [1, 2, 3]
