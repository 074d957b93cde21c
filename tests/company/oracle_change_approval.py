"""Change approval as the story has it, in plain Python: each merge and each change of a secret looks for its approval."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from . import cast_change_approval as cast
from .oracle import Operation, excused
from .oracle_access_approval import tickets_seen
from .story import DAY, Period, at

PEOPLE = dict(cast.LOGINS)


def _of_merge(period: Period, author: str, branch: str, merged: datetime,
              reviews: tuple[tuple[str, str, str], ...]) -> tuple[str, str, datetime | None]:  # fmt: skip
    last_word = {}
    for login, state, when in sorted(reviews, key=lambda review: review[2]):
        if at(when) <= merged and state != "COMMENTED":
            last_word[login] = (state, at(when))
    yes = {login: when for login, (state, when) in last_word.items() if state == "APPROVED"}
    others = [when for login, when in yes.items() if PEOPLE.get(login) not in (None, PEOPLE[author])]
    if others:
        return "operated", "", max(others)
    if any(state == "DISMISSED" for state, _ in last_word.values()) or branch != cast.PROTECTED_SINCE[0]:
        return "indeterminate", "review_source_gap", None
    if yes:
        return "deviation", "self_approved", None
    later = [at(when) for login, state, when in reviews
             if state == "APPROVED" and merged < at(when) <= period.cutoff and PEOPLE.get(login) not in (None, PEOPLE[author])]  # fmt: skip
    return ("deviation", "approved_after", min(later)) if later else ("deviation", "no_approval", None)


def _of_secret(period: Period, secret: str, who: str, changed: datetime) -> tuple[str, str, datetime | None]:
    approvals = [
        (at(when), person, person in (reporter, PEOPLE[who]))
        for _, _, reporter, target, _, moves in cast.ISSUES
        for when, person, status in moves
        if target == f"github:{cast.REPOSITORY}/{secret}" and status == "Approved" and changed - 30 * DAY <= at(when) <= period.cutoff
    ]
    good = [when for when, _, is_own in approvals if when <= changed and not is_own]
    if good:
        return "operated", "", max(good)
    if not tickets_seen(changed - 30 * DAY, changed):
        return "indeterminate", "review_source_gap", None
    if any(when <= changed for when, _, _ in approvals):
        return "deviation", "self_approved", None
    later = [when for when, _, is_own in approvals if when > changed and not is_own]
    return ("deviation", "approved_after", min(later)) if later else ("deviation", "no_approval", None)


def changes(period: Period) -> list[Operation]:
    """CHG: what was merged and which secrets were changed in the period."""
    judged = [
        (f"{cast.REPOSITORY}#{number}", at(merged), _of_merge(period, author, branch, at(merged), reviews))
        for number, branch, author, merged, reviews in cast.PULL_REQUESTS
        if merged
    ] + [
        (f"{cast.REPOSITORY}/{secret}", at(when), _of_secret(period, secret, who, at(when)))
        for secret, _, who, when in cast.SECRETS
    ]
    rows = []
    for subject, happened, (outcome, reason, moment) in judged:
        if period.start <= happened < min(period.end, period.cutoff):
            row = Operation(period.period_id, "CHG", "github", subject, outcome, reason, opened_at=happened, due_at=happened)
            if moment:
                row = replace(row, performed_at=moment, measure_value=(happened - moment).total_seconds() / 3600)
            rows.append(excused(row))
    return rows
