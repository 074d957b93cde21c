"""What each feed delivered so far, and what it did not: files, window, gaps, rejects. From the ledger and the lake."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.evidence import instants
from pipelines.evidence.ledger import DeliveryKey, LedgerEntry, entries_of
from pipelines.home import Home
from pipelines.ingest.descriptions import FeedDescription, load_descriptions
from pipelines.orchestration.decisions import in_force

if TYPE_CHECKING:
    from pipelines.ingest.drift import Drift

Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class SourceSummary:
    """One feed of one instance. Instants are UTC; None where nothing says.

    `covered` is from the first to the last instant that a log's files speak of, `gaps` the stretches between that
    none of them does. Both are empty for what isn't a log. `drift` is what its files hold that nobody described.
    """

    system: str
    feed: str
    instance: str
    kind: str
    required: bool
    files: int
    records: int
    rejected_files: int
    rejected_records: int
    first_collected_at: datetime | None
    last_collected_at: datetime | None
    covered: Window | None
    gaps: tuple[Window, ...]
    drift: Drift | None = None


def summarise_sources(home: Home) -> list[SourceSummary]:
    """Every feed that delivered anything or is required, sorted by system, feed and instance."""
    by_source: dict[tuple[str, str, str], list[LedgerEntry]] = defaultdict(list)
    for entry in current_deliveries(entries_of(home.ledger)):
        by_source[entry.system, entry.feed, entry.instance].append(entry)
    required = {
        (row["system"], row["feed"], row["instance"] or "main") for row in in_force(home, "required_feeds")
    }
    descriptions = load_descriptions()
    found = []
    for source in sorted(by_source.keys() | required):
        feed = descriptions.get(source[:2])
        deliveries = by_source.get(source, [])
        summary = _summary(source, feed.kind if feed else "", source in required, deliveries)
        if feed is not None and feed.system != "decisions":
            summary = replace(summary, drift=_drift(home, feed, deliveries))
        found.append(summary)
    return found


def _drift(home: Home, feed: FeedDescription, deliveries: Sequence[LedgerEntry]) -> Drift | None:
    accepted = sorted(
        (entry for entry in deliveries if entry.status == "accepted"),
        key=lambda entry: (entry.collected_at, entry.sha256),
    )
    files = list({entry.sha256: entry.original_name for entry in accepted}.items())
    if not files:
        return None
    # Imported here: without evidence there is nothing to ask a database.
    from pipelines.ingest.drift import drift_of

    return drift_of(home, feed, files)


def as_plain(source: SourceSummary) -> dict[str, Any]:
    """The same for scripts: JSON values, instants as RFC 3339 UTC."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return instants.written(value)
        if is_dataclass(value) and not isinstance(value, type):
            words = source.drift.words if source.drift else None
            return asdict(value) | {"words": asdict(words) | {"share": words.share} if words else None}
        return [plain(one) for one in value] if isinstance(value, tuple) else value

    return {field.name: plain(getattr(source, field.name)) for field in fields(source)}


def current_deliveries(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """One entry per delivery: the last with a sidecar, else the last. Copies dated only by mtime count once."""
    deliveries: dict[DeliveryKey, LedgerEntry] = {}
    for entry in entries:
        known = deliveries.get(entry.key)
        if known is None or entry.sidecar_sha256 or not known.sidecar_sha256:
            deliveries[entry.key] = entry
    places: dict[tuple[str, str, str, str], list[LedgerEntry]] = defaultdict(list)
    for entry in deliveries.values():
        places[entry.place].append(entry)
    found: list[LedgerEntry] = []
    for there in places.values():
        dated = [entry for entry in there if entry.collected_at_source != "mtime"]
        found += dated or [min(there, key=lambda entry: entry.collected_at)]
    return found


def _summary(
    source: tuple[str, str, str], kind: str, required: bool, deliveries: Sequence[LedgerEntry]
) -> SourceSummary:
    files = {entry.sha256: entry for entry in deliveries}.values()
    windows = [window for entry in deliveries if (window := _window(entry))] if kind == "log" else []
    collected = sorted(entry.collected_at for entry in deliveries)
    return SourceSummary(
        *source,
        kind=kind,
        required=required,
        files=len(files),
        records=sum(entry.records_parsed for entry in files),
        rejected_files=sum(entry.status == "rejected" for entry in files),
        rejected_records=sum(entry.records_rejected for entry in files),
        first_collected_at=collected[0] if collected else None,
        last_collected_at=collected[-1] if collected else None,
        covered=(min(start for start, _ in windows), max(end for _, end in windows)) if windows else None,
        gaps=tuple(_gaps(windows)),
    )


def _window(entry: LedgerEntry) -> Window | None:
    """What a log file speaks of: what it declares, else from its first to its last event."""
    if entry.status == "rejected" or entry.filtered:
        return None
    if entry.window_start and entry.window_end:
        return entry.window_start, entry.window_end
    if entry.first_event_at and entry.last_event_at:
        return entry.first_event_at, entry.last_event_at
    return None


def _gaps(windows: Iterable[Window]) -> list[Window]:
    gaps = []
    reached: datetime | None = None
    for start, end in sorted(windows):
        if reached is not None and start > reached:
            gaps.append((reached, start))
        reached = end if reached is None else max(reached, end)
    return gaps
