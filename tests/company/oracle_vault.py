"""VLT in plain Python: was each robot's credential in the vault for all of its active time but the first day?

Choices: an item holds its credential until the item is gone; the grace counts once, from the credential's creation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from . import cast_vault, story
from .exports.vault import VERSION_BEFORE_ANSWER
from .oracle import Operation, excused, policy
from .oracle_ownership import identity_of
from .story import DAY, Period, at


@dataclass(frozen=True)
class Credential:
    """A robot's key or secret with the stretches in which it was active."""

    system: str
    credential_id: str
    credential_type: str
    stretches: tuple[tuple[datetime, datetime], ...]


def _credentials() -> Iterable[Credential]:
    for user in story.AWS_USERS:
        for key in user.keys if identity_of(user) else ():
            yield Credential("aws", user.key_native_id(key), "access_key", tuple(_active(key)))
    by_id = {account.native_id: account for account in story.GITEA_ACCOUNTS}
    for token in story.TOKENS:
        if identity_of(by_id[token.account_id]) and token.created[0]:
            stretch = (token.created[0], token.deactivated or story.NEVER)
            yield Credential("gitea", token.credential_id, token.credential_type, (stretch,))


def _active(key: story.AccessKey) -> Iterable[tuple[datetime, datetime]]:
    begun: datetime | None = key.created
    for moment, status in [*key.changes, *([(key.deleted, "Inactive")] if key.deleted else [])]:
        if status == "Active":
            begun = moment
        elif begun:
            yield begun, moment
            begun = None
    if begun:
        yield begun, story.NEVER


def _held(credential_id: str) -> tuple[datetime, datetime] | None:
    for _, held, _, written, deleted in cast_vault.ITEMS:
        if held == credential_id:
            since = at(written)
            since -= VERSION_BEFORE_ANSWER if since >= story.VAULT_LOG_FROM else 0 * DAY
            return since, at(deleted) if deleted else story.NEVER
    return None


def in_custody(period: Period) -> list[Operation]:
    """VLT: each credential of a robot that was active in the period."""
    rows = []
    for one in _credentials():
        stretches = [s for s in one.stretches if s[0] < period.cutoff and s[1] > period.start]
        if stretches:
            rows.append(_judged(one, stretches, period))
    return rows


def _judged(one: Credential, stretches: list[tuple[datetime, datetime]], period: Period) -> Operation:
    created = one.stretches[0][0]
    grace = int(policy("VLT", "grace_days", created, system=one.system, credential_type=one.credential_type,
                       subject=one.credential_id))  # fmt: skip
    due = created + grace * DAY
    held = _held(one.credential_id)
    since = held[0] if held and held[0] <= max(period.cutoff, due) else None
    row = Operation(period.period_id, "VLT", one.system, one.credential_id, "operated", opened_at=created, due_at=due,
                    performed_at=since, measure_value=0.0)  # fmt: skip
    outside = []
    for start, end in stretches:
        parts = [(start, end)] if not held else [(start, min(end, held[0])), (max(start, held[1]), end)]
        for begun, ended in parts:
            begun = max(begun, due)
            if max(begun, period.start) < min(ended, period.cutoff):
                outside.append((begun, min(ended, period.cutoff)))
    if outside:
        days = sum((end - max(start, period.start)) / DAY for start, end in outside)
        return excused(replace(row, outcome="deviation", reason="outside_vault", opened_at=outside[0][0], measure_value=days),
                       began=outside[0][0])  # fmt: skip
    if due > period.cutoff and not held and max(end for _, end in stretches) > due:
        return replace(row, outcome="pending")
    return row
