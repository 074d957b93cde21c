"""OWN in plain Python: on which days of its active time did somebody on the payroll answer for each robot?

Choices: the gap counts from its true beginning, before the period too; the first gap that outlasts the grace speaks for the
robot; a gap that is still within the grace at T is pending, unless it was closed in time afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from . import cast_ownership, story
from .oracle import UNDATED_LEAVERS, Operation, excused, policy
from .oracle_dormant import enabled_stretches
from .story import DAY, Account, AwsUser, Period, end_of_day, midnight

_BEFORE = story.at("0001-01-02T00:00")


def identity_of(account: Account | AwsUser) -> str | None:
    """The identity behind a robot's account; None for people and for what nothing links."""
    if account.identity_id is None or account.identity_id in story.BY_EMPLOYEE_ID:
        return None
    linked = account.identity_id.startswith(("nhi-", "aws-root"))
    return account.identity_id if linked else f"{story.system_of(account)}:{story.native_id(account)}"


def _employed(owner: str) -> tuple[datetime, datetime] | None:
    """While the owner is on the payroll, Rita without a break; None for a stranger."""
    person = story.BY_EMPLOYEE_ID.get(owner)
    if person is None:
        return None
    until = UNDATED_LEAVERS.get(owner) or (end_of_day(person.last_day) if person.last_day else story.NEVER)
    return midnight(person.hired), until


@dataclass(frozen=True)
class Ownership:
    start: datetime
    end: datetime
    left: datetime | None  # when the owner left, where that ended it


def _ownerships(identity_id: str) -> list[Ownership]:
    found = []
    for identity, owner, first, last in cast_ownership.OWNERS:
        employed = _employed(owner)
        if identity == identity_id and employed:
            until = end_of_day(last) if isinstance(last, date) else story.NEVER
            left = employed[1] if employed[1] < until else None
            found.append(Ownership(max(midnight(first), employed[0]), min(until, employed[1]), left))
    return sorted(found, key=lambda one: one.start)


def owned(period: Period) -> list[Operation]:
    """OWN: each robot that is active in the period."""
    by_identity: dict[str, list[Account | AwsUser]] = {}
    for account in story.all_accounts():
        identity_id = identity_of(account)
        if identity_id:
            by_identity.setdefault(identity_id, []).append(account)
    return [row for identity, accounts in by_identity.items() if (row := _judged(identity, accounts, period))]


def _judged(identity_id: str, accounts: list[Account | AwsUser], period: Period) -> Operation | None:
    (account,) = accounts  # each of Larkfield's robots lives in one system
    stretches = [
        (one.opened_by, one.closed or story.NEVER)
        for one in enabled_stretches(account)
        if one.opened_by < period.cutoff and (one.closed is None or one.closed > period.start)
    ]
    if not stretches:
        return None
    instance = account.instance if isinstance(account, Account) else "main"
    row = Operation(period.period_id, "OWN", story.system_of(account), identity_id, "operated", instance=instance,
                    opened_at=max(period.start, stretches[0][0]), measure_value=0.0)  # fmt: skip
    gaps = [gap for stretch in stretches for gap in _gaps(_ownerships(identity_id), *stretch)
            if gap[0] < period.cutoff and gap[1] > period.start]  # fmt: skip
    if gaps:
        row = replace(row, measure_value=max(min(end, period.cutoff) - start for start, end in gaps) / DAY)
    for start, end in gaps:
        due = start + int(policy("OWN", "grace_days", start, system=row.system, subject=identity_id)) * DAY
        if end <= due:
            continue
        found = replace(row, opened_at=start, due_at=due, performed_at=end if end <= period.cutoff else None)
        if due >= period.cutoff:
            return replace(found, outcome="pending")
        left = any(one.left and one.left <= start for one in _ownerships(identity_id))
        return excused(replace(found, outcome="deviation", reason="owner_left" if left else "no_owner",
                               measure_value=(min(end, period.cutoff) - start) / DAY))  # fmt: skip
    return row


def _gaps(ownerships: list[Ownership], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The parts of [start, end) in which nobody stands for it."""
    gaps = []
    reached = start
    for one in ownerships:
        if one.start > reached and reached < end:
            gaps.append((reached, min(one.start, end)))
        reached = max(reached, one.end)
    if reached < end:
        gaps.append((reached, end))
    return gaps
