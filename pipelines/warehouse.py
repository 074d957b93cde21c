"""The only door to duckdb: connect, run, publish. Nobody else imports it (notebooks and the bench excepted).

One process may write a DuckDB file or several may read it, never both. So ingest works in memory and writes Parquet,
only the build opens `build.duckdb`, and what people read is a file of its own that is replaced whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.errors import UserMistake
from pipelines.home import Home

__all__ = [
    "PUBLIC_PREFIXES",
    "Connection",
    "QueryFailed",
    "in_memory",
    "literal",
    "name",
    "open_build",
    "open_read_only",
    "publish",
]

Connection = duckdb.DuckDBPyConnection
QueryFailed = duckdb.Error
"""What a query that can't be answered raises, whatever the cause."""

PUBLIC_PREFIXES = ("fct_", "dim_", "rpt_")
"""Tables whose names begin so leave the build; everything else stays there."""

_UNFINISHED_PREFIX = ".publishing-"


def in_memory(memory_limit: str = "1GB", threads: int | None = None) -> Connection:
    """A database of its own that leaves nothing behind, with instants in UTC. The caller closes it.

    It never spills to disk: what it reads may hold secrets. `threads` None means one per core.
    """
    connection = duckdb.connect(":memory:", config=_config(memory_limit, threads) | {"temp_directory": ""})
    return _in_utc(connection)


def open_read_only(path: Path) -> Connection:
    """The published warehouse as it is now. A publication later on changes nothing for this connection.

    Raises UserMistake when there is no such file.
    """
    if not path.is_file():
        raise UserMistake(f"There is no warehouse at {path}. Run `upheld run` first.")
    connection = in_memory("4GB")
    # Attached and not connected to: duckdb.connect() hands out the database that this process has open under the
    # same path, and after a publication that is the old one.
    connection.execute(f"ATTACH {literal(str(path.resolve()))} AS warehouse (READ_ONLY)")
    connection.execute("USE warehouse")
    return connection


def open_build(path: Path, memory_limit: str = "4GB", threads: int | None = None) -> Connection:
    """The build database, for writing; it is made when it does not exist. Fails while another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return _in_utc(duckdb.connect(str(path), config=_config(memory_limit, threads)))


def publish(home: Home) -> list[str]:
    """Make the published warehouse anew from the public tables of the build; returns their names.

    The new file replaces the old one in one step. Whoever has the old one open reads on in it. Raises UserMistake
    when nothing was built, or nothing public.
    """
    if not home.build_database.is_file():
        raise UserMistake(f"There is nothing to publish at {home.build_database}. Run `upheld build` first.")
    with _unfinished(home) as new_file:
        published = _copy_public_tables(home.build_database, new_file)
        if not published:
            raise UserMistake(
                f"{home.build_database} holds no table to publish (fct_, dim_ or rpt_). Run `upheld build` first."
            )
        _sync(new_file)
        os.replace(new_file, home.warehouse)
        _sync(home.root)
    return published


def literal(text: str) -> str:
    """Text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    """Text as a SQL name, whatever characters it has."""
    return '"' + text.replace('"', '""') + '"'


def _copy_public_tables(build: Path, new_file: Path) -> list[str]:
    connection = in_memory("4GB")
    try:
        # Views of the build name their database, which is called after its file.
        source = build.stem
        connection.execute(f"ATTACH {literal(str(build))} AS {name(source)} (READ_ONLY)")
        connection.execute(f"ATTACH {literal(str(new_file))} AS published")
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = ? "
            f"AND ({' OR '.join('starts_with(table_name, ?)' for _ in PUBLIC_PREFIXES)}) ORDER BY table_name, table_schema",
            [source, *PUBLIC_PREFIXES],
        ).fetchall()
        for schema, table in tables:
            connection.execute(
                f"CREATE TABLE published.main.{name(table)} AS FROM {name(source)}.{name(schema)}.{name(table)}"
            )
        # Without it the tables would still be in a log beside the file, and replacing the file would lose them.
        connection.execute("CHECKPOINT published")
        connection.execute("DETACH published")
        return [table for _, table in tables]
    finally:
        connection.close()


@contextmanager
def _unfinished(home: Home) -> Iterator[Path]:
    """A name for the file that is being made, and nothing under such a name before or afterwards."""
    for leftover in home.root.glob(f"{_UNFINISHED_PREFIX}*"):
        leftover.unlink(missing_ok=True)
    new_file = home.root / f"{_UNFINISHED_PREFIX}{os.getpid()}.duckdb"
    try:
        yield new_file
    finally:
        for leftover in home.root.glob(f"{new_file.name}*"):
            leftover.unlink(missing_ok=True)


def _config(memory_limit: str, threads: int | None) -> dict[str, str | bool | int]:
    return {
        "memory_limit": memory_limit,
        "threads": threads or os.cpu_count() or 1,
        "preserve_insertion_order": True,
        # It takes a Parquet file written anew within the same second for the old one, and mixes their bytes.
        "enable_external_file_cache": False,
        # What is needed is in the wheel; nothing is ever fetched.
        "autoinstall_known_extensions": False,
    }


def _in_utc(connection: Connection) -> Connection:
    # Part of ICU, so not among the settings of a connection that is only just being made.
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
