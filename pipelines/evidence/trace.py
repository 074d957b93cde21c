"""From one control operation back to its evidence, as the vendor wrote it.

Reads the published report data and the originals only. What may be shown of a record is decided by `shown`, which
the caller passes in: which fields are named is known to the feeds' descriptions, not to this room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.home import Home

Shown = Callable[[str, str, Any], Any]
"""(system, feed, record) -> the record with everything masked that may not be shown."""


@dataclass(frozen=True)
class EvidenceRecord:
    """One record an operation rests on.

    `record_number` is 1-based in the vendor's unit and None where a whole file is the evidence; `place` says it in
    words (`line 812`, `Records[3]`). `record` is what may be shown of it; `text` is the same as the vendor wrote it
    where nothing had to be masked. `problem` says why there is no record.
    """

    sha256: str
    record_number: int | None
    system: str | None = None
    feed: str | None = None
    instance: str | None = None
    original_name: str | None = None
    collected_at: datetime | None = None
    place: str | None = None
    record: Any = None
    text: str | None = None
    masked: bool = False
    problem: str | None = None


@dataclass(frozen=True)
class Trace:
    """One row of `control_operations.csv` and the records it names, in the row's order."""

    operation_id: str
    report: Path
    row: dict[str, str]
    evidence: Sequence[EvidenceRecord]
    also_in: Sequence[str] = field(default=())
    """Other periods whose reports hold this operation."""


def trace(
    home: Home, operation_id: str, shown: Shown, wrappers: Callable[[str, str], Sequence[str]] | None = None
) -> Trace:
    """The operation's row and its evidence records.

    `wrappers(system, feed)` names the keys under which that feed's exports may hold an array of records; without
    it the common ones are tried. Raises UserMistake when no report holds the operation.
    """
    raise NotImplementedError
