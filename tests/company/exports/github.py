"""GitHub: the organisation's audit log as the API writes it, and pull requests as `gh pr list --json` writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .. import cast_change_approval as cast
from ..plan import Export
from ..story import at
from .ids import array, digest, lines

_VERB = {"create": "repo.create_actions_secret", "update": "repo.update_actions_secret", "remove": "repo.remove_actions_secret"}


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _event(moment: datetime, action: str, actor: str, **more: Any) -> tuple[datetime, dict[str, Any]]:
    return moment, {
        "@timestamp": _milliseconds(moment),
        "_document_id": digest("github", action, moment, actor)[:22],
        "action": action,
        "actor": actor,
        "actor_id": 1000 + int(digest("github user", actor)[:4], 16),
        "actor_is_bot": False,
        "created_at": _milliseconds(moment),
        "operation_type": "modify",
        "org": cast.REPOSITORY.split("/")[0],
        "org_id": 41,
        "repo": cast.REPOSITORY,
        "repo_id": 4101,
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
        **more,
    }


def events() -> list[tuple[datetime, dict[str, Any]]]:
    """Every record of the audit log with its instant."""
    branch, since = cast.PROTECTED_SINCE
    found = [_event(at(since), "protected_branch.create", "carla-chief", name=branch, branch=branch)]
    found += [_event(at(when), _VERB[verb], who, key=secret) for secret, verb, who, when in cast.SECRETS]
    return sorted(found, key=lambda event: event[0])


def audit_log(export: Export) -> tuple[bytes, int]:
    assert export.window
    start, end = export.window
    records = [record for moment, record in events() if start <= moment < end]
    return lines(records), len(records)


def _time(moment: str) -> str:
    return f"{at(moment):%Y-%m-%dT%H:%M:%SZ}"


def _pull_request(number: int, branch: str, author: str, merged: str | None, reviews: tuple[tuple[str, str, str], ...],
                  seen: datetime) -> dict[str, Any]:  # fmt: skip
    opened = min([when for _, _, when in reviews] + [merged or "2026-06-01T09:00"])
    said = [(login, state, when) for login, state, when in reviews if at(when) <= seen]
    latest = max([when for _, _, when in said] + ([merged] if merged else [opened]))
    return {
        "author": {"id": digest("github node", author)[:12], "is_bot": False, "login": author, "name": ""},
        "baseRefName": branch,
        "createdAt": _time(opened),
        "headRefOid": digest("commit", number)[:40],
        "mergeCommit": {"oid": digest("merge", number)[:40]} if merged else None,
        "mergedAt": _time(merged) if merged else None,
        "mergedBy": {"id": digest("github node", author)[:12], "is_bot": False, "login": author, "name": ""} if merged else None,
        "number": number,
        "reviews": [
            {"id": "PRR_" + digest("review", number, login, when)[:16], "author": {"login": login}, "authorAssociation": "MEMBER",
             "body": "", "submittedAt": _time(when), "includesCreatedEdit": False, "reactionGroups": [], "state": state,
             "commit": {"oid": digest("commit", number)[:40]}}
            for login, state, when in said
        ],
        "title": f"Change {number} of the payment pipeline",
        "updatedAt": _time(latest),
        "url": f"https://github.com/{cast.REPOSITORY}/pull/{number}",
    }  # fmt: skip


def pull_requests(export: Export) -> tuple[bytes, int]:
    """Every pull request that was opened by then."""
    records = []
    for number, branch, author, merged, reviews in cast.PULL_REQUESTS:
        if at(merged or "2026-06-01T09:00") <= export.collected_at:
            records.append(_pull_request(number, branch, author, merged, reviews, export.collected_at))
    return array(records), len(records)
