"""DEC in plain Python: was everything of a retired robot revoked in time, and silent for thirty days after?

Choices: a use within the observation counts against the row even after T, because the window is observed up to as_of; a
ticket that names an account retires the robot behind it, one that names a credential that credential alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from . import cast_retirement, story
from .oracle import Operation, excused, policy
from .oracle_dormant import enabled_stretches, uses_of
from .story import AS_OF, DAY, Period, at

# What nobody collected, or what was silent though it may not be, in the log that shows use of each system.
_HOLES = {
    "hashicorp_vault": [(at("2026-02-17T22:30"), at("2026-02-18T23:30")), (at("2026-07-13T00:00"), story.NEVER)],
    "gitea": [(at("2026-07-13T00:00"), story.NEVER)],
    "aws": [(at("2026-07-13T00:00"), story.NEVER)],
}


@dataclass(frozen=True)
class Retired:
    """One account or credential of a retired robot."""

    system: str
    subject_id: str
    approved: datetime
    closed: datetime | None
    uses: tuple[datetime, ...]


def _retired() -> Iterable[Retired]:
    accounts = {story.native_id(account): account for account in story.all_accounts()}
    named = [(system, target, approved) for _, system, target, _, approved in cast_retirement.DESK if approved]
    for system, target, approved in (*named, *cast_retirement.JIRA):
        if target in accounts:
            closed = enabled_stretches(accounts[target])[-1].closed
            yield Retired(system, target, at(approved), closed, tuple(uses_of(accounts[target])))
        elif system == "hashicorp_vault":
            secret = next(secret for secret in story.SECRETS if secret.native_id == target)
            yield Retired(system, target, at(approved), secret.metadata_deleted, ())
        else:
            key = next(key for user in story.AWS_USERS for key in user.keys if key.key_id == target)
            yield Retired(system, target, at(approved), key.closed(), ())


def retirements(period: Period) -> list[Operation]:
    """DEC: what was approved for retirement in the period, and what falls due in it."""
    rows = []
    for one in _retired():
        due = one.approved + _days("sla_days", one) * DAY
        is_new = period.start <= one.approved < period.end
        is_carried = one.approved < period.start < due <= period.end and (one.closed is None or one.closed >= period.start)
        if (is_new or is_carried) and one.approved <= period.cutoff:
            rows.append(_judged(one, due, period))
    return rows


def _days(parameter: str, one: Retired) -> int:
    return int(policy("DEC", parameter, one.approved, system=one.system, subject=one.subject_id))


def _judged(one: Retired, due: datetime, period: Period) -> Operation:
    horizon = max(period.cutoff, min(due, AS_OF))
    closed = one.closed if one.closed and one.closed <= horizon else None
    row = Operation(period.period_id, "DEC", one.system, one.subject_id, "operated", opened_at=one.approved, due_at=due,
                    performed_at=closed, measure_value=(closed - one.approved) / DAY if closed else None)  # fmt: skip
    if closed is None:
        if due > period.cutoff:
            return replace(row, outcome="pending")
        return excused(replace(row, outcome="deviation", reason="not_revoked"))
    observed = closed + _days("observation_days", one) * DAY
    if any(closed < use <= min(observed, AS_OF) for use in one.uses):
        return replace(row, outcome="deviation", reason="used_after_revocation")
    if closed > due:
        return excused(replace(row, outcome="deviation", reason="late"))
    if observed > AS_OF:
        return replace(row, outcome="pending")
    if any(start < observed and end > closed for start, end in _HOLES[one.system]):
        return replace(row, outcome="indeterminate", reason="monitoring_gap")
    return row
