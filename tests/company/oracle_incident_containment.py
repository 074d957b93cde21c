"""Incident containment as the story has it, in plain Python: each thing an incident names, and when it was closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from . import cast_incident_containment, story
from .oracle import Operation, excused, intervals, policy
from .oracle_review_follow_through import seen_gone
from .plan import all_exports
from .story import Period, at

VAULT_LOG = ("hashicorp_vault", "audit_log")


@dataclass(frozen=True)
class Incident:
    system: str
    target: str
    detected: datetime
    is_over: bool  # as the ticket has it


def incidents() -> Iterator[Incident]:
    for _, _, target, _, detected, moves in cast_incident_containment.ISSUES:
        system, _, name = target.partition(":")
        yield Incident(system, name, at(detected), any(status in ("Contained", "Done") for _, _, status in moves))
    for _, system, target, detected, _, contained, _ in cast_incident_containment.DESK:
        yield Incident(system, target, at(detected), bool(contained))


def _hole_in_vaults_log(start: datetime, end: datetime) -> bool:
    """Whether a second between the two lies in no window of Vault's log."""
    reached = start
    windows = sorted(e.window for e in all_exports() if (e.system, e.feed) == VAULT_LOG and e.window)
    for opened, closed in windows:
        if opened <= reached < closed:
            reached = closed
    return reached < end


def _old_version_read(target: str, version: int, after: datetime, until: datetime) -> bool:
    return any(
        (f"kv/{path}", number) == (target, version) and after < at(moment) <= until
        for path, number, moment in cast_incident_containment.OLD_READS
    )


def containments(period: Period) -> list[Operation]:
    """INC: what each incident of the period names."""
    rows = []
    by_name = {name: account for account in story.all_accounts()
               for name in (story.native_id(account), account.user_name)}  # fmt: skip
    lives = intervals()
    for incident in incidents():
        if not period.start <= incident.detected < min(period.end, period.cutoff):
            continue
        hours = int(policy("INC", "sla_hours", incident.detected, system=incident.system, subject=incident.target))
        due = incident.detected + timedelta(hours=hours)
        row = Operation(period.period_id, "INC", incident.system, incident.target, "", opened_at=incident.detected, due_at=due)
        own = sorted((life for life in lives if (life.system, life.subject_id) == (incident.system, incident.target) and life.opened),
                     key=lambda life: life.opened)  # fmt: skip
        used = unseen = False
        last_open = None
        if own:
            numbers = [n for n, life in enumerate(own) if life.opened <= incident.detected]
            version, life = numbers[-1] + 1, own[numbers[-1]]
            closed = life.closed
            if closed and incident.system == "hashicorp_vault":
                used = _old_version_read(incident.target, version, closed, period.cutoff)
                unseen = _hole_in_vaults_log(max(closed, period.start), period.cutoff)
        elif incident.target in by_name:
            account = by_name[incident.target]
            row = replace(row, subject_id=story.native_id(account), instance=getattr(account, "instance", "main"))
            closings = [moment for moment in account.closings() if moment >= incident.detected]
            closed = closings[0] if closings else None
            if closed:
                last_open, closed = seen_gone(account, "", closed)
        else:
            # Choice: the system is the one that the ticket names; its tenant is the ticket system's.
            rows.append(replace(row, outcome="indeterminate", reason="logs_missing"))
            continue
        done = replace(row, performed_at=closed,
                       measure_value=(closed - incident.detected) / timedelta(hours=1) if closed else None)  # fmt: skip
        if used:
            rows.append(excused(replace(done, outcome="deviation", reason="used_after_containment")))
        elif closed and closed <= due:
            rows.append(replace(done, outcome="indeterminate" if unseen else "operated", reason="logs_missing" if unseen else ""))
        elif due > period.cutoff:
            rows.append(replace(row, outcome="pending"))
        elif last_open and last_open < due:
            rows.append(replace(row, outcome="indeterminate", reason="state_unobserved"))
        elif closed and closed <= period.cutoff:
            rows.append(excused(replace(done, outcome="deviation", reason="late")))
        else:
            rows.append(excused(replace(row, outcome="deviation", reason="not_evidenced" if incident.is_over else "not_contained")))
    return rows
