"""A cluster's audit events arrive as lines, as an EventList, or as text inside what a cloud's log store writes."""

from __future__ import annotations

import json

import pytest

EVENT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "auditID": "2f9d",
    "stage": "ResponseComplete",
    "verb": "create",
    "user": {
        "username": "ann@example.com",
        "extra": {"authentication.kubernetes.io/credential-id": ["JTI=1"]},
    },
    "objectRef": {"resource": "serviceaccounts", "subresource": "token", "namespace": "prod", "name": "etl"},
    "requestObject": {"spec": {"expirationSeconds": 3600}},
    "responseObject": {"status": {"token": "eyJhbGciOi.secret", "expirationTimestamp": "2026-03-02T10:00:00Z"}},
    "responseStatus": {"code": 201},
    "requestReceivedTimestamp": "2026-03-02T09:00:00.000001Z",
    "stageTimestamp": "2026-03-02T09:00:00.000002Z",
}
OLD_EVENT = {key: value for key, value in EVENT.items() if not key.endswith("Timestamp")} | {
    "apiVersion": "audit.k8s.io/v1beta1",
    "timestamp": "2026-03-02T09:00:00Z",
}


@pytest.mark.parametrize(
    "export",
    [
        EVENT,
        {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [EVENT]},
        {"category": "kube-audit", "time": "2026-03-02T09:00:01Z", "properties": {"log": json.dumps(EVENT), "stream": "stdout"}},
        {"records": [{"category": "kube-audit", "properties": {"log": json.dumps(EVENT)}}]},
        {"logStreamName": "kube-apiserver-audit-1", "timestamp": 1772442000000, "message": json.dumps(EVENT)},
    ],
    ids=["line", "EventList", "AKS", "AKS by event hub", "CloudWatch"],
)
def test_an_event_is_the_same_in_every_envelope(read, export):
    found = read(json.dumps(export).encode() + b"\n", "kubernetes/audit_log", name="audit.log")
    assert (found.result.parsed, found.result.rejected) == (1, 0), found.faults
    row = found.rows[0]
    assert (row["audit_id"], row["user_name"], row["verb"], row["name"]) == ("2f9d", "ann@example.com", "create", "etl")
    assert (row["occurred_at"], row["token_expires_at"]) == ("2026-03-02T09:00:00.000002Z", "2026-03-02T10:00:00Z")
    assert row["credential_ids"] == '["JTI=1"]'
    assert "eyJhbGciOi" not in str(row)


def test_older_servers_write_one_time_for_the_request(read):
    row = read(json.dumps(OLD_EVENT).encode(), "kubernetes/audit_log", name="audit.log").rows[0]
    assert row["occurred_at"] == "2026-03-02T09:00:00Z"


def test_an_entry_of_another_google_service_is_no_event_of_a_cluster(read):
    entry = {
        "timestamp": "2026-03-02T09:00:00Z",
        "protoPayload": {"methodName": "SetIamPolicy", "authenticationInfo": {"principalEmail": "ann@example.com"}},
    }
    cluster = entry | {"protoPayload": entry["protoPayload"] | {"methodName": "io.k8s.core.v1.pods.list"}}
    export = "".join(json.dumps(each) + "\n" for each in (cluster, entry))
    found = read(export.encode(), "kubernetes/audit_log", name="export.json")
    told = "expected a call to a cluster, found one to another Google service: it belongs to gcp/audit_log"
    assert found.faults == {2: f"a record of another log: {told}"}
