"""Records that could not be used, kept with their place: `rejected/<sha256>.parquet`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipelines.warehouse import Connection, literal

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


_TYPES = {
    "record_number": "BIGINT",
    "reason": "VARCHAR",
    "byte_offset": "BIGINT",
    "byte_length": "BIGINT",
    "text_sha256": "VARCHAR",
    "text": "VARCHAR",
}


def write_no_rejected(connection: Connection, path: Path) -> None:
    """Write the table of rejected records without any."""
    columns = ", ".join(f"CAST(NULL AS {sql_type}) AS {column}" for column, sql_type in _TYPES.items())
    connection.execute(f"COPY (SELECT {columns} WHERE false) TO {literal(str(path))} (FORMAT parquet)")


def write_rejected(path: Path, records: Iterable[RejectedRecord]) -> int:
    """Write records in their order and return how many there were."""
    # Imported here: most files have nothing to reject.
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"BIGINT": pa.int64(), "VARCHAR": pa.string()}
    schema = pa.schema([pa.field(column, types[sql_type]) for column, sql_type in _TYPES.items()])
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
