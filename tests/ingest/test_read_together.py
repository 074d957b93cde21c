"""Small files that are read by one query come to what each comes to by itself, whatever else is read with them."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.evidence.ledger import Ledger
from pipelines.home import Home
from pipelines.ingest import ingest as ingest_module
from pipelines.ingest.content import Content
from pipelines.ingest.descriptions import load_descriptions
from pipelines.ingest.ingest import ingest_landing
from pipelines.ingest.reader import read_evidence_file
from pipelines.ingest.reader_together import LARGEST_SMALL, read_together
from pipelines.ingest.tray import Tray
from tests.ingest.made_up_records import cloudtrail, line, lines

FEED = load_descriptions()["aws", "cloudtrail"]
OFTEN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Few, so that what each kind of file with them gives alone is found out once: with which others it is read is the question.
_events = st.sampled_from([[1], [2, 3], [3000, 4, 5, 6]]).map(lambda numbers: [cloudtrail(number) for number in numbers])
GOOD = {
    "a list": line,
    "a list over many lines": lambda events: json.dumps(events, indent=2).encode(),
    "lines": lambda events: lines(*events),
    "lines without a last line feed": lambda events: lines(*events)[:-1],
    "records": lambda events: line({"Records": events}),
    "a page": lambda events: line({"Records": events, "nextToken": "more"}),
    "a page that begins otherwise": lambda events: b"\xef\xbb\xbf" + line({"nextToken": None, "a": [{"]": "}"}], "Records": events}),
    "packed": lambda events: gzip.compress(line({"Records": events}), mtime=0),
}
# Each wrong in a way that might harm its neighbours, or be harmed by them.
WRONG = {
    "cut": lambda events: line({"Records": events})[:-9],
    "a list left open": lambda events: line(events)[:-2] + b',"x":[',
    "closed too often": lambda events: line(events)[:-1] + b"]]",
    "closed before it is opened": lambda events: b'[{"eventID":"a"}]},{"Records":[' + line(events)[1:],
    "a comma too many": lambda events: line(events)[:-1] + b",]",
    "a comma first": lambda events: b"[," + line(events)[1:],
    "no comma": lambda events: b"[" + b" ".join(map(line, events)) + b"{}]",
    "a text left open": lambda events: line(events)[:-1] + b',"]',
    "no object": lambda events: line([*events, 7, "seven", None, []]),
    "a record without its fields": lambda events: lines(*events, {"eventID": "e"}),
    "blank lines": lambda events: lines(b"", *events, b"  ", b"{}"),
    "a broken line": lambda events: lines(*events, b'{"eventID": "b'),
    "a line of a text left open": lambda events: lines(*events) + b'"',
    "no UTF-8": lambda events: lines(*events, b'{"eventID": "\xff\xfe", "eventTime": "2026-03-02T09:00:00Z"}'),
    "two lists": lambda events: line({"Records": events, "Events": events}),
    "wrapped": lambda events: lines(*({"detail": event} for event in events)),
    "another feed's": lambda events: b'[{"uuid":"u","published":"2026-03-02T09:00:00Z","eventType":"user.session.start"}]',
    "no ids": lambda events: lines(*({**event, "eventID": None} for event in events)),
    "nothing": lambda events: b"",
    "no JSON": lambda events: b"a,b\n1,2\n",
}
_file = st.tuples(st.sampled_from([*GOOD] * 2 + [*WRONG]), _events)


# One for all of them, as in a run: nothing of earlier files may be found on it.
_TRAY = Tray(1 << 20)


def _together(connection, folder, files: list[bytes]):
    """For each file that was read with the others: the result and the rows as they were written."""
    contents = []
    for number, content in enumerate(files):
        (folder / f"{number}.in").write_bytes(content)
        held = memoryview(content) if number % 2 else None
        contents.append(Content(folder / f"{number}.in", "export", held=held))
    targets = [folder / f"{number}.rows" for number in range(len(files))]
    found = read_together(connection.cursor(), contents, FEED, targets, _TRAY)
    return {number: (result, targets[number].read_bytes()) for number, result in found.items()}


def _alone(connection, folder, content: bytes):
    (folder / "alone").write_bytes(content)
    result = read_evidence_file(folder / "alone", "export", FEED, folder / "l" / "rows", folder / "l" / "r" / "rows", connection=connection)
    return result, (folder / "l" / "rows").read_bytes()


_turn = itertools.count()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("together")

    def new():
        made = root / str(next(_turn))
        made.mkdir()
        return made

    return new


@pytest.fixture(scope="module")
def alone() -> dict[bytes, tuple]:
    """What files that were read by themselves came to, by their content."""
    return {}


@OFTEN
@given(st.lists(_file, min_size=2, max_size=7))
def test_a_file_read_with_others_gives_what_it_gives_alone(connection, folder, alone, drawn):
    here = folder()
    files = [(GOOD | WRONG)[kind](events) for kind, events in drawn]
    for number, found in _together(connection, here, files).items():
        if files[number] not in alone:
            alone[files[number]] = _alone(connection, here, files[number])
        assert found == alone[files[number]], drawn[number][0]


@pytest.mark.parametrize("place", [0, 3, 8])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_keeps_few_others_from_being_read_with_the_rest(connection, folder, wrong, place):
    write = GOOD["lines" if "line" in wrong or wrong in ("no ids", "wrapped") else "records"]
    files = [write([cloudtrail(number)]) for number in range(1, 9)]
    files.insert(place, WRONG[wrong]([cloudtrail(9)]))
    found = _together(connection, folder(), files)
    assert len(found.keys() - {place}) >= 6


def test_all_good_files_are_read_together(connection, folder):
    files = [GOOD[kind]([cloudtrail(number), cloudtrail(number + 1)]) for number, kind in enumerate([*GOOD, *GOOD])]
    found = _together(connection, folder(), files)
    assert sorted(found) == list(range(len(files)))
    assert {number: result.parsed for number, (result, _) in found.items()} == dict.fromkeys(range(len(files)), 2)
    assert [result.continuation for _, (result, _) in sorted(found.items())] == [kind == "a page" for kind in [*GOOD, *GOOD]]


def test_a_large_file_is_left_to_be_read_alone(connection, folder):
    large = line({"Records": [cloudtrail(1, filler="x" * LARGEST_SMALL)]})
    found = _together(connection, folder(), [large, *(line([cloudtrail(number)]) for number in range(3))])
    assert sorted(found) == [1, 2, 3]


def test_what_is_taken_in_is_the_same_as_file_by_file(tmp_path, monkeypatch):
    taken = []
    for most_together in (200, 1):
        monkeypatch.setattr(ingest_module, "_MOST_TOGETHER", most_together)
        home = Home.at(tmp_path / f"by-{most_together}")
        for number, (kind, write) in enumerate((GOOD | WRONG).items()):
            path = home.landing / "aws" / "cloudtrail" / f"{number:02} {kind}{'.gz' if kind == 'packed' else ''}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(write([cloudtrail(number + 1), cloudtrail(number + 2)]))
            os.utime(path, (time.time() // 86400 * 86400 - 60,) * 2)
        summary = ingest_landing(home)
        entries = [
            (e.original_name, e.sha256, e.status, e.reject_reason, e.records_parsed, e.records_rejected, e.first_event_at, e.continuation)
            for e in Ledger.open(home.ledger).entries
        ]
        rows = {path.relative_to(home.lake): path.read_bytes() for path in sorted(home.lake_folder("aws", "cloudtrail").rglob("*.parquet"))}
        taken.append((summary.problems, entries, rows))
    assert taken[0] == taken[1]
    assert len(taken[0][1]) == len(GOOD | WRONG)
