"""The lake's folders: for every described feed an empty table with its columns, and what its rows were read with."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from pipelines.home import Home
from pipelines.ingest.descriptions import FeedDescription
from pipelines.ingest.reader import remove_unfinished
from pipelines.ingest.reading import write_empty
from pipelines.ingest.rejected import write_no_rejected
from pipelines.warehouse import Connection

SCHEMA = "_schema.parquet"
DESCRIPTION = ".description"
_TABLES_DESCRIPTION = ".schema.description"


class Lake:
    """The lake of one home. Only while the home's run lock is held."""

    def __init__(self, home: Home, descriptions: Iterable[FeedDescription]) -> None:
        self._home = home
        self._descriptions = tuple(descriptions)

    def without_tables(self) -> list[FeedDescription]:
        """Feeds whose empty tables are missing or were made by another description."""
        return [feed for feed in self._descriptions if not self._has_tables(feed)]

    def make_tables(self, connection: Connection, feed: FeedDescription) -> None:
        """Write the empty tables with which dbt finds the feed's columns even without evidence."""
        folder = self._folder(feed)
        for target in self._tables(feed):
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(f".{target.name}.{os.getpid()}")
            if target.parent == folder:
                write_empty(connection, feed, unfinished)
            else:
                write_no_rejected(connection, unfinished)
            os.replace(unfinished, target)
        _write(folder / _TABLES_DESCRIPTION, feed.fingerprint)

    def is_stale(self, feed: FeedDescription) -> bool:
        """Whether the feed's rows were read with another description, or by another reader."""
        return _read(self._folder(feed) / DESCRIPTION) != feed.fingerprint

    def note_read_with(self, feed: FeedDescription) -> None:
        """Say that all of the feed's rows were read with this description."""
        self._folder(feed).mkdir(parents=True, exist_ok=True)
        _write(self._folder(feed) / DESCRIPTION, feed.fingerprint)

    def files(self, feed: FeedDescription) -> Collection[str]:
        """The hashes of the originals whose rows are there."""
        return {path.stem for path in self._folder(feed).glob("*.parquet") if path.name != SCHEMA}

    def remove_unfinished(self) -> None:
        """Delete what a crash left half read."""
        for feed in self._descriptions:
            remove_unfinished(self._folder(feed))

    def _has_tables(self, feed: FeedDescription) -> bool:
        made_with = _read(self._folder(feed) / _TABLES_DESCRIPTION)
        return made_with == feed.fingerprint and all(table.exists() for table in self._tables(feed))

    def _tables(self, feed: FeedDescription) -> tuple[Path, Path]:
        folder = self._folder(feed)
        return folder / SCHEMA, self._home.rejected_file(feed.system, feed.feed, "").with_name(SCHEMA)

    def _folder(self, feed: FeedDescription) -> Path:
        return self._home.lake_folder(feed.system, feed.feed)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_text(text + "\n", encoding="ascii")
    os.replace(unfinished, path)
