"""Dagster's own records of a home: which runs there were and what they said. Kept in `<home>/dagster`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pipelines.home import Home
from pipelines.settings import keep_quiet

if TYPE_CHECKING:
    from dagster import DagsterInstance

# One run at a time: of two runs, the second waits for the whole of the first. Taking turns step by step, one would
# publish what the other built. The pool says the same for whoever raises the number of runs; alone it isn't enough,
# because Dagster 1.13 doesn't know a pool's limit yet when the first runs of a new instance are let go.
_SETTINGS = """\
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
  pools:
    default_limit: 1
    granularity: run
"""


def prepare(home: Home) -> None:
    """Write `<home>/dagster/dagster.yaml`, which makes the folder a DAGSTER_HOME."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    settings = home.dagster / "dagster.yaml"
    if not settings.exists():
        settings.write_text(_SETTINGS, encoding="utf-8")


def instance_of(home: Home) -> DagsterInstance:
    """The Dagster instance of `<home>`, to be closed with `with`. Imports dagster."""
    keep_quiet()
    from dagster import DagsterInstance

    prepare(home)
    _write_without_waiting()
    return DagsterInstance.from_config(str(home.dagster))


@cache
def _write_without_waiting() -> None:
    """Let this process's SQLite files not wait for the disk.

    Dagster 1.13 opens, commits and closes a file for each of a run's thousand events, and each waits for the disk:
    a run took half as long again. A power cut may cost the records of runs, never evidence; delete the folder then.
    """
    import sqlite3

    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "connect")
    def connected(connection: object, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous = OFF")
