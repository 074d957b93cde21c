"""One event in the layouts that clouds' own tools make of it: each comes to the same canonical row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.home import Home
from tests.warehouse.staged_samples import StagedSamples, stage_landed

ADMIN, BO, ROLE = "11111111-0000-0000-0000-000000000001", "22222222-0000-0000-0000-000000000002", "62e90394-69f5-4237-9190-012177145e10"
PRINCIPAL, SECRET_ID = "33333333-0000-0000-0000-000000000003", "44444444-0000-0000-0000-000000000004"
AT, MICROSECONDS = "2026-03-02T09:00:00.1234567Z", datetime(2026, 3, 2, 9, 0, 0, 123456)
ACCOUNT = "etl@shop.iam.gserviceaccount.com"


def json_lines(*records: Mapping[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def csv_of(record: Mapping[str, Any]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(record)
    writer.writerow(record.values())
    return text.getvalue()


def in_capitals(value: Any) -> Any:
    """As PowerShell spells what Graph answers."""
    if isinstance(value, Mapping):
        return {key[:1].upper() + key[1:]: in_capitals(part) for key, part in value.items()}
    return [in_capitals(part) for part in value] if isinstance(value, list) else value


# -- Entra --------------------------------------------------------------------------------------------------------

AUDIT = {
    "id": "Directory_1",
    "category": "RoleManagement",
    "correlationId": "c",
    "result": "success",
    "activityDisplayName": "Add member to role",
    "activityDateTime": AT,
    "initiatedBy": {"user": {"id": ADMIN, "userPrincipalName": "ann@shop.example"}},
    "targetResources": [
        {
            "id": BO,
            "type": "User",
            "userPrincipalName": "bo@shop.example",
            "modifiedProperties": [
                {"displayName": "Role.TemplateId", "oldValue": None, "newValue": f'"{ROLE}"'},
                {"displayName": "Role.DisplayName", "oldValue": None, "newValue": '"Global Administrator"'},
            ],
        }
    ],
    "additionalDetails": [],
}
# As a workspace answers: what is JSON in its table is text.
AUDIT_ROW = {
    "TimeGenerated": AT,
    "OperationName": "Add member to role",
    "Category": "RoleManagement",
    "CorrelationId": "c",
    "Id": "Directory_1",
    "Result": "success",
    "InitiatedBy": json.dumps(AUDIT["initiatedBy"]),
    "TargetResources": json.dumps(AUDIT["targetResources"]),
}
APPLICATION = {
    "id": BO,
    "appId": "a",
    "displayName": "etl",
    "createdDateTime": "2026-03-01T09:00:00Z",
    "keyCredentials": [],
    "passwordCredentials": [
        {"keyId": SECRET_ID, "startDateTime": "2026-03-02T09:00:00Z", "endDateTime": "2026-09-02T09:00:00Z"}
    ],
}
SIGN_IN = {"id": "s1", "createdDateTime": AT, "userId": BO, "appId": "a", "status": {"errorCode": 50126}}
SIGN_IN_CSV = {
    "Date (UTC)": "2026-03-02T09:00:00Z",
    "Request ID": "s2",
    "Service principal ID": PRINCIPAL,
    "Service principal name": "etl",
    "Credential key ID": SECRET_ID,
    "Application ID ": "a",
    "Status": "Success",
    "Sign-in error code": "0",
}

# -- Google -------------------------------------------------------------------------------------------------------


def entry(method: str, service: str = "iam.googleapis.com", **payload: Any) -> dict[str, Any]:
    return {
        "insertId": method,
        "timestamp": AT,
        "logName": "projects/shop/logs/cloudaudit.googleapis.com%2Factivity",
        "resource": {"labels": {"project_id": "shop"}},
        "protoPayload": {
            "methodName": method,
            "serviceName": service,
            "authenticationInfo": {"principalEmail": "ann@shop.example"},
            **payload,
        },
    }


KEY_REQUEST = {"name": f"projects/shop/serviceAccounts/{ACCOUNT}"}
KEY_RESPONSE = {"name": f"projects/shop/serviceAccounts/{ACCOUNT}/keys/77aa"}
BIGQUERY = {
    "insertId": "bigquery",
    "timestamp": "2026-03-02 09:00:00.123456 UTC",
    "logName": "l",
    "protopayload_auditlog": {
        "methodName": "google.iam.admin.v1.CreateServiceAccountKey",
        "serviceName": "iam.googleapis.com",
        "resourceName": "projects/-/serviceAccounts/123",
        "authenticationInfo": {"principalEmail": "ann@shop.example"},
        "requestJson": json.dumps(KEY_REQUEST),
        "responseJson": json.dumps(KEY_RESPONSE),
        "metadataJson": json.dumps(
            {"policyDelta": {"bindingDeltas": [{"action": "ADD", "role": "roles/viewer", "member": "user:bo@shop.example"}]}}
        ),
    },
}
SENTINEL_OF_GOOGLE = {
    "TimeGenerated": "2026-03-02T09:01:00Z",
    "Timestamp": AT,
    "InsertId": "sentinel",
    "LogName": "l",
    "MethodName": "google.iam.admin.v1.CreateServiceAccountKey",
    "ServiceName": "iam.googleapis.com",
    "GCPResourceName": "projects/-/serviceAccounts/123",
    "PrincipalEmail": "ann@shop.example",
    "Request": json.dumps(KEY_REQUEST),
    "Response": json.dumps(KEY_RESPONSE),
    "Status": "{}",
}
SECRETS = [
    entry(
        f"google.cloud.secretmanager.v1.SecretManagerService.{method}",
        "secretmanager.googleapis.com",
        resourceName=f"projects/1/secrets/db{resource}",
        response={"name": f"projects/1/secrets/db{made}"} if made else {},
    )
    for method, resource, made in [
        ("AddSecretVersion", "", "/versions/7"),
        ("DestroySecretVersion", "/versions/6", "/versions/6"),
        ("AccessSecretVersion", "/versions/latest", ""),
        ("DeleteSecret", "", ""),
    ]
]
UNANSWERED_KEY = entry("google.iam.admin.v1.CreateServiceAccountKey", resourceName="projects/-/serviceAccounts/123")


def gke(verb: str, path: str, **payload: Any) -> dict[str, Any]:
    return entry(f"io.k8s.{verb}", "k8s.io", resourceName=path, **payload)


GKE = [
    gke("core.v1.serviceaccounts.create", "core/v1/namespaces/prod/serviceaccounts/etl"),
    gke(
        "authorization.rbac.v1.clusterrolebindings.create",
        "rbac.authorization.k8s.io/v1/clusterrolebindings/admins",
        request={
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "User", "name": "bo@shop.example"}],
        },
    ),
    gke(
        "core.v1.serviceaccounts.token.create",
        "core/v1/namespaces/prod/serviceaccounts/etl/token",
        response={"status": {"token": "eyJ.secret", "expirationTimestamp": "2026-03-02T10:00:00Z"}},
    ),
    gke(
        "authorization.rbac.v1.rolebindings.delete",
        "rbac.authorization.k8s.io/v1/namespaces/prod/rolebindings/readers",
        status={"code": 7},
    ),
]

# -- Amazon and Azure -----------------------------------------------------------------------------------------------


def iam(name: str, request: Mapping[str, Any], response: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "eventID": name,
        "eventTime": "2026-03-02T09:00:00Z",
        "eventName": name,
        "eventSource": "iam.amazonaws.com",
        "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "userName": "ann", "accountId": "111122223333"},
        "requestParameters": request,
        "responseElements": response,
    }


IAM = [
    iam("UploadSSHPublicKey", {"userName": "bo"}, {"sSHPublicKey": {"userName": "bo", "sSHPublicKeyId": "APKA1"}}),
    iam("UpdateSSHPublicKey", {"userName": "bo", "sSHPublicKeyId": "APKA1", "status": "Inactive"}),
    iam("DeleteSSHPublicKey", {"userName": "bo", "sSHPublicKeyId": "APKA1"}),
    iam(
        "CreateServiceSpecificCredential",
        {"serviceName": "codecommit.amazonaws.com"},
        {"serviceSpecificCredential": {"userName": "ann", "serviceSpecificCredentialId": "ACCA1"}},
    ),
    iam("UploadSigningCertificate", {}, {"certificate": {"userName": "ann", "certificateId": "CERT1"}}),
    iam("DeleteSigningCertificate", {"userName": "bo", "certificateId": "CERT2"}),
]
DESCRIBED_SECRET = {
    "ARN": "arn:aws:secretsmanager:us-west-2:111122223333:secret:db-a1b2c3",
    "Name": "db",
    "CreatedDate": "2026-03-02T09:00:00+00:00",
    "LastChangedDate": "2026-03-02T09:00:00+00:00",
    "VersionIdsToStages": {"v9": ["AWSCURRENT"], "v8": ["AWSPREVIOUS"]},
}
VAULT = "https://shop.vault.azure.net/secrets/db"
VERSION = "0123456789abcdef0123456789abcdef"
KEY_VAULT_ROW = {
    "TimeGenerated": AT,
    "OperationName": "SecretSet",
    "ResultType": "Success",
    "ResultSignature": "OK",
    "HttpStatusCode": 200,
    "Identity": json.dumps({"claim": {"oid": ADMIN, "appid": "a"}}),
    "RequestUri": f"{VAULT}?api-version=7.4",
    "Id": f"{VAULT}/{VERSION}",
}
KEY_VAULT_CSV = {
    "TimeGenerated [UTC]": "3/2/2026, 9:00:00.123 AM",
    "OperationName": "SecretSet",
    "ResultType": "Success",
    "httpStatusCode_d": "200",
    "id_s": f"{VAULT}/{VERSION}",
    "requestUri_s": f"{VAULT}?api-version=7.4",
    "identity_claim_oid_g": ADMIN,
}

LANDED: Mapping[str, str] = {
    "entra/directory_audits/powershell.json": json.dumps([in_capitals(AUDIT)]),
    "entra/directory_audits/workspace.json": json.dumps([AUDIT_ROW]),
    "entra/directory_audits/workspace.csv": csv_of(
        {"TimeGenerated [UTC]" if key == "TimeGenerated" else key: value for key, value in AUDIT_ROW.items()}
    ),
    "entra/applications/powershell.json": json.dumps([in_capitals(APPLICATION)]),
    "entra/service_principals/powershell.json": json.dumps([in_capitals(APPLICATION | {"accountEnabled": False})]),
    "entra/sign_ins/powershell.json": json.dumps([in_capitals(SIGN_IN)]),
    "entra/sign_ins/ApplicationSignIns.csv": csv_of(SIGN_IN_CSV),
    "gcp/audit_log/bigquery.json": json_lines(BIGQUERY),
    "gcp/audit_log/sentinel.json": json.dumps([SENTINEL_OF_GOOGLE]),
    "gcp/audit_log/secrets.json": json.dumps([*SECRETS, UNANSWERED_KEY]),
    "gcp/audit_log/cluster.json": json_lines(
        *(dict(each, protoPayload=dict(each["protoPayload"], authenticationInfo={"principalEmail": "system:anonymous"})) for each in GKE)
    ),
    "gcp/service_account_keys/assets.json": json_lines(
        {
            "name": "//iam.googleapis.com/projects/shop/serviceAccounts/123/keys/77aa",
            "assetType": "iam.googleapis.com/ServiceAccountKey",
            "resource": {"data": {"name": KEY_RESPONSE["name"], "keyType": "USER_MANAGED", "validAfterTime": AT}},
        }
    ),
    "kubernetes/audit_log/gke.json": json_lines(*GKE),
    "aws/cloudtrail/iam.json": json.dumps({"Records": IAM}),
    "aws/secretsmanager_list_secrets/described.json": json.dumps(DESCRIBED_SECRET),
    "azure_key_vault/audit_event/workspace.json": json.dumps([KEY_VAULT_ROW]),
    "azure_key_vault/audit_event/workspace.csv": csv_of(KEY_VAULT_CSV),
}


@dataclass(frozen=True)
class Landed:
    staged: StagedSamples
    folder: Path

    def rows(self, model: str, columns: str, file: str) -> Sequence[tuple[Any, ...]]:
        return self.staged.rows_per_subject(model, columns, self.folder / file)


@pytest.fixture(scope="module")
def landed(tmp_path_factory) -> Landed:
    home = Home.at(tmp_path_factory.mktemp("layouts"))
    for place, content in LANDED.items():
        file = home.landing / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    systems = sorted({place.split("/")[0] for place in LANDED})
    return Landed(stage_landed(home, systems), home.landing)


@pytest.mark.parametrize("file", ["powershell.json", "workspace.json", "workspace.csv"])
def test_an_audit_event_of_entra_in_every_layout(landed, file):
    columns = "action, account_id, account_name, entitlement, entitlement_name, is_privileged, actor_id, occurred_at, event_id"
    assert landed.rows("stg_entra__events", columns, f"entra/directory_audits/{file}") == [
        ("entitlement_granted", BO, "bo@shop.example", ROLE, "Global Administrator", True, ADMIN, MICROSECONDS, "Directory_1")
    ]
    usage = landed.rows("stg_entra__directory_audits_usage", "account_id, first_success_at", f"entra/directory_audits/{file}")
    assert usage == [(ADMIN, MICROSECONDS)]


@pytest.mark.parametrize("feed", ["applications", "service_principals"])
def test_credentials_of_applications_as_powershell_writes_them(landed, feed):
    rows = landed.rows(
        "stg_entra__credential_snapshots", "account_id, credential_id, created_at, expires_at", f"entra/{feed}/powershell.json"
    )
    assert rows == [(BO, SECRET_ID, datetime(2026, 3, 2, 9), datetime(2026, 9, 2, 9))]


def test_a_service_principal_as_powershell_writes_it(landed):
    rows = landed.rows("stg_entra__account_snapshots", "account_id, is_enabled", "entra/service_principals/powershell.json")
    assert rows == [(BO, False)]


def test_sign_ins_as_powershell_and_the_admin_center_write_them(landed):
    columns = "account_id, credential_id, first_success_at, first_failure_at"
    assert landed.rows("stg_entra__sign_ins_usage", columns, "entra/sign_ins/powershell.json") == [(BO, None, None, MICROSECONDS)]
    assert landed.rows("stg_entra__sign_ins_usage", columns, "entra/sign_ins/ApplicationSignIns.csv") == [
        (PRINCIPAL, SECRET_ID, datetime(2026, 3, 2, 9), None)
    ]


@pytest.mark.parametrize("file", ["bigquery.json", "sentinel.json"])
def test_a_key_of_google_is_named_where_the_answer_is_text(landed, file):
    columns = "action, account_id, account_name, credential_id, occurred_at, actor_id"
    made = landed.rows("(SELECT * FROM stg_gcp__events WHERE action LIKE 'credential%')", columns, f"gcp/audit_log/{file}")
    assert made == [
        (
            "credential_created", "123", ACCOUNT, f"projects/shop/serviceAccounts/{ACCOUNT}/keys/77aa", MICROSECONDS,
            "ann@shop.example",
        )
    ]  # fmt: skip


def test_rights_of_google_that_are_told_in_text(landed):
    rows = landed.rows("stg_gcp__events", "action, account_id, entitlement_name", "gcp/audit_log/bigquery.json")
    assert ("entitlement_granted", "bo@shop.example", "roles/viewer") in rows


def test_versions_of_google_secrets(landed):
    columns = "action, ocsf_class, account_id, credential_id, credential_type, version"
    secret = (3004, None, "projects/1/secrets/db", "secret_manager_secret")
    assert landed.rows("stg_gcp__events", columns, "gcp/audit_log/secrets.json") == [
        # A key that no answer names is not given a name.
        ("credential_created", 3004, "123", None, "service_account_key", None),
        ("credential_deleted", *secret, None),
        ("version_created", *secret, 7),
        ("version_destroyed", *secret, 6),
    ]
    used = landed.rows("stg_gcp__usage", "credential_id, first_success_at", "gcp/audit_log/secrets.json")
    assert ("projects/1/secrets/db", MICROSECONDS) in used


def test_users_of_a_cluster_are_no_accounts_of_google(landed):
    assert landed.rows("stg_gcp__usage", "account_id", "gcp/audit_log/cluster.json") == []


def test_keys_of_the_asset_inventory(landed):
    columns = "account_id, credential_id, created_at, is_active"
    assert landed.rows("stg_gcp__credential_snapshots", columns, "gcp/service_account_keys/assets.json") == [
        (ACCOUNT, f"projects/shop/serviceAccounts/{ACCOUNT}/keys/77aa", MICROSECONDS, True)
    ]


def test_a_cluster_of_google(landed):
    columns = "action, account_id, credential_id, entitlement, is_privileged, occurred_at, actor_id"
    token = "io.k8s.core.v1.serviceaccounts.token.create"
    etl, by = "system:serviceaccount:prod:etl", "ann@shop.example"
    assert landed.rows("stg_kubernetes__events", columns, "kubernetes/audit_log/gke.json") == [
        ("account_created", etl, None, None, None, MICROSECONDS, by),
        ("credential_created", etl, token, None, None, MICROSECONDS, by),
        ("credential_deleted", etl, token, None, None, datetime(2026, 3, 2, 10), by),
        ("entitlement_granted", "bo@shop.example", None, "clusterrolebindings/admins", True, MICROSECONDS, by),
    ]
    columns = "account_id, first_success_at, first_failure_at"
    assert landed.rows("stg_kubernetes__usage", columns, "kubernetes/audit_log/gke.json") == [(by, MICROSECONDS, MICROSECONDS)]


def test_credentials_of_iam_users_that_are_no_access_keys(landed):
    columns = "action, account_name, credential_type, credential_id"
    assert landed.rows("stg_aws__events", columns, "aws/cloudtrail/iam.json") == [
        ("credential_created", "ann", "service_specific_credential", "ACCA1"),
        ("credential_created", "ann", "signing_certificate", "CERT1"),
        ("credential_created", "bo", "ssh_public_key", "APKA1"),
        ("credential_deactivated", "bo", "ssh_public_key", "APKA1"),
        ("credential_deleted", "bo", "signing_certificate", "CERT2"),
        ("credential_deleted", "bo", "ssh_public_key", "APKA1"),
    ]


def test_a_secret_that_was_described_by_itself(landed):
    rows = landed.rows(
        "stg_aws__credential_snapshots", "version_id, is_active", "aws/secretsmanager_list_secrets/described.json"
    )
    assert rows == [("v8", False), ("v9", True)]


@pytest.mark.parametrize("file", ["workspace.json", "workspace.csv"])
def test_a_call_on_a_key_vault_as_a_workspace_has_it(landed, file):
    columns = "action, credential_id, version_id, actor_id, date_trunc('second', occurred_at)"
    assert landed.rows("stg_azure_key_vault__events", columns, f"azure_key_vault/audit_event/{file}") == [
        ("version_created", VAULT, VERSION, ADMIN, datetime(2026, 3, 2, 9))
    ]
    assert landed.rows("stg_azure_key_vault__usage", "account_id", f"azure_key_vault/audit_event/{file}") == [(ADMIN,)]
