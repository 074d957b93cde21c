"""DOR in plain Python: who went without use for too long, as far as anybody watched.

Choices: being enabled again starts the clock anew, as creation does. What lies before the first file of a log is no gap in
it, but then the silence since the first file has to outlast limit and grace by itself. An inventory that still states the
use before a spell proves that nobody came in until it was taken; that it states none proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from . import story
from .oracle import Operation, excused, policy
from .plan import EVERY_OTHER_MONDAY, MONDAYS
from .story import DAY, Account, AwsUser, Period

_FIRST_REPORT = MONDAYS[0] + timedelta(hours=5, minutes=10)
_LOG_FROM = {"okta": MONDAYS[0], "gitea": MONDAYS[0], "aws": story.CLOUDTRAIL_FROM}
_PAYDESK_LISTS = [monday + timedelta(hours=5, minutes=41) for monday in EVERY_OTHER_MONDAY]


@dataclass(frozen=True)
class Enabled:
    """A stretch in which an account could be used, as evidence shows it. `opened` None where nothing tells since when."""

    opened: datetime | None
    opened_by: datetime
    closed: datetime | None  # known closed by then
    open_until: datetime  # known open until then


def enabled_stretches(account: Account | AwsUser) -> list[Enabled]:
    if isinstance(account, AwsUser):
        return _ways_in(account)
    found: list[Enabled] = []
    opened: datetime | None = account.created
    for moment, change in account.changes:
        if change == "enabled":
            opened = moment
        elif opened is not None:
            seen, closed = _seen(account, moment)
            found.append(Enabled(opened, opened, closed, seen))
            opened = None
    if opened is not None:
        found.append(Enabled(opened, opened, None, story.NEVER))
    return found


def _seen(account: Account, closing: datetime) -> tuple[datetime, datetime]:
    """Between which instants the closing lies: two lists where there is no log, else the very instant."""
    if account.system != "paydesk":
        return closing, closing
    return max(t for t in _PAYDESK_LISTS if t < closing), min(t for t in _PAYDESK_LISTS if t >= closing)


def _ways_in(user: AwsUser) -> list[Enabled]:
    """Password and keys, joined where they overlap. The report states no birth of a password but the root user's."""
    ways: list[tuple[datetime, datetime | None, bool]] = []
    if user.password_until:
        root = user.user_name == "<root_account>"
        until = user.password_until if user.password_until < story.NEVER else None
        ways.append((user.created if root else max(user.created, _FIRST_REPORT), until, root))
    for key in user.keys:
        begun: datetime | None = key.created
        ends = [*key.changes, *([(key.deleted, "Inactive")] if key.deleted else [])]
        for moment, status in ends:
            if status == "Active":
                begun = moment
            elif begun is not None:
                ways.append((begun, moment, True))
                begun = None
        if begun is not None:
            ways.append((begun, None, True))
    joined: list[list[tuple[datetime, datetime | None, bool]]] = []
    reached = None
    for way in sorted(ways, key=lambda one: one[0]):
        if joined and (reached is None or way[0] <= reached):
            joined[-1].append(way)
            reached = None if way[1] is None or reached is None else max(reached, way[1])
        else:
            joined.append([way])
            reached = way[1]
    found = []
    for island in joined:
        start, _, known = island[0]
        closed = None if any(way[1] is None for way in island) else max(way[1] for way in island if way[1])
        found.append(Enabled(start if known else None, start, closed, closed or story.NEVER))
    return found


def uses_of(account: Account | AwsUser) -> list[datetime]:
    if isinstance(account, AwsUser):
        uses = [moment for moment, who, _ in story.aws_uses() if who is account]
        return [*uses, story.ROOT_LAST_LOGIN] if account.user_name == "<root_account>" else uses
    logins = {"okta": story.okta_logins, "gitea": story.gitea_logins, "paydesk": story.paydesk_uses}
    return [moment for moment, who in logins[account.system]() if who is account]


def dormant(period: Period) -> list[Operation]:
    """DOR: each spell of disuse that outlasts the limit, and each other account that was enabled in the period."""
    rows = []
    for account in story.all_accounts():
        spells = [spell for stretch in enabled_stretches(account) for spell in _disuse(account, stretch, period)]
        if not spells:
            continue
        judged = [row for spell in spells if (row := _judged(account, spell, period))]
        rows += judged or [_never_dormant(account, spells, period)]
    return rows


@dataclass(frozen=True)
class Spell:
    """Disuse from a use or an opening to the next use or the closing."""

    stretch: Enabled
    start: datetime
    used_again: datetime | None
    after_use: bool

    @property
    def end(self) -> datetime | None:
        return self.used_again or self.stretch.closed


def _disuse(account: Account | AwsUser, stretch: Enabled, period: Period) -> list[Spell]:
    uses = sorted(use for use in uses_of(account)
                  if (stretch.opened is None or use >= stretch.opened)
                  and (stretch.closed is None or use < stretch.closed))  # fmt: skip
    starts = [(use, True) for use in uses]
    if stretch.opened is not None or not any(use <= stretch.opened_by for use in uses):
        starts.append((stretch.opened_by, False))
    starts.sort()
    spells = []
    for n, (start, after_use) in enumerate(starts):
        again = starts[n + 1][0] if n + 1 < len(starts) else None
        spell = Spell(stretch, start, again, after_use)
        if start < period.cutoff and (spell.end is None or spell.end > period.start):
            spells.append(spell)
    return spells


def _days(account: Account | AwsUser, parameter: str, clock: datetime) -> timedelta:
    kind = account.account_type if isinstance(account, Account) else ""
    if isinstance(account, AwsUser):
        kind = "root" if account.user_name == "<root_account>" else "iam_user"
    value = policy("DOR", parameter, clock, account_type=kind, system=story.system_of(account),
                   subject=story.native_id(account))  # fmt: skip
    return int(value) * DAY


def _row(account: Account | AwsUser, period: Period) -> Operation:
    instance = account.instance if isinstance(account, Account) else "main"
    return Operation(period.period_id, "DOR", story.system_of(account), story.native_id(account), "", instance=instance)


def _judged(account: Account | AwsUser, spell: Spell, period: Period) -> Operation | None:
    limit, grace = _days(account, "limit_days", spell.start), _days(account, "grace_days", spell.start)
    passed, due, end = spell.start + limit, spell.start + limit + grace, spell.end
    if passed >= period.cutoff or (end and end <= passed):
        return None
    until = min(end or period.cutoff, period.cutoff)
    done = end if end and end <= max(period.cutoff, due) else None
    row = replace(_row(account, period), opened_at=spell.start, due_at=due, performed_at=done,
                  measure_value=(until - spell.start) / DAY)  # fmt: skip
    if end and end <= due:
        return replace(row, outcome="operated")
    if due >= period.cutoff:
        return replace(row, outcome="pending")
    if not _watched(account, spell, until, limit + grace):
        return replace(row, outcome="indeterminate", reason="usage_unobserved")
    if not spell.used_again and (spell.stretch.open_until < due or spell.stretch.open_until <= period.start):
        return replace(row, outcome="indeterminate", reason="state_unobserved", performed_at=None)
    late = not spell.used_again and end and end <= period.cutoff
    return excused(replace(row, outcome="deviation", reason="disabled_late" if late else "dormant_enabled"))


def _watched(account: Account | AwsUser, spell: Spell, until: datetime, allowed: timedelta) -> bool:
    """Whether use in the spell would have been seen. Larkfield's logs of use have no gap once they begin."""
    system = story.system_of(account)
    if system == "paydesk":  # only its lists tell, where they state the use before
        return spell.after_use and max(_PAYDESK_LISTS) >= until
    seen_from = max(_LOG_FROM[system], spell.start)
    stated = system != "aws" and spell.after_use and spell.start < _LOG_FROM[system]
    return seen_from == spell.start or stated or seen_from + allowed < until


def _never_dormant(account: Account | AwsUser, spells: list[Spell], period: Period) -> Operation:
    ends = [min(spell.end or period.cutoff, period.cutoff) for spell in spells]
    longest = max(end - spell.start for end, spell in zip(ends, spells, strict=True))
    used = [spell.start for spell in spells if spell.after_use]
    row = replace(_row(account, period), outcome="operated", performed_at=max(used, default=None),
                  measure_value=longest / DAY)  # fmt: skip
    limit = _days(account, "limit_days", period.start)
    unknown = [end for end, spell in zip(ends, spells, strict=True) if spell.stretch.opened is None and not spell.after_use]
    if any(end - account.created > limit for end in unknown):
        return replace(row, outcome="indeterminate", reason="usage_unobserved")
    return row
