"""From landing to lake and ledger: what is new is kept, checked, read and registered, one file after the other.

Every step can be repeated: a run that is killed leaves whole files or none, and the next one goes on. The ledger's entry
comes last, so what stands in it has been kept and read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipelines.errors import NotKept, UnreadableFile
from pipelines.evidence.collection_time import collected_at
from pipelines.evidence.compression import check_compression
from pipelines.evidence.landing import LandedFile, scan
from pipelines.evidence.landing_index import LandingIndex
from pipelines.evidence.ledger import DeliveryRecord, Ledger
from pipelines.evidence.originals import Original, keep, remove_unfinished_copies
from pipelines.evidence.sidecar import Sidecar, read_sidecar
from pipelines.home import Home
from pipelines.ingest import lake
from pipelines.ingest.descriptions import FeedDescription, load_descriptions
from pipelines.ingest.outcome import ReadResult
from pipelines.ingest.reader import read_evidence_file

# One wait for the disk per so many entries; a file whose entry was lost is read again.
_ENTRIES_AT_ONCE = 50


@dataclass
class IngestSummary:
    """What one ingest did. `problems` are lines for a person; counts of records are of new files."""

    files_seen: int = 0
    files_new: int = 0
    records_parsed: int = 0
    records_rejected: int = 0
    problems: list[str] = field(default_factory=list)


def ingest_landing(
    home: Home,
    feeds: Collection[tuple[str, str]] | None = None,
    progress: Callable[[str], None] | None = None,
) -> IngestSummary:
    """Take in what landed and is new. `feeds` limits it to some (system, feed); `progress` is told each file.

    Nothing that a file holds stops the others. Raises BrokenEvidence where the ledger can't be vouched for.
    """
    return _Ingest(home, progress or (lambda _: None)).take_in(feeds)


class _Ingest:
    def __init__(self, home: Home, progress: Callable[[str], None]) -> None:
        self.home = home
        self.progress = progress
        self.summary = IngestSummary()
        self.feeds = load_descriptions()
        self.now = datetime.now(UTC)
        self.ledger = Ledger.open(home.ledger)
        self.index = LandingIndex.open(home)
        self.pending: list[DeliveryRecord] = []
        self.noted: list[tuple[LandedFile, tuple[int, ...] | None]] = []

    def take_in(self, feeds: Collection[tuple[str, str]] | None) -> IngestSummary:
        remove_unfinished_copies(self.home)
        lake.remove_unfinished(self.home)
        if self.ledger.repaired:
            self.summary.problems.append(self.ledger.repaired)
        for feed in self.feeds.values():
            self._follow_description(feed)
        misplaced: list[str] = []
        landing = scan(self.home, misplaced)
        if feeds is None:
            self.summary.problems += misplaced
        for landed in landing:
            if feeds is not None and (landed.system, landed.feed) not in feeds:
                continue
            self._take(landed)
        self._register()
        self.index.save(landing)
        return self.summary

    def _follow_description(self, feed: FeedDescription) -> None:
        """Make the feed's schema, and where its description changed, read its originals anew."""
        read_by = lake.read_by(self.home, feed)
        lake.prepare(self.home, feed)
        if read_by == feed.fingerprint:
            return
        if read_by is not None:
            latest = {entry.place: entry for entry in self.ledger.entries if (entry.system, entry.feed) == (feed.system, feed.feed)}
            for entry in latest.values():
                self.progress(f"{feed.name}: reading {entry.original_name} anew")
                original = Original(entry.sha256, entry.size_bytes, self.home.original(entry.sha256), entry.collected_at)
                self._queue(_record_again(entry, self._read(original, entry.original_name, feed, entry.declared_record_count)))
            self._register()
        lake.note_read_by(self.home, feed)

    def _take(self, landed: LandedFile) -> None:
        feed = self.feeds.get((landed.system, landed.feed))
        if feed is None:
            known = sorted(name for system, name in self.feeds if system == landed.system)
            self.summary.problems.append(
                f"{self._shown(landed)}: no feed {landed.system}/{landed.feed} is described; "
                + (f"feeds of {landed.system}: {', '.join(known)}." if known else
                   f"systems: {', '.join(sorted({system for system, _ in self.feeds}))}.")
            )
            return
        self.summary.files_seen += 1
        if self.index.knows(landed):
            return
        # Before the bytes are read: what changes meanwhile must look new to the next run.
        fingerprint = self.index.fingerprint(landed)
        try:
            original = keep(self.home, landed.path)
            sidecar_sha256, sidecar = self._sidecar(landed)
        except NotKept as problem:
            self.summary.problems.append(str(problem))
            return
        at, source = collected_at(sidecar, landed.name, original.mtime)
        result = self._known(original, feed) or self._read(original, landed.name, feed, sidecar.record_count)
        record = DeliveryRecord(
            sha256=original.sha256,
            system=landed.system,
            feed=landed.feed,
            instance=landed.instance,
            original_name=landed.name,
            size_bytes=original.size_bytes,
            collected_at=at,
            collected_at_source=source,
            window_start=sidecar.window_start,
            window_end=sidecar.window_end,
            window_source="sidecar" if sidecar.window_start and sidecar.window_end else None,
            declared_record_count=sidecar.record_count,
            declared_sha256=sidecar.sha256,
            query=sidecar.query,
            filtered=sidecar.filtered,
            snapshot_id=sidecar.snapshot_id,
            collected_by=sidecar.collected_by,
            sidecar_sha256=sidecar_sha256,
            **_read_part(result),
        )
        if self._queue(record):
            self.summary.files_new += 1
            self.summary.records_parsed += result.parsed
            self.summary.records_rejected += result.rejected
            self._tell(landed, result, feed)
            self.progress(f"{feed.name}: {landed.name}")
        self.noted.append((landed, fingerprint))

    def _sidecar(self, landed: LandedFile) -> tuple[str | None, Sidecar]:
        if landed.sidecar is None:
            return None, Sidecar()
        kept = keep(self.home, landed.sidecar)
        try:
            sidecar = read_sidecar(kept.path, landed.sidecar.name)
        except UnreadableFile as problem:
            self.summary.problems.append(f"{self._shown(landed)}: its sidecar declares nothing that can be used: {problem}")
            return kept.sha256, Sidecar()
        if sidecar.unknown_keys:
            self.summary.problems.append(
                f"{self._shown(landed)}: its sidecar has unknown keys ({', '.join(sidecar.unknown_keys)}); they declare nothing."
            )
        return kept.sha256, sidecar

    def _known(self, original: Original, feed: FeedDescription) -> ReadResult | None:
        """What reading these bytes for this feed came to before, where the lake still has it."""
        if not self.home.lake_file(feed.system, feed.feed, original.sha256).exists():
            return None
        for record in (*self.pending, *reversed(self.ledger.entries)):
            if (record.sha256, record.system, record.feed) == (original.sha256, feed.system, feed.feed):
                return ReadResult(
                    parsed=record.records_parsed,
                    rejected=record.records_rejected,
                    first_event_at=record.first_event_at,
                    last_event_at=record.last_event_at,
                    continuation=record.continuation,
                    status=record.status,
                    reject_reason=record.reject_reason,
                )
        return None

    def _read(self, original: Original, original_name: str, feed: FeedDescription, declared: int | None) -> ReadResult:
        try:
            check_compression(original.path, original_name)
            return read_evidence_file(
                original.path,
                original_name,
                feed,
                self.home.lake_file(feed.system, feed.feed, original.sha256),
                self.home.rejected_file(feed.system, feed.feed, original.sha256),
                declared_record_count=declared,
            )
        except UnreadableFile as problem:
            return ReadResult(status="rejected", reject_reason=str(problem))

    def _queue(self, record: DeliveryRecord) -> bool:
        """Whether the delivery is news; if so it is registered with the next batch."""
        if any(waiting.place == record.place for waiting in self.pending):
            self._register()
        if not self.ledger.needs(record):
            return False
        self.pending.append(record)
        if len(self.pending) >= _ENTRIES_AT_ONCE:
            self._register()
        return True

    def _register(self) -> None:
        self.ledger.append_all(self.pending, self.now)
        self.pending.clear()
        for landed, fingerprint in self.noted:
            self.index.note(landed, fingerprint)
        self.noted.clear()

    def _tell(self, landed: LandedFile, result: ReadResult, feed: FeedDescription) -> None:
        if result.status == "rejected":
            self.summary.problems.append(f"{self._shown(landed)}: rejected: {result.reject_reason}")
        elif result.rejected:
            self.summary.problems.append(
                f"{self._shown(landed)}: {result.rejected:,} of {result.parsed + result.rejected:,} records rejected; "
                f"the first: {result.first_fault}"
            )

    def _shown(self, landed: LandedFile) -> str:
        return str(landed.path.relative_to(self.home.root)).encode("utf-8", "backslashreplace").decode("utf-8")


def _read_part(result: ReadResult) -> dict:
    return {
        "status": result.status,
        "reject_reason": result.reject_reason,
        "records_parsed": result.parsed,
        "records_rejected": result.rejected,
        "first_event_at": result.first_event_at,
        "last_event_at": result.last_event_at,
        "continuation": result.continuation,
    }


def _record_again(entry: DeliveryRecord, result: ReadResult) -> DeliveryRecord:
    """The same delivery, as it is read now."""
    named = {name: getattr(entry, name) for name in DeliveryRecord.__dataclass_fields__}
    return DeliveryRecord(**named | _read_part(result))
