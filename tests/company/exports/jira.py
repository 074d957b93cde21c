"""Jira: answers of the REST search, with changelog, in the site's own time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .. import (
    cast_access_approval,
    cast_change_approval,
    cast_incident_containment,
    cast_review_follow_through,
)
from ..plan import Export
from ..story import BY_EMPLOYEE_ID, at
from .ids import compact, digest

_SITE = "https://larkfield.atlassian.example"
_STATUS = {
    "Open": ("1", "new", 2, "To Do"),
    "Waiting for approval": ("10001", "indeterminate", 4, "In Progress"),
    "Approved": ("10002", "indeterminate", 4, "In Progress"),
    "Contained": ("10005", "indeterminate", 4, "In Progress"),
    "Declined": ("10004", "done", 3, "Done"),
    "Done": ("10003", "done", 3, "Done"),
}


@dataclass(frozen=True)
class Issue:
    number: int
    issue_type: str
    summary: str
    reporter: str
    beneficiary: str | None
    target: str
    created: datetime
    moves: tuple[tuple[datetime, str, str], ...]  # instant, who (employee id), status moved into
    entitlement: str = ""
    detected: datetime | None = None
    is_cut_short: bool = False  # Jira says how many changes there are, and returns only the newest


ISSUES = (
    Issue(1, "Access Request", "Okta account for Hugo Hiredlater", "E1002", "E1011", "okta:hugo.hiredlater@larkfield.example",
          at("2026-03-03T08:00"),
          ((at("2026-03-03T08:05"), "E1002", "Waiting for approval"), (at("2026-03-04T09:30"), "E1001", "Approved"),
           (at("2026-03-10T08:10"), "E1003", "Done"))),
    Issue(2, "Access Request", "IAM user svc-etl with access key", "E1003", None, "aws:svc-etl", at("2026-03-09T10:00"),
          ((at("2026-03-09T10:01"), "E1003", "Waiting for approval"), (at("2026-03-09T15:00"), "E1001", "Approved"),
           (at("2026-03-10T10:30"), "E1003", "Done"))),
    Issue(3, "NHI Retirement", "Retire svc-migrate after the move", "E1003", None, "aws:svc-migrate",
          at("2026-02-05T09:00"),
          ((at("2026-02-05T13:00"), "E1001", "Approved"), (at("2026-02-06T15:10"), "E1003", "Done"))),
    Issue(4, "Log Outage", "Vault audit forwarder stood still", "E1003", None, "hashicorp_vault/audit_log",
          at("2026-02-19T07:40"), ((at("2026-02-19T12:00"), "E1001", "Done"),)),
    Issue(5, "Access Request", "Second key for svc-reports", "E1003", None, "aws:svc-reports", at("2026-06-24T09:00"),
          ((at("2026-06-24T09:02"), "E1003", "Waiting for approval"), (at("2026-07-02T08:00"), "E1001", "Approved"))),
    *(
        Issue(number, "Access Request", summary, reporter, beneficiary, target, at(created),
              tuple((at(moment), who, status) for moment, who, status in moves), entitlement, is_cut_short=is_cut_short)
        for number, summary, reporter, beneficiary, target, entitlement, created, moves, is_cut_short
        in (*cast_access_approval.ISSUES, *cast_review_follow_through.ISSUES)
    ),
    *(
        Issue(number, "Incident", summary, "E1003", None, target, at(created),
              tuple((at(moment), who, status) for moment, who, status in moves), detected=at(detected))
        for number, summary, target, created, detected, moves in cast_incident_containment.ISSUES
    ),
    *(
        Issue(number, "Change", summary, reporter, None, target, at(created),
              tuple((at(moment), who, status) for moment, who, status in moves))
        for number, summary, reporter, target, created, moves in cast_change_approval.ISSUES
    ),
)  # fmt: skip


def _time(moment: datetime) -> str:
    local = moment.astimezone(ZoneInfo("Europe/Berlin"))
    return f"{local:%Y-%m-%dT%H:%M:%S}.000{local:%z}"


def _account_id(employee_id: str) -> str:
    return "712020:" + digest("atlassian", employee_id)[:32]


def _person(employee_id: str | None) -> dict[str, Any] | None:
    if employee_id is None:
        return None
    person = BY_EMPLOYEE_ID[employee_id]
    return {"self": f"{_SITE}/rest/api/2/user?accountId={_account_id(employee_id)}", "accountId": _account_id(employee_id),
            "emailAddress": person.email, "displayName": person.name, "active": True, "timeZone": "Europe/Berlin",
            "accountType": "atlassian"}  # fmt: skip


def _status(name: str) -> dict[str, Any]:
    status_id, key, category, label = _STATUS[name]
    return {"self": f"{_SITE}/rest/api/2/status/{status_id}", "name": name, "id": status_id,
            "statusCategory": {"id": category, "key": key, "name": label}}  # fmt: skip


def _issue(issue: Issue, moment: datetime) -> dict[str, Any]:
    moves = [move for move in issue.moves if move[0] <= moment]
    before = ["Open", *(status for _, _, status in moves)]
    histories = []
    for n, (instant, who, status) in enumerate(moves):
        histories.append({
            "id": str(20000 + 10 * issue.number + n), "author": _person(who), "created": _time(instant),
            "items": [{"field": "status", "fieldtype": "jira", "fieldId": "status", "from": _STATUS[before[n]][0],
                       "fromString": before[n], "to": _STATUS[status][0], "toString": status}],
        })  # fmt: skip
    histories.reverse()  # newest first, as the API answers
    shown = histories[:1] if issue.is_cut_short else histories
    done = next((instant for instant, _, status in moves if status == "Done"), None)
    updated = moves[-1][0] if moves else issue.created
    return {
        "expand": "operations,versionedRepresentations,editmeta,changelog,renderedFields",
        "id": str(10100 + issue.number),
        "self": f"{_SITE}/rest/api/2/issue/{10100 + issue.number}",
        "key": f"IAM-{issue.number}",
        "changelog": {"startAt": 0, "maxResults": len(shown), "total": len(histories), "histories": shown},
        "fields": {
            "summary": issue.summary,
            "issuetype": {"id": str(10200 + len(issue.issue_type)), "name": issue.issue_type, "subtask": False},
            "project": {"id": "10010", "key": "IAM", "name": "Identity", "projectTypeKey": "service_desk"},
            "status": _status(before[-1]),
            "created": _time(issue.created),
            "updated": _time(updated),
            "resolutiondate": _time(done) if done else None,
            "reporter": _person(issue.reporter),
            "creator": _person(issue.reporter),
            "assignee": _person("E1003"),
            "customfield_10050": issue.target,
            "customfield_10051": _person(issue.beneficiary),
            "customfield_10052": issue.entitlement or None,
            "customfield_10060": _time(issue.detected) if issue.detected else None,
            "labels": [],
            "description": None,
        },
    }


def issues(export: Export) -> tuple[bytes, int]:
    """Issues touched in the last five weeks, as the saved query asks."""
    since = export.collected_at - timedelta(days=36)
    found = []
    for issue in ISSUES:
        touched = [issue.created, *(instant for instant, _, _ in issue.moves)]
        if any(since <= instant <= export.collected_at for instant in touched):
            found.append(_issue(issue, export.collected_at))
    answer = {"expand": "schema,names", "startAt": 0, "maxResults": 100, "total": len(found), "issues": found}
    return (compact(answer) + "\n").encode(), len(found)
