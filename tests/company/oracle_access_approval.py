"""Access approval as the story has it, in plain Python: each grant looks for its ticket.

Rows: every account, key, team and right given in the period. A right in paydesk was given between two lists, and counts
when it is first listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from . import cast_access_approval, story
from .exports import generic, jira
from .oracle import Operation, excused, policy
from .plan import REQUIRED_FEEDS, all_exports
from .story import DAY, AwsUser, Period

WEEK = 7 * DAY


@dataclass(frozen=True)
class Grant:
    """`after` and `by` are equal where a log or a date fixes the instant; `after` None: nothing was listed before."""

    system: str
    instance: str
    subject: str
    names: frozenset[str]  # by which a ticket may know it
    holder: str | None  # identity
    after: datetime | None
    by: datetime
    entitlement: str = ""
    settled: datetime | None = None
    account_type: str = ""


@dataclass(frozen=True)
class Request:
    system: str
    target: str
    entitlement: str
    requester: str
    beneficiary: str | None
    acts: tuple[tuple[datetime, str, str], ...]  # instant, who, 'approved' or 'rejected'
    is_whole: bool = True


def _names(account: story.Account | AwsUser) -> frozenset[str]:
    known = {story.native_id(account), account.user_name, account.identity_id}
    known |= {account.email} if isinstance(account, story.Account) else set()
    person = story.BY_EMPLOYEE_ID.get(account.identity_id or "")
    return frozenset(name.lower() for name in (*known, person.email if person else None) if name)


def accounts() -> Iterator[Grant]:
    for account in story.all_accounts():
        instance, kind = ("main", "") if isinstance(account, AwsUser) else (account.instance, account.account_type)
        yield Grant(story.system_of(account), instance, story.native_id(account), _names(account), account.identity_id,
                    account.created, account.created, account_type=kind)  # fmt: skip


def keys() -> Iterator[Grant]:
    """The first active key of an account and further ones; those that replace one within a week are rotation."""
    kept: list[tuple[str, str, str, str, str | None, datetime, datetime | None, frozenset[str]]] = []
    for user in story.AWS_USERS:
        kept += [("aws", user.arn, "access_key", user.key_native_id(key), user.identity_id, key.created, key.closed(),
                  _names(user)) for key in user.keys]  # fmt: skip
    by_id = {account.native_id: account for account in story.GITEA_ACCOUNTS}
    for token in story.TOKENS:
        if token.custody == "key" and token.created[0] is not None:
            account = by_id[token.account_id]
            kept.append(("gitea", token.account_id, token.credential_type, token.credential_id, account.identity_id,
                         token.created[0], token.deactivated, _names(account)))  # fmt: skip
    for system, account_id, kind, key_id, holder, created, _, names in kept:
        older = [one for one in kept if one[:3] == (system, account_id, kind) and one[5] < created]
        if any(closed is not None and abs(closed - created) <= WEEK for *_, closed, _names in older):
            continue
        beside = any(closed is None or closed > created for *_, closed, _names in older)
        yield Grant(system, "main", key_id, names | {key_id.lower()}, holder, created, created,
                    settled=created + WEEK if beside else None)  # fmt: skip


def entitlements() -> Iterator[Grant]:
    """Teams by gitea's log; rights of paydesk by its lists."""
    by_id = {account.native_id: account for account in (*story.GITEA_ACCOUNTS, *story.PAYDESK_ACCOUNTS)}
    for account_id, team, given, _ in generic.team_memberships():
        account = by_id[account_id]
        yield Grant("gitea", "main", account_id, _names(account), account.identity_id, given, given, team,
                    account_type=account.account_type)  # fmt: skip
    lists = sorted(e.collected_at for e in all_exports() if (e.feed, e.instance) == ("entitlements", "paydesk"))
    for account_id, right, given, taken in generic.operator_rights():
        account = by_id[account_id]
        seen = next((moment for moment in lists if given <= moment and not (taken and taken <= moment)), None)
        if seen:
            before = max((moment for moment in lists if moment < seen), default=None)
            yield Grant("paydesk", "paydesk", account_id, _names(account), account.identity_id, before, seen, right,
                        account_type=account.account_type)  # fmt: skip


def requests() -> Iterator[Request]:
    """Access requests of Jira and of the service desk."""
    for issue in jira.ISSUES:
        if issue.issue_type == "Access Request":
            system, _, target = issue.target.partition(":")
            acts = [(moment, who, {"Approved": "approved", "Declined": "rejected"}[status])
                    for moment, who, status in issue.moves if status in ("Approved", "Declined")]  # fmt: skip
            yield Request(system, target.lower(), issue.entitlement, issue.reporter, issue.beneficiary,
                          () if issue.is_cut_short else tuple(acts), not issue.is_cut_short)  # fmt: skip
    for case in generic.access_cases():
        yield Request(case.system, case.target.lower(), case.entitlement, case.requester, case.beneficiary,
                      tuple((case.approved, who, "approved") for who in case.approvers))  # fmt: skip


def _stands(request: Request, moment: datetime, grant: Grant) -> bool:
    return not any(act == "rejected" and moment <= when <= grant.by for when, _, act in request.acts)


def _of_request(request: Request, grant: Grant, valid: timedelta, needed: int, cutoff: datetime) -> tuple[int, str, datetime | None]:
    """How near the ticket comes to an approval (0 is one), as what, and the instant that shows it."""
    approvals = [(when, who) for when, who, act in request.acts
                 if act == "approved" and when <= cutoff and _stands(request, when, grant)]  # fmt: skip
    # A Jira ticket names nobody whom it is for: there the holder of the account counts.
    own = {request.requester, request.beneficiary, grant.holder}
    others = [(when, who) for when, who in approvals if who not in own and who in story.BY_EMPLOYEE_ID]
    earliest = (grant.after or story.at("0002-01-01T00:00")) - valid
    whenever = {who: when for when, who in others if grant.after and grant.by - valid <= when <= grant.after}
    perhaps = {who: when for when, who in others if earliest <= when <= grant.by}
    if len(whenever) >= needed:
        return 0, "operated", max(perhaps.values())
    if len(perhaps) >= needed:
        return 1, "state_unobserved", None
    if not request.is_whole:
        return 2, "ticket_source_gap", None
    if perhaps:
        return 3, "too_few_approvers", None
    if any(earliest <= when <= grant.by for when, who in approvals if who in own):
        return 4, "self_approved", None
    stale = [when for when, who in others if when < earliest]
    if stale:
        return 5, "stale_approval", max(stale)
    late = [when for when, _ in others if when > grant.by]
    if late:
        return 6, "approved_after_grant", min(late)
    return 7, "not_approved", None


def judged(grant: Grant, about: list[Request], valid: timedelta, needed: int, cutoff: datetime,
           seen: bool) -> tuple[str, str, datetime | None]:  # fmt: skip
    """Outcome, reason and the instant that shows it, given the requests for the grant and whether more could be unseen."""
    found = sorted((_of_request(request, grant, valid, needed, cutoff) for request in about), key=lambda one: one[0])
    rank, reason, moment = found[0] if found else (8, "no_ticket", None)
    if rank == 0:
        return "operated", "", moment
    if grant.settled and grant.settled > cutoff:
        return "pending", "", None
    if rank in (1, 2):
        return "indeterminate", reason, None
    if grant.after is None:
        return "indeterminate", "state_unobserved", None
    if not seen:
        return "indeterminate", "ticket_source_gap", None
    return "deviation", reason, moment


def tickets_seen(start: datetime, end: datetime) -> bool:
    """Whether the exports of both ticket systems reach from before `start` to after `end`.

    Choice: an export without a declared window shows what changed since the export before it, the first one what
    changed in one cadence.
    """
    for feed in REQUIRED_FEEDS:
        if (feed.system, feed.feed) not in (("jira", "issues"), ("generic", "tickets")):
            continue
        taken = sorted(e.collected_at for e in all_exports() if (e.system, e.feed, e.instance) == (feed.system, feed.feed, feed.instance))
        assert all(later - earlier <= 2 * feed.cadence_days * DAY for earlier, later in pairwise(taken))
        if start < taken[0] - feed.cadence_days * DAY or end > taken[-1]:
            return False
    return True


def approvals(period: Period) -> list[Operation]:
    """APR: everything given in the period."""
    rows = []
    asked = list(requests())
    for grant in (*accounts(), *keys(), *entitlements()):
        carried = grant.settled is not None and grant.by < period.start < grant.settled <= period.end
        if not (period.start <= grant.by < period.end or carried):
            continue
        scope = {"system": grant.system, "subject": grant.subject, "account_type": grant.account_type}
        valid = int(policy("APR", "valid_days", grant.by, **scope)) * DAY
        needed = int(policy("APR", "approvers", grant.by, **scope))
        if grant.entitlement in cast_access_approval.PRIVILEGED:
            needed = max(needed, int(policy("APR", "privileged_approvers", grant.by, **scope)))
        about = [request for request in asked
                 if request.system == grant.system and request.target in grant.names
                 and request.entitlement in ("", grant.entitlement)]  # fmt: skip
        seen = grant.after is not None and tickets_seen(grant.after - valid, grant.by)
        outcome, reason, moment = judged(grant, about, valid, needed, period.cutoff, seen)
        if carried and outcome == "operated":
            continue
        row = Operation(period.period_id, "APR", grant.system, grant.subject, outcome, reason, instance=grant.instance,
                        opened_at=grant.by, due_at=grant.settled or grant.by, entitlement=grant.entitlement,
                        measure_value=(grant.by - moment) / DAY if moment else None)  # fmt: skip
        if moment and reason != "stale_approval":
            row = replace(row, performed_at=moment)
        rows.append(excused(row))
    return rows
