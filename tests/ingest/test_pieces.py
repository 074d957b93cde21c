"""What is too long for one query's memory is read in pieces, and comes to the same rows."""

from __future__ import annotations

import csv
import gzip
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.ingest import content as content_module
from pipelines.ingest.content import Pieces, line_end
from pipelines.ingest.descriptions import load_descriptions
from pipelines.ingest.reader import read_evidence_file
from pipelines.warehouse import in_memory
from tests.ingest.made_up_records import PACKINGS, cloudtrail, line, lines, vault
from tests.ingest.test_shapes import JSON_SHAPES
from tests.ingest.wrappers import ENVELOPES, PAGES

_cell = st.text(st.sampled_from("ab\"',;\n\r é"), max_size=6)
OFTEN = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.lists(st.binary(max_size=12)), st.integers(1, 40))
def test_pieces_are_the_stream_and_end_where_they_may(chunks, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content_module, "PIECE", size)
        pieces = [b"".join(piece) for piece in Pieces(chunks, line_end)]
    assert b"".join(pieces) == b"".join(chunks) and pieces
    assert all(piece.endswith(b"\n") for piece in pieces[:-1])


@settings(OFTEN, max_examples=25)
@given(st.sampled_from(sorted(JSON_SHAPES)), st.sampled_from(sorted(PACKINGS)), st.integers(1, 900))
def test_the_rows_are_the_same_in_whatever_pieces_they_are_read(read, plain_rows, shape, packing, size):
    expected = plain_rows(JSON_SHAPES["lines"], "aws/cloudtrail")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content_module, "PIECE", size)
        found = read(JSON_SHAPES[shape], "aws/cloudtrail", packing=packing)
    assert found.rows == expected


@settings(OFTEN, max_examples=10)
@given(st.sampled_from(sorted(ENVELOPES)), st.sampled_from(sorted(PAGES)), st.integers(1, 900))
def test_records_in_envelopes_and_pages_are_the_same_in_pieces(read, plain_rows, envelope, page, size):
    events = [cloudtrail(number) for number in range(1, 6)]
    wrapped = [ENVELOPES[envelope](event) for event in events]
    expected = plain_rows(lines(*events), "aws/cloudtrail")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content_module, "PIECE", size)
        for content in (lines(*wrapped), line(wrapped), line(PAGES[page](events)), lines(PAGES[page](events[:2]), PAGES[page](events[2:]))):
            assert read(content, "aws/cloudtrail").rows == expected


@OFTEN
@given(st.integers(1, 300), st.integers(0, 9), st.sampled_from([b"{", b"7", b"", b'{"a":1}', b'"text']))
def test_a_bad_line_is_told_by_its_number_in_whatever_piece_it_stands(read, size, place, bad):
    content = [vault(number) for number in range(1, 10)]
    whole = read(lines(*content[:place], bad, *content[place:]), "hashicorp_vault/audit_log", packing=".gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content_module, "PIECE", size)
        found = read(lines(*content[:place], bad, *content[place:]), "hashicorp_vault/audit_log", packing=".gz")
    assert (found.rows, found.rejected, found.result) == (whole.rows, whole.rejected, whole.result)


@pytest.mark.parametrize("nested", [[{"eventID": "no"}, {"eventID": "record"}], "},{\"eventID\":", [[{"eventID": 1}, {"eventID": 2}]]])
def test_what_looks_like_the_place_between_two_records_within_one_is_none(read, monkeypatch, nested):
    monkeypatch.setattr(content_module, "PIECE", 1)
    events = [cloudtrail(number) | {"requestParameters": {"x": nested}} for number in range(1, 6)]
    found = read(line({"Records": events}), "aws/cloudtrail")
    assert [row["event_id"] for row in found.rows] == [event["eventID"] for event in events]
    assert not found.result.rejected


@OFTEN
@given(st.lists(st.tuples(_cell, _cell, _cell), max_size=12), st.sampled_from(["\n", "\r\n"]), st.integers(1, 120), st.sampled_from(["", ",", '"']))
def test_rows_of_csv_are_the_same_in_whatever_pieces_they_are_read(read, table, end, size, fault):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerow(["system", "account_id", "enabled", "display_name"])
    writer.writerows(["gitea", f"id-{number}{a}", b, c] for number, (a, b, c) in enumerate(table))
    content = (text.getvalue() + fault).encode("utf-8", "replace")
    whole = read(content, "generic/accounts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content_module, "PIECE", size)
        found = read(content, "generic/accounts")
    assert (found.rows, found.rejected, found.result) == (whole.rows, whole.rejected, whole.result)


@pytest.mark.parametrize("comma", [b"[,", b"[ , "])
def test_a_comma_before_the_first_element_stays_a_fault(read, comma):
    found = read(comma + line([cloudtrail(1), cloudtrail(2)])[1:], "aws/cloudtrail")
    assert found.result.status == "rejected"


@pytest.mark.parametrize("form", ["lines", "list", "lines with a bad one"])
def test_a_packed_log_larger_than_the_databases_memory_is_read(tmp_path, form):
    events = [vault(number % 3600, filler="x" * 400) for number in range(4000)]
    block = lines(*events)
    turns = 200
    original = tmp_path / "log.gz"
    with gzip.open(original, "wb", compresslevel=1) as file:
        if form == "list":
            file.write(b"[" + b",".join(block.splitlines()))
            for _ in range(turns - 1):
                file.write(b"," + b",".join(block.splitlines()))
            file.write(b"]")
        else:
            for _ in range(turns):
                file.write(block)
            file.write(b"{\n" if "bad" in form else b"")
    with in_memory(memory_limit="400MB") as connection:
        result = read_evidence_file(
            original, "log.gz", load_descriptions()["hashicorp_vault", "audit_log"], tmp_path / "l" / "rows", tmp_path / "l" / "r" / "rows",
            connection=connection,
        )  # fmt: skip
    assert (result.status, result.parsed, result.rejected) == ("accepted", turns * 4000, int("bad" in form)), json.dumps(result.reject_reason)
