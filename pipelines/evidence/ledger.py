"""The ledger: one line per delivery of evidence, each bound to the one before it by its hash.

Nothing is ever rewritten. What a delivery turned out to contain may be learned anew (a sidecar came later, a
feed's description was corrected): that is a further line of the same delivery.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pipelines.errors import BrokenEvidence
from pipelines.evidence import instants
from pipelines.evidence.collection_time import CollectedAtSource
from pipelines.evidence.findings import Finding
from pipelines.evidence.originals import make_folder, sync_folder

FIRST_PREVIOUS_HASH = "0" * 64


class DeliveryKey(NamedTuple):
    """What makes a delivery this one and no other."""

    sha256: str
    system: str
    feed: str
    instance: str
    collected_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryRecord:
    """What is written down about one delivery. Instants are aware; None is unknown.

    The first half says what was delivered, the second (from `status` on) what reading it brought.
    """

    sha256: str
    system: str
    feed: str
    instance: str
    original_name: str
    size_bytes: int
    collected_at: datetime
    collected_at_source: CollectedAtSource
    window_start: datetime | None = None
    window_end: datetime | None = None
    window_source: Literal["sidecar", "name"] | None = None
    declared_record_count: int | None = None
    declared_sha256: str | None = None
    query: str | None = None
    filtered: bool = False
    snapshot_id: str | None = None
    collected_by: str | None = None
    sidecar_sha256: str | None = None
    status: Literal["accepted", "rejected"]
    reject_reason: str | None = None
    records_parsed: int = 0
    records_rejected: int = 0
    first_event_at: datetime | None = None
    last_event_at: datetime | None = None
    continuation: bool = False

    @property
    def key(self) -> DeliveryKey:
        return DeliveryKey(self.sha256, self.system, self.feed, self.instance, self.collected_at)

    @property
    def place(self) -> tuple[str, str, str, str]:
        """The bytes and where they landed, whenever they were collected."""
        return self.sha256, self.system, self.feed, self.instance


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerEntry(DeliveryRecord):
    """One line of the ledger: a delivery and its place in the chain."""

    entry: int
    previous_hash: str
    entry_hash: str = field(repr=False)
    ingested_at: datetime


class Ledger:
    """An open ledger. Reading happens once; appending is safe beside other processes that append."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.repaired: str | None = None
        self._entries: list[LedgerEntry] = []
        self._size = 0
        self._deliveries: dict[tuple[str, str, str, str], list[LedgerEntry]] = {}

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """Read and verify a ledger; an absent file is an empty one and is made by the first append.

        A last line cut off by a crash is repaired (`repaired` then says how), and nothing else is: any other
        fault raises BrokenEvidence, because nothing may be chained to a line that can't be vouched for.
        """
        ledger = cls(path)
        if path.exists():
            ledger._read_on()
            if ledger._ends_torn():
                ledger._repair()
        return ledger

    @property
    def entries(self) -> Sequence[LedgerEntry]:
        """All entries, oldest first."""
        return self._entries

    @property
    def head(self) -> str:
        """The hash of the last entry; of an empty ledger, 64 zeros. Who notes it can later prove that nothing before
        it was removed."""
        return self._entries[-1].entry_hash if self._entries else FIRST_PREVIOUS_HASH

    def deliveries(self, sha256: str, system: str, feed: str, instance: str) -> Sequence[LedgerEntry]:
        """The entries of these bytes in this place, oldest first."""
        return self._deliveries.get((sha256, system, feed, instance), [])

    def needs(self, record: DeliveryRecord) -> bool:
        """Whether this delivery is news, so that it should be appended.

        It is not when the same delivery with the same declarations was last read with the same result, nor when
        it and an earlier one are dated only by the file's own time: copying a file is no collection. A sidecar is
        always news once, for what was declared must not get lost.
        Declarations are compared with every entry, not only the last: of two copies of one delivery, one with a
        sidecar, either would otherwise be news after the other in every run.
        """
        record = _cleaned(record)
        there = self.deliveries(*record.place)
        is_a_mere_copy = record.collected_at_source == "mtime" and record.sidecar_sha256 is None
        if is_a_mere_copy and any(
            entry.collected_at_source == "mtime" and entry.collected_at < record.collected_at
            for entry in there
        ):
            return False
        alike = [entry for entry in there if _declared(entry) == _declared(record)]
        return not alike or _outcome(alike[-1]) != _outcome(record)

    def append(self, record: DeliveryRecord, ingested_at: datetime) -> LedgerEntry:
        """Write one entry and return it; when this returns, the entry is on the disk.

        Raises BrokenEvidence when the file was changed by anything but another append since it was read.
        """
        return self.append_all([record], ingested_at)[0]

    def append_all(self, records: Sequence[DeliveryRecord], ingested_at: datetime) -> list[LedgerEntry]:
        """Write several entries with one wait for the disk. When it fails, none of them is written."""
        if not records:
            return []
        is_new = not self.path.exists()
        make_folder(self.path.parent)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._read_on()
            if self._ends_torn():
                self._repair_locked(descriptor)
            added: list[LedgerEntry] = []
            lines: list[bytes] = []
            previous_hash = self.head
            for number, record in enumerate(records, len(self._entries) + 1):
                entry, line = _chained(_cleaned(record), number, previous_hash, ingested_at)
                previous_hash = entry.entry_hash
                added.append(entry)
                lines.append(line)
            content = b"".join(lines)
            _write_whole(descriptor, content, self._size)
            os.fsync(descriptor)
            self._size += len(content)
            self._take(added)
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(self.path.parent)
        return added

    def _read_on(self) -> None:
        """Take in what was appended since the last look (all of it, the first time)."""
        size = self.path.stat().st_size
        if size < self._size:
            raise BrokenEvidence(
                f"{self.path.name}: was cut while in use: {self._size} bytes before, {size} now."
            )
        if size == self._size:
            return
        reading = _Reading(self.path, self._size, len(self._entries), self.head)
        self._take([entry for entry in reading if isinstance(entry, LedgerEntry)])
        if reading.findings:
            raise BrokenEvidence(f"{reading.findings[0]} Run `upheld verify`, then restore it from a backup.")
        self._size = reading.end

    def _take(self, entries: Sequence[LedgerEntry]) -> None:
        for entry in entries:
            self._entries.append(entry)
            self._deliveries.setdefault(entry.place, []).append(entry)

    def _ends_torn(self) -> bool:
        return self.path.stat().st_size > self._size

    def _repair(self) -> None:
        # Under the lock: a line that another process is still writing looks torn, too.
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._read_on()
            if self._ends_torn():
                self._repair_locked(descriptor)
        finally:
            os.close(descriptor)

    def _repair_locked(self, descriptor: int) -> None:
        tail = os.pread(descriptor, os.fstat(descriptor).st_size - self._size, self._size)
        where = f"{self.path.name} line {len(self._entries) + 1}"
        if self._is_next(tail):
            os.write(descriptor, b"\n")
            self.repaired = f"{where}: the line end that a crash left out was added."
        elif self._is_next(tail[:-1]):
            raise BrokenEvidence(
                f"{where}: a whole entry ends in {tail[-1:]!r} instead of a line end. No crash does that. "
                "Run `upheld verify`, then restore it from a backup."
            )
        else:
            os.ftruncate(descriptor, self._size)
            self.repaired = f"{where}: was cut off after {len(tail)} bytes by a crash and removed; its file is taken in again."
        os.fsync(descriptor)
        self._read_on()

    def _is_next(self, line: bytes) -> bool:
        try:
            _entry(line, len(self._entries) + 1, self.head)
        except _Fault:
            return False
        return True


def verify_chain(path: Path, noted_head: str | None = None) -> list[Finding]:
    """Every fault in a ledger's lines and their chain. `noted_head` is an entry hash written down earlier.

    Without a noted head, entries cut off at the end can't be seen: what remains is a whole, shorter ledger.
    """
    findings: list[Finding] = []
    heads = {FIRST_PREVIOUS_HASH}
    if path.exists():
        reading = _Reading(path, 0, 0, FIRST_PREVIOUS_HASH)
        heads.update(entry.entry_hash for entry in reading)
        findings = list(reading.findings)
        left = path.stat().st_size - reading.end
        if left > 0:
            findings.append(
                Finding(
                    "torn",
                    f"{path.name} line {reading.line + 1}",
                    f"cut off after {left} bytes, without a line end. If a run crashed, the next one repairs it.",
                )
            )
    if noted_head is not None and noted_head.lower() not in heads:
        findings.append(
            Finding(
                "head",
                path.name,
                f"the noted head {noted_head} is in no entry: entries were removed or replaced.",
            )
        )
    return findings


def entries_of(path: Path) -> Iterator[LedgerEntry]:
    """The readable entries of a ledger, one by one, in bounded memory. Faults are for `verify_chain` to tell."""
    if path.exists():
        yield from _Reading(path, 0, 0, FIRST_PREVIOUS_HASH)


def entries_naming(path: Path, sha256s: Collection[str]) -> Iterator[LedgerEntry]:
    """The readable entries whose evidence file has one of these hashes. Only lines that hold one are parsed."""
    if not path.exists():
        return
    wanted = set(sha256s)
    with path.open("rb") as file:
        for line in file:
            found = _SHA256.search(line)
            if found and found.group(1).decode() in wanted:
                try:
                    entry = _entry(line.rstrip(b"\n"), None, None)
                except _Fault:
                    continue
                if entry.sha256 in wanted:
                    yield entry


class LedgerMark(NamedTuple):
    """A ledger's length in bytes and the hash of the entry that ends there."""

    size: int
    head: str


def mark_of(path: Path) -> LedgerMark:
    """Where a ledger stands now, read from its end only."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return LedgerMark(0, FIRST_PREVIOUS_HASH)
    return LedgerMark(size, _hash_of_line_ending_at(path, size) or "")


def still_holds(path: Path, mark: LedgerMark) -> bool:
    """Whether the ledger is the marked one, perhaps with more entries after it. Reads one line."""
    if mark.size == 0:
        return mark.head == FIRST_PREVIOUS_HASH
    return bool(mark.head) and _hash_of_line_ending_at(path, mark.size) == mark.head


# -- one line ---------------------------------------------------------------------------------------------------------

_FIELDS = tuple(sorted(fields(LedgerEntry), key=lambda each: each.name))
_NAMES = tuple(each.name for each in _FIELDS)
_KEYS = frozenset(_NAMES)
_SHA256 = re.compile(rb'[,{]"sha256":"([0-9a-f]{64})"')
_ENTRY_HASH = re.compile(rb'"entry_hash":"([0-9a-f]{64})"')
_INSTANTS = frozenset(each.name for each in _FIELDS if "datetime" in str(each.type))
_CHAIN_FIELDS = frozenset({"entry", "previous_hash", "entry_hash", "ingested_at"})
_OUTCOME_FIELDS = (
    "status", "reject_reason", "records_parsed", "records_rejected", "first_event_at", "last_event_at", "continuation",
)  # fmt: skip
_DECLARED_FIELDS = tuple(name for name in _NAMES if name not in _CHAIN_FIELDS and name not in _OUTCOME_FIELDS)


def canonical(values: dict[str, Any]) -> bytes:
    """The one way to write a line: sorted keys, no spaces, UTF-8 as it is."""
    return json.dumps(
        values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _declared(record: DeliveryRecord) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in _DECLARED_FIELDS)


def _outcome(record: DeliveryRecord) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in _OUTCOME_FIELDS)


def _cleaned(record: DeliveryRecord) -> DeliveryRecord:
    """The record as it will read when it comes back: one line of UTF-8 per text, UTC instants."""
    values: dict[str, Any] = {}
    for each in fields(DeliveryRecord):
        value = getattr(record, each.name)
        if isinstance(value, str):
            value = value.encode("utf-8", "backslashreplace").decode("utf-8")
        elif isinstance(value, datetime):
            value = instants.read(instants.written(value))
        values[each.name] = value
    return DeliveryRecord(**values)


def _chained(
    record: DeliveryRecord, number: int, previous_hash: str, ingested_at: datetime
) -> tuple[LedgerEntry, bytes]:
    values = {each.name: getattr(record, each.name) for each in fields(DeliveryRecord)}
    values |= {"entry": number, "previous_hash": previous_hash, "ingested_at": ingested_at}
    written = {
        name: instants.written(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }
    entry_hash = hashlib.sha256(canonical(written)).hexdigest()
    written["entry_hash"] = entry_hash
    values["ingested_at"] = instants.read(written["ingested_at"])
    return LedgerEntry(**values, entry_hash=entry_hash), canonical(written) + b"\n"


def _write_whole(descriptor: int, content: bytes, size_before: int) -> None:
    left = memoryview(content)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        # A full disk leaves half a line; without this the next reader would have to call it torn.
        os.ftruncate(descriptor, size_before)
        raise


class _Fault(Exception):
    """A line that is not what it should be. `entry` is what it says even so, when it can be read at all."""

    def __init__(self, detail: str, entry: LedgerEntry | None = None) -> None:
        super().__init__(detail)
        self.entry = entry


def _entry(line: bytes, number: int | None, previous_hash: str | None) -> LedgerEntry:
    """One line without its line end. None for what is not known of its place, after a line that can't be read."""
    try:
        values = json.loads(line.decode("utf-8"))
        if not isinstance(values, dict) or set(values) != _KEYS:
            raise ValueError("not the keys of an entry")
        is_canonical = canonical(values) == line
        for name in _INSTANTS:
            values[name] = _read_instant(values[name])
        entry = LedgerEntry(**values)
    except (ValueError, RecursionError) as problem:
        raise _Fault("is no ledger entry: it was altered, or lines were joined.") from problem
    # In canonical writing no text before this key can look like it: a quote inside text is escaped.
    bound = line.replace(f'"entry_hash":"{entry.entry_hash}",'.encode(), b"", 1)
    if not is_canonical or hashlib.sha256(bound).hexdigest() != entry.entry_hash:
        raise _Fault(f"entry {entry.entry} was altered: its content does not match its hash.", entry)
    if number is not None and entry.entry != number:
        raise _Fault(
            f"expected entry {number}, found entry {entry.entry}: entries were removed or reordered.", entry
        )
    if previous_hash is not None and entry.previous_hash != previous_hash:
        raise _Fault(
            f"entry {entry.entry} does not follow the entry before it: that one was replaced.", entry
        )
    return entry


def _read_instant(value: Any) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("no instant")
    return instants.read(value)


def _hash_of_line_ending_at(path: Path, end: int) -> str | None:
    """The entry hash of the line whose line end is the byte before `end`, or None when there is none."""
    try:
        with path.open("rb") as file:
            line = b""
            start = end
            while start > 0 and b"\n" not in line[:-1]:
                step = min(start, 8192)
                start -= step
                file.seek(start)
                line = file.read(step) + line
    except (FileNotFoundError, OSError):
        return None
    if len(line) < end - start or not line.endswith(b"\n"):
        return None
    found = _ENTRY_HASH.search(line[line.rfind(b"\n", 0, -1) + 1 :])
    return found.group(1).decode() if found else None


class _Reading:
    """Reads whole lines from an offset on, yielding those that parse, and collects every fault it meets."""

    def __init__(self, path: Path, start: int, entries_before: int, previous_hash: str) -> None:
        self.path = path
        self.end = start
        self.line = entries_before
        self.findings: list[Finding] = []
        self._next_number: int | None = entries_before + 1
        self._previous_hash: str | None = previous_hash

    def __iter__(self) -> Iterator[LedgerEntry]:
        with self.path.open("rb") as file:
            file.seek(self.end)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self.line += 1
                self.end += len(line)
                entry = self._taken(line[:-1])
                # From a fault on, the chain is followed as the file has it: one fault, one finding.
                self._next_number = None if entry is None else entry.entry + 1
                self._previous_hash = None if entry is None else entry.entry_hash
                if entry is not None:
                    yield entry

    def _taken(self, line: bytes) -> LedgerEntry | None:
        try:
            return _entry(line, self._next_number, self._previous_hash)
        except _Fault as fault:
            self.findings.append(Finding("chain", f"{self.path.name} line {self.line}", str(fault)))
            return fault.entry
