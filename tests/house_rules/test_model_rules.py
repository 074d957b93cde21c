"""Each model reads only the steps before it. Read from the SQL; what macros do inside is theirs to keep."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from pipelines.completeness.suites import load_expectations
from pipelines.settings import DBT_PROJECT, FEEDS

MODELS = DBT_PROJECT / "models"
STEPS = ["staging", "evidence", "identity", "facts", "controls", "coverage", "reports"]
READS_SOURCES = {"staging", "coverage"}  # coverage reads the judgement of completeness, and no evidence
PREFIXES = {
    "staging": ("stg_",),
    "coverage": ("fct_", "int_", "dim_"),
    "reports": ("rpt_",),
}


def models() -> dict[str, Path]:
    return {path.stem: path for path in sorted(MODELS.rglob("*.sql"))}


def step(path: Path) -> str:
    return path.relative_to(MODELS).parts[0]


def test_every_model_lies_in_a_step():
    assert {step(path) for path in models().values()} <= set(STEPS)


def test_a_model_refers_to_its_own_step_or_an_earlier_one():
    known = models()
    backwards = []
    for name, path in known.items():
        for other in re.findall(r"ref\(\s*['\"](\w+)['\"]\s*\)", path.read_text(encoding="utf-8")):
            if other in known and STEPS.index(step(known[other])) > STEPS.index(step(path)):
                backwards.append(f"{name} reads {other}")
    assert not backwards, backwards


def test_only_staging_reads_evidence():
    strangers = [
        f"{name} reads {system}"
        for name, path in models().items()
        for system in re.findall(r"source\(\s*['\"](\w+)['\"]", path.read_text(encoding="utf-8"))
        if step(path) not in READS_SOURCES or (step(path) == "coverage" and system != "completeness")
    ]
    assert not strangers, strangers


def test_a_control_never_reads_staging():
    strangers = [
        f"{name} reads {other}"
        for name, path in models().items()
        if step(path) == "controls"
        for other in re.findall(r"ref\(\s*['\"](stg_\w+)['\"]\s*\)", path.read_text(encoding="utf-8"))
    ]
    assert not strangers, strangers


def test_names_say_what_a_model_is():
    misnamed = [
        name
        for name, path in models().items()
        if not name.startswith(PREFIXES.get(step(path), ("int_", "fct_", "dim_")))
    ]
    assert not misnamed, misnamed


# A last day that can't be read makes the leaver's row indeterminate.
HAS_ITS_OWN_RULE = {("hr", "termination_text")}


def test_a_time_that_staging_reads_is_checked_by_ingest_or_told_where_it_cant_be_read():
    checked: dict[str, set[str]] = {}
    for path in FEEDS.glob("*/*.yml"):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            columns = [column for table in source["tables"] for column in table["columns"]]
            checked.setdefault(source["name"], set()).update(
                column["name"] for column in columns if column["config"]["meta"].get("type") == "instant"
            )
    untold = []
    for name, path in models().items():
        system = path.parent.name
        if step(path) != "staging" or system == "evidence" or name.endswith("__unread_times"):
            continue
        teller = path.parent / f"stg_{system}__unread_times.sql"
        told = teller.read_text(encoding="utf-8") if teller.exists() else ""
        for read in re.findall(r"instant(?:_as_shown)?\('\"?(?:\w+\.)?(\w+)", path.read_text(encoding="utf-8")):
            if read not in checked[system] and read not in told and (system, read) not in HAS_ITS_OWN_RULE:
                untold.append(f"{name} reads {read}: type: instant in the feed's description, or name it in {teller.name}")
    assert not untold, untold


def test_every_system_that_tells_what_it_cant_read_is_asked():
    asked = models()["fct_unread_times"].read_text(encoding="utf-8")
    forgotten = [name for name in models() if name.endswith("__unread_times") and name.startswith("stg_") and name not in asked]
    assert not forgotten, forgotten


def test_every_control_names_what_it_depends_on_and_that_exists():
    asked = {expectation.id for expectation in load_expectations()}
    for path in sorted((MODELS / "controls").glob("*/*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            control = model.get("config", {}).get("meta", {}).get("control")
            if control:
                assert isinstance(control["id"], str), (
                    f"{path.name}: put the id in quotes, YAML reads OFF as false"
                )
                unknown = set(control["expectations"]) - asked
                assert not unknown, (
                    f"{control['id']}: no such expectation in expectations/: {sorted(unknown)}"
                )
