"""When a run may be left out because nothing changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.home import Home
from pipelines.orchestration.state import BuildState, LastRun, Outcome, RunInputs

INPUTS = RunInputs(code="c", landing="l", ledger_head="h", asked_as_of=None, asked_period=None)


@pytest.fixture
def home(tmp_path) -> Home:
    return Home.at(tmp_path)


def last_run(**changes) -> LastRun:
    """A run of August, after all periods; nothing was collected after its cut-off."""
    outcome = Outcome(as_of="2026-08-01T00:00:00.000000Z", status=1)
    run = LastRun(INPUTS, outcome, "2026-07-01T00:00:00.000000Z", "2026-07-31T00:00:00.000000Z")
    return replace(run, **changes)


def test_it_stands_when_every_period_had_ended_and_no_delivery_waited():
    assert last_run().still_stands(INPUTS)


@pytest.mark.parametrize("changed", ["code", "landing", "ledger_head", "asked_period", "asked_as_of"])
def test_it_falls_with_any_of_its_inputs(changed):
    assert not last_run().still_stands(replace(INPUTS, **{changed: "other"}))


def test_it_falls_while_a_period_was_still_running():
    assert not last_run(settled_at="2026-12-31T00:00:00.000000Z").still_stands(INPUTS)


def test_it_falls_when_a_delivery_was_collected_after_its_cut_off():
    assert not last_run(last_collected_at="2026-08-02T00:00:00.000000Z").still_stands(INPUTS)


def test_the_same_explicit_cut_off_always_sees_the_same():
    asked = replace(INPUTS, asked_as_of="2026-05-01T00:00:00.000000Z")
    run = last_run(inputs=asked, settled_at="2026-12-31T00:00:00.000000Z")
    assert run.still_stands(asked)


def test_it_falls_when_what_it_wrote_is_gone(tmp_path):
    (tmp_path / "bundle").mkdir()
    run = last_run(outcome=replace(last_run().outcome, outputs=[str(tmp_path / "bundle")]))
    assert run.still_stands(INPUTS)
    (tmp_path / "bundle").rmdir()
    assert not run.still_stands(INPUTS)


def test_it_comes_back_as_written(home):
    assert LastRun.read(home) is None
    run = last_run(outcome=Outcome("2026-08-01T00:00:00.000000Z", 1, ["a"], [{"control_id": "ROT"}], ["odd"]))
    run.write(home)
    assert LastRun.read(home) == run


@pytest.mark.parametrize("content", ["", "{", "{}", '{"inputs": {"code": "c"}, "outcome": {}}'])
def test_what_cannot_be_read_is_no_last_run(home, content):
    home.last_run.parent.mkdir(parents=True)
    home.last_run.write_text(content)
    assert LastRun.read(home) is None


def test_a_build_state_without_its_database_is_none(home):
    state = BuildState(models="m", as_of="2026-08-01T00:00:00.000000Z")
    state.write(home)
    assert BuildState.read(home) is None
    home.build_database.touch()
    assert BuildState.read(home) == state
    BuildState.forget(home)
    assert BuildState.read(home) is None
