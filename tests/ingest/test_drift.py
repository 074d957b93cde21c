"""What exports hold that nobody described is told by name and count, and breaks nothing."""

from __future__ import annotations

import os

import pytest

from pipelines.home import Home
from pipelines.ingest.ingest import ingest_landing
from pipelines.orchestration.sources import as_plain, summarise_sources
from tests.ingest.made_up_records import line, lines

SECRET = "sk-live-" + "q7Rz" * 10


def _okta(number: int, event_type: str, **more):
    return {"uuid": f"u{number}", "published": "2026-03-02T09:00:00Z", "eventType": event_type} | more


def _source(home: Home, feed: str):
    return next(source for source in summarise_sources(home) if f"{source.system}/{source.feed}" == feed)


@pytest.fixture
def home(tmp_path) -> Home:
    return Home.at(tmp_path)


def _land(home: Home, feed: str, name: str, content: bytes, age: int = 60) -> None:
    path = home.landing / feed / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (1_770_000_000 - age,) * 2)


def test_words_and_fields_that_no_description_names_are_counted(home):
    records = [
        _okta(1, "user.lifecycle.suspend"),
        _okta(2, "User.Lifecycle.Suspend."),
        _okta(3, "user.lifecycle.teleport", newField={"a": SECRET}),
        _okta(4, "user.lifecycle.teleport", newField=1, **{SECRET: 1}),
    ]
    _land(home, "okta/system_log", "log.json", lines(*records))
    summary = ingest_landing(home)
    assert (summary.records_parsed, summary.problems) == (4, [])
    drift = _source(home, "okta/system_log").drift
    assert (drift.words.records, drift.words.mapped) == (4, 2)
    assert drift.words.unknown_words == {"user.lifecycle.teleport": 2}
    assert drift.words.share == 0.5
    assert (drift.sampled_files, drift.sampled_records) == (1, 4)
    assert drift.unread_fields["newField"] == 2 and drift.unread_fields_not_shown == 1
    assert SECRET not in str(as_plain(_source(home, "okta/system_log")))


def test_fields_are_found_in_envelopes_and_in_csv(home):
    _land(home, "okta/system_log", "wrapped.json", line([{"event": _okta(1, "x", severity="INFO"), "shipper": "y"}]))
    _land(home, "generic/accounts", "a.csv", b"System,account_id,Enabled,Shoe Size\ngitea,1,true,42\n")
    ingest_landing(home)
    assert _source(home, "okta/system_log").drift.unread_fields == {"severity": 1}
    found = _source(home, "generic/accounts").drift
    assert found.unread_fields == {"Shoe Size": 1} and found.words is None


def test_the_newest_files_are_sampled(home):
    for number in range(5):
        _land(home, "okta/system_log", f"{number}.json", lines(_okta(number, "x", **{f"field{number}": 1})), age=100 - number)
    ingest_landing(home)
    drift = _source(home, "okta/system_log").drift
    assert drift.unread_fields == {"field2": 1, "field3": 1, "field4": 1} and drift.words.records == 5


def test_a_word_of_several_columns_is_counted_as_staging_takes_it(home):
    def asked(number: int, verb: str, **about):
        return {"auditID": f"a{number}", "stage": "ResponseComplete", "stageTimestamp": "2026-03-02T09:00:00Z",
                "user": {"username": "u"}, "verb": verb, "objectRef": about}  # fmt: skip

    def asked_of_gke(number: int, method: str):
        payload = {"methodName": method, "authenticationInfo": {"principalEmail": "u"}, "serviceName": "k8s.io"}
        return {"insertId": f"g{number}", "timestamp": "2026-03-02T09:00:00Z", "protoPayload": payload}

    records = [
        asked(1, "create", resource="serviceaccounts"),
        asked(2, "create", resource="serviceaccounts", subresource="token"),
        asked(3, "create", resource="pods", subresource=""),
        asked(4, "get"),
        asked_of_gke(5, "io.k8s.core.v1.serviceaccounts.create"),
        asked_of_gke(6, "io.k8s.core.v1.serviceaccounts.token.create"),
        asked_of_gke(7, "io.k8s.authorization.rbac.v1beta1.clusterrolebindings.patch"),
        asked_of_gke(8, "io.k8s.core.v1.pods.list"),
    ]
    _land(home, "kubernetes/audit_log", "audit.json", lines(*records))
    assert ingest_landing(home).problems == []
    words = _source(home, "kubernetes/audit_log").drift.words
    assert (words.records, words.mapped, words.use) == (8, 5, 3)
    assert words.unknown_words == {"create pods": 1, "get": 1, "list pods": 1}
