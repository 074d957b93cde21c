"""What a run came to, in a few lines for a person: conclusions from the published warehouse, problems, status."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.errors import UserMistake
from pipelines.evidence import instants
from pipelines.evidence.ledger import LedgerEntry, entries_of
from pipelines.home import Home
from pipelines.orchestration.decisions import configured_periods, in_force

DONE, DONE_WITH_FINDINGS = 0, 1


def chosen_periods(home: Home, asked: str | None, as_of: str) -> list[str]:
    """The periods to report on, in the order configured. Raises UserMistake when there is none, or no such one."""
    periods = configured_periods(home, instants.read(as_of))
    if not periods:
        raise UserMistake(
            f"No audit period is configured in {home.root} as of {as_of}. Put a CSV with the columns "
            f"period_id,start,end,timezone into {home.landing / 'decisions' / 'periods'}."
        )
    if asked is None:
        return periods
    if asked not in periods:
        raise UserMistake(f"There is no period {asked!r}. Configured as of {as_of}: {', '.join(periods)}.")
    return [asked]


def settled_at(home: Home) -> str:
    """The end of the last period ever configured (RFC 3339 UTC); the end of time where one can't be read."""
    ends = [datetime(1970, 1, 1, tzinfo=UTC)]
    for row in in_force(home, "periods"):
        try:
            zone = ZoneInfo(row["timezone"] or "UTC")
            ends.append(datetime.fromisoformat(row["end"]).replace(tzinfo=zone))
        except (ValueError, OSError, KeyError):
            return instants.written(datetime.max.replace(tzinfo=UTC) - timedelta(days=1))
    return instants.written(max(ends))


def reported_periods(home: Home, chosen: Sequence[str]) -> list[str]:
    """Those of the chosen periods that the published warehouse knows. Raises UserMistake where it knows none."""
    known = {row["period_id"] for row in _rows(home, "select period_id from rpt_periods")}
    if not known & set(chosen):
        raise UserMistake(f"No period to report on has begun by the cut-off: {', '.join(chosen)}.")
    return [period for period in chosen if period in known]


def published_as_of(home: Home) -> str | None:
    """The cut-off of the published warehouse, RFC 3339 UTC; None where there is none or it holds no period."""
    if not home.warehouse.exists():
        return None
    rows = _rows(home, "select max(as_of) as as_of from rpt_periods")
    return instants.written(rows[0]["as_of"].replace(tzinfo=UTC)) if rows[0]["as_of"] else None


def conclusions(home: Home, periods: Iterable[str]) -> list[dict[str, Any]]:
    """One row per control and period: period_id, control_id, title, conclusion and the figures of its operations."""
    wanted = list(periods)
    return [
        row
        for row in _rows(
            home,
            """
            select period_id, control_id, title, conclusion,
                tested, operated, deviations, waived, indeterminate, pending
            from rpt_control_coverage
            order by period_id, control_id
            """,
        )
        if row["period_id"] in wanted
    ]


def failed_expectations(home: Home, periods: Iterable[str]) -> list[str]:
    """One line per failed expectation and reason, with the controls it concerns."""
    wanted = {*periods, None}
    controls: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for row in _rows(
        home, "select period_id, expectation, control_id, detail from rpt_expectations where not passed"
    ):
        if row["period_id"] in wanted:
            found = controls[row["period_id"] or "", row["expectation"], row["detail"] or ""]
            found |= {row["control_id"]} - {None}
    return [
        f"{period + ': ' if period else ''}{expectation}"
        + (f" ({', '.join(sorted(concerned))})" if concerned else "")
        + (f": {detail}" if detail else "")
        for (period, expectation, detail), concerned in sorted(controls.items())
    ]


def rejected_evidence(home: Home, told: Iterable[str] = ()) -> list[str]:
    """One line per evidence file that could not be read, or not all of it; of everything ever delivered.

    `told` are lines of this run about files it took in: they say more, and stand for the file's line here.
    """
    by_file = {line.split(": ", 1)[0]: line for line in told}
    latest: dict[tuple[str, str, str, str], LedgerEntry] = {
        entry.place: entry for entry in entries_of(home.ledger)
    }
    lines = []
    for entry in latest.values():
        folder = f"{entry.system}/{entry.feed}" + ("" if entry.instance == "main" else f"/{entry.instance}")
        file = f"{folder}/{entry.original_name}"
        if entry.status == "rejected":
            lines.append(by_file.get(file, f"{file}: rejected: {entry.reject_reason or 'unreadable'}"))
        elif entry.records_rejected:
            total = entry.records_parsed + entry.records_rejected
            lines.append(
                by_file.get(file, f"{file}: {entry.records_rejected:,} of {total:,} records rejected")
            )
    return sorted(lines)


def last_collected_at(home: Home) -> str:
    """The latest collection of any delivery, RFC 3339 UTC; empty where there is none."""
    return max((instants.written(entry.collected_at) for entry in entries_of(home.ledger)), default="")


def _rows(home: Home, sql: str) -> list[dict[str, Any]]:
    from pipelines.warehouse import open_read_only

    if not home.warehouse.exists():
        raise UserMistake(f"There is no warehouse in {home.root}. Run `upheld run` first.")
    connection = open_read_only(home.warehouse)
    try:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        connection.close()
