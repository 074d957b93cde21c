"""Runs dbt in this process, on a home. Parses once: a parsed manifest serves every later call.

Imports dbt inside functions: it takes seconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipelines.home import Home
from pipelines.settings import BUILD_DATABASE_VARIABLE, DBT_PROJECT, feed_timezones, keep_quiet


class BrokenModels(Exception):
    """A model or a data test failed: our bug. The message names each one and what dbt says of it."""


@dataclass(frozen=True)
class NodeResult:
    """One model or data test as dbt ran it. `seconds` is its own wall time, `failures` a test's failing rows."""

    unique_id: str
    status: str
    message: str
    seconds: float
    failures: int | None

    @property
    def is_test(self) -> bool:
        return self.unique_id.startswith("test.")

    @property
    def passed(self) -> bool:
        return self.status in {"success", "pass", "warn"}


@dataclass(frozen=True)
class ParsedProject:
    """The project, parsed for one home: `manifest` for dbt, `as_dict` for whoever reads manifest.json."""

    manifest: Any
    as_dict: Mapping[str, Any]


def parse(home: Home) -> ParsedProject:
    """Parse the dbt project with `<home>` in its variables. Raises BrokenModels."""
    with _surroundings(home):
        outcome = _runner(None, None).invoke(["parse", *_flags(home), "--vars", _variables(home, None)])
    if not outcome.success:
        raise BrokenModels(f"dbt can't read the project: {outcome.exception}")
    return ParsedProject(outcome.result, outcome.result.writable_manifest().to_dict(omit_none=False))


def build(
    home: Home,
    project: ParsedProject,
    as_of: str,
    select: Sequence[str],
    full_refresh: bool = False,
    on_node: Callable[[str, str], None] | None = None,
) -> list[NodeResult]:
    """`dbt build` what `select` says (dbt's own arguments), without unit tests, into `<home>`'s build database.

    `on_node(unique_id, status)` is called as each node ends. Returns every node that ran, failed ones too. Raises
    BrokenModels where dbt didn't get as far as running any.
    """
    # A test runs in the half that builds the last of its parents, and only there.
    indirectly = [] if "--indirect-selection" in select else ["--indirect-selection", "buildable"]
    anew = ["--full-refresh"] if full_refresh else []
    arguments = [*select, *indirectly, *anew, "--exclude-resource-types", "unit_test", "exposure"]
    return _nodes(home, project, "build", as_of, arguments, on_node)


def run_unit_tests(home: Home, project: ParsedProject, as_of: str) -> list[NodeResult]:
    """Run dbt's unit tests, all of them. They need the tables of a build, for their types; an empty one will do."""
    return _nodes(home, project, "test", as_of, ["--select", "test_type:unit"], None)


def raise_on_failure(results: Sequence[NodeResult]) -> None:
    """Raise BrokenModels with one paragraph for each node that failed; what was skipped after it isn't named."""
    failed = [result for result in results if not result.passed and result.status != "skipped"]
    if failed:
        raise BrokenModels("\n".join(f"{one.unique_id}: {one.message.strip()}" for one in failed))


def _nodes(
    home: Home,
    project: ParsedProject,
    command: str,
    as_of: str,
    arguments: Sequence[str],
    on_node: Callable[[str, str], None] | None,
) -> list[NodeResult]:
    home.build.mkdir(parents=True, exist_ok=True)
    with _surroundings(home):
        outcome = _runner(project.manifest, on_node).invoke(
            [command, *_flags(home), "--vars", _variables(home, as_of), *arguments]
        )
    if outcome.result is None:
        raise BrokenModels(f"dbt didn't run: {outcome.exception}")
    return [
        NodeResult(
            unique_id=result.node.unique_id,
            status=str(result.status),
            message=result.message or "",
            seconds=result.execution_time,
            failures=result.failures,
        )
        for result in outcome.result.results
    ]


def _runner(manifest: Any, on_node: Callable[[str, str], None] | None) -> Any:
    keep_quiet()
    from dbt.cli.main import dbtRunner

    def heard(event: Any) -> None:
        if event.info.name == "NodeFinished" and on_node:
            on_node(event.data.node_info.unique_id, event.data.node_info.node_status)

    return dbtRunner(manifest=manifest, callbacks=[heard])


def _flags(home: Home) -> list[str]:
    return [
        *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
        *("--target-path", str(home.dbt_target), "--log-path", str(home.dbt_target)),
        *(
            "--quiet",
            "--no-print",
            "--no-use-colors",
            "--no-version-check",
            "--no-send-anonymous-usage-stats",
        ),
        # dbt writes down each statement and each step of a node otherwise: a tenth of what a build costs.
        *("--log-level-file", "warn"),
    ]


def _variables(home: Home, as_of: str | None) -> str:
    told = {"home": str(home.root), "feed_timezones": feed_timezones(home)}
    return json.dumps(told | ({"as_of": as_of} if as_of else {}))


@contextmanager
def _surroundings(home: Home) -> Iterator[None]:
    folder = os.getcwd()
    before = os.environ.get(BUILD_DATABASE_VARIABLE)
    os.environ[BUILD_DATABASE_VARIABLE] = str(home.build_database)
    try:
        yield
    finally:
        # dbt changes to its project's folder, and leaves its connection open in a class attribute: the judge could
        # not open the file, and would see old data if it could (dbt-duckdb 1.11).
        os.chdir(folder)
        _close_connection()
        if before is None:
            del os.environ[BUILD_DATABASE_VARIABLE]
        else:
            os.environ[BUILD_DATABASE_VARIABLE] = before


def _close_connection() -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    if DuckDBConnectionManager._ENV is not None:
        DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager._ENV = None
