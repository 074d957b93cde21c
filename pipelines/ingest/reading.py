"""What the readers of all shapes share: the query that writes a file's rows to Parquet, and what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipelines.ingest.content import piped
from pipelines.ingest.descriptions import FeedDescription
from pipelines.ingest.projection import BLANK, REJECT_REASON, instant, lake_columns
from pipelines.warehouse import Connection, in_memory, literal, name

_ROWS_AT_ONCE = 10_000
_ONE_FORM = "____-__-__T__:__:__%Z"


def reading_connection(threads: int | None = None) -> Connection:
    """A database to read evidence files with, by so many threads at a time, one per core if None. The caller closes it."""
    connection = in_memory(threads=threads)
    # Three quarters of the time that planning takes, for expressions that cost nothing to evaluate twice: of ten
    # thousand small files that is minutes.
    connection.execute("SET disabled_optimizers = 'common_subexpressions'")
    return connection


def write_rows(connection: Connection, query: str, target: Path) -> int:
    """Write the query's rows to a Parquet file in their order and return their number. Raises QueryFailed."""
    connection.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet, USE_TMP_FILE false)")
    row = connection.fetchone()
    assert row is not None
    return int(row[0])


def write_piped(
    connection: Connection, pieces: Iterable[Iterable[bytes]], query: Callable[[str], str], target: Path
) -> int:
    """Write the rows of `query(path)` for each piece of a stream, one after the other, to one Parquet file.

    Returns their number. Raises QueryFailed, and whatever making the pieces raises.
    """
    count = 0
    parts: list[Path] = []
    try:
        for number, piece in enumerate(pieces):
            parts.append(target.with_name(f"{target.name}.{number}"))
            with piped(piece) as path:
                count += write_rows(connection, query(path), parts[-1])
        if len(parts) == 1:
            parts[0].replace(target)
        else:
            listed = ", ".join(literal(str(part)) for part in parts)
            write_rows(connection, f"SELECT * FROM read_parquet([{listed}])", target)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return count


@dataclass(frozen=True)
class Tally:
    """Counts of a file's rows: usable, rejected, and of the usable those that lack the vendor's own id and a hash in its
    place. Event times are those of usable records, aware and UTC; None where it is no log."""

    parsed: int
    rejected: int
    without_id: int
    first_event_at: datetime | None
    last_event_at: datetime | None


def tally(connection: Connection, feed: FeedDescription, rows: Path) -> Tally:
    """Count the rows of a written Parquet file."""
    return tallies(connection, feed, f"read_parquet({literal(str(rows))})", "1").get(1, Tally(0, 0, 0, None, None))


def tallies(connection: Connection, feed: FeedDescription, rows: str, key: str) -> dict[int, Tally]:
    """Count the rows of a source with a feed's columns, for each value of `key`."""
    found = connection.execute(_tallies(feed, rows, key, of_texts=True)).fetchall()
    if not all(is_ordered for *_, is_ordered in found):
        found = connection.execute(_tallies(feed, rows, key, of_texts=False)).fetchall()
    return {key: Tally(*counts, _aware(first), _aware(last)) for key, *counts, first, last, _ in found}


def _tallies(feed: FeedDescription, rows: str, key: str, of_texts: bool) -> str:
    """A query for the counts of each `key`, its first and last instant, and whether these are right.

    Of texts in one form the least is the first, and only two of them have to be made instants of, which takes five times
    as long as the rest.
    """
    lacks_id, when, first, last, is_ordered = "false", "NULL", "first", "last", "true"
    if feed.has_record_hash and not feed.hashes:
        lacks_id = " OR ".join(f"coalesce({name(column)}, '') = ''" for column in feed.own_id)
    if feed.kind == "log" and feed.event_time:
        when = name(feed.event_time)
        if of_texts:
            first, last = instant("first", feed.timezone), instant("last", feed.timezone)
            is_ordered = f"min(length({when})) = max(length({when})) AND bool_and({when} LIKE '{_ONE_FORM}')"
        else:
            when = instant(when, feed.timezone)
    usable = f"FILTER ({REJECT_REASON} IS NULL)"
    return (
        f"SELECT key, parsed, rejected, without_id, {first}, {last}, coalesce(is_ordered, true) "
        f"FROM (SELECT {key} AS key, count(*) {usable} AS parsed, "
        f"count(*) FILTER ({REJECT_REASON} IS NOT NULL AND {REJECT_REASON} <> {literal(BLANK)}) AS rejected, "
        f"count(*) FILTER ({REJECT_REASON} IS NULL AND ({lacks_id})) AS without_id, "
        f"min({when}) {usable} AS first, max({when}) {usable} AS last, {is_ordered} AS is_ordered "
        f"FROM {rows} GROUP BY 1)"
    )


def numbers_with_reason(connection: Connection, rows: Path, reason: str) -> list[int]:
    """The row numbers, from 0, of a written file whose reason is this one, in order."""
    found = connection.cursor().execute(
        f"SELECT file_row_number FROM read_parquet({literal(str(rows))}, file_row_number = true) "
        f"WHERE {REJECT_REASON} = {literal(reason)} ORDER BY file_row_number"
    )
    return [row[0] for row in found.fetchall()]


def rejected_rows(connection: Connection, rows: Path) -> Iterator[tuple[int, str]]:
    """(record number, reason) of the rejected records of a written file, in order."""
    found = connection.cursor().execute(
        f"SELECT file_row_number + 1, {REJECT_REASON} FROM read_parquet({literal(str(rows))}, file_row_number = true) "
        f"WHERE {REJECT_REASON} IS NOT NULL AND {REJECT_REASON} <> {literal(BLANK)} ORDER BY file_row_number"
    )
    while batch := found.fetchmany(_ROWS_AT_ONCE):
        yield from batch


def write_empty(connection: Connection, feed: FeedDescription, target: Path) -> None:
    """Parquet with the feed's columns and no row."""
    write_rows(connection, f"{_nothing(feed)} WHERE false", target)


def write_one_rejected(connection: Connection, feed: FeedDescription, reason: str, target: Path) -> None:
    """Parquet with one row, which stands for a whole file that was refused."""
    write_rows(connection, _nothing(feed, reason), target)


def _nothing(feed: FeedDescription, reason: str | None = None) -> str:
    values = dict.fromkeys(lake_columns(feed), "NULL")
    if reason is not None:
        values[REJECT_REASON] = literal(reason)
    columns = ", ".join(
        f"CAST({values[column]} AS {sql_type}) AS {name(column)}" for column, sql_type in lake_columns(feed).items()
    )
    return f"SELECT {columns}"


def _aware(moment: datetime | None) -> datetime | None:
    # The database returns years past 9999 as text; they are nobody's event time.
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) else None
