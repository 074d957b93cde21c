"""What reading one evidence file came to, and the two ways in which a file is refused as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class ReadResult:
    """`records_parsed + records_rejected` is the number of records in the file. Instants are aware and UTC.

    `first_fault` is the first rejected record's place and reason, for a person.
    """

    parsed: int = 0
    rejected: int = 0
    first_event_at: datetime | None = None
    last_event_at: datetime | None = None
    continuation: bool = False
    status: Literal["accepted", "rejected"] = "accepted"
    reject_reason: str | None = None
    first_fault: str | None = None


class NotThisFeed(Exception):
    """The file as a whole is nothing this feed can have: rejected as one record, with this reason."""


class NotValid(Exception):
    """What should be one JSON document is none: rejected as one record, with this reason."""
