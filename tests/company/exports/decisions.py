"""What Larkfield's people decided, in the columns of the decisions feeds."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from .. import cast_change_approval, cast_ownership
from ..plan import REQUIRED_FEEDS, Export
from ..story import (
    ACCESS_KEYS_UNTIL_MARCH,
    AWS_ACCOUNT,
    BY_EMPLOYEE_ID,
    PERIODS,
    POLICIES,
    WAIVERS,
)

_CHIEF, _BOSS, _OWNER = (BY_EMPLOYEE_ID[e].email for e in ("E1001", "E1002", "E1003"))
_ARN = f"arn:aws:iam::{AWS_ACCOUNT}"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return "" if value is None else str(value)


def _periods(_: datetime) -> list[list[Any]]:
    return [[period.period_id, period.first_day, period.end_day, period.timezone] for period in PERIODS]


def _policies(known_at: datetime) -> list[list[Any]]:
    """Until the risk review of 2 March nobody knew that the 90 days for access keys would end."""
    reviewed = known_at >= datetime(2026, 3, 2, tzinfo=known_at.tzinfo)
    rows = []
    for policy in POLICIES:
        until: date | None = policy.valid_to
        if not reviewed and policy.valid_from > date(2026, 3, 1):
            continue
        if not reviewed and policy is ACCESS_KEYS_UNTIL_MARCH:
            until = None
        rows.append([policy.control_id, policy.parameter, policy.value, policy.scope, policy.valid_from, until, _CHIEF,
                     policy.reason])  # fmt: skip
    return rows


def _waivers(known_at: datetime) -> list[list[Any]]:
    return [
        [w.waiver_id, w.control_id, w.system, w.subject_id, w.first_day, w.last_day, _CHIEF, w.approved_at, w.reason]
        for w in WAIVERS
        if w.collected_at <= known_at
    ]


def _identity_links(_: datetime) -> list[list[Any]]:
    return [
        ["gitea", "gt-105", "E1023", "employee", _BOSS, "Signed up with a private address before her marriage"],
        ["gitea", "gt-106", "nhi-ci-runner", "service_account", _OWNER, "Runner of the build farm"],
        ["aws", f"{_ARN}:user/ken", "E1022", "employee", _BOSS, "IAM user from before single sign-on"],
        ["aws", f"{_ARN}:user/ci-deployer", "nhi-ci-deployer", "service_account", _OWNER, "Deploys from CI"],
        ["aws", f"{_ARN}:user/svc-reports", "nhi-svc-reports", "service_account", _OWNER, "Monthly reports"],
        ["aws", f"{_ARN}:root", "aws-root", "other", _CHIEF, "Root user, in the safe"],
        *(["github", login, person, "employee", _OWNER, "Login at GitHub"] for login, person in cast_change_approval.LOGINS),
    ]


def _identity_rules(_: datetime) -> list[list[Any]]:
    return [
        ["R1", "aws", "user_name", "^(ci|svc)-", "service_account"],
        ["R2", "okta", "user_name", "^svc-", "service_account"],
        ["R3", "okta", "user_name", "^bot-", "bot"],
        ["R4", "gitea", "account_type", "^bot$", "bot"],
        ["R5", "hashicorp_vault", "path", "(orders|erp|payments|tools|legacy|tmp)/", "service_account"],
    ]


def _owners(_: datetime) -> list[list[Any]]:
    return [
        [identity_id, BY_EMPLOYEE_ID[owner].email if owner in BY_EMPLOYEE_ID else owner, first_day, last_day]
        for identity_id, owner, first_day, last_day in cast_ownership.OWNERS
    ]


def _required_feeds(_: datetime) -> list[list[Any]]:
    return [
        [f.system, f.feed, f.instance, f.cadence_days, f.sparse, f.shows_use, 365, f.valid_from, f.valid_to]
        for f in REQUIRED_FEEDS
    ]


def _ticket_rules(_: datetime) -> list[list[Any]]:
    kind, target = "fields.issuetype.name", "fields.customfield_10050"
    pattern = "^[a-z_]+:(.+)$"
    return [
        ["jira", "main", "access_request", kind, "Access Request", target, pattern, "fields.customfield_10052", "Approved", "Declined", "", ""],
        ["jira", "main", "nhi_retirement", kind, "NHI Retirement", target, pattern, "", "Approved", "Declined", "", ""],
        ["jira", "main", "change", kind, "Change", target, pattern, "", "Approved", "Declined", "", ""],
        ["jira", "main", "incident", kind, "Incident", target, pattern, "", "", "", "fields.customfield_10060", "Contained; Done"],
        ["jira", "main", "log_outage", kind, "Log Outage", target, "^(.+)$", "", "", "", "", ""],
    ]


def _gap_acceptances(_: datetime) -> list[list[Any]]:
    approved = datetime.fromisoformat("2026-07-07T14:00:00+00:00")
    return [
        ["2026-H1", "hashicorp_vault/audit_log/main", date(2026, 2, 17), date(2026, 2, 19), _CHIEF, approved,
         "Forwarder outage, see IAM-4; kv_metadata of 23 February shows every version"],
        ["2026-H1", "hashicorp_vault/kv_metadata/main", date(2026, 1, 15), date(2026, 1, 21), _CHIEF, approved,
         "Collector was being moved; the audit log is whole that week"],
    ]  # fmt: skip


_FEEDS: dict[str, tuple[str, Callable[[datetime], list[list[Any]]]]] = {
    "periods": ("period_id,start,end,timezone", _periods),
    "policies": ("control_id,parameter,value,scope,valid_from,valid_to,approved_by,reason", _policies),
    "waivers": ("waiver_id,control_id,system,subject_id,first_day,last_day,approved_by,approved_at,reason", _waivers),
    "identity_links": ("system,native_id,identity_id,identity_type,decided_by,reason", _identity_links),
    "identity_rules": ("rule_id,system,field,pattern,identity_type", _identity_rules),
    "owners": ("identity_id,owner_email,valid_from,valid_to", _owners),
    "gap_acceptances": ("period_id,subject,first_day,last_day,approved_by,approved_at,reason", _gap_acceptances),
    "required_feeds": (
        "system,feed,instance,cadence_days,sparse,shows_use,source_retention_days,valid_from,valid_to",
        _required_feeds,
    ),
    "ticket_rules": (
        "system,instance,kind,match_field,match_value,target_field,target_pattern,entitlement_field,approved_status,"
        "rejected_status,detected_field,contained_status",
        _ticket_rules,
    ),
}


def decisions(export: Export) -> tuple[bytes, int]:
    columns, rows_of = _FEEDS[export.feed]
    rows = rows_of(export.collected_at)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns.split(","))
    writer.writerows([_text(value) for value in row] for row in rows)
    return text.getvalue().encode(), len(rows)
