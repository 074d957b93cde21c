"""Real exports of AWS, Google Cloud and Azure: each record is the canonical row it should be."""

from __future__ import annotations

from datetime import datetime

import pytest

from pipelines.home import Home
from tests.warehouse.staged_samples import StagedSamples, stage

USE = "account_id, credential_id, first_success_at, first_failure_at"


@pytest.fixture(scope="module")
def staged(tmp_path_factory) -> StagedSamples:
    return stage(Home.at(tmp_path_factory.mktemp("samples")), ["aws", "gcp", "azure_key_vault"])


def used(staged: StagedSamples, system: str, columns: str, sample: str) -> list[tuple]:
    rows = staged.rows(f"(SELECT 0 AS record_number, * FROM stg_{system}__usage)", columns, sample)
    return [row[1:] for row in rows]


def test_a_role_and_what_it_may_do(staged):
    at = datetime(2024, 8, 1, 13, 37, 41)
    assert staged.rows(
        "stg_aws__events",
        "action, account_id, account_type, account_name, occurred_at, entitlement, is_privileged",
        "aws/cloudtrail/stratus__aws.persistence.iam-create-backdoor-role.json.gz",
    ) == [
        (
            1, "entitlement_granted", None, "iam_role", "stratus-red-team-malicious-iam-role", at,
            "arn:aws:iam::aws:policy/AdministratorAccess", True,
        ),
        (
            2, "account_created", "arn:aws:iam::609418236337:role/stratus-red-team-malicious-iam-role", "iam_role",
            "stratus-red-team-malicious-iam-role", at, None, None,
        ),
    ]  # fmt: skip


def test_reading_secrets_is_use_of_the_secrets_and_of_the_key_that_signed(staged):
    uses = used(staged, "aws", USE, "aws/cloudtrail/stratus__aws.credential-access.secretsmanager-retrieve-secrets.json.gz")
    by_user = [use for use in uses if use[0] is not None]
    assert by_user == [
        ("arn:aws:iam::903144391865:user/christophe", "AKIA1JMTHE9ZMZMWG0MG", datetime(2024, 7, 31, 12, 36, 48), None)
    ]
    assert len(uses) == 1 + 20
    first = "arn:aws:secretsmanager:cn-centraleast-1r:903144391865:secret:stratus-red-team-retrieve-secret-0-28bajb"
    assert (None, first, datetime(2024, 7, 31, 12, 36, 51), None) in uses


def test_secrets_and_their_current_version(staged):
    columns = "credential_id, version_id, is_active, created_at, last_used_at"
    west = "arn:aws:secretsmanager:us-west-2:123456789012:secret:"
    assert staged.rows(
        "stg_aws__credential_snapshots", columns, "aws/secretsmanager_list_secrets/aws-cli-examples__list-secrets-1.json"
    ) == [
        (1, f"{west}MyTestSecret-a1b2c3", "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111", True, datetime(2018, 4, 11, 20, 5, 45, 729000), None),
        (2, f"{west}AnotherSecret-d4e5f6", "a1b2c3d4-5678-90ab-cdef-EXAMPLE22222", True, datetime(2018, 4, 11, 21, 27, 5, 685000), None),
    ]  # fmt: skip
    rds = f"{west}rds!cluster-a1b2c3d4-5678-90ab-cdef-EXAMPLE11111-a1b2c3"
    assert staged.rows(
        "stg_aws__credential_snapshots", columns, "aws/secretsmanager_list_secrets/aws-cli-examples__list-secrets-3.json"
    ) == [
        (1, rds, "a1b2c3d4-5678-90ab-cdef-EXAMPLEaaaaa", False, None, None),
        # It was made at 20:01; the version is there since the rotation.
        (1, rds, "a1b2c3d4-5678-90ab-cdef-EXAMPLEbbbbb", True, datetime(2023, 1, 11, 22, 56, 21, 275000), datetime(2023, 1, 11)),
    ]  # fmt: skip


def test_users_roles_and_what_they_may_do_at_an_instant(staged):
    sample = "aws/account_authorization_details/cloudmapper__iam-get-account-authorization-details.json.gz"
    accounts = staged.rows("stg_aws__account_snapshots", "account_id, account_type, opened_at, absence_scope", sample)
    here = "arn:aws:iam::123456789012"
    assert accounts[2] == (6, f"{here}:role/service-role/level1", "iam_role", datetime(2018, 11, 20, 17, 14, 45), f"{here}:role")
    assert accounts[5] == (9, "arn:aws:iam::aws:user/USER", "iam_user", datetime(2021, 3, 13, 18, 42, 34), "arn:aws:iam::aws:user")
    assert [account[0] for account in accounts] == [4, 5, 6, 7, 8, 9]
    rights = staged.rows("stg_aws__entitlement_snapshots", "account_id, entitlement, entitlement_type, is_privileged", sample)
    # Its inline policy allows every action on everything; the attached one does not.
    assert [right for right in rights if right[0] == 5] == [
        (5, f"{here}:role/bad_role", "arn:aws:iam::aws:policy/service-role/AmazonEC2RoleforSSM", "policy", False),
        (5, f"{here}:role/bad_role", "dostuff", "policy", True),
    ]
    assert rights[-1][1:4] == ("arn:aws:iam::aws:user/USER", "arn:aws:iam::aws:group/GROUP_WITH_BAD_INLINE_POLICY", "group")
    defined = staged.rows("stg_aws__entitlement_definitions", "entitlement_type, is_privileged", sample)
    assert defined == [(1, "group", False), (2, "policy", False), (3, "policy", False)]


def test_service_accounts_keys_and_rights_of_google_cloud(staged):
    rows = staged.rows(
        "stg_gcp__events",
        "action, occurred_at, account_id, account_name, credential_id, entitlement, is_privileged, actor_id",
        "gcp/audit_log/panther-analysis__GCP.AuditLog.iam.jsonl.gz",
    )
    email = "created-service-account@gcp-project1.iam.gserviceaccount.com"
    assert (
        12, "credential_created", datetime(2023, 3, 9, 15, 50, 36, 148000), "123456789098765434567", email,
        f"projects/gcp-project1/serviceAccounts/{email}/keys/69049163b190437ab9279b28e8afa24bb5c5b076", None, None,
        "staging@company.io",
    ) in rows  # fmt: skip
    assert (
        13, "account_created", datetime(2023, 3, 9, 15, 49, 21, 715000), "103995727391704507722", email,
        None, None, None, "staging@company.io",
    ) in rows  # fmt: skip
    assert (
        7, "entitlement_granted", datetime(2022, 5, 5, 14, 0, 48, 814294), "backdoor@example.com", None, None,
        "roles/owner@organizations/888888888888", True, "terraform@platform.iam.gserviceaccount.com",
    ) in rows  # fmt: skip
    # One entry, two roles. The account whose creation was refused (record 10) is none.
    assert [row[6].split("@")[0] for row in rows if row[0] == 9] == [
        "roles/iam.serviceAccountTokenCreator", "roles/iam.serviceAccountUser",
    ]  # fmt: skip
    assert not [row for row in rows if row[0] == 10]


def test_a_service_account_is_used_by_its_key_and_by_impersonation(staged):
    uses = used(staged, "gcp", USE, "gcp/audit_log/panther-analysis__GCP.AuditLog.iam.jsonl.gz")
    refused = "test-no-perms@test-project-123456.iam.gserviceaccount.com"
    key = f"projects/test-project-123456/serviceAccounts/{refused}/keys/a0064fe0ef82b9e256b8b093d927ee842a19da34"
    assert (refused, key, None, datetime(2023, 5, 24, 21, 12, 55, 145000)) in uses
    assert ("11111222223333444455", None, datetime(2024, 8, 29, 19, 30, 36, 339983), None) in uses


def test_keys_that_google_manages_are_told_from_those_of_users(staged):
    columns = "credential_type, is_active, created_at, expires_at"
    assert staged.rows(
        "stg_gcp__credential_snapshots", columns, "gcp/service_account_keys/cartography__list_service_account_keys.json"
    ) == [
        (1, "vendor_managed_key", True, datetime(2023, 1, 1), datetime(2024, 1, 1)),
        (2, "service_account_key", True, datetime(2023, 2, 1), datetime(2024, 2, 1)),
    ]
    # An older answer, which says nothing of it: keys of a day and a half are Google's.
    older = staged.rows(
        "stg_gcp__credential_snapshots", "credential_type", "gcp/service_account_keys/forseti__get_projects_serviceaccounts_keys.json"
    )
    assert older == [(1, "vendor_managed_key"), (2, "vendor_managed_key")]


def test_a_call_to_a_key_vault_shows_its_caller_and_changes_no_secret(staged):
    sample = "azure_key_vault/audit_event/microsoft-docs__key_vault_logging.json"
    assert staged.rows("stg_azure_key_vault__events", "action", sample) == []
    assert used(staged, "azure_key_vault", "system, account_id, credential_id, first_success_at", sample) == [
        ("entra", "d9da5048-2737-4770-bd64-xxxxxxxxxxxx", None, datetime(2016, 1, 5, 1, 32, 1, 269122))
    ]
