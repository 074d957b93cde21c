"""What every control must conclude about Larkfield, worked out in plain Python from the story alone.

No SQL, no export and no snapshot is read: the oracle knows what happened and when it was collected, and applies the
written semantics. Where those are silent, the choice made here is named in a comment beginning "Choice:".

Rows: all operations of ROT, REV and OFF; of LOG and EVD only the slots that did not simply operate.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from . import story
from .exports import aws, generic, github, okta, vault
from .plan import EVERY_OTHER_MONDAY, MONDAYS, REQUIRED_FEEDS, RequiredFeed, all_exports
from .story import AS_OF, DAY, PERIODS, AwsUser, Campaign, Decision, Period, end_of_day, midnight

COLUMNS = (
    "period_id,control_id,system,instance,subject_id,cycle,opened_at,due_at,performed_at,outcome,reason,measure_value,note"
)


@dataclass(frozen=True)
class Operation:
    """One control operation. `measure_value` is age in days (ROT), hours from the end of employment (OFF), days unused (DOR)."""

    period_id: str
    control_id: str
    system: str
    subject_id: str
    outcome: str
    reason: str = ""
    instance: str = "main"
    cycle: str = ""
    opened_at: datetime | None = None
    due_at: datetime | None = None
    performed_at: datetime | None = None
    measure_value: float | None = None
    note: str = ""
    entitlement: str = ""


# -- policies and waivers -------------------------------------------------------------------------------------------------

DEFAULTS = {
    ("DOR", "limit_days"): "90", ("DOR", "grace_days"): "0", ("DOR", "log_gap_days"): "7",
    ("INC", "sla_hours"): "4",
    ("RVF", "sla_days"): "7", ("RVF", "regrant_days"): "30",
    ("APR", "valid_days"): "30", ("APR", "approvers"): "1", ("APR", "privileged_approvers"): "2",
    ("OWN", "grace_days"): "14",
    ("VLT", "grace_days"): "1",
}  # fmt: skip
_SPECIFIC = ("subject", "tag", "credential_type", "account_type", "identity_type", "system", "")


def policy(control_id: str, parameter: str, clock: datetime, **scope: str) -> str:
    """The value in force at `clock` for something with this scope; tags come as `tag="env=prod"`."""
    matching = []
    for row in story.POLICIES:
        key, _, value = row.scope.replace("tag:", "tag=", 1).partition("=")
        in_force = midnight(row.valid_from) <= clock and (row.valid_to is None or clock < end_of_day(row.valid_to))
        if (row.control_id, row.parameter) == (control_id, parameter) and in_force and (not key or scope.get(key) == value):
            matching.append((_SPECIFIC.index(key), -row.valid_from.toordinal(), row.value))
    # Before the company decided anything, the product's own default holds.
    return min(matching)[2] if matching else DEFAULTS[control_id, parameter]


def excused(operation: Operation, began: datetime | None = None) -> Operation:
    """A deviation becomes waived when a waiver was approved and in force when the deviation began: by default at the
    deadline."""
    if operation.outcome != "deviation" or operation.due_at is None:
        return operation
    began = began or operation.due_at
    for waiver in story.WAIVERS:
        about = (waiver.control_id, waiver.system, waiver.subject_id)
        if about != (operation.control_id, operation.system, operation.subject_id) or waiver.collected_at > AS_OF:
            continue
        if midnight(waiver.first_day) <= began < end_of_day(waiver.last_day) and waiver.approved_at <= began:
            return replace(operation, outcome="waived")
    return operation


# -- ROT ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Interval:
    """The life of one version or key; `opened` None where nothing tells."""

    system: str
    subject_id: str
    credential_type: str
    opened: datetime | None
    closed: datetime | None
    tag: str = ""


def intervals() -> list[Interval]:
    """Every version and key in the story."""
    found = []
    for secret in story.SECRETS:
        for number, opened in enumerate(secret.versions, start=1):
            ends = [secret.versions[number]] if number < len(secret.versions) else []
            ends += [secret.metadata_deleted] if secret.metadata_deleted else []
            ends += [secret.destroyed[0]] if secret.destroyed and secret.destroyed[1] == number else []
            after = [end for end in ends if end > opened]
            tag = next((f"{k}={v}" for k, v in secret.custom_metadata if k in ("env", "holds")), "")
            found.append(Interval("hashicorp_vault", secret.native_id, "kv_secret", opened, min(after, default=None), tag))
    for user in story.AWS_USERS:
        for key in user.keys:
            found.append(Interval("aws", user.key_native_id(key), "access_key", key.created, key.closed()))
    for token in story.TOKENS:
        tag = next((f"{k}={v}" for k, v in token.tags if k == "env"), "")
        for n, opened in enumerate(token.created):
            closed = token.created[n + 1] if n + 1 < len(token.created) else token.deactivated
            found.append(Interval("gitea", token.credential_id, token.credential_type, opened, closed, tag))
    return found


def rotations(period: Period) -> list[Operation]:
    """ROT: every interval that overlaps [start, T)."""
    rows = []
    for life in intervals():
        if (life.closed and life.closed <= period.start) or (life.opened and life.opened >= period.cutoff):
            continue
        closed = life.closed if life.closed and life.closed <= period.cutoff else None
        row = Operation(period.period_id, "ROT", life.system, life.subject_id, "", opened_at=life.opened,
                        performed_at=closed)  # fmt: skip
        if life.opened is None:
            rows.append(replace(row, outcome="indeterminate", reason="unknown_origin"))
            continue
        days = int(policy("ROT", "max_age_days", life.opened, subject=life.subject_id, tag=life.tag,
                          credential_type=life.credential_type, system=life.system))  # fmt: skip
        deadline = life.opened + days * DAY
        age = ((closed or period.cutoff) - life.opened) / DAY
        row = replace(row, due_at=deadline, measure_value=age)
        if closed and closed <= deadline:
            rows.append(replace(row, outcome="operated"))
        elif not closed and deadline >= period.cutoff:
            rows.append(replace(row, outcome="pending"))
        else:
            rows.append(excused(replace(row, outcome="deviation", reason="late" if closed else "overdue")))
    return rows


# -- REV ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cycle:
    label: str
    start: datetime
    end: datetime


def cycles(period: Period, frequency: str) -> list[Cycle]:
    """Calendar windows of the frequency that lie whole inside the period and end by T."""
    months = {"monthly": 1, "quarterly": 3}[frequency]
    found = []
    for year in (period.first_day.year, period.end_day.year):
        for first in range(1, 13, months):
            start = midnight(date(year, first, 1))
            end = midnight(date(year + (first + months > 12), (first + months - 1) % 12 + 1, 1))
            label = f"{year}-{first:02d}" if months == 1 else f"{year}-Q{(first + 2) // 3}"
            if period.start <= start and end <= period.cutoff:
                found.append(Cycle(label, start, end))
    return sorted(set(found), key=lambda cycle: cycle.start)


def counts(decision: Decision, identity_id: str | None) -> bool:
    """A human decided, who is neither the account's identity nor the sole owner of the robot behind it."""
    return (
        decision.word not in ("", "defer")
        and decision.reviewer in story.BY_EMPLOYEE_ID
        and decision.reviewer != identity_id
        and decision.reviewer != story.SOLE_OWNED.get(identity_id or "")
    )


def _reviewed(row: Operation, campaign: Campaign, identity_id: str | None, due: datetime, cutoff: datetime) -> Operation:
    listed = [d for d in campaign.decisions if d.account_id == row.subject_id]
    decided = [d for d in listed if d.decided_at is not None and d.decided_at <= AS_OF]
    valid = [d.decided_at for d in decided if d.decided_at and counts(d, identity_id)]
    in_time = [instant for instant in valid if campaign.launched <= instant <= due]
    if in_time:
        return replace(row, outcome="operated", performed_at=max(in_time))
    # Choice: nothing that is still allowed to happen after T counts against the control, not even an empty list.
    if due > cutoff:
        return replace(row, outcome="pending")
    if not listed:
        reason = "not_in_campaign"
    elif valid:
        reason = "late_decision"
    elif any(d.word not in ("", "defer") and d.reviewer in story.BY_EMPLOYEE_ID for d in decided):
        reason = "self_review"
    else:
        reason = "no_decision"
    performed = min(valid) if reason == "late_decision" else None
    return replace(row, outcome="deviation", reason=reason, performed_at=performed)


def reviews(period: Period) -> list[Operation]:
    """REV: every account active at the launch of a cycle; without a campaign, at the cycle's end."""
    rows = []
    for account in story.all_accounts():
        kind = "" if isinstance(account, AwsUser) else account.account_type
        instance = "main" if isinstance(account, AwsUser) else account.instance
        system, subject = story.system_of(account), story.native_id(account)
        frequency = policy("REV", "frequency", period.start, account_type=kind, system=system, subject=subject)
        for cycle in cycles(period, frequency):
            inside = sorted((c for c in story.CAMPAIGNS if cycle.start <= c.launched < cycle.end), key=lambda c: c.launched)
            campaign = next((c for c in inside if system in c.systems), inside[0] if inside else None)
            launch = campaign.launched if campaign else cycle.end
            # Choice: "active at the end of the cycle" is the state just before that instant.
            counted = launch if campaign else launch - timedelta(microseconds=1)
            open_until, closed_by = _seen_closing(account, account.closings()[:1])
            is_unseen = open_until and closed_by and open_until < counted < closed_by
            if account.state_at(counted) != "enabled" and not is_unseen:
                continue
            due = (campaign.due if campaign else None) or cycle.end
            # Choice: without a campaign the clock starts with the cycle.
            row = Operation(period.period_id, "REV", system, subject, "", instance=instance, cycle=cycle.label,
                            opened_at=launch if campaign else cycle.start, due_at=due)  # fmt: skip
            if is_unseen and due <= period.cutoff:
                rows.append(replace(row, outcome="indeterminate", reason="population_unknown"))
            elif campaign is None:
                rows.append(replace(row, outcome="deviation", reason="no_campaign"))
            else:
                rows.append(excused(_reviewed(row, campaign, account.identity_id, due, period.cutoff)))
    return rows


# -- OFF ------------------------------------------------------------------------------------------------------------------

# What HR's newest list by as_of says of those whose employment changed on the way; everybody else is in PEOPLE.
_NO_TERMINATION = ("E1024", "E1025")  # rehired before the deadline; notice withdrawn
UNDATED_LEAVERS = {"E1019": story.at("2026-02-09T05:30")}  # first list without them, and no date ever
_CLOSED_EARLY = 30 * DAY


def _seen_closing(account: story.Account | AwsUser, closings: list[datetime]) -> tuple[datetime | None, datetime | None]:
    """Between which instants the closing lies, as evidence shows it. Both equal where a log or a date fixes it."""
    if not closings:
        return None, None
    closing = closings[-1]
    if story.system_of(account) != "paydesk":
        return closing, closing
    taken = [monday + timedelta(hours=5, minutes=41) for monday in EVERY_OTHER_MONDAY]
    return max(t for t in taken if t < closing), min(t for t in taken if t >= closing)


def leavers(period: Period) -> list[Operation]:
    """OFF: each account of each leaver, active at the end of employment or closed up to 30 days before."""
    rows = []
    for person in story.PEOPLE:
        accounts = [a for a in story.all_accounts() if a.identity_id == person.employee_id]
        undated = UNDATED_LEAVERS.get(person.employee_id)
        if undated:
            # Choice: an end without a date belongs to the period in which HR first shows it.
            for account in accounts if period.start < undated <= period.end else []:
                closing = account.closings()[-1] if account.closings() else None
                rows.append(Operation(period.period_id, "OFF", story.system_of(account), story.native_id(account),
                                      "indeterminate", "termination_time_unknown", performed_at=closing))  # fmt: skip
        if person.last_day is None or person.employee_id in _NO_TERMINATION:
            continue
        ended = end_of_day(person.last_day)
        # Choice: the last day decides; a leaver on the period's last day ends at P.end and is this period's.
        if period.start < ended <= period.end:
            rows += [row for account in accounts if (row := _left(period, account, ended))]
    return rows


def _left(period: Period, account: story.Account | AwsUser, ended: datetime) -> Operation | None:
    kind = "" if isinstance(account, AwsUser) else account.account_type
    instance = "main" if isinstance(account, AwsUser) else account.instance
    system, subject = story.system_of(account), story.native_id(account)
    hours = int(policy("OFF", "sla_hours", ended, account_type=kind, system=system, subject=subject))
    due = ended + timedelta(hours=hours)
    # The closing that still holds: AWS users go through several on the way to being deleted.
    closings = [c for c in account.closings() if c <= AS_OF]
    first = closings[:1]
    not_before, not_after = _seen_closing(account, first)
    if not_after and not_after < ended - _CLOSED_EARLY:
        return None
    row = Operation(period.period_id, "OFF", system, subject, "", instance=instance, opened_at=ended, due_at=due)
    exact = not_after if not_before == not_after else None
    if exact:
        row = replace(row, performed_at=exact, measure_value=(exact - ended) / timedelta(hours=1))
    if not_after and not_after <= due:
        return replace(row, outcome="operated")
    if due > period.cutoff:
        return replace(row, outcome="pending", performed_at=None, measure_value=None)
    if not_before and not_after and not_before <= due < not_after and not exact:
        return replace(row, outcome="indeterminate", reason="state_unobserved")
    until = min(not_after or period.cutoff, period.cutoff)
    if any(who is account and due < moment <= until for moment, who in story.okta_logins()):
        reason = "used_after_deadline"
    else:
        reason = "late" if not_after and not_after <= period.cutoff else "not_disabled"
    return excused(replace(row, outcome="deviation", reason=reason))


# -- LOG and EVD ----------------------------------------------------------------------------------------------------------


def _event_times(feed: RequiredFeed) -> list[datetime]:
    sources = {
        ("hashicorp_vault", "audit_log"): vault.audit_events,
        ("aws", "cloudtrail"): aws.events,
        ("okta", "system_log"): okta.events,
        ("generic", "events"): generic.event_rows,
        ("github", "audit_log"): github.events,
    }
    windows = [e.window for e in all_exports() if (e.system, e.feed, e.instance) == _key(feed) and e.window]
    happened = [moment for moment, _ in sources[feed.system, feed.feed]()]
    return [moment for moment in happened if any(start <= moment < end for start, end in windows)]


def _key(feed: RequiredFeed) -> tuple[str, str, str]:
    return feed.system, feed.feed, feed.instance


def _covered(feed: RequiredFeed, start: datetime, end: datetime, collected_after: datetime | None = None) -> bool:
    """Whether declared windows of whole exports, together, cover [start, end)."""
    reached = start
    exports = [e for e in all_exports() if (e.system, e.feed, e.instance) == _key(feed)]
    for export in sorted((e for e in exports if e.window and not e.filtered), key=lambda e: e.window or ()):
        assert export.window
        late_enough = collected_after is None or export.collected_at >= collected_after
        if export.collected_at <= AS_OF and late_enough and export.window[0] <= reached < export.window[1]:
            reached = export.window[1]
    return reached >= end


def _required(feed: RequiredFeed, start: datetime, end: datetime) -> bool:
    until = end_of_day(feed.valid_to) if feed.valid_to else story.NEVER
    return midnight(feed.valid_from) < end and start < until


def _slots(period: Period, days: int, whole: bool) -> Iterable[tuple[str, datetime, datetime]]:
    """Slots of so many days from P.start, labelled by their first day.

    Choice: slots are parts of the calendar, from local midnight to local midnight; the day on which summer time begins
    has 23 hours. Durations are exact, slots are not durations.
    """
    first = period.first_day
    while (start := midnight(first, period.timezone)) < period.cutoff:
        following = first + timedelta(days=days)
        end = midnight(following, period.timezone)
        if end <= period.cutoff or not whole:
            yield first.isoformat(), start, min(end, period.cutoff)
        first = following


def log_slots(period: Period) -> list[Operation]:
    """LOG: the slots without a record, other than covered ones of a sparse feed."""
    rows = []
    for feed in (f for f in REQUIRED_FEEDS if f.is_log):
        times = _event_times(feed)
        for label, start, end in _slots(period, 1, whole=False):
            if not _required(feed, start, end) or any(start <= moment < end for moment in times):
                continue
            covered = _covered(feed, start, end)
            if covered and feed.sparse:
                continue
            outcome, reason = ("deviation", "no_events") if covered else ("indeterminate", "not_collected")
            rows.append(Operation(period.period_id, "LOG", feed.system, feed.subject_id, outcome, reason,
                                  feed.instance, label, start, end))  # fmt: skip
    return rows


def cadence_slots(period: Period) -> list[Operation]:
    """EVD: the whole collection slots in which nothing was collected."""
    rows = []
    for feed in REQUIRED_FEEDS:
        taken = sorted(e.collected_at for e in all_exports()
                       if (e.system, e.feed, e.instance) == _key(feed) and e.collected_at <= AS_OF
                       and not e.filtered)  # fmt: skip
        for label, start, end in _slots(period, feed.cadence_days, whole=True):
            if not _required(feed, start, end) or any(start <= moment < end for moment in taken):
                continue
            late = feed.is_log and _covered(feed, start, end, collected_after=end)
            after = min((moment for moment in taken if moment >= end), default=None) if late else None
            rows.append(Operation(period.period_id, "EVD", feed.system, feed.subject_id, "deviation",
                                  "collected_late" if late else "not_collected", feed.instance, label, start, end,
                                  after))  # fmt: skip
    return rows


# -- all together ---------------------------------------------------------------------------------------------------------


def _sort_key(row: Operation) -> tuple[str, ...]:
    return (row.period_id, row.control_id, row.system, row.instance, row.subject_id, row.cycle, _time(row.opened_at), row.entitlement)


def expected_operations() -> list[Operation]:
    """Every expected row of both periods, with the edge it stands for in `note`."""
    # What each control needs stands in its own file, and reads this one.
    from . import (
        oracle_access_approval,
        oracle_change_approval,
        oracle_dormant,
        oracle_incident_containment,
        oracle_ownership,
        oracle_retirement,
        oracle_review_follow_through,
        oracle_vault,
    )

    judges = (
        rotations,
        reviews,
        leavers,
        log_slots,
        cadence_slots,
        oracle_dormant.dormant,
        oracle_access_approval.approvals,
        oracle_ownership.owned,
        oracle_review_follow_through.follow_through,
        oracle_retirement.retirements,
        oracle_incident_containment.containments,
        oracle_change_approval.changes,
        oracle_vault.in_custody,
    )
    rows: list[Operation] = []
    for period in PERIODS:
        for judge in judges:
            rows += judge(period)
    notes = {(s.control_id, s.subject_id, s.when, p): s.edge for s in story.STATED for p in s.periods}
    noted = [
        replace(row, note=notes.get((row.control_id, row.subject_id, when(row), row.period_id), "")) for row in rows
    ]
    return sorted(noted, key=_sort_key)


_BY_CLOCK = {
    "ROT",
    "DOR",
    "APR",
    "OWN",
    "VLT",
    "RVF",
    "INC",
    "CHG",
}


def when(row: Operation) -> str:
    """How a stated outcome names the occasion: by the clock's start and the access, by the cycle, and OFF not at all."""
    if row.control_id == "OWN" and row.due_at is None:  # without a gap there is no clock
        return ""
    if row.control_id in _BY_CLOCK:
        return f"{row.opened_at:%Y-%m-%dT%H:%M:%S} {row.entitlement}".strip() if row.opened_at else ""
    return row.cycle


def _time(moment: datetime | None) -> str:
    """RFC 3339, with fractions only where there are any."""
    if moment is None:
        return ""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}" if moment.microsecond else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def as_csv(rows: list[Operation]) -> bytes:
    """The table as committed. Empty cells are unknown or do not apply."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS.split(","))
    for row in rows:
        measure = "" if row.measure_value is None else f"{row.measure_value:.6f}"
        writer.writerow([row.period_id, row.control_id, row.system, row.instance, row.subject_id, row.cycle,
                         _time(row.opened_at), _time(row.due_at), _time(row.performed_at), row.outcome, row.reason,
                         measure, row.note])  # fmt: skip
    return text.getvalue().encode()


assert MONDAYS[-1] < AS_OF
