"""From its first records follows how fast a file is read, and nothing of what is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.evidence.records import find_records
from pipelines.ingest import reader_json
from pipelines.ingest.descriptions import FeedDescription, load_descriptions
from tests.ingest.made_up_records import lines

SAMPLES = Path(__file__).parent.parent / "samples"
MORE_THAN_THE_HEAD_HAS = 150
MOST_OF_ONE_FILE = 40

LAYOUTS = {
    feed.name: [path for path in sorted((SAMPLES / feed.name).glob("*")) if path.is_file()]
    for feed in load_descriptions().values()
    if feed.signs is not None
}
OKTA = {
    "uuid": "a", "published": "2026-03-02T09:00:00Z", "eventType": "user.session.start", "actor": {"id": "u"},
    "target": [{"id": "t", "type": "User"}],
}  # fmt: skip
KUBERNETES = {
    "auditID": "a", "stage": "ResponseComplete", "stageTimestamp": "2026-03-02T09:00:00Z", "verb": "get",
    "user": {"username": "u"}, "objectRef": {"resource": "pods", "name": "p"},
}  # fmt: skip
GKE = {
    "insertId": "b", "timestamp": "2026-03-02T10:00:00Z",
    "protoPayload": {"methodName": "io.k8s.core.v1.pods.get", "authenticationInfo": {"principalEmail": "e@x"}},
}  # fmt: skip


def records_of(path: Path, feed: FeedDescription) -> list[Any]:
    found = find_records(path, path.name, range(1, MOST_OF_ONE_FILE + 1), feed.signs, feed.shapes)
    return [record.value for _, record in sorted(found.items()) if isinstance(record.value, dict)]


@pytest.fixture
def read_both_ways(read, monkeypatch):
    """What a file is read as, with what its first records say and without, and whether they were believed to the end."""

    def read_twice(content: bytes, feed: str):
        plans = []
        read_once = reader_json._read_plain
        with monkeypatch.context() as patch:
            patch.setattr(reader_json, "_read_plain", lambda *given: (plans.append(given[3]), read_once(*given))[1])
            with_the_head = read(content, feed)
        with monkeypatch.context() as patch:
            patch.setattr(reader_json, "as_in_the_head", lambda _, feed: feed)
            without = read(content, feed)
        is_believed = bool(plans) and plans[0] is not load_descriptions()[tuple(feed.split("/"))]
        was_too_quick = len(plans) > 1
        return with_the_head, without, is_believed, was_too_quick

    return read_twice


@pytest.mark.parametrize("feed", sorted(name for name, paths in LAYOUTS.items() if paths))
def test_records_of_any_layout_behind_those_of_another_are_read_as_by_the_slow_way(read_both_ways, feed):
    description = load_descriptions()[tuple(feed.split("/"))]
    layouts = [found for path in LAYOUTS[feed] if (found := records_of(path, description))]
    for first in layouts:
        head = (first * (MORE_THAN_THE_HEAD_HAS // len(first) + 1))[:MORE_THAN_THE_HEAD_HAS]
        found, wanted, _, _ = read_both_ways(lines(*head, *(record for each in layouts for record in each)), feed)
        assert found.rows == wanted.rows and found.result == wanted.result


@pytest.mark.parametrize("odd", ["another spelling", "a list in a text", "an item that is no object", "no list", "a list of lists", "null"])
def test_a_later_record_of_another_kind_is_read_whole(read_both_ways, odd):
    feed, usual = ("kubernetes/audit_log", KUBERNETES) if odd == "another spelling" else ("okta/system_log", OKTA)
    later = {
        "another spelling": GKE,
        "a list in a text": {**OKTA, "target": '[{"id": "from a text"}]'},
        "an item that is no object": {**OKTA, "target": [{"id": "t"}, "an item"]},
        "no list": {**OKTA, "target": {"id": "t"}},
        "a list of lists": {**OKTA, "target": [[{"id": "t"}]]},
        "null": {**OKTA, "target": None},
    }[odd]
    many = [usual] * MORE_THAN_THE_HEAD_HAS
    found, wanted, is_believed, was_too_quick = read_both_ways(lines(*many, later, *many), feed)
    assert found.rows == wanted.rows and len(found.usable) == 2 * MORE_THAN_THE_HEAD_HAS + 1
    assert (is_believed, was_too_quick) == (True, odd != "null")


def test_what_a_record_may_lack_is_looked_for_to_the_end_of_the_file(read_both_ways):
    """A kind of record that the first ones were not is no reason to read a file twice."""
    binding = {**KUBERNETES, "verb": "create", "requestObject": {"subjects": [{"kind": "User", "name": "n"}]}}
    found, _, is_believed, was_too_quick = read_both_ways(
        lines(*[KUBERNETES] * MORE_THAN_THE_HEAD_HAS, binding), "kubernetes/audit_log"
    )
    assert (is_believed, was_too_quick) == (True, False)
    assert found.usable[-1]["subjects"] == [{"kind": "User", "name": "n", "namespace": None}]
