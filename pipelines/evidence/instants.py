"""Instants as this room writes and reads them: UTC, microseconds, RFC 3339."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_RFC_3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?\s?(Z|z|[+-]\d{2}:?\d{2})?", re.ASCII
)


def written(instant: datetime) -> str:
    """An aware instant as `2026-03-02T00:00:00.000000Z`. Raises ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError(f"an instant without a zone: {instant!r}")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def read(text: str) -> datetime:
    """The instant `text` names, in UTC. No zone means UTC; digits past microseconds are dropped.

    Raises ValueError for anything but a date with a time of at least hours, minutes and seconds: which end
    of the day a bare date means depends on a period's zone, which this room does not know.
    """
    if len(text) == 27 and text[-1] == "Z" and text[10] == "T":
        # As this room writes them: a ledger holds many, and the C parser is ten times as fast.
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    found = _RFC_3339.fullmatch(text.strip())
    if not found:
        raise ValueError(f"expected an instant such as 2026-03-02T00:00:00Z, found {text!r}")
    day, clock, fraction, zone = found.groups()
    micros = (fraction or "").ljust(6, "0")[:6]
    offset = "+00:00" if zone in (None, "Z", "z") else zone
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{micros}{offset}").astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise ValueError(f"expected an instant such as 2026-03-02T00:00:00Z, found {text!r}") from problem


def of_nanoseconds(nanoseconds: int) -> datetime:
    """The instant of a file system's time stamp, in UTC; digits past microseconds are dropped."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanoseconds // 1000)
