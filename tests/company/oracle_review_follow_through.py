"""Review follow-through as the story has it, in plain Python: each revocation looks for the end of that access."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from . import cast_review_follow_through, story
from .exports import generic
from .oracle import Operation, counts, excused, policy
from .oracle_access_approval import Request, requests
from .plan import EVERY_OTHER_MONDAY, all_exports
from .story import DAY, AwsUser, Decision, Period, at

REVOKES = ("revoke", "deny", "remove")


@dataclass(frozen=True)
class Item:
    campaign_id: str
    entitlement: str
    decision: Decision


def items() -> Iterator[Item]:
    """Every item of every campaign, about accounts and about single accesses."""
    for campaign in story.CAMPAIGNS:
        yield from (Item(campaign.campaign_id, "", decision) for decision in campaign.decisions)
    for campaign_id, account, access, reviewer, word, when in cast_review_follow_through.ITEMS:
        yield Item(campaign_id, access, Decision(account, reviewer, word, at(when)))


def _spans(account: story.Account | AwsUser, access: str) -> list[tuple[datetime, datetime | None]]:
    """From when to when the access could be used: held, and the account enabled."""
    turns = sorted({account.created, *(moment for moment, _ in getattr(account, "changes", ())), *account.closings()})
    open_spans = []
    for n, moment in enumerate(turns):
        if account.state_at(moment) == "enabled":
            following = [later for later in turns[n + 1 :] if account.state_at(later) != "enabled"]
            if not open_spans or open_spans[-1][1] is not None:
                open_spans.append((moment, following[0] if following else None))
    if not access:
        return open_spans
    held = [(given, taken) for who, team, given, taken in generic.holdings()
            if (who, team) == (story.native_id(account), access)]  # fmt: skip
    spans = []
    for given, taken in held:
        for opened, closed in open_spans:
            start, ends = max(given, opened), [end for end in (taken, closed) if end]
            if not ends or start < min(ends):
                spans.append((start, min(ends, default=None)))
    return sorted(spans, key=lambda span: span[0])


def seen_gone(account: story.Account | AwsUser, access: str, gone: datetime) -> tuple[datetime, datetime | None]:
    """Until when it was seen there and from when it was seen gone; paydesk shows it only in its lists."""
    if story.system_of(account) != "paydesk":
        return gone, gone
    if access:
        lists = [e.collected_at for e in all_exports() if (e.feed, e.instance) == ("entitlements", "paydesk")]
    else:
        lists = [monday + timedelta(hours=5, minutes=41) for monday in EVERY_OTHER_MONDAY]
    return max(t for t in lists if t < gone), min((t for t in lists if t >= gone), default=None)


def _asked_again(asked: list[Request], account: story.Account | AwsUser, access: str, start: datetime, end: datetime) -> bool:
    """Whether somebody else approved a request for it after the decision and by the day it came back."""
    return any(
        act == "approved" and start <= when <= end
        and who not in (request.requester, request.beneficiary, account.identity_id)
        for request in asked
        if request.system == story.system_of(account) and request.entitlement in ("", access)
        and request.target in (story.native_id(account).lower(), account.user_name.lower())
        for when, who, act in request.acts
    )  # fmt: skip


def judged(due: datetime, last_seen: datetime, gone_by: datetime | None, is_back_unasked: bool,
           cutoff: datetime) -> tuple[str, str]:  # fmt: skip
    """Outcome and reason of one revocation."""
    if is_back_unasked:
        return "deviation", "regranted"
    if gone_by and gone_by <= due:
        return "operated", ""
    if due > cutoff:
        return "pending", ""
    if last_seen < due:
        return "indeterminate", "state_unobserved" if gone_by else "removal_unobservable"
    return "deviation", "late" if gone_by and gone_by <= cutoff else "not_removed"


def follow_through(period: Period) -> list[Operation]:
    """RVF: every revocation of the period that no later valid decision of its campaign replaced."""
    rows = []
    by_id = {story.native_id(account): account for account in story.all_accounts()}
    asked = list(requests())
    everything = list(items())
    for item in everything:
        decision = item.decision
        if decision.word not in REVOKES or decision.decided_at is None:
            continue
        account = by_id[decision.account_id]
        replaced = any(
            (other.campaign_id, other.entitlement, other.decision.account_id)
            == (item.campaign_id, item.entitlement, decision.account_id)
            and other.decision.decided_at is not None and decision.decided_at < other.decision.decided_at <= story.AS_OF
            and counts(other.decision, account.identity_id)
            for other in everything
        )  # fmt: skip
        if replaced:
            continue
        scope = {"system": story.system_of(account), "subject": decision.account_id}
        due = decision.decided_at + int(policy("RVF", "sla_days", decision.decided_at, **scope)) * DAY
        back_within = int(policy("RVF", "regrant_days", decision.decided_at, **scope)) * DAY
        carried = decision.decided_at < period.start < due <= period.end
        if not (period.start <= decision.decided_at < min(period.end, period.cutoff) or carried):
            continue
        row = Operation(period.period_id, "RVF", story.system_of(account), decision.account_id, "",
                        instance=getattr(account, "instance", "main"), opened_at=decision.decided_at, due_at=due,
                        entitlement=item.entitlement)  # fmt: skip
        before = [span for span in _spans(account, item.entitlement) if span[0] <= decision.decided_at]
        if not before:
            rows.append(replace(row, outcome="indeterminate", reason="removal_unobservable"))
            continue
        gone = before[-1][1]
        last_seen, gone_by = seen_gone(account, item.entitlement, gone) if gone else (period.cutoff, None)
        back = [start for start, _ in _spans(account, item.entitlement)
                if gone_by and decision.decided_at < start <= period.cutoff and gone_by <= start <= gone_by + back_within]  # fmt: skip
        unasked = [start for start in back if not _asked_again(asked, account, item.entitlement, decision.decided_at, start)]
        if carried and gone_by and gone_by < period.start:
            continue
        outcome, reason = judged(due, last_seen, gone_by, bool(unasked), period.cutoff)
        row = replace(row, outcome=outcome, reason=reason)
        if gone_by and (outcome == "operated" or reason in ("late", "regranted")):
            row = replace(row, performed_at=gone_by, measure_value=(gone_by - decision.decided_at) / DAY)
        # Choice: what came back is a deviation from its return on, and only then can a waiver excuse it.
        began = unasked[0] if reason == "regranted" else due
        rows.append(replace(excused(replace(row, due_at=began)), due_at=due))
    return rows
