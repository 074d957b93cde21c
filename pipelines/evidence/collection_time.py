"""When an export was collected: its sidecar says, else a UTC stamp in its name, else the file's own time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal

from pipelines.evidence.sidecar import Sidecar

CollectedAtSource = Literal["sidecar", "name", "mtime"]

# 20260302T114500Z, 20260302T1145Z, 2026-03-02T11-45-00Z, 2026-03-02T11:45:00.123Z. The Z is what makes it a UTC
# stamp: rotated logs carry the same digits in local time.
_STAMP = re.compile(
    r"(?<!\d)(\d{4})(-?)(\d{2})\2(\d{2})T(\d{2})([-:]?)(\d{2})(?:\6(\d{2})(?:[.,](\d{1,9}))?)?Z(?![0-9A-Za-z])",
    re.ASCII,
)


def collected_at(sidecar: Sidecar | None, name: str, mtime: datetime) -> tuple[datetime, CollectedAtSource]:
    """When the export called `name` was collected, and where that is known from.

    `mtime` is the landing file's modification time as an aware datetime (`Original.mtime`).
    """
    if sidecar is not None and sidecar.collected_at is not None:
        return sidecar.collected_at, "sidecar"
    stamped = stamp_in_name(name)
    if stamped is not None:
        return stamped, "name"
    return mtime.astimezone(UTC), "mtime"


def stamp_in_name(name: str) -> datetime | None:
    """The last UTC stamp in a file name, or None. Digits that name no instant (month 13) are no stamp."""
    stamps = [stamp for match in _STAMP.finditer(name) if (stamp := _instant(match)) is not None]
    return stamps[-1] if stamps else None


def _instant(match: re.Match[str]) -> datetime | None:
    year, _, month, day, hour, _, minute, second, fraction = match.groups()
    try:
        return datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0),
            int((fraction or "").ljust(6, "0")[:6]), tzinfo=UTC,
        )  # fmt: skip
    except ValueError:
        return None
