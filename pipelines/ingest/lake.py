"""The lake: one Parquet file per evidence file, a schema per feed, and what description they were read by."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.home import Home
from pipelines.ingest.descriptions import FeedDescription
from pipelines.ingest.projection import lake_columns
from pipelines.ingest.rejected import write_rejected
from pipelines.warehouse import Connection, in_memory, literal, name

SCHEMA = "_schema.parquet"
_READ_BY = ".description"
_UNFINISHED = ".writing-"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, suffix=".parquet.part", dir=path.parent)
    os.close(descriptor)
    try:
        yield Path(unfinished)
        os.replace(unfinished, path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def prepare(home: Home, feed: FeedDescription) -> None:
    """Make the feed's empty schema files, so that models find a shape where there is no evidence yet."""
    folder = home.lake_folder(feed.system, feed.feed)
    if read_by(home, feed) == feed.fingerprint and (folder / SCHEMA).exists():
        return
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {name(column)}" for column, kind in lake_columns(feed).items())
    connection = in_memory()
    try:
        with written_whole(folder / SCHEMA) as path:
            _copy(connection, f"SELECT {columns} WHERE false", path)
    finally:
        connection.close()
    with written_whole(folder / "rejected" / SCHEMA) as path:
        write_rejected(path, [])


def read_by(home: Home, feed: FeedDescription) -> str | None:
    """The fingerprint of the description that the feed's Parquet was read by, None where nothing was read."""
    try:
        return (home.lake_folder(feed.system, feed.feed) / _READ_BY).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def note_read_by(home: Home, feed: FeedDescription) -> None:
    """Remember that all of the feed's Parquet was read by this description."""
    path = home.lake_folder(feed.system, feed.feed) / _READ_BY
    with written_whole(path) as unfinished:
        unfinished.write_text(feed.fingerprint + "\n", encoding="utf-8")


def remove_unfinished(home: Home) -> None:
    """Delete what a killed run left half-written."""
    for path in home.lake.glob(f"*/*/**/{_UNFINISHED}*"):
        path.unlink(missing_ok=True)


def _copy(connection: Connection, query: str, path: Path) -> None:
    connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
