"""From an operation to its records: each is compared with an independent reading of the same file."""

import csv
import gzip
import io
import json
from pathlib import Path

import pytest
import zstandard
from evidence_room import NOON
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import UserMistake
from pipelines.evidence.containers import NO_SIGNS
from pipelines.evidence.ledger import Ledger
from pipelines.evidence.records import find_records
from pipelines.evidence.trace import trace
from pipelines.home import Home

EVENTS = [
    {"eventID": f"e{number}", "eventName": "CreateUser", "note": "line\nbreak, \"quote\" and [bracket]", "n": number}
    for number in range(1, 41)
]  # fmt: skip
EMPLOYEES = [[f"{number:04}", 'Lena "Len" Leaver', "Desk\n12, west", "ümlaut"] for number in range(1, 41)]
HEADINGS = ["employee_id", "full_name", "desk", "note"]
COMPANY = Home.at(Path(__file__).parents[1] / "company")
BOM = b"\xef\xbb\xbf"


def ndjson():
    return b"".join(json.dumps(event).encode() + b"\n" for event in EVENTS)


def csv_bytes(delimiter=",", lineterminator="\r\n"):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=lineterminator)
    writer.writerow(HEADINGS)
    writer.writerows(EMPLOYEES)
    return text.getvalue().encode()


JSON_CONTAINERS = {
    "lines": (ndjson(), "line 7"),
    "lines with CRLF": (ndjson().replace(b"\n", b"\r\n"), "line 7"),
    "lines with BOM": (BOM + ndjson(), "line 7"),
    "lines without a last line end": (ndjson()[:-1], "line 7"),
    "array": (json.dumps(EVENTS).encode(), "element 7"),
    "array over lines": (json.dumps(EVENTS, indent=2).encode() + b"\n", "element 7"),
    "array, an element per line": (
        b"[\n" + b",\n".join(json.dumps(event).encode() for event in EVENTS) + b"\n]\n",
        "element 7",
    ),
    "array with BOM": (BOM + json.dumps(EVENTS).encode(), "element 7"),
    "wrapped": (json.dumps({"Records": EVENTS}).encode(), "element 7 of Records"),
    "wrapped over lines": (json.dumps({"Records": EVENTS}, indent=1).encode(), "element 7 of Records"),
    "wrapped among other members": (
        json.dumps({"next": "tok[en", "meta": {"Records": [1, 2]}, "Records": EVENTS, "total": 40}).encode(),
        "element 7 of Records",
    ),
    "objects over lines": (
        b"\n".join(json.dumps(event, indent=1).encode() for event in EVENTS),
        "document 7",
    ),
}
CSV_CONTAINERS = {
    "csv": csv_bytes(),
    "csv with BOM": BOM + csv_bytes(),
    "csv of a spreadsheet": csv_bytes(";"),
    "csv with tabs": csv_bytes("\t"),
    "csv with bare line feeds": csv_bytes(lineterminator="\n"),
    "csv with blank lines": csv_bytes().replace(b"0001,", b"\r\n0001,").replace(b"0005,", b"\r\n\r\n0005,"),
}
PACKED = {
    "": lambda content: content,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
    ".two.gz": lambda content: gzip.compress(content[:99]) + gzip.compress(content[99:]),
}


def show_all(system, feed, record):
    return record


def report(room, *evidence, operation_id="op-1", period_id="2026-H1", outcome="deviation", **columns):
    """Publish one operation that rests on this evidence."""
    folder = room.home.report_data(period_id)
    folder.mkdir(parents=True, exist_ok=True)
    row = {"operation_id": operation_id, "period_id": period_id, "outcome": outcome, **columns}
    row["evidence"] = " ".join(evidence)
    with (folder / "control_operations.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["operation_id", *[key for key in row if key != "operation_id"]])
        writer.writeheader()
        writer.writerow(dict.fromkeys(row, "") | {"operation_id": "another", "evidence": "ab" * 32 + ":1"})
        writer.writerow(row)


def deliver(room, place, content, **landing):
    """Land and take in one file; returns its SHA-256."""
    room.land(place, content, **landing)
    room.take_in()
    return Ledger.open(room.home.ledger).entries[-1].sha256


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("container", JSON_CONTAINERS)
def test_a_json_record_is_found_by_its_number_in_every_container(room, container, packing):
    content, place = JSON_CONTAINERS[container]
    sha256 = deliver(room, f"aws/cloudtrail/events.json{packing}", PACKED[packing](content))
    report(room, f"{sha256}:7", f"{sha256}:1", f"{sha256}:40", f"{sha256}:7")
    found = trace(room.home, "op-1", show_all).evidence
    assert [item.problem for item in found] == [None] * 4
    assert [item.record for item in found] == [EVENTS[6], EVENTS[0], EVENTS[39], EVENTS[6]]
    assert [json.loads(item.text) for item in found] == [item.record for item in found]
    assert found[0].place == place


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("container", CSV_CONTAINERS)
def test_a_csv_row_is_found_by_its_number_after_the_header(room, container, packing):
    sha256 = deliver(room, f"hr/employees/list.csv{packing}", PACKED[packing](CSV_CONTAINERS[container]))
    report(room, f"{sha256}:1", f"{sha256}:5", f"{sha256}:40")
    found = trace(room.home, "op-1", show_all).evidence
    for item, number in zip(found, (1, 5, 40), strict=True):
        assert item.record == dict(zip(HEADINGS, EMPLOYEES[number - 1], strict=True))
        assert item.place == f"row {number}"
        delimiter = item.text[len("employee_id")]
        assert list(csv.reader(io.StringIO(item.text, newline=""), delimiter=delimiter)) == [
            HEADINGS,
            EMPLOYEES[number - 1],
        ]


def test_what_needs_no_masking_is_shown_as_the_vendor_wrote_it(room):
    written = b'{"b":  1.50,"a" : "\\u00fc", "n": 12345678901234567890}'
    sha256 = deliver(room, "okta/system_log/a.json", b'{"x": 1}\n\n' + written + b"\r\n")
    report(room, f"{sha256}:3")
    (item,) = trace(room.home, "op-1", show_all).evidence
    assert item.text == written.decode()
    assert not item.masked


def test_what_may_not_be_shown_is_masked_in_record_and_text(room):
    secret = "s.4dVbTheSecretItself"
    log = json.dumps({"type": "response", "auth": {"client_token": secret}}).encode()
    sha256 = deliver(room, "hashicorp_vault/audit_log/a.ndjson", log + b"\n" + log + b"\n")
    report(room, f"{sha256}:2")

    def shown(system, feed, record):
        assert (system, feed) == ("hashicorp_vault", "audit_log")
        return record | {"auth": {"client_token": "***"}}

    found = trace(room.home, "op-1", shown)
    (item,) = found.evidence
    assert item.masked
    assert item.record == {"type": "response", "auth": {"client_token": "***"}}
    everything = "\n".join(found.lines()) + json.dumps(found.as_dict())
    assert secret not in everything
    assert "***" in everything


def test_a_key_that_stands_twice_can_hide_nothing_from_masking(room):
    sha256 = deliver(
        room, "hashicorp_vault/audit_log/a.ndjson", b'{"type": "s.secret", "type": "response"}\n'
    )
    report(room, f"{sha256}:1")
    found = trace(room.home, "op-1", show_all)
    assert "s.secret" not in "\n".join(found.lines()) + json.dumps(found.as_dict())


def test_a_csv_cell_without_a_heading_or_under_a_repeated_one_can_hide_nothing_from_masking(room):
    sha256 = deliver(room, "aws/credential_report/a.csv", b"user,arn,user\nx,arn:x,secret1,secret2\n")
    report(room, f"{sha256}:1")

    def shown(system, feed, record):
        return {key: value if key in ("user", "arn") else "***" for key, value in record.items()}

    (item,) = trace(room.home, "op-1", shown).evidence
    assert list(item.record.values()) == ["x", "arn:x", "***", "***"]
    assert "secret" not in item.text


@pytest.mark.parametrize(
    ("content", "number"),
    [(b'{"n": 1}\n{"token": "s.secret", \n{"n": 3}\n', 2), (b"a,b\n1,2\n\"x\"s.secret,\xff\n3,4\n", 2), (b"a,b\n1,s.secret\xff\n", 1)],
)  # fmt: skip
def test_a_record_that_cant_be_read_is_told_by_its_hash_because_it_cant_be_masked(room, content, number):
    sha256 = deliver(room, "hashicorp_vault/audit_log/a", content)
    report(room, f"{sha256}:{number}")
    found = trace(room.home, "op-1", show_all)
    (item,) = found.evidence
    assert (item.record, item.text) == (None, None)
    assert "SHA-256" in item.problem
    assert "s.secret" not in "\n".join(found.lines()) + json.dumps(found.as_dict())


def test_the_same_bytes_under_two_feeds_are_masked_as_both_demand(room):
    content = b'{"a": "one", "b": "two"}\n'
    deliver(room, "generic/events/a.json", content)
    sha256 = deliver(room, "hashicorp_vault/audit_log/a.json", content)
    report(room, f"{sha256}:1")
    masked = {"generic": "a", "hashicorp_vault": "b"}
    (item,) = trace(room.home, "op-1", lambda system, feed, record: record | {masked[system]: "***"}).evidence
    assert item.record == {"a": "***", "b": "***"}


def test_each_record_says_which_file_it_is_from_and_when_that_was_first_collected(room):
    sha256 = deliver(room, "okta/users/emea/users_20260309T120000Z.json", b'{"id": "u1"}\n')
    deliver(room, "okta/users/emea/users_20260302T120000Z.json", b'{"id": "u1"}\n')
    report(room, f"{sha256}:1")
    (item,) = trace(room.home, "op-1", show_all).evidence
    assert (item.system, item.feed, item.instance) == ("okta", "users", "emea")
    assert (item.original_name, item.collected_at) == ("users_20260302T120000Z.json", NOON)


def test_what_cant_be_shown_is_said_and_the_rest_is_shown(room):
    sha256 = deliver(room, "okta/users/a.json", b'{"id": "u1"}\n')
    altered = deliver(room, "okta/users/b.json", b'{"id": "u2"}\n')
    gone = deliver(room, "okta/users/c.json", b'{"id": "u4"}\n')
    cut = deliver(room, "okta/users/d.json.gz", gzip.compress(ndjson())[:-9])
    broken = deliver(room, "okta/users/e.json", b'[{"id": "u5"}, {"id": oops]')
    room.home.original(altered).chmod(0o644)
    room.home.original(altered).write_bytes(b'{"id": "u3"}\n')
    room.home.original(gone).unlink()
    report(
        room, f"{sha256}:1", f"{sha256}:2", f"{'ab' * 32}:1", f"{altered}:1", f"{gone}:1", f"{cut}:40", f"{broken}:2",
        f"{broken}:1", sha256, f"{sha256}:0", "../../etc/passwd:1",
    )  # fmt: skip
    found = trace(room.home, "op-1", show_all)
    told = [item.problem or item.record or item.place for item in found.evidence]
    assert told[0] == {"id": "u1"}
    assert told[1] == "the file has no record 2"
    assert "no ledger entry" in told[2]
    assert "altered" in told[3]
    assert "can't be read" in told[4]
    assert "truncated" in told[5]
    assert "can't be read to here" in told[6]
    assert told[7] == {"id": "u5"}
    assert told[8] == told[9] == "the whole file"
    assert "no ledger entry" in told[10]
    assert "\n".join(found.lines()).count("Evidence ") == 11


def test_an_operation_that_no_report_holds_is_the_users_mistake_in_one_line(room):
    with pytest.raises(
        UserMistake,
        match=r"^No operation op-9 in any report, because none is written yet: upheld report PERIOD\.$",
    ):
        trace(room.home, "op-9", show_all)
    report(room)
    with pytest.raises(UserMistake, match=r"^No operation op-9 in any report\.$"):
        trace(room.home, "op-9", show_all)


def test_of_several_reports_the_one_that_decided_is_shown(room):
    report(room, period_id="2026-H1", outcome="pending")
    report(room, period_id="2026-H2", outcome="operated")
    found = trace(room.home, "op-1", show_all)
    assert (found.period_id, found.row["outcome"], found.also_in) == ("2026-H2", "operated", ["2026-H1"])


def test_the_row_is_shown_with_its_reason(room):
    report(
        room,
        control_id="OFF",
        reason_text="Disabled 31 h after the last day; 24 h allowed.",
        subject_name="Lena",
    )
    lines = list(trace(room.home, "op-1", show_all).lines())
    assert lines[0] == "Operation op-1 in the report of 2026-H1"
    assert "  reason_text      Disabled 31 h after the last day; 24 h allowed." in lines


def test_nothing_a_vendor_wrote_steers_the_terminal(room):
    sha256 = deliver(room, "hr/employees/a\x1b[2J.csv", "id,name\n1,\x1b]0;owned\x07\u202eevil\n".encode())
    report(room, f"{sha256}:1", subject_name="\x1b[31mred")
    text = "\n".join(trace(room.home, "op-1", show_all).lines())
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


def test_records_far_into_a_large_file_are_found_without_holding_it(tmp_path):
    path = tmp_path / "log"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for number in range(1, 200_001):
            file.write(b'{"n": %d}\n' % number)
    found = find_records(path, "log.ndjson.gz", {1, 123_456, 200_000, 200_001})
    assert {number: record.value["n"] for number, record in found.items()} == {
        1: 1,
        123_456: 123_456,
        200_000: 200_000,
    }


# -- numbers agree with what ingest counted ----------------------------------------------------------------------------

SCRAPS = st.lists(
    st.sampled_from(
        [b"a", b",", b'"', b'""', b"\n", b"\r\n", b"\r", b"\n\n", b"1,2", b'"x\ny",z', b"\xc3\xbc", b"\xff"]
    ),
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(SCRAPS)
def test_csv_rows_have_the_numbers_that_ingest_gave_them(tmp_path_factory, scraps):
    csv_text = pytest.importorskip("pipelines.evidence.csv_text")
    content = b"id,name\n" + b"".join(scraps)
    path = tmp_path_factory.getbasetemp() / "scraps.csv"
    path.write_bytes(content)
    _, *expected = csv_text.rows([content], ",")
    found = find_records(path, "scraps.csv", set(range(1, 100)))
    assert sorted(found) == list(range(1, len(expected) + 1))
    for number, row in enumerate(expected, 1):
        record = found[number]
        assert (record.value is None) == (row.cells is None)
        if row.cells is not None:
            assert list(record.value.values()) == row.cells


# Not those under which a list is a page of records.
KEYS = st.text().filter(lambda key: key not in NO_SIGNS.wrappers)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=5), max_size=6),
    st.sampled_from([None, 1]),
)  # fmt: skip
def test_array_elements_have_the_numbers_that_ingest_gave_them(tmp_path_factory, elements, indent):
    json_text = pytest.importorskip("pipelines.evidence.json_text")
    content = json.dumps(elements, indent=indent).encode()
    path = tmp_path_factory.getbasetemp() / "array.json"
    path.write_bytes(content)
    expected = [json.loads(text.content) for text in json_text.values([content[1:]], in_array=True)]
    found = find_records(path, "array.json", set(range(1, 20)))
    assert expected == elements
    assert [found[number].value for number in sorted(found)] == list(_opened(elements))


def _opened(elements):
    """A list among the elements that has objects is a page of records."""
    for element in elements:
        if isinstance(element, list) and any(isinstance(each, dict) for each in element):
            yield from _opened(element)
        else:
            yield element


@pytest.mark.parametrize(
    "name", sorted(path.name for path in COMPANY.landing.joinpath("aws", "cloudtrail").glob("*.gz"))[:2]
)
def test_the_small_companys_own_exports_are_read_to_every_record(name):
    path = COMPANY.landing / "aws" / "cloudtrail" / name
    records = json.loads(gzip.decompress(path.read_bytes()))["Records"]
    found = find_records(path, name, set(range(1, len(records) + 2)))
    assert [found[number].value for number in range(1, len(records) + 1)] == records
    assert len(found) == len(records)
