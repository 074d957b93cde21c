"""Who may import whom. Read from the source, so that an import inside a function counts too."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.settings import PROJECT

PACKAGE = PROJECT / "pipelines"
ROOMS = {"evidence", "ingest", "completeness", "reports", "simulate"}
GROUND_FLOOR = {"home", "warehouse", "settings", "errors", "binomial", "warehouse_functions"}

# A heavy library and the only places that may know it.
DOORS = {
    "dagster": ("orchestration/", "definitions.py"),
    "dagster_dbt": ("orchestration/",),
    "dbt": ("orchestration/", "warehouse_functions.py"),
    "duckdb": ("warehouse.py",),
    "great_expectations": ("completeness/",),
    "sqlalchemy": ("completeness/", "orchestration/instance.py"),
    "typer": ("cli.py",),
    "rich": ("terminal.py",),
}
# A library that draws belongs to one format of the report.
RENDERERS = {"jinja2", "altair", "vl_convert", "typst", "xlsxwriter", "great_tables", "trestle"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, by full name, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import from the package's name, not relatively"
            assert node.module
            if node.module == "pipelines":
                yield from (f"pipelines.{name.name}" for name in node.names)
            else:
                yield node.module


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def room_of(path: Path) -> str:
    """The first part below pipelines/: a room, `orchestration`, or a module's name."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("library", sorted(DOORS))
def test_each_heavy_library_has_one_door(library):
    strangers = [
        place(path)
        for path in modules()
        if not place(path).startswith(DOORS[library])
        and any(name.split(".")[0] == library for name in imported(path))
    ]
    assert not strangers, f"only {' and '.join(DOORS[library])} may import {library}: {strangers}"


def test_what_draws_is_known_only_to_its_format():
    strangers = [
        place(path)
        for path in modules()
        if not place(path).startswith("reports/formats/")
        and RENDERERS & {name.split(".")[0] for name in imported(path)}
    ]
    assert not strangers, f"move the drawing into reports/formats/<format>/: {strangers}"


def test_rooms_know_the_ground_floor_and_not_each_other():
    strangers = []
    for path in modules():
        room = room_of(path)
        if room not in ROOMS:
            continue
        allowed = GROUND_FLOOR | {room} | ({"evidence"} if room in {"ingest", "reports"} else set())
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "pipelines" and len(parts) > 1 and parts[1] not in allowed | {"__version__"}:
                strangers.append(f"{place(path)} imports {name}")
    assert not strangers, strangers


def test_the_ground_floor_knows_nothing_above_it():
    strangers = [
        f"{place(path)} imports {name}"
        for path in modules()
        if room_of(path) in GROUND_FLOOR
        for name in imported(path)
        if name.startswith("pipelines.") and name.split(".")[1] not in GROUND_FLOOR
    ]
    assert not strangers, strangers


def test_nothing_below_knows_the_command_line():
    strangers = [
        f"{place(path)} imports {name}"
        for path in modules()
        if room_of(path) not in {"cli", "terminal"}
        for name in imported(path)
        if name.startswith(("pipelines.cli", "pipelines.terminal"))
    ]
    assert not strangers, strangers


def test_evidence_is_plain_python():
    allowed = sys.stdlib_module_names | {"pipelines", "isal", "zstandard"}
    strangers = [
        f"{place(path)} imports {name}"
        for path in modules()
        if room_of(path) == "evidence"
        for name in imported(path)
        if name.split(".")[0] not in allowed
    ]
    assert not strangers, strangers


def test_the_command_line_imports_late():
    tree = ast.parse((PACKAGE / "cli.py").read_text(encoding="utf-8"))
    at_top = {
        name.split(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        )
    }
    assert at_top <= sys.stdlib_module_names | {"typer"}


def test_nothing_is_called_utils():
    assert not [
        place(path) for path in modules() if path.stem in {"utils", "util", "helpers", "common", "misc"}
    ]


def test_what_is_public_says_what_it_is():
    silent = []
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree):
            silent.append(place(path))
        silent += [
            f"{place(path)}: {node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
        ]
    assert not silent, f"no docstring: {silent}"
