"""The in-house systems and the review tool, in the documented generic CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .. import cast_access_approval, cast_incident_containment, cast_retirement, cast_review_follow_through
from ..plan import Export
from ..story import (
    BY_EMPLOYEE_ID,
    CAMPAIGNS,
    DOMAIN,
    GITEA_ACCOUNTS,
    PAYDESK_ACCOUNTS,
    TOKENS,
    Account,
    Decision,
    Token,
    all_accounts,
    at,
    gitea_logins,
    native_id,
    paydesk_uses,
    system_of,
)
from .ids import guid

_LOG_FROM = at("2025-12-29T00:00")


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""


def _csv(columns: str, rows: Iterable[list[Any]]) -> tuple[bytes, int]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns.split(","))
    rows = list(rows)
    writer.writerows(rows)
    return text.getvalue().encode(), len(rows)


def _tags(tags: tuple[tuple[str, str], ...]) -> str:
    return ";".join(f"{key}={value}" for key, value in tags)


def _account_row(account: Account, moment: datetime) -> list[Any]:
    state = account.state_at(moment)
    # paydesk only says that an operator is off, not since when.
    since = next((t for t, change in account.changes if change == "disabled" and t <= moment), None)
    disabled_at = "" if account.system == "paydesk" else _time(since)
    used = _last_use(account, moment)
    return [account.system, account.native_id, account.user_name, account.display_name, account.email,
            account.account_type, "true" if state == "enabled" else "false", _time(account.created), disabled_at, "",
            _time(used), ""]  # fmt: skip


def accounts(export: Export) -> tuple[bytes, int]:
    source = PAYDESK_ACCOUNTS if export.instance == "paydesk" else GITEA_ACCOUNTS
    return _csv(
        "system,account_id,user_name,display_name,email,account_type,enabled,created_at,disabled_at,deleted_at,"
        "last_used_at,tags",
        [_account_row(account, export.collected_at) for account in source],
    )


def _credential_rows(token: Token, moment: datetime) -> list[list[Any]]:
    known = [created for created in token.created if created is None or created <= moment]
    rows = []
    for n, created in enumerate(known):
        ended = known[n + 1] if n + 1 < len(known) else token.deactivated
        over = ended is not None and ended <= moment
        version = str(n + 1) if token.custody == "versioned" else ""
        rows.append(["gitea", token.credential_id, token.account_id, token.credential_type, token.custody, version,
                     token.credential_id, "false" if over else "true", _time(created), _time(ended) if over else "",
                     "", "", _tags(token.tags)])  # fmt: skip
    return rows


def credentials(export: Export) -> tuple[bytes, int]:
    return _csv(
        "system,credential_id,account_id,credential_type,custody,version,name,active,created_at,deactivated_at,"
        "expires_at,last_used_at,tags",
        [row for token in TOKENS for row in _credential_rows(token, export.collected_at)],
    )


def _last_use(account: Account, moment: datetime) -> datetime | None:
    uses = [instant for instant, who in (*gitea_logins(), *paydesk_uses()) if who is account and instant <= moment]
    return max(uses) if uses else None


def event_rows() -> list[tuple[datetime, list[Any]]]:
    """Every record of gitea's log with its instant."""
    found: list[tuple[datetime, list[Any]]] = []

    def add(moment: datetime, action: str, actor: str, account: str, token: Token | None = None, version: str = "",
            outcome: str = "success", team: str = "") -> None:  # fmt: skip
        event_id = guid("gitea", action, _time(moment), account, *([team] if team else []))
        found.append((moment, [event_id, _time(moment), "gitea", action, outcome, actor, account,
                               token.credential_id if token else "", token.credential_type if token else "", version,
                               team]))  # fmt: skip

    for moment, who in gitea_logins():
        add(moment, "login", who.native_id, who.native_id)
    for who, moment in (("gt-104", "2026-02-12T21:03:00"), *cast_retirement.REFUSED):
        add(at(moment), "login", who, who, outcome="failure")
    for account in GITEA_ACCOUNTS:
        for moment, _ in account.changes:
            add(moment, "account_disabled", "gt-101", account.native_id)
    for token in TOKENS:
        for n, created in enumerate(token.created, start=1):
            if created is not None and created >= _LOG_FROM:
                versioned = token.custody == "versioned"
                add(created, "version_created" if versioned else "credential_created", "gt-102", token.account_id, token,
                    str(n) if versioned else "")  # fmt: skip
        if token.deactivated:
            add(token.deactivated, "credential_deactivated", "gt-102", token.account_id, token)
    for member, team, given, taken in team_memberships():
        if given >= _LOG_FROM:
            add(given, "entitlement_granted", "gt-101", member, team=team)
        if taken:
            add(taken, "entitlement_revoked", "gt-101", member, team=team)
    return sorted(found, key=lambda row: (row[0], row[1][0]))


def events(export: Export) -> tuple[bytes, int]:
    assert export.window
    start, end = export.window
    # Logins come without an id of their own, as many home-grown logs do.
    rows = [["" if row[3] == "login" else row[0], *row[1:]] for moment, row in event_rows() if start <= moment < end]
    return _csv(
        "event_id,occurred_at,system,action,outcome,actor_id,account_id,credential_id,credential_type,version,entitlement",
        rows,
    )


def _reviewer_email(reviewer: str | None) -> str:
    if reviewer is None:
        return ""
    return BY_EMPLOYEE_ID[reviewer].email if reviewer in BY_EMPLOYEE_ID else f"{reviewer}@{DOMAIN}"


def review_decisions(export: Export) -> tuple[bytes, int]:
    """All campaigns launched so far, as decided so far."""
    by_id = {native_id(account): account for account in all_accounts()}
    rows = []
    for campaign in CAMPAIGNS:
        if campaign.launched > export.collected_at:
            continue
        accesses = [(access, Decision(account, reviewer, word, at(when)))
                    for campaign_id, account, access, reviewer, word, when in cast_review_follow_through.ITEMS
                    if campaign_id == campaign.campaign_id]  # fmt: skip
        for access, decision in [*(("", decision) for decision in campaign.decisions), *accesses]:
            account = by_id[decision.account_id]
            instance = account.instance if isinstance(account, Account) else "main"
            decided = decision.decided_at is not None and decision.decided_at <= export.collected_at
            said = [_reviewer_email(decision.reviewer), decision.word, _time(decision.decided_at)] if decided else ["", "", ""]
            rows.append([campaign.campaign_id, campaign.name, _time(campaign.launched), _time(campaign.due),
                         system_of(account), "" if instance == "main" else instance, decision.account_id, access, *said,
                         ""])  # fmt: skip
    return _csv(
        "campaign_id,campaign_name,launched_at,due_at,system,instance,account_id,entitlement,reviewer_email,decision,"
        "decided_at,comment",
        rows,
    )


_TEAMS = {"gt-101": "owners", "gt-102": "platform", "gt-103": "platform", "gt-104": "platform", "gt-105": "design",
          "gt-106": "ci", "gt-107": "office", "gt-108": "platform"}  # fmt: skip


def team_memberships() -> list[tuple[str, str, datetime, datetime | None]]:
    """Who was in which team of gitea, from when and until when: one from the beginning, others later."""
    first = [(account.native_id, f"team:{_TEAMS.get(account.native_id, 'ci')}", account.created, None) for account in GITEA_ACCOUNTS]
    later = [(account, team, at(given), at(taken) if taken else None)
             for account, team, given, taken in (*cast_access_approval.TEAMS, *cast_review_follow_through.TEAMS)]  # fmt: skip
    return [*first, *later]


def operator_rights() -> list[tuple[str, str, datetime, datetime | None]]:
    """Who had which right in paydesk, from when and until when in fact."""
    rights = (*cast_access_approval.RIGHTS, *cast_review_follow_through.RIGHTS)
    return [(account, right, at(given), at(taken) if taken else None) for account, right, given, taken in rights]


def holdings() -> list[tuple[str, str, datetime, datetime | None]]:
    """Everything that anybody held in gitea or paydesk."""
    return [*team_memberships(), *operator_rights()]


def _entitlement_rows(export: Export) -> Iterable[list[Any]]:
    moment = export.collected_at
    if export.instance == "paydesk":  # its list says what operators may do, not since when
        for account, right, given, taken in operator_rights():
            if given <= moment and not (taken and taken <= moment):
                yield ["paydesk", account, right, "role", "", ""]
        return
    by_id = {account.native_id: account for account in GITEA_ACCOUNTS}
    for account, team, given, taken in team_memberships():
        if by_id[account].state_at(moment) == "enabled" and given <= moment and not (taken and taken <= moment):
            privileged = "true" if team in cast_access_approval.PRIVILEGED else "false"
            yield ["gitea", account, team, "group", privileged, _time(given)]


def entitlements(export: Export) -> tuple[bytes, int]:
    return _csv("system,account_id,entitlement,entitlement_type,privileged,granted_at", _entitlement_rows(export))


@dataclass(frozen=True)
class AccessCase:
    """An access request of the service desk; people by employee id."""

    ticket_id: str
    system: str
    target: str
    entitlement: str
    requester: str
    beneficiary: str
    created: datetime
    approved: datetime
    approvers: tuple[str, ...]


def access_cases() -> list[AccessCase]:
    """Every access request of the service desk."""
    asked = [
        ("SD-41", "gitea", "gt-108", "team:platform", "E1031", "E1031", "2026-01-13T09:00", "2026-01-13T11:30", ("E1002",)),
        *cast_access_approval.DESK,
    ]
    return [AccessCase(*case[:6], at(case[6]), at(case[7]), case[8]) for case in asked]


def tickets(export: Export) -> tuple[bytes, int]:
    """The service desk's cases: access requests and incidents."""
    email = {employee_id: person.email for employee_id, person in BY_EMPLOYEE_ID.items()}
    cases: list[list[Any]] = []
    for case in access_cases():
        is_approved = case.approved <= export.collected_at
        cases.append([case.ticket_id, "access_request", case.system, case.target, case.entitlement, email[case.requester],
                      email[case.beneficiary], "closed" if is_approved else "open", case.created,
                      case.approved if is_approved else None,
                      ";".join(email[who] for who in case.approvers) if is_approved else "", None, None, None, None])  # fmt: skip
    for ticket_id, system, target, created, approved in cast_retirement.DESK:
        is_approved = approved is not None and at(approved) <= export.collected_at
        cases.append([ticket_id, "nhi_retirement", system, target, "", email["E1003"], "", "closed" if is_approved else "open",
                      at(created), at(approved) if approved and is_approved else None, email["E1002"] if is_approved else "",
                      None, None, None, None])  # fmt: skip
    for ticket_id, system, target, *clocks in cast_incident_containment.DESK:
        detected, escalated, contained, recovered = (at(clock) if clock else None for clock in clocks)
        cases.append([ticket_id, "incident", system, target, "", email["E1003"], "", "closed", detected, None, "", detected,
                      escalated, contained, recovered])  # fmt: skip
    rows = []
    for case in sorted(cases, key=lambda case: case[8]):
        if case[8] <= export.collected_at:
            rows.append([_time(value) if value is None or isinstance(value, datetime) else value for value in case])
    return _csv(
        "ticket_id,kind,target_system,target_id,entitlement,requester_email,beneficiary_email,status,created_at,"
        "approved_at,approver_email,detected_at,escalated_at,contained_at,recovered_at",
        rows,
    )
