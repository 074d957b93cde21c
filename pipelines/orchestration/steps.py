"""The steps of a run one by one, as the command line offers them. What is heavy is imported once a step can begin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.errors import UserMistake
from pipelines.evidence.run_lock import run_lock
from pipelines.home import Home
from pipelines.orchestration import outcome
from pipelines.orchestration.progress import Progress
from pipelines.orchestration.state import BuildState, Outcome
from pipelines.orchestration.whole_run import need_landing, now, sum_up

if TYPE_CHECKING:
    from pipelines.orchestration.conduct import Conductor


def ingest(home: Home, progress: Progress) -> list[str]:
    """Take in what landed. Returns what is wrong with the evidence, one line each."""
    need_landing(home)
    with _working(home, progress) as steps:
        steps.ingest()
    return list(dict.fromkeys([*progress.problems, *outcome.rejected_evidence(home, progress.problems)]))


def build(home: Home, as_of: str | None, progress: Progress) -> None:
    """dbt's first half, as of `as_of` (RFC 3339 UTC) or now."""
    cut_off = as_of or now()
    outcome.chosen_periods(home, None, cut_off)
    with _working(home, progress) as steps:
        steps.build(cut_off)


def check(home: Home, progress: Progress) -> list[str]:
    """Judge and publish the last build. Returns its failed expectations, one line each."""
    state = _built(home)
    with _working(home, progress) as steps:
        steps.check()
    return outcome.failed_expectations(home, outcome.chosen_periods(home, None, state.as_of))


def report(home: Home, period: str, as_of: str | None, progress: Progress) -> Outcome:
    """Write one bundle from the published warehouse; where `as_of` is given, build, judge and publish as of it first."""
    cut_off = as_of or outcome.published_as_of(home)
    if cut_off is None:
        raise UserMistake(f"Nothing is published in {home.root}. Run `upheld run` first.")
    chosen = outcome.chosen_periods(home, period, cut_off)
    with _working(home, progress) as steps:
        if as_of:
            steps.build_and_check(as_of)
        return sum_up(home, steps, chosen, cut_off)


@contextmanager
def _working(home: Home, progress: Progress) -> Iterator[Conductor]:
    with run_lock(home):
        from pipelines.orchestration.conduct import conductor

        with conductor(home, progress) as steps:
            yield steps


def _built(home: Home) -> BuildState:
    state = BuildState.read(home)
    if state is None:
        raise UserMistake(f"Nothing is built in {home.root}. Run `upheld build` first.")
    return state
