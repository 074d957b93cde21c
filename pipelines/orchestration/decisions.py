"""Decisions in force, straight from the evidence: what a run must know before anything is built."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipelines.evidence.ledger import entries_of
from pipelines.home import Home

PERIODS = "period"
"""The name of Dagster's partitions by audit period."""


def in_force(home: Home, feed: str, as_of: datetime | None = None) -> list[dict[str, Any]]:
    """The usable rows of the newest accepted file of a decisions feed collected by `as_of`, in the file's order.

    Values are text, as written. Empty where there is none. The build applies the same rule to the same files.
    """
    import pyarrow.parquet as pq

    known = [
        entry
        for entry in entries_of(home.ledger)
        if (entry.system, entry.feed, entry.status) == ("decisions", feed, "accepted")
        and (as_of is None or entry.collected_at <= as_of)
    ]
    if not known:
        return []
    newest = max(known, key=lambda entry: (entry.collected_at, entry.sha256))
    rows = pq.read_table(home.lake_file("decisions", feed, newest.sha256)).to_pylist()
    return [row for row in rows if row["reject_reason"] is None]


def configured_periods(home: Home, as_of: datetime | None = None) -> list[str]:
    """The ids of the audit periods in force at `as_of`, in the order in which they are configured."""
    return list(dict.fromkeys(row["period_id"] for row in in_force(home, "periods", as_of)))
