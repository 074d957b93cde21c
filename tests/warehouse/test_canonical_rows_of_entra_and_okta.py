"""Real exports of Entra ID and Okta: each record is the canonical row it should be."""

from __future__ import annotations

from datetime import datetime

import pytest

from pipelines.home import Home
from tests.warehouse.staged_samples import StagedSamples, stage

EVENT = "action, account_id, occurred_at"


@pytest.fixture(scope="module")
def staged(tmp_path_factory) -> StagedSamples:
    return stage(Home.at(tmp_path_factory.mktemp("samples")), ["entra", "okta"])


# -- Entra ------------------------------------------------------------------------------------------------------------


def test_audit_events_of_a_diagnostic_export(staged):
    events = staged.rows(
        "stg_entra__events",
        f"{EVENT}, credential_id, entitlement_name, is_privileged, actor_id",
        "entra/directory_audits/panther-analysis__Azure.Audit.jsonl",
    )
    # A role assignment in Azure, a failed invitation and a request to PIM are nothing that happened to an account here.
    assert events == [
        (3, "entitlement_granted", "12345", datetime(2024, 12, 16, 16, 32, 16, 87554), None, "Application Administrator", True, "12345"),
        (5, "entitlement_granted", "12345", datetime(2024, 12, 16, 16, 32, 16, 87554), None, "Application Administrator", True, "12345"),
        (6, "credential_created", "sp-app-456", datetime(2025, 1, 15, 9, 30, 20, 123456), None, None, None, "admin-123"),
        (7, "account_created", "sp-new-789", datetime(2025, 1, 15, 15, 5, 25, 678901), None, None, None, "admin-cloud-456"),
    ]  # fmt: skip


def test_audit_events_as_graph_returns_them(staged):
    sample = "entra/directory_audits/msgraph-docs__directoryaudit-list.json"
    # This page of the documentation says targetResource and gives the type under another name.
    assert staged.rows(
        "stg_entra__events", f"{EVENT}, entitlement, entitlement_name, entitlement_type, actor_id", sample
    ) == [(
        1, "entitlement_granted", "1f0e98f5-3161-4c6b-9b50-d488572f2bb7", datetime(2018, 1, 9, 21, 20, 2, 721537),
        "ef7e527d-6c92-4234-8c6d-cf6fdfb57f95", "Example.com", "group", "728309ae-1a37-4937-9afe-e35d964db09b",
    )]  # fmt: skip


def test_the_unified_log_shows_use_and_calls_a_failed_sign_in_a_success(staged):
    sample = "entra/directory_audits/panther-analysis__Microsoft365.Audit.AzureActiveDirectory.jsonl"
    assert staged.rows("stg_entra__events", EVENT, sample) == []
    with_actors = staged.rows(
        "(SELECT *, coalesce(first_success_record, 0) AS record_number FROM stg_entra__directory_audits_usage)",
        "account_id, first_success_at, first_failure_at",
        sample,
    )
    assert with_actors == [
        (2, "012345-abcde-543-xyz", datetime(2022, 12, 12, 15, 57, 57), datetime(2022, 12, 12, 15, 57, 57)),
        (3, "123-abc", datetime(2022, 12, 12, 17, 28, 35), None),
    ]


def test_sign_ins_of_users_and_service_principals(staged):
    use = "(SELECT *, 0 AS record_number FROM stg_entra__sign_ins_usage)"
    found = staged.rows(
        use, "account_id, credential_id, first_success_at, first_failure_at", "entra/sign_ins/panther-analysis__Azure.Audit.jsonl"
    )
    assert found == [
        (0, "3b4e2783-2b5d-4f1f-a3d9-ddc0ed1c623f", None, datetime(2026, 2, 18, 7, 32, 50, 552947), None),
        (
            0, "4b6986ec-c49c-40c0-89ce-b2ac51213e39", "2afc776a-4e79-4588-b2ad-f62c94d6bea8",
            datetime(2023, 7, 27, 13, 59, 53, 691680), None,
        ),
        (0, "8105c513-d24b-4b8d-9035-f8d48854d703", None, datetime(2023, 7, 21, 5, 3, 52, 160562), None),
        (0, "b1c34143-e405-4058-8e29-84596ad737b8", None, None, datetime(2023, 7, 26, 22, 58, 30, 983201)),
        (0, "user-001", None, None, datetime(2025, 1, 15, 8, 15, 23, 456000)),
        (0, "user-iot-456", None, datetime(2025, 1, 15, 11, 20, 15, 789000), None),
        (0, "user123-456-789", None, datetime(2025, 1, 15, 14, 23, 10, 123456), None),
    ]  # fmt: skip
    listed = staged.rows(use, "account_id, first_success_at", "entra/sign_ins/msgraph-docs__signin-list.json")
    assert listed == [(0, "26be570a-ae82-4189-b4e2-a37c6808512d", datetime(2020, 3, 13, 19, 15, 41, 619583))]


def test_a_service_principal_and_an_application_that_holds_no_key(staged):
    sample = "entra/service_principals/msgraph-docs__serviceprincipal-get.json"
    assert staged.rows("stg_entra__account_snapshots", "account_id, user_name, account_type, is_enabled", sample) == [
        (1, "59e617e5-e447-4adc-8b88-00af644d7c92", "foo", "service_principal", True)
    ]
    sample = "entra/applications/msgraph-docs__application-get.json"
    assert staged.rows("stg_entra__credential_snapshots", "credential_id", sample) == []
    assert staged.rows("stg_entra__app_objects", "kind, object_id, app_id", sample) == [
        (1, "application", "03ef14b0-ca33-4840-8f4f-d6e91916010e", "631a96bc-a705-4eda-9f99-fdaf9f54f6a2")
    ]


def test_an_item_of_an_access_review_that_nobody_has_decided(staged):
    folder = "entra/access_review_decisions"
    assert staged.rows(
        "stg_entra__review_decisions", "campaign_id, account_id, decision, reviewer_email, decided_at",
        f"{folder}/msgraph-docs__decisions-list.json",
    ) == [(1, "8d035c9d-798d-47fa-beb4-f986a4b8126f", "1800bb2c-955d-4205-8471-3a6c3116435d", None, None, None)]  # fmt: skip
    assert staged.rows(
        "stg_entra__review_instances", "campaign_id, launched_at, due_at", f"{folder}/msgraph-docs__instances-list.json"
    ) == [(1, "8d035c9d-798d-47fa-beb4-f986a4b8126f", datetime(2021, 5, 1, 7), datetime(2021, 5, 15, 7))]


# -- Okta -------------------------------------------------------------------------------------------------------------


def test_an_api_token_made_and_revoked_and_roles_of_an_administrator(staged):
    events = staged.rows(
        "stg_okta__events", f"{EVENT}, credential_id, entitlement, is_privileged", "okta/system_log/panther-analysis__Okta.SystemLog.jsonl"
    )
    granted = datetime(2020, 11, 25, 21, 27, 3, 496000)
    assert events == [
        (4, "entitlement_granted", "00u6eup97mAJZWYmP357", granted, None, "Application administrator (all)", True),
        (4, "entitlement_granted", "00u6eup97mAJZWYmP357", granted, None, "Organization administrator", True),
        (5, "entitlement_granted", "00u6eup97mAJZWYmP357", granted, None, "Read only admin", True),
        (5, "entitlement_granted", "00u6eup97mAJZWYmP357", granted, None, "Super administrator", True),
        (6, "credential_created", "00u3q14ei6KUOm4Xi2p4", datetime(2021, 1, 8, 21, 28, 34, 875000), "00Tpki36zlWjhjQ1u2p4", None, None),
        (7, "credential_deleted", None, datetime(2021, 1, 8, 21, 28, 34, 875000), "00Tpki36zlWjhjQ1u2p4", None, None),
    ]  # fmt: skip


def test_a_flattened_log_of_sentinel(staged):
    sample = "okta/system_log/azure-sentinel__Okta_CL.json"
    events = staged.rows("stg_okta__events", f"{EVENT}, entitlement, entitlement_name, event_id", sample)
    added = ("application.user_membership.add", "97952f53-9f83-11ea-b871-476fe69ebde3")
    assert events[1] == (
        6, "entitlement_revoked", "00u4kovkhjfHfv36Y0h7", datetime(2020, 2, 21, 17, 35, 49, 804000),
        "0oapu410jbSyAzP6R0h7", "OpenID Connect Client", "99c5f7a3-54d0-11ea-9689-37de53adb2f9",
    )  # fmt: skip
    # Taken in twice by Sentinel: two rows, one event.
    assert [event[-1] for event in events if event[0] in (7, 8)] == [added[1]] * 2
    assert events[0][-1] == "9460ea83-9f9e-11ea-b365-4973b2c3a34d"


def test_api_tokens_with_their_last_use(staged):
    tokens = staged.rows(
        "stg_okta__credential_snapshots", "credential_id, account_id, created_at, expires_at, last_used_at",
        "okta/api_tokens/okta-openapi__ApiTokenListMetadataResponse.json",
    )  # fmt: skip
    made, used = datetime(2021, 11, 9, 20, 38, 10), datetime(2021, 11, 11, 20, 38, 10)
    assert tokens == [
        (1, "00Tabcdefg1234567890", "00uabcdefg1234567890", made, datetime(2021, 12, 11, 20, 38, 10), used),
        (2, "00T1234567890abcdefg", "00uabcdefg1234567890", made, datetime(2021, 11, 11, 20, 43, 10), used),
    ]
