"""Reading bytes as a feed, in one line."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipelines.ingest.descriptions import FeedDescription, load_descriptions
from pipelines.ingest.outcome import ReadResult
from pipelines.ingest.projection import lake_columns
from pipelines.ingest.reader import read_evidence_file
from pipelines.warehouse import Connection, in_memory
from tests.ingest.made_up_records import PACKINGS


@dataclass(frozen=True)
class Read:
    """A file that was read: the result, and both Parquet files as dictionaries."""

    result: ReadResult
    rows: list[dict[str, Any]] | None
    rejected: list[dict[str, Any]]

    @property
    def usable(self) -> list[dict[str, Any]]:
        return [row for row in self.rows or [] if row["reject_reason"] is None]

    @property
    def faults(self) -> dict[int, str]:
        """Record number -> reason, as the rejected records have it."""
        return {record["record_number"]: record["reason"] for record in self.rejected}


Reader = Callable[..., Read]


@pytest.fixture(scope="session")
def connection() -> Iterator[Connection]:
    made = in_memory(threads=2)
    yield made
    made.close()


@pytest.fixture(scope="session")
def read(connection: Connection, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """`read(content, feed, name=..., packing=...)`: what reading these bytes as the feed `system/feed` comes to."""
    folder = tmp_path_factory.mktemp("read")
    turn = itertools.count()

    def read_bytes(
        content: bytes, feed: str | FeedDescription, name: str = "export", packing: str = "", **options: Any
    ) -> Read:
        description = load_descriptions()[tuple(feed.split("/"))] if isinstance(feed, str) else feed
        here = folder / str(next(turn))
        here.mkdir()
        original = here / "original"
        original.write_bytes(PACKINGS[packing](content))
        lake_file, rejected_file = here / "lake" / "file.parquet", here / "lake" / "rejected" / "file.parquet"
        result = read_evidence_file(
            original, name + packing, description, lake_file, rejected_file, connection=connection, **options
        )
        left = sorted(path.name for path in (here / "lake").rglob("*") if path.is_file())
        assert set(left) <= {"file.parquet"}, f"left over: {left}"
        # As to who reads it together with other files of the feed.
        columns = dict.fromkeys(lake_columns(description))
        rows = _rows(connection, lake_file)
        rows = None if rows is None else [columns | row for row in rows]
        return Read(result, rows, _rows(connection, rejected_file) or [])

    return read_bytes


@pytest.fixture(scope="session")
def plain_rows(read: Reader) -> Callable[[bytes, str], list[dict[str, Any]]]:
    """`plain_rows(content, feed)`: the rows against which the other ways of writing this content are held. Read once."""
    return cache(lambda content, feed: read(content, feed).rows)


def _rows(connection: Connection, path: Path) -> list[dict[str, Any]] | None:
    if not path.exists():
        return None
    found = connection.execute(f"FROM read_parquet('{path}')")
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
