"""Azure's services write their logs in one envelope, often into one event hub: each feed takes its own records alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.ingest.made_up_records import lines

AT = "2026-03-02T09:00:00.1234567Z"


def _envelope(category: str, operation: str, properties: dict[str, Any], **around: Any) -> dict[str, Any]:
    return {"time": AT, "category": category, "operationName": operation, "resultType": "Success", "correlationId": "c",
            "properties": properties} | around  # fmt: skip


def key_vault(number: int) -> dict[str, Any]:
    uri = f"https://v.vault.azure.net/secrets/s{number}/4c39bacace9a49b2bd542ce61bd6f312"
    claim = {"oid": "30a6c29d-de7c-4830-815f-9b3bb366e975", "appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46"}
    properties = {"id": uri, "requestUri": uri, "httpStatusCode": 200}
    return _envelope("AuditEvent", "SecretGet", properties, identity={"claim": claim}, resultSignature="OK", resourceId="/V")


def kube_audit(number: int) -> dict[str, Any]:
    event = {"kind": "Event", "auditID": f"a{number}", "stage": "ResponseComplete", "verb": "get", "user": {"username": "u"},
             "objectRef": {"resource": "pods", "namespace": "n", "name": "p"}, "responseStatus": {"code": 200},
             "requestReceivedTimestamp": AT, "stageTimestamp": AT}  # fmt: skip
    operation = "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read"
    return _envelope("kube-audit", operation, {"log": json.dumps(event), "stream": "stdout"}, resourceId="/C")


def directory_audit(number: int) -> dict[str, Any]:
    properties = {
        "id": f"Directory_{number}", "category": "ApplicationManagement", "correlationId": "c", "result": "success",
        "activityDisplayName": "Add service principal", "activityDateTime": AT, "loggedByService": "Core Directory",
        "initiatedBy": {"user": {"id": "u", "userPrincipalName": "lena@example.com"}},
        "targetResources": [{"id": "t", "displayName": "app", "type": "ServicePrincipal", "modifiedProperties": []}],
    }  # fmt: skip
    return _envelope("AuditLogs", "Add service principal", properties, tenantId="t", resultSignature="None", identity="x", resourceId="/T")


def sign_in(number: int) -> dict[str, Any]:
    properties = {"id": f"s{number}", "createdDateTime": AT, "userId": "u", "userPrincipalName": "lena@example.com", "appId": "a",
                  "status": {"errorCode": 0}}  # fmt: skip
    return _envelope("SignInLogs", "Sign-in activity", properties, tenantId="t", identity="x", resourceId="/T")


LOGS = {
    "azure_key_vault/audit_event": key_vault,
    "kubernetes/audit_log": kube_audit,
    "entra/directory_audits": directory_audit,
    "entra/sign_ins": sign_in,
}
SNAPSHOTS = ["entra/service_principals", "entra/applications", "okta/users", "okta/api_tokens", "hr/employees"]


@pytest.mark.parametrize("feed", [*LOGS, *SNAPSHOTS])
@pytest.mark.parametrize("other", LOGS)
def test_a_file_of_one_log_is_recognised_in_every_other_feed(read, feed, other):
    found = read(lines(*(LOGS[other](number) for number in range(5))), feed)
    if feed == other:
        assert (found.result.parsed, found.result.rejected) == (5, 0)
    else:
        assert (found.result.status, found.result.parsed) == ("rejected", 0)
        assert found.result.reject_reason == f"this looks like {other}: move it to landing/{other}/"


@pytest.mark.parametrize("feed", ["azure_key_vault/audit_event", "entra/sign_ins"])
def test_of_a_hub_that_carries_all_logs_each_feed_takes_its_own(read, feed):
    records = [make(number) for number in range(1, 4) for make in LOGS.values()]
    own = [place for place, record in enumerate(records, 1) if record["category"] == LOGS[feed](1)["category"]]
    found = read(lines(*records), feed)
    assert (found.result.parsed, found.result.rejected) == (3, 9)
    assert [number for number, row in enumerate(found.rows, 1) if row["reject_reason"] is None] == own
    assert all(reason.startswith("a record of another log: ") or "expected a value" in reason for reason in found.faults.values())


def test_the_directory_s_audits_and_sign_ins_may_share_a_file(read):
    records = [make(number) for number in range(1, 4) for make in LOGS.values()]
    found = read(lines(*records), "entra/directory_audits")
    assert sorted(row["category"] for row in found.usable) == ["AuditLogs"] * 3 + ["SignInLogs"] * 3
    # Some tools put Graph's category in the place of the log's name.
    hybrid = directory_audit(1) | {"category": "Policy"}
    assert read(lines(hybrid, sign_in(2)), "entra/directory_audits").result.parsed == 2
