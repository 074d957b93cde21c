"""Lets great_expectations read DuckDB. Imports great_expectations at the top: import this module late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from sqlalchemy import Connection


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """Keeps one connection open.

    The parent opens one per query and closes it before it reads the cursor; duckdb-engine's rows die with their
    connection, and every expectation would end in "list index out of range" (great_expectations 1.24).
    """

    _kept: Connection | None = None

    @contextmanager
    def get_connection(self) -> Iterator[Connection]:
        if self._kept is None:
            self._kept = self.engine.connect()
        yield self._kept

    def close(self) -> None:
        """Let go of the file, so that a writer in this process can open it again."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        super().close()
        self.engine.dispose()


class DuckDBDatasource(SQLDatasource):
    """Defining it is enough: great_expectations then offers `context.data_sources.add_duckdb(...)`."""

    type: Literal["duckdb"] = "duckdb"  # type: ignore[assignment]

    @property
    def execution_engine_type(self) -> type[SqlAlchemyExecutionEngine]:
        return DuckDBExecutionEngine
