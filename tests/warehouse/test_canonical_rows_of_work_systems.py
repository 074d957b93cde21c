"""Real exports of the systems in which people work: each record is the canonical row it should be."""

from __future__ import annotations

from datetime import datetime

import pytest

from pipelines.home import Home
from tests.warehouse.staged_samples import StagedSamples, stage


@pytest.fixture(scope="module")
def staged(tmp_path_factory) -> StagedSamples:
    return stage(Home.at(tmp_path_factory.mktemp("samples")), ["jira", "github", "servicenow", "kubernetes"])


def test_a_jira_issue_and_its_changes(staged):
    sample = "jira/issues/faros__ce_test_resources_issues__issues.json"
    tickets = staged.rows("stg_jira__tickets", "ticket_id, kind, status, created_at, history_total, history_returned", sample)
    assert tickets[:2] == [
        (1, "TEST-1", "Sub-task", "Selected for Development", datetime(2024, 7, 4, 12, 40, 59, 251000), 3, 3),
        # Jira says there are two changes and returns none of them.
        (2, "TEST-2", "Story", "Backlog", datetime(2024, 7, 4, 12, 40, 59, 251000), 2, 0),
    ]
    changes = staged.rows("stg_jira__ticket_transitions", "ticket_id, field, from_value, to_value, changed_at", sample)
    assert (1, "TEST-1", "status", "Backlog", "Selected for Development", datetime(2024, 7, 4, 12, 41, 0, 89000)) in changes
    assert len([change for change in changes if change[1] == "TEST-1"]) == 3


def test_a_pull_request_and_who_approved_it(staged):
    approved = staged.rows(
        "stg_github__pull_requests",
        "change_id, base_branch, author_id, merged_by_id, merged_at, "
        "list_transform(reviews, review -> (review.reviewer_id, review.state, review.submitted_at))",
        "github/pull_requests/devlake__github_graphql_prs.json",
    )
    assert approved == [
        (
            1, "apache/incubator-devlake#7914", "main", "d4x1", "abeizn", datetime(2024, 8, 19, 7, 56, 39),
            [("abeizn", "APPROVED", datetime(2024, 8, 19, 7, 56, 12))],
        ),
        (
            2, "apache/incubator-devlake#7913", "main", "mintsweet", "klesh", datetime(2024, 8, 19, 7, 56, 53),
            [("klesh", "APPROVED", datetime(2024, 8, 19, 7, 56, 40))],
        ),
        (3, "apache/incubator-devlake#7912", "main", "usharerose", None, None, []),
    ]  # fmt: skip


def test_who_and_what_came_and_went_in_github(staged):
    at = datetime(2021, 5, 18, 2, 31, 58, 553000)
    events = staged.rows(
        "stg_github__events",
        "action, account_id, credential_type, entitlement, actor_id, occurred_at",
        "github/audit_log/panther-analysis__GitHub.Audit.jsonl",
    )
    assert events == [
        (30, "account_created", "cat", None, None, "cat", at),
        (31, "account_deleted", "bob", None, None, "cat", at),
        # Apps act as the bots of their slugs.
        (32, "account_created", "microsoft-teams-for-github[bot]", None, None, "user_name", datetime(2022, 12, 11, 5, 28, 5, 542000)),
        (33, "account_created", "datadog-ci[bot]", None, None, "leetboy", datetime(2022, 12, 2, 17, 40, 8, 671000)),
        (39, "entitlement_granted", "cat", None, "my-org/my-repo", "bob", at),
        (40, "entitlement_revoked", "cat", None, "my-org/my-repo", "bob", at),
        (82, "credential_created", None, "deploy_key", None, "cat", at),
        (83, "credential_deleted", None, "deploy_key", None, "cat", at),
        (84, "entitlement_granted", "bob", None, "my-org", "cat", at),
    ]  # fmt: skip
    overridden = staged.rows(
        "stg_github__branch_protections",
        "repository, branch, is_protected",
        "github/audit_log/panther-analysis__GitHub.Audit.jsonl",
    )
    assert overridden == [(13, "my-org/my-repo", "main", True)]


def test_use_of_github_is_whoever_acts(staged):
    used = staged.rows_per_subject(
        "stg_github__usage", "account_id, first_success_at", "github/audit_log/go-github__orgs_audit_log.jsonl"
    )
    assert used == [("testactor", datetime(2021, 3, 7, 0, 35, 8, 538000))]


def test_a_servicenow_list_export_with_days_before_months(staged):
    tickets = staged.rows(
        "stg_servicenow__tickets",
        "ticket_id, revision, kind, status, created_at, updated_at, closed_at",
        "servicenow/tickets/rvinicius396g__incident_event_log.d-m-yyyy.csv",
    )
    opened, closed = datetime(2016, 2, 29, 1, 23), datetime(2016, 3, 5, 12, 0)
    assert tickets[:4] == [
        (1, "INC0000045", 0, "incident", "New", opened, opened, closed),
        (2, "INC0000045", 2, "incident", "Resolved", opened, datetime(2016, 2, 29, 8, 53), closed),
        (3, "INC0000045", 3, "incident", "Resolved", opened, datetime(2016, 2, 29, 11, 29), closed),
        (4, "INC0000045", 4, "incident", "Closed", opened, closed, closed),
    ]
    assert len(tickets) == 39


def test_tokens_and_use_of_a_cluster(staged):
    sample = "kubernetes/audit_log/panther-analysis__Amazon.EKS.Audit.jsonl"
    events = staged.rows("stg_kubernetes__events", "action, account_id, credential_type, actor_id, occurred_at", sample)
    at = datetime(2025, 8, 26, 17, 40, 49, 330617)
    proxy = "system:serviceaccount:kube-system:kube-proxy"
    assert events == [
        (13, "credential_created", proxy, "service_account_token", "system:node:ip-192-168-3-178.us-west-2.compute.internal", at),
        (14, "credential_created", proxy, "service_account_token", "system:node:suspicious-node", at),
    ]  # fmt: skip
    used = staged.rows_per_subject("stg_kubernetes__usage", "account_id, first_success_at, first_failure_at", sample)
    # Nobody is behind system:anonymous, and a watch that has only begun is not answered yet.
    assert used[0] == ("eks:addon-manager", datetime(2022, 12, 1, 18, 20, 25, 78000), None)
    coredns = datetime(2022, 11, 29, 22, 40, 2, 903000)
    assert ("system:serviceaccount:kube-system:coredns", coredns, coredns) in used


def test_one_servicenow_record_by_itself_and_others_on_their_way_through_a_tool(staged):
    columns = "ticket_id, alias_id, kind, status, requester_id, created_at, updated_at"
    assert staged.rows("stg_servicenow__tickets", columns, "servicenow/tickets/demisto__sc_req_item.json") == [
        (1, "RITM0010028", "1234", "sc_req_item", "Open", "admin", datetime(2020, 4, 16, 15, 33), datetime(2020, 4, 21, 7, 35, 26)),
    ]
    assert staged.rows("stg_servicenow__tickets", columns, "servicenow/tickets/faros__servicenow__all-streams.log") == [
        (1, "INC0000002", "9d385017c611228701d22104cc95c371", "incident", "On Hold", "681ccaf9c0a8016400b98a06818d57c7",
         datetime(2021, 10, 26, 23, 7, 12), datetime(2022, 2, 1, 19, 51, 11)),
        (2, "INC0000003", "e8caedcbc0a80164017df472f39eaed1", "incident", "In Progress", "681b365ec0a80164000fb0b05854a0cd",
         datetime(2021, 11, 2, 23, 7, 30), datetime(2022, 2, 1, 19, 51, 14)),
    ]  # fmt: skip


def test_enterprise_server_sends_github_entries_as_syslog(staged):
    sample = "github/audit_log/streamalert__ghe_general.jsonl"
    promoted = staged.rows("stg_github__events", "action, account_id, entitlement, is_privileged, actor_id, occurred_at", sample)
    assert [row[1:] for row in promoted] == [
        ("entitlement_granted", "sally", "site_admin", True, "bob", datetime(2017, 5, 22, 19, 5, 54, 312000))
    ] * len(promoted)
    assert promoted
    used = staged.rows_per_subject("stg_github__usage", "account_id, first_success_at", sample)
    assert used == [("bob", datetime(2017, 5, 22, 19, 5, 54, 312000))]
