"""Freezing a period: what stands in the way, and the bundle that nothing changes any more.

Incomplete evidence never stops a report, but it stops the seal: every gap is closed by evidence or accepted by a named
person. An acceptance changes no conclusion.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipelines.errors import UserMistake
from pipelines.evidence import instants
from pipelines.evidence.ledger import entries_of
from pipelines.evidence.verify import verify_home
from pipelines.home import Home
from pipelines.reports.bundle import Bundle, write_bundle
from pipelines.reports.canonical import canonical_time
from pipelines.reports.digests import sha256_of
from pipelines.reports.manifest import Seal
from pipelines.reports.report import open_report
from pipelines.reports.revisions import MANIFEST_NAME, Revision, last_sealed, name_of
from pipelines.warehouse import QueryFailed, open_read_only

_READ_ONLY, _READ_ONLY_FOLDER = 0o444, 0o555


@dataclass(frozen=True)
class Gap:
    """A failed expectation about some days of a period. `accepted_by` is empty while nobody accepted all of them."""

    expectation: str
    subject: str
    first_day: str
    last_day: str
    detail: str
    accepted_by: str
    acceptances: str

    def to_do(self, period_id: str) -> str:
        """What blocks, and what to do about it, in one line."""
        days = self.first_day if self.first_day == self.last_day else f"{self.first_day} to {self.last_day}"
        return (
            f"{self.expectation}, {days}: {self.detail.rstrip('.')}. Deliver the evidence, or accept the gap with a row "
            f"in decisions/gap_acceptances: {period_id},{self.subject},{self.first_day},{self.last_day},<approved_by>,"
            "<approved_at>,<reason>; then run again."
        )


def gaps_of(home: Home, period_id: str) -> list[Gap]:
    """Every gap of a period that the published warehouse knows, accepted or not."""
    connection = open_read_only(home.warehouse)
    try:
        rows = connection.execute(
            """
            select expectation, subject, cast(first_day as varchar), cast(last_day as varchar), coalesce(detail, ''),
                coalesce(accepted_by, ''), coalesce(acceptances, '')
            from rpt_gaps
            where period_id = ?
            order by all
            """,
            [period_id],
        ).fetchall()
    except QueryFailed as problem:
        raise UserMistake(
            f"{home.warehouse} doesn't say what is lacking ({str(problem).splitlines()[0]}): another version of upheld "
            "published it. Run `upheld run` first."
        ) from None
    finally:
        connection.close()
    return [Gap(*row) for row in rows]


def blockers_of(home: Home, period_id: str) -> list[str]:
    """What keeps a period from being sealed, one line each with what to do; empty when nothing does."""
    return [
        *_too_early(home, period_id),
        *(gap.to_do(period_id) for gap in gaps_of(home, period_id) if not gap.accepted_by),
        *_left_out(home, period_id),
        *(f"{finding} Restore it from a backup before anything is sealed." for finding in verify_home(home)),
    ]


def seal_bundle(home: Home, period_id: str, sealed_at: datetime) -> Bundle:
    """Write the bundle of a period that nothing blocks, sealed and read-only, and keep what it was made from.

    Where the newest sealed revision says the same as the warehouse, that one is returned. `sealed_at` is aware.
    """
    before = last_sealed(home, period_id)
    if before:
        _keep(home, before)
    name = name_of(period_id, before.number + 1 if before else 1)
    seal = Seal(
        sealed_at=instants.written(sealed_at),
        warehouse_sha256=_copy_warehouse(home, home.sealed_warehouse(name)),
        accepted_gaps=tuple(vars(gap) for gap in gaps_of(home, period_id)),
    )
    bundle = write_bundle(home, period_id, seal)
    if bundle.path.name != name:
        shutil.rmtree(home.sealed_warehouse(name).parent)
        return bundle
    _keep(home, Revision(bundle.revision, name, bundle.path, True))
    return bundle


def _too_early(home: Home, period_id: str) -> Iterator[str]:
    with open_report(home.warehouse, period_id) as report:
        period = report.period
    if not period.is_over:
        end, as_of = canonical_time(period.end_at), canonical_time(period.as_of)
        yield (
            f"the period ends at {end} and the warehouse knows only what was collected by {as_of}: "
            f"run `upheld run --as-of T` with T no earlier than {end}."
        )


def _left_out(home: Home, period_id: str) -> Iterator[str]:
    """Evidence that came in after the build although it was collected in time: the figures don't know it."""
    with open_report(home.warehouse, period_id) as report:
        as_of = report.period.as_of.replace(tzinfo=UTC)
        known = {
            (row["sha256"], row["system"], row["feed"], row["instance"])
            for row in report.table("evidence_files").records()
        }
    waiting = [
        f"{entry.system}/{entry.feed}/{entry.original_name}"
        for entry in entries_of(home.ledger)
        if entry.collected_at <= as_of and entry.place not in known
    ]
    if waiting:
        yield (
            f"{len(waiting):,} evidence files collected in time came in after the build, the first {waiting[0]}: "
            f"run `upheld run --as-of {instants.written(as_of)}`."
        )


def _copy_warehouse(home: Home, target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.new")
    unfinished.unlink(missing_ok=True)
    shutil.copyfile(home.warehouse, unfinished)
    unfinished.chmod(_READ_ONLY)
    os.replace(unfinished, target)
    return sha256_of(target)


def _keep(home: Home, sealed: Revision) -> None:
    """Make a sealed bundle read-only and note its manifest. Safe to repeat: a killed run may have left it undone."""
    for path in [*sealed.path.rglob("*"), sealed.path]:
        path.chmod(_READ_ONLY_FOLDER if path.is_dir() else _READ_ONLY)
    note = home.sealed_manifest(sealed.name)
    if not note.exists():
        note.parent.mkdir(parents=True, exist_ok=True)
        unfinished = note.with_name(f".{note.name}.new")
        shutil.copyfile(sealed.path / MANIFEST_NAME, unfinished)
        unfinished.chmod(_READ_ONLY)
        os.replace(unfinished, note)
