"""One evidence file becomes one Parquet file, and a second one for what could not be used. The feed's description says how."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from pipelines.errors import UnreadableFile
from pipelines.evidence.json_text import BOM
from pipelines.evidence.originals import make_folder
from pipelines.evidence.text import LARGEST_ANSWER, csv_within
from pipelines.ingest.content import Content, HeldContent
from pipelines.ingest.descriptions import FeedDescription
from pipelines.ingest.line_count import LineCount
from pipelines.ingest.outcome import NotThisFeed, NotValid, ReadResult
from pipelines.ingest.reader_csv import read_csv, rejected_of_csv
from pipelines.ingest.reader_json import read_json, rejected_of_json
from pipelines.ingest.reader_together import read_together
from pipelines.ingest.reading import reading_connection, tally, write_empty, write_one_rejected
from pipelines.ingest.recognition import as_json
from pipelines.ingest.rejected import RejectedRecord, write_rejected
from pipelines.ingest.tray import Tray
from pipelines.warehouse import Connection

__all__ = ["ReadResult", "read_evidence_file"]

EMPTY = "the file is empty: expected records, or a sidecar with record_count 0"
"""Why an empty file is refused where its own delivery does not declare that nothing is in it."""

UNFINISHED_PREFIX = ".reading-"

# Two files may be read at a time within this process, into one folder.
_turn = itertools.count()


def read_evidence_file(
    original: Path,
    original_name: str,
    description: FeedDescription,
    lake_file: Path,
    rejected_file: Path,
    *,
    declared_record_count: int | None = None,
    connection: Connection | None = None,
) -> ReadResult:
    """Read one file into `lake_file` and its unusable records into `rejected_file`, each whole or not at all.

    What is wrong with the evidence is in the result and never raised. A file without a byte in it is only taken when
    its sidecar declares 0 records. Safe to repeat; without a `connection`, one is made for this file.
    """
    with prepared(
        original,
        original_name,
        description,
        lake_file.parent,
        declared_record_count=declared_record_count,
        connection=connection,
    ) as reading:
        reading.settle(lake_file, rejected_file)
        return reading.result


class Reading:
    """Rows that were read and have no lasting name yet."""

    def __init__(self, result: ReadResult, rows: Path | None, rejected: Path | None) -> None:
        self.result = result
        self._rows = rows
        self._rejected = rejected

    def settle(self, lake_file: Path, rejected_file: Path) -> None:
        """Give the rows their lasting names, replacing what an earlier reading left there."""
        make_folder(rejected_file.parent)
        for unfinished, lasting in ((self._rejected, rejected_file), (self._rows, lake_file)):
            if unfinished is None:
                lasting.unlink(missing_ok=True)
            else:
                # Rows under a lasting name are whole. The name itself may be lost with the power: then they are
                # found missing and made anew.
                _sync(unfinished)
                os.replace(unfinished, lasting)


@contextmanager
def prepared(
    path: Path,
    original_name: str,
    description: FeedDescription,
    folder: Path,
    *,
    declared_record_count: int | None = None,
    connection: Connection | None = None,
    counted: Callable[[], LineCount] | None = None,
) -> Iterator[Reading]:
    """Read a file into nameless files in `folder`, which vanish at the end of the block unless they were settled.

    `counted` is for Content.
    """
    make_folder(folder)
    stem = f"{UNFINISHED_PREFIX}{os.getpid()}-{next(_turn)}"
    rows, rejected = folder / f"{stem}.rows", folder / f"{stem}.rejected"
    own = reading_connection() if connection is None else connection.cursor()
    try:
        opened = partial(Content, path, original_name, counted)
        yield _read(own, opened, original_name, description, rows, rejected, declared_record_count)
    finally:
        own.close()
        rows.unlink(missing_ok=True)
        rejected.unlink(missing_ok=True)


@dataclass(frozen=True)
class KeptFile:
    """A file to be read with others. `held` are its bytes where they are in memory."""

    path: Path
    original_name: str
    held: memoryview | None


@contextmanager
def prepared_together(
    files: Sequence[KeptFile], description: FeedDescription, folder: Path, connection: Connection, tray: Tray
) -> Iterator[list[Reading | None]]:
    """Read small files at once, as `prepared` does one.

    None stands for a file that is to be read by itself: it isn't small, or something in it is unusual.
    """
    make_folder(folder)
    stem = f"{UNFINISHED_PREFIX}{os.getpid()}-{next(_turn)}"
    rows = [folder / f"{stem}-{number}.rows" for number in range(len(files))]
    own = connection.cursor()
    try:
        results = _read_together(own, files, description, rows, tray)
        yield [Reading(results[n], path, None) if n in results else None for n, path in enumerate(rows)]
    finally:
        own.close()
        for path in rows:
            path.unlink(missing_ok=True)


def _read_together(
    connection: Connection, files: Sequence[KeptFile], feed: FeedDescription, rows: Sequence[Path], tray: Tray
) -> dict[int, ReadResult]:
    contents = {}
    for number, file in enumerate(files):
        with suppress(UnreadableFile):
            contents[number] = Content(file.path, file.original_name, held=file.held)
    numbers = list(contents)
    found = read_together(connection, list(contents.values()), feed, [rows[number] for number in numbers], tray)
    return {numbers[place]: result for place, result in found.items()}


def remove_unfinished(folder: Path) -> None:
    """Delete what a crash left half read. Only while no other run is at work."""
    for leftover in folder.glob(f"{UNFINISHED_PREFIX}*"):
        leftover.unlink(missing_ok=True)


def _read(
    connection: Connection,
    opened: Callable[[], Content],
    original_name: str,
    feed: FeedDescription,
    rows: Path,
    rejected: Path,
    declared_record_count: int | None,
) -> Reading:
    try:
        content = opened()
        if _is_empty(content):
            if declared_record_count != 0:
                return Reading(ReadResult(status="rejected", reject_reason=EMPTY), None, None)
            write_empty(connection, feed, rows)
            return Reading(ReadResult(), rows, None)
        result, faulty = _read_records(connection, content, feed, rows)
        first = next(faulty, None)
        if first is None:
            return Reading(result, rows, None)
        write_rejected(rejected, itertools.chain([first], faulty))
        said = f"record {first.record_number}: {first.reason}"
        return Reading(_with_first_fault(result, said), rows, rejected)
    except UnreadableFile as problem:
        reason = _one_line(str(problem)).removeprefix(f"{original_name}: ")
        return Reading(ReadResult(status="rejected", reject_reason=reason), None, None)
    except (NotThisFeed, NotValid) as problem:
        reason = _one_line(str(problem))
        write_one_rejected(connection, feed, reason, rows)
        write_rejected(rejected, [_whole_file(content, reason)])
        return Reading(ReadResult(rejected=1, status="rejected", reject_reason=reason), rows, rejected)


def _read_records(
    connection: Connection, content: Content, feed: FeedDescription, rows: Path
) -> tuple[ReadResult, Iterator[RejectedRecord]]:
    continuation, found = False, None
    text = as_json(content, feed)
    if text is not None:
        read = read_json(connection, text, feed, rows)
        continuation, found = read.continuation, read.tally
        faulty = rejected_of_json(connection, text, feed, read, rows)
    else:
        content = _as_csv(content)
        layout = read_csv(connection, content, feed, rows)
        faulty = rejected_of_csv(connection, content, feed, layout, rows)
    found = found or tally(connection, feed, rows)
    result = ReadResult(
        parsed=found.parsed,
        rejected=found.rejected,
        first_event_at=found.first_event_at,
        last_event_at=found.last_event_at,
        continuation=continuation,
    )
    return result, faulty if found.rejected else iter(())


def _as_csv(content: Content) -> Content:
    """The CSV file that a JSON answer holds, or the content as it is."""
    if not content.head.removeprefix(BOM).lstrip().startswith(b"{"):
        return content
    gathered = bytearray()
    for chunk in content.chunks():
        gathered += chunk
        if len(gathered) > LARGEST_ANSWER:
            return content
    held = csv_within(bytes(gathered))
    return content if held is None else HeldContent(content, held)


def _with_first_fault(result: ReadResult, fault: str) -> ReadResult:
    return replace(result, first_fault=fault)


def _is_empty(content: Content) -> bool:
    return not content.head.removeprefix(BOM).strip() and (content.is_whole_in_head or not any(c.strip() for c in content.chunks()))


def _whole_file(content: Content, reason: str) -> RejectedRecord:
    """A file that was refused as a whole, as one record. Its text is in the original and nowhere else."""
    found = sha256()
    length = 0
    for chunk in content.chunks():
        found.update(chunk)
        length += len(chunk)
    return RejectedRecord(1, reason, 0, length, found.hexdigest(), None)


def _one_line(text: str) -> str:
    return " ".join(text.split()).removesuffix(".")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
