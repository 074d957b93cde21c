"""The tour runs headless over a published warehouse, down to the evidence, and holds nothing open."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import duckdb
import pytest

TOUR = Path(__file__).parents[2] / "notebooks" / "tour.py"


@pytest.fixture
def tour(home: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("UPHELD_HOME", str(home))
    spec = importlib.util.spec_from_file_location("tour", TOUR)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_goes_from_the_control_to_the_records(tour: ModuleType) -> None:
    _, found = tour.app.run()
    assert found["period"]["period_id"] == "2026-H1", "the period with operations, not the empty one"
    assert found["control"]["control_id"] == "DOR", "what needs attention comes first"
    assert found["operation"]["outcome"] == "deviation"
    evidence = found["evidence"]
    assert evidence["token"].to_list() == found["operation"]["evidence"].split()
    assert evidence["file"].null_count() == 0
    assert all(
        token.split(":") == [token[:64], record]
        for token, record in evidence.select("token", "record").rows()
    )


@pytest.mark.parametrize("control_id", ["ROT", "REV", "OFF", "LOG", "INC", "EVD"])
def test_every_control_can_be_chosen(tour: ModuleType, control_id: str) -> None:
    _, found = tour.app.run(defs={"choose_control": SimpleNamespace(value=control_id)})
    assert found["control"]["control_id"] == control_id
    assert set(found["operations"]["control_id"]) <= {control_id}
    assert ("operation" in found and found["operation"] is not None) == (control_id != "INC")


def test_names_from_evidence_are_never_markup(tour: ModuleType) -> None:
    _, first = tour.app.run(defs={"choose_control": SimpleNamespace(value="OFF")})
    operations = first["operations"]
    script = operations.filter(operations["subject_name"].str.starts_with("<script>"))
    outputs, found = tour.app.run(
        defs={
            "choose_control": SimpleNamespace(value="OFF"),
            "choose_operation": SimpleNamespace(value=script),
        }
    )
    assert found["operation"]["subject_name"].startswith("<script>")
    shown = "".join(output.text for output in outputs if hasattr(output, "text"))
    assert "<script>alert" not in shown and "&lt;script&gt;alert" in shown


def test_it_holds_nothing_open(tour: ModuleType, home: Path) -> None:
    tour.app.run()
    # A reader left open in this process would make DuckDB refuse a writer.
    duckdb.connect(str(home / "warehouse.duckdb")).close()


def run_as_script(home: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"UPHELD_HOME": str(home)}
    return subprocess.run(
        [sys.executable, str(TOUR)], env=environment, capture_output=True, text=True, timeout=120
    )


def test_it_runs_as_a_script(home: Path) -> None:
    done = run_as_script(home)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_warehouse_it_says_what_to_do(tmp_path: Path) -> None:
    done = run_as_script(tmp_path)
    assert done.returncode == 0 and "Traceback" not in done.stderr


def test_it_can_be_exported(home: Path, tmp_path: Path) -> None:
    page = tmp_path / "tour.html"
    command = [sys.executable, "-m", "marimo", "export", "html", str(TOUR), "-o", str(page)]
    environment = os.environ | {"UPHELD_HOME": str(home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert "The records that prove it" in page.read_text(encoding="utf-8")
