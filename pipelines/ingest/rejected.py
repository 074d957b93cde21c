"""Records that could not be used, kept with their place: `rejected/<sha256>.parquet`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

LONGEST_TEXT = 100_000
"""Characters of a rejected record that are kept; the original has it whole at `byte_offset`."""

# Bounds the memory that rejected texts take while they are written.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """One record. Offset and length are bytes of the unpacked file; `text` is None where it may not be kept."""

    record_number: int
    reason: str
    byte_offset: int
    byte_length: int
    text_sha256: str
    text: str | None


def rejected_record(
    number: int, reason: str, offset: int, length: int, content: bytes | None, sha256: str | None, keeps_text: bool
) -> RejectedRecord:
    """A rejected record from its bytes; without bytes, `sha256` stands for them."""
    return RejectedRecord(
        number,
        reason,
        offset,
        length,
        sha256 or hashlib.sha256(content or b"").hexdigest(),
        _shown(content) if keeps_text and content is not None else None,
    )


def write_rejected(path: Path, records: Iterable[RejectedRecord]) -> int:
    """Write records in their order and return how many there were. With none, an empty table is written."""
    # Imported here: most files have nothing to reject.
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            pa.field("record_number", pa.int64()),
            pa.field("reason", pa.string()),
            pa.field("byte_offset", pa.int64()),
            pa.field("byte_length", pa.int64()),
            pa.field("text_sha256", pa.string()),
            pa.field("text", pa.string()),
        ]
    )
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        for batch in _batches(records):
            columns = {field.name: [getattr(record, field.name) for record in batch] for field in schema}
            writer.write_table(pa.table(columns, schema=schema))
            count += len(batch)
    return count


def _batches(records: Iterable[RejectedRecord]) -> Iterator[list[RejectedRecord]]:
    left = iter(records)
    while batch := list(islice(left, _AT_ONCE)):
        yield batch


def _shown(content: bytes) -> str:
    # Every character is at least one byte, so this cuts no more than is dropped anyway.
    return content[: 4 * LONGEST_TEXT].decode("utf-8", "replace")[:LONGEST_TEXT]
