"""One event of Entra ID is read the same from every layout in which Microsoft's tools write it."""

from __future__ import annotations

import json

import pytest

CHANGE = {
    "displayName": "KeyDescription",
    "oldValue": "[]",
    "newValue": '["[KeyIdentifier=k-1,KeyType=Password,KeyUsage=Verify,DisplayName=one, two]"]',
}
GRAPH = {
    "id": "Directory_1",
    "correlationId": "c-1",
    "activityDateTime": "2026-02-01T10:00:00.1234567Z",
    "activityDisplayName": "Update application – Certificates and secrets management ",  # noqa: RUF001
    "result": "success",
    "initiatedBy": {"user": {"id": "ann", "userPrincipalName": "ann@x.example"}, "app": None},
    "targetResources": [{"id": "app", "type": "Application", "displayName": "Deploy", "modifiedProperties": [CHANGE]}],
}
AROUND = {"time": "2026-02-01T10:05:00Z", "category": "AuditLogs", "operationName": "Update application"}


@pytest.mark.parametrize(
    "record",
    [
        GRAPH,
        AROUND | {"properties": GRAPH},
        AROUND | {"properties": json.dumps(GRAPH)},
        GRAPH | {"targetResources": json.dumps(GRAPH["targetResources"])},
    ],
    ids=["graph", "diagnostic export", "diagnostic export with text", "lists as text"],
)
def test_an_audit_event(read, record):
    [row] = read(json.dumps(record).encode() + b"\n", "entra/directory_audits").usable
    assert (row["id"], row["correlation_id"], row["actor_user_id"]) == ("Directory_1", "c-1", "ann")
    assert (row["occurred"], row["activity"]) == (GRAPH["activityDateTime"], GRAPH["activityDisplayName"])
    [target] = row["targets"]
    assert (target["id"], target["type"]) == ("app", "Application")
    # Text that is JSON is what Entra calls a value.
    assert target["changes"] == [{"name": "KeyDescription", "old": CHANGE["oldValue"], "new": CHANGE["newValue"]}]


@pytest.mark.parametrize(
    "record",
    [
        {"createdDateTime": "2026-02-01T10:00:00Z", "userId": "u", "status": {"errorCode": 50126}},
        {"properties": {"createdDateTime": "2026-02-01T10:00:00Z", "userId": "u"}, "resultType": "50126", "time": "2026-02-01T10:05:00Z"},
        {"properties": json.dumps({"createdDateTime": "2026-02-01T10:00:00Z", "userId": "u", "status": {"errorCode": 50126}}), "resulttype": 50126},
        {"CreatedDateTime": "2026-02-01T10:00:00Z", "UserId": "u", "ResultType": "50126"},
        {"tables": [{"name": "PrimaryResult", "columns": [{"name": "CreatedDateTime", "type": "datetime"}, {"name": "UserId", "type": "string"},
         {"name": "ResultType", "type": "string"}], "rows": [["2026-02-01T10:00:00Z", "u", "50126"]]}]},
    ],
    ids=["graph", "diagnostic export", "diagnostic export with text", "log analytics", "the API of log analytics"],
)  # fmt: skip
def test_a_sign_in(read, record):
    [row] = read(json.dumps(record).encode() + b"\n", "entra/sign_ins").usable
    assert (row["occurred"], row["user_id"], row["error_code"] or row["result_type"]) == ("2026-02-01T10:00:00Z", "u", "50126")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"CreatedDateTime": "/Date(1772442000000)/"}, "/Date(...)/"),
        ({"PasswordCredentials": [{"KeyId": "k", "EndDateTime": "/Date(1772442000000)/"}]}, "/Date(...)/"),
        ({"PasswordCredentials": ["MicrosoftGraphPasswordCredential"]}, "-Depth"),
        ({"PasswordCredentials": "MicrosoftGraphPasswordCredential", "KeyCredentials": ""}, "-Depth"),
    ],
)
@pytest.mark.parametrize("feed", ["applications", "service_principals"])
def test_what_powershell_cut_off_or_wrote_its_own_way_is_told(read, feed, changed, reason):
    application = {"Id": "o", "AppId": "a", "KeyCredentials": [], "PasswordCredentials": [{"KeyId": "k"}]}
    found = read(json.dumps([application, application | changed]).encode(), f"entra/{feed}")
    assert list(found.faults) == [2] and reason in found.faults[2]


def test_targets_that_powershell_cut_off_are_told(read):
    event = {"Id": "e", "ActivityDateTime": "2026-03-02T09:00:00Z", "ActivityDisplayName": "Add user", "TargetResources": [{"Id": "u"}]}
    cut = event | {"TargetResources": ["MicrosoftGraphTargetResource"]}
    found = read(json.dumps([event, cut]).encode(), "entra/directory_audits")
    assert list(found.faults) == [2] and "-Depth" in found.faults[2]
