"""Everything that landed is kept, checked, read and written down, so that a crash at any instant costs one repetition.

Per file: copy and hash into the originals -> rows into Parquet under a passing name -> lasting name -> ledger -> index.
Two lots of files are worked on at a time (a large file, or small ones of one feed, which are read together), and the
ledger is written in the order of the landing folder.
"""

from __future__ import annotations

import itertools
import mmap
import os
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

from pipelines.errors import NotKept, UnreadableFile, UserMistake
from pipelines.evidence.collection_time import collected_at
from pipelines.evidence.landing import LandedFile, printable, scan
from pipelines.evidence.landing_index import Fingerprint, LandingIndex
from pipelines.evidence.ledger import DeliveryRecord, Ledger, LedgerEntry
from pipelines.evidence.originals import Original, keep
from pipelines.evidence.run_lock import run_lock
from pipelines.evidence.sidecar import SUFFIX, Sidecar, read_sidecar
from pipelines.home import Home
from pipelines.ingest.descriptions import FeedDescription, load_descriptions
from pipelines.ingest.lake import Lake
from pipelines.ingest.line_count import LineCount
from pipelines.ingest.outcome import ReadResult
from pipelines.ingest.reader import EMPTY, KeptFile, Reading, prepared, prepared_together
from pipelines.ingest.reader_together import LARGEST_SMALL
from pipelines.ingest.reading import reading_connection
from pipelines.ingest.tray import Tray
from pipelines.settings import feed_timezones
from pipelines.warehouse import Connection, QueryFailed

Progress = Callable[[str], None]
Feed = tuple[str, str]

_WORKERS = 2
_AHEAD = 4
# Entries wait for each other this long, so that a thousand small files do not wait for the disk a thousand times.
_SECONDS_BETWEEN_ENTRIES = 1.0
_MOST_ENTRIES_AT_ONCE = 200

# From this size on, a file is read while it is being copied and hashed.
_LARGE = 8 << 20
# So many files of one feed are read together, of so many bytes as they landed.
_MOST_TOGETHER = 200
_LARGEST_TOGETHER = 32 << 20
# A file that changes shows a new date, but for changes within one tick of its file system's clock.
_TICK_NANOSECONDS = 2_000_000_000

_SIDECAR_FAULT = "its sidecar can't be read: "
_READER_FAULT = "it could not be read; that is a fault of the reader and not of the file, please report it"


@dataclass
class IngestSummary:
    """What one run took in. `problems` has one line each: the file, the record, what was expected and found."""

    files_new: int = 0
    files_seen: int = 0
    records_parsed: int = 0
    records_rejected: int = 0
    problems: list[str] = field(default_factory=list)


def ingest_landing(
    home: Home, feeds: Collection[Feed] | None = None, progress: Progress | None = None
) -> IngestSummary:
    """Take in everything new in landing; `feeds` limits it to these (system, feed) pairs.

    Safe to repeat: what was taken in before is only looked at. Rows that were read with another description, or got
    lost, are made anew from the originals. Raises UserMistake when the home is in use or can't be written, and
    BrokenEvidence when the ledger or an original is not what it should be.
    """
    with run_lock(home):
        run = _Run(home, feeds, progress or (lambda _: None))
        try:
            with run.lake_prepared():
                run.read_again()
                run.take_in_landing()
        finally:
            run.close()
        return run.summary


def described_for(home: Home) -> dict[Feed, FeedDescription]:
    """Every described feed, its times without a zone in the zone that the home sets for it.

    Raises UserMistake where the home sets one for a feed that there is not.
    """
    descriptions = load_descriptions()
    zones = feed_timezones(home)
    unknown = [feed for feed in zones if tuple(feed.split("/")) not in descriptions]
    if unknown:
        raise UserMistake(
            f"{home.settings}, [timezones]: no feed is called {', '.join(unknown)}; `upheld sources` names the feeds."
        )
    return {key: feed.in_timezone(zones.get(feed.name, feed.timezone)) for key, feed in descriptions.items()}


@dataclass(frozen=True)
class _TakenIn:
    """One landing file after keeping and reading. `record` is None when it could not be taken in this time."""

    landed: LandedFile
    fingerprint: Fingerprint | None
    record: DeliveryRecord | None
    problems: Sequence[str] = ()
    is_final: bool = True


@dataclass(frozen=True)
class _Kept:
    """One landing file among the originals. `result` is None when it has yet to be read; `held` are its bytes."""

    landed: LandedFile
    fingerprint: Fingerprint | None
    original: Original
    sidecar: Sidecar | None
    sidecar_sha256: str | None
    result: ReadResult | None
    problems: Sequence[str]
    held: memoryview | None = None

    @property
    def declared_record_count(self) -> int | None:
        return self.sidecar.record_count if self.sidecar else None


class _Run:
    def __init__(self, home: Home, feeds: Collection[Feed] | None, progress: Progress) -> None:
        self.summary = IngestSummary()
        self._home = home
        self._feeds = feeds
        self._progress = progress
        self._descriptions = described_for(home)
        self._lake = Lake(home, self._descriptions.values())
        self._ledger = Ledger.open(home.ledger)
        if self._ledger.repaired:
            self.summary.problems.append(self._ledger.repaired)
        self._connection: Connection | None = None
        self._unthreaded: Connection | None = None
        self._trays: SimpleQueue[Tray] = SimpleQueue()
        # What reading brought, by feed and hash: the same bytes delivered again are not read again.
        self._results: dict[tuple[str, str, str], ReadResult] = {}
        for entry in self._ledger.entries:
            self._remember(entry)

    def close(self) -> None:
        for connection in (self._connection, self._unthreaded):
            if connection is not None:
                connection.close()
        while not self._trays.empty():
            self._trays.get().close()

    @property
    def _database(self) -> Connection:
        # A run with nothing new needs none.
        if self._connection is None:
            self._connection = reading_connection()
        return self._connection

    @property
    def _database_for_pipes(self) -> Connection:
        """What comes through a pipe is read by one thread; others would only look for work, at a third of the speed lost."""
        if self._unthreaded is None:
            self._unthreaded = reading_connection(threads=1)
        return self._unthreaded

    # -- the lake -----------------------------------------------------------------------------------------------------

    @contextmanager
    def lake_prepared(self) -> Iterator[None]:
        """Every described feed has its tables when the block ends, whether or not it ever delivered."""
        self._lake.remove_unfinished()
        missing = self._lake.without_tables()
        if not missing:
            yield
            return
        connection = self._database.cursor()
        with ThreadPoolExecutor(1, thread_name_prefix="prepare") as preparer:
            preparing = [preparer.submit(self._lake.make_tables, connection, feed) for feed in missing]
            yield
            for made in preparing:
                made.result()

    def read_again(self) -> None:
        """Make rows anew that were read with another description, or are not there."""
        by_feed: dict[Feed, dict[str, list[LedgerEntry]]] = defaultdict(lambda: defaultdict(list))
        for entry in self._ledger.entries:
            by_feed[entry.system, entry.feed][entry.sha256].append(entry)
        for key, feed in self._descriptions.items():
            if self._feeds is not None and key not in self._feeds:
                continue
            is_stale = self._lake.is_stale(feed)
            there = () if is_stale else self._lake.files(feed)
            for sha256, entries in by_feed[key].items():
                if is_stale or (sha256 not in there and any(map(_has_rows, entries))):
                    self._progress(f"reading {feed.name} again: {entries[-1].original_name}")
                    self._read_original_again(feed, sha256, entries)
            if is_stale:
                self._lake.note_read_with(feed)

    def _read_original_again(self, feed: FeedDescription, sha256: str, entries: Sequence[LedgerEntry]) -> None:
        original = self._home.original(sha256)
        latest = {entry.key: entry for entry in entries if not _is_sidecar_fault(entry)}
        if not latest:
            return
        if not original.exists():
            self.summary.problems.append(
                f"{feed.name}/{entries[-1].original_name}: its original {sha256} is gone, so its rows can't be made "
                "anew. Run `upheld verify`, then restore it from a backup."
            )
            return
        declared = next((e.declared_record_count for e in entries if e.declared_record_count is not None), None)
        result = self._read(original, entries[-1].original_name, feed, sha256, declared)
        news = [
            _with_result(_as_record(entry), self._of_one_delivery(entry, original, feed, sha256, result))
            for entry in latest.values()
        ]
        for record in news:
            self._remember(record)
        self._ledger.append_all([record for record in news if self._ledger.needs(record)], datetime.now(UTC))

    def _of_one_delivery(
        self, entry: LedgerEntry, original: Path, feed: FeedDescription, sha256: str, result: ReadResult
    ) -> ReadResult:
        """What these bytes come to as this delivery: whether nothing may be in a file is for its own sidecar to say."""
        if result.parsed + result.rejected or entry.declared_record_count == 0:
            return result
        return self._read(original, entry.original_name, feed, sha256, entry.declared_record_count)

    def _read(
        self, path: Path, name: str, feed: FeedDescription, sha256: str, declared_record_count: int | None
    ) -> ReadResult:
        """Read a file and settle its rows under this hash."""
        try:
            with prepared(
                path,
                name,
                feed,
                self._home.lake_folder(feed.system, feed.feed),
                declared_record_count=declared_record_count,
                connection=self._database,
            ) as reading:
                self._settle(reading, feed, sha256)
                return reading.result
        except (QueryFailed, MemoryError, RuntimeError) as problem:
            return _reader_fault(problem)

    def _settle(self, reading: Reading, feed: FeedDescription, sha256: str) -> None:
        lake_file = self._home.lake_file(feed.system, feed.feed, sha256)
        # Another delivery of the same nothing may have declared it: its rows, none, stay.
        if reading.result.reject_reason == EMPTY and lake_file.exists():
            return
        reading.settle(
            lake_file,
            self._home.rejected_file(feed.system, feed.feed, sha256),
        )

    # -- landing ------------------------------------------------------------------------------------------------------

    def take_in_landing(self) -> None:
        """Keep, read and write down whatever landed since the last run."""
        problems: list[str] = []
        landing = scan(self._home, problems)
        if self._feeds is None:
            self.summary.problems += problems
        else:
            landing = [landed for landed in landing if (landed.system, landed.feed) in self._feeds]
        self.summary.files_seen = len(landing)
        index = LandingIndex.open(self._home)
        new = [landed for landed in landing if not index.knows(landed)]
        if new:
            # Made here and not by whichever worker comes first.
            _ = self._database, self._database_for_pipes
            for _ in range(_WORKERS):
                self._trays.put(Tray(_LARGEST_TOGETHER + _MOST_TOGETHER * mmap.PAGESIZE))
        waiting: list[_TakenIn] = []
        since = time.monotonic()
        taken_in = itertools.chain.from_iterable(self._in_order(new, index))
        for number, taken in enumerate(taken_in, 1):
            self._progress(f"{number:,} of {len(new):,}: {self._place(taken.landed)}")
            waiting.append(taken)
            if len(waiting) >= _MOST_ENTRIES_AT_ONCE or time.monotonic() - since > _SECONDS_BETWEEN_ENTRIES:
                self._write_down(waiting, index)
                waiting, since = [], time.monotonic()
        self._write_down(waiting, index)
        index.save(landing if self._feeds is None else None)

    def _in_order(self, new: Sequence[LandedFile], index: LandingIndex) -> Iterator[list[_TakenIn]]:
        """The files taken in, in the given order, two lots at a time and a few ahead."""
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="take-in") as workers:
            under_way: deque[Future[list[_TakenIn]]] = deque()
            try:
                for lot in _lots(new):
                    under_way.append(workers.submit(self._take_in, lot, index))
                    if len(under_way) >= _AHEAD:
                        yield under_way.popleft().result()
                while under_way:
                    yield under_way.popleft().result()
            finally:
                for future in under_way:
                    future.cancel()

    def _write_down(self, taken_in: Iterable[_TakenIn], index: LandingIndex) -> None:
        taken_in = list(taken_in)
        news: list[DeliveryRecord] = []
        for taken in taken_in:
            record = taken.record
            is_news = record is not None and record not in news and self._ledger.needs(record)
            # What is wrong with evidence is told once, when it is taken in; what could not be taken in, every time.
            if is_news or record is None or not taken.is_final:
                self.summary.problems += taken.problems
            if record is None or not is_news:
                continue
            news.append(record)
            self._remember(record)
            self.summary.files_new += 1
            self.summary.records_parsed += record.records_parsed
            self.summary.records_rejected += record.records_rejected
        self._ledger.append_all(news, datetime.now(UTC))
        for taken in taken_in:
            if taken.record is not None and taken.is_final:
                index.note(taken.landed, taken.fingerprint)

    def _take_in(self, lot: Sequence[LandedFile], index: LandingIndex) -> list[_TakenIn]:
        """Keep and read files of one feed; those that have to be read, together."""
        tray = self._trays.get()
        try:
            return self._take_in_with(tray, lot, index)
        finally:
            tray.clear()
            self._trays.put(tray)

    def _take_in_with(self, tray: Tray, lot: Sequence[LandedFile], index: LandingIndex) -> list[_TakenIn]:
        taken: dict[int, _TakenIn] = {}
        waiting: dict[int, _Kept] = {}
        for number, landed in enumerate(lot):
            fingerprint = index.fingerprint(landed)
            try:
                kept = self._kept(landed, fingerprint, tray if len(lot) > 1 else None)
            except NotKept as problem:
                taken[number] = _TakenIn(landed, fingerprint, None, [str(problem)])
                continue
            if kept.result is None:
                waiting[number] = kept
            else:
                taken[number] = self._taken_in(kept, kept.result)
        results = self._read_kept(list(waiting.values()), tray)
        for (number, kept), result in zip(waiting.items(), results, strict=True):
            taken[number] = self._taken_in(kept, result)
        return [taken[number] for number in range(len(lot))]

    def _taken_in(self, kept: _Kept, result: ReadResult) -> _TakenIn:
        landed = kept.landed
        record = _record(landed, kept.original, kept.sidecar, kept.sidecar_sha256, result)
        problems = [*kept.problems, *_problems(self._place(landed), result)]
        return _TakenIn(landed, kept.fingerprint, record, problems, is_final=result.reject_reason != _READER_FAULT)

    def _kept(self, landed: LandedFile, fingerprint: Fingerprint | None, tray: Tray | None) -> _Kept:
        """The file among the originals, read too, unless it may wait on a tray to be read with others."""
        problems: list[str] = []
        sidecar, sidecar_sha256, sidecar_fault = self._declared(landed, problems)
        feed = self._descriptions.get((landed.system, landed.feed))
        result: ReadResult | None = None
        held: memoryview | None = None
        if sidecar_fault is not None or feed is None:
            original = keep(self._home, landed.path)
            reason = sidecar_fault or _no_such_feed(landed, self._descriptions)
            result = ReadResult(status="rejected", reject_reason=reason)
        else:
            declared = sidecar.record_count if sidecar else None
            original, result, held = self._kept_and_read(landed, feed, declared, tray)
        return _Kept(landed, fingerprint, original, sidecar, sidecar_sha256, result, problems, held)

    def _read_kept(self, files: Sequence[_Kept], tray: Tray) -> list[ReadResult]:
        """Read files of one feed: together as far as that goes."""
        if not files:
            return []
        feed = self._descriptions[files[0].landed.system, files[0].landed.feed]
        results: list[ReadResult | None] = []
        with prepared_together(
            [KeptFile(kept.original.path, kept.landed.name, kept.held) for kept in files],
            feed,
            self._home.lake_folder(feed.system, feed.feed),
            self._database_for_pipes,
            tray,
        ) as readings:
            for kept, reading in zip(files, readings, strict=True):
                if reading is not None:
                    self._settle(reading, feed, kept.original.sha256)
                results.append(None if reading is None else reading.result)
        return [
            self._read(kept.original.path, kept.landed.name, feed, kept.original.sha256, kept.declared_record_count)
            if result is None
            else result
            for kept, result in zip(files, results, strict=True)
        ]

    def _declared(
        self, landed: LandedFile, problems: list[str]
    ) -> tuple[Sidecar | None, str | None, str | None]:
        """The sidecar, its hash, and what is wrong with it. One that can't be read is not kept: it declares nothing."""
        if landed.sidecar is None:
            return None, None, None
        name = printable(landed.sidecar.name)
        try:
            read_sidecar(landed.sidecar, name)
            original = keep(self._home, landed.sidecar)
            sidecar = read_sidecar(original.path, name)
        except UnreadableFile as problem:
            return None, None, _SIDECAR_FAULT + " ".join(str(problem).split())
        except FileNotFoundError:
            raise NotKept(f"{self._place(landed)}{SUFFIX}: gone while it was being read; the next run tries again.") from None
        if sidecar.unknown_keys:
            problems.append(
                f"{self._place(landed)}{SUFFIX}: {', '.join(sidecar.unknown_keys)} means nothing in a sidecar and was "
                "passed over; check the spelling."
            )
        return sidecar, original.sha256, None

    def _kept_and_read(
        self, landed: LandedFile, feed: FeedDescription, declared: int | None, tray: Tray | None
    ) -> tuple[Original, ReadResult | None, memoryview | None]:
        """The original, what reading it came to, and of one that waits on the tray its bytes."""
        before = _settled_state(landed.path)
        if before is not None and before[0] >= _LARGE:
            both = self._kept_while_read(landed, feed, declared, before)
            if both is not None:
                return *both, None
        room = tray.room_for(_size(landed.path)) if tray else None
        original = keep(self._home, landed.path, room=room)
        # A file that has grown meanwhile is not in it.
        held = room[: original.size_bytes] if room is not None and original.size_bytes < len(room) else None
        known = self._read_before(feed, original.sha256)
        # Without a record in it, a file is what its own sidecar says.
        if known is not None and known.parsed + known.rejected:
            return original, known, None
        if tray:
            return original, None, held
        return original, self._read(original.path, landed.name, feed, original.sha256, declared), None

    def _kept_while_read(
        self, landed: LandedFile, feed: FeedDescription, declared: int | None, before: tuple[int, ...]
    ) -> tuple[Original, ReadResult] | None:
        """Copy and hash a large file while it is being read. None when it changed meanwhile, so that nothing counts.

        What was read is what was kept: the file's size and dates were the same before both and after both, and too
        old at the start for a change to hide in the same tick of the clock.
        """
        count = LineCount()
        with ThreadPoolExecutor(1, thread_name_prefix="keep") as keeper:
            keeping = keeper.submit(keep, self._home, landed.path, count.add)

            def counted() -> LineCount:
                keeping.result()
                return count

            try:
                with prepared(
                    landed.path,
                    landed.name,
                    feed,
                    self._home.lake_folder(feed.system, feed.feed),
                    declared_record_count=declared,
                    connection=self._database,
                    counted=counted,
                ) as reading:
                    original = keeping.result()
                    if _settled_state(landed.path) != before:
                        return None
                    self._settle(reading, feed, original.sha256)
                    return original, reading.result
            except (QueryFailed, MemoryError, RuntimeError) as problem:
                return keeping.result(), _reader_fault(problem)
            except FileNotFoundError:
                return None

    def _read_before(self, feed: FeedDescription, sha256: str) -> ReadResult | None:
        """What reading these bytes came to earlier, in whatever instance, if their rows are there."""
        if not self._home.lake_file(feed.system, feed.feed, sha256).exists():
            return None
        return self._results.get((feed.system, feed.feed, sha256))

    def _remember(self, record: DeliveryRecord) -> None:
        if _has_rows(record):
            self._results[record.system, record.feed, record.sha256] = _result_of(record)

    def _place(self, landed: LandedFile) -> str:
        return printable(str(landed.path.relative_to(self._home.landing)))


def _lots(new: Sequence[LandedFile]) -> Iterator[list[LandedFile]]:
    """The files in their order, small ones of the same feed together."""
    lot: list[LandedFile] = []
    left = 0
    for landed in new:
        size = _size(landed.path)
        goes_on = lot and (lot[0].system, lot[0].feed) == (landed.system, landed.feed) and size <= left
        if not goes_on or len(lot) >= _MOST_TOGETHER:
            if lot:
                yield lot
            lot, left = [], _LARGEST_TOGETHER if size <= LARGEST_SMALL else 0
        lot.append(landed)
        left -= size
    if lot:
        yield lot


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _record(
    landed: LandedFile, original: Original, sidecar: Sidecar | None, sidecar_sha256: str | None, result: ReadResult
) -> DeliveryRecord:
    when, source = collected_at(sidecar, landed.name, original.mtime)
    declared = sidecar or Sidecar()
    has_window = declared.window_start is not None or declared.window_end is not None
    return DeliveryRecord(
        sha256=original.sha256,
        system=landed.system,
        feed=landed.feed,
        instance=landed.instance,
        original_name=landed.name,
        size_bytes=original.size_bytes,
        collected_at=when,
        collected_at_source=source,
        window_start=declared.window_start,
        window_end=declared.window_end,
        window_source="sidecar" if has_window else None,
        declared_record_count=declared.record_count,
        declared_sha256=declared.sha256,
        query=declared.query,
        filtered=declared.filtered,
        snapshot_id=declared.snapshot_id,
        collected_by=declared.collected_by,
        sidecar_sha256=sidecar_sha256,
        status=result.status,
        reject_reason=result.reject_reason,
        records_parsed=result.parsed,
        records_rejected=result.rejected,
        first_event_at=result.first_event_at,
        last_event_at=result.last_event_at,
        continuation=result.continuation,
    )


def _as_record(entry: LedgerEntry) -> DeliveryRecord:
    return DeliveryRecord(**{each.name: getattr(entry, each.name) for each in fields(DeliveryRecord)})


def _with_result(record: DeliveryRecord, result: ReadResult) -> DeliveryRecord:
    return replace(
        record,
        status=result.status,
        reject_reason=result.reject_reason,
        records_parsed=result.parsed,
        records_rejected=result.rejected,
        first_event_at=result.first_event_at,
        last_event_at=result.last_event_at,
        continuation=result.continuation,
    )


def _result_of(entry: DeliveryRecord) -> ReadResult:
    return ReadResult(
        parsed=entry.records_parsed,
        rejected=entry.records_rejected,
        first_event_at=entry.first_event_at,
        last_event_at=entry.last_event_at,
        continuation=entry.continuation,
        status=entry.status,
        reject_reason=entry.reject_reason,
    )


def _has_rows(entry: DeliveryRecord) -> bool:
    return entry.status == "accepted" or entry.records_rejected > 0


def _is_sidecar_fault(entry: LedgerEntry) -> bool:
    return (entry.reject_reason or "").startswith(_SIDECAR_FAULT)


def _reader_fault(problem: BaseException) -> ReadResult:
    # Without its words: they may quote what must not be written down.
    return ReadResult(status="rejected", reject_reason=_READER_FAULT, first_fault=type(problem).__name__)


def _no_such_feed(landed: LandedFile, descriptions: Mapping[Feed, FeedDescription]) -> str:
    feeds = sorted(feed for system, feed in descriptions if system == landed.system)
    known = f"{landed.system} has {', '.join(feeds)}" if feeds else (
        f"systems are {', '.join(sorted({system for system, _ in descriptions}))}"
    )  # fmt: skip
    return f"no feed is called {landed.system}/{landed.feed}: {known}; for a system without feeds use generic/"


def _problems(place: str, result: ReadResult) -> list[str]:
    if result.status == "rejected":
        fault = f" ({result.first_fault})" if result.reject_reason == _READER_FAULT else ""
        return [f"{place}: rejected: {result.reject_reason}{fault}."]
    if result.rejected:
        of = result.parsed + result.rejected
        return [
            f"{place}: {result.rejected:,} of {of:,} records rejected"
            + (f"; {result.first_fault}. " if result.first_fault else ". ")
            + ("The others were taken in; put it" if result.parsed else "Put it")
            + " right at its source and export it again."
        ]
    return []


def _settled_state(path: Path) -> tuple[int, ...] | None:
    """Size, dates and identity of a file that last changed more than a tick ago, else None."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < _TICK_NANOSECONDS:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev
