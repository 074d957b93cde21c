"""`upheld run`: everything in order, or nothing where nothing changed. Light to import; the work is imported late."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.errors import UserMistake
from pipelines.evidence import instants
from pipelines.evidence.ledger import mark_of
from pipelines.evidence.run_lock import run_lock
from pipelines.home import Home
from pipelines.orchestration import fingerprints
from pipelines.orchestration.progress import Progress
from pipelines.orchestration.state import LastRun, Outcome, RunInputs

if TYPE_CHECKING:
    from pipelines.orchestration.conduct import Conductor


def unchanged(home: Home, period: str | None, as_of: str | None) -> Outcome | None:
    """The last run's outcome, where a new run with these arguments would come to the same. Imports nothing heavy."""
    last = LastRun.read(home)
    return last.outcome if last and last.still_stands(_inputs(home, period, as_of)) else None


def run(home: Home, period: str | None, as_of: str | None, progress: Progress) -> Outcome:
    """Ingest, build, check and report, and remember what came of it.

    `period`: only this one; `as_of`: RFC 3339 UTC, by default now. Raises UserMistake where the home has no landing
    folder or no such period, or where another run is at work in it.
    """
    need_landing(home)
    with run_lock(home):
        # Before anything is read: what lands from now on is news to the next run.
        inputs = _inputs(home, period, as_of)
        cut_off = as_of or now()

        from pipelines.orchestration import outcome
        from pipelines.orchestration.conduct import conductor

        with conductor(home, progress) as steps:
            steps.ingest()
            chosen = outcome.chosen_periods(home, period, cut_off)
            steps.build_and_check(cut_off)
            done = sum_up(home, steps, chosen, cut_off)
        LastRun(
            inputs=RunInputs(**{**vars(inputs), "ledger_head": mark_of(home.ledger).head}),
            outcome=done,
            settled_at=outcome.settled_at(home),
            last_collected_at=outcome.last_collected_at(home),
        ).write(home)
        return done


def sum_up(home: Home, steps: Conductor, chosen: list[str], as_of: str) -> Outcome:
    """Write the bundles of those chosen periods that had begun by `as_of`, and gather what a person should know."""
    from pipelines.orchestration import outcome
    from pipelines.reports.revisions import newest

    reported = outcome.reported_periods(home, chosen)
    steps.report(reported)
    told = steps.progress.problems
    problems = [*outcome.rejected_evidence(home, told), *outcome.failed_expectations(home, reported)]
    return Outcome(
        as_of=as_of,
        status=outcome.DONE_WITH_FINDINGS if problems else outcome.DONE,
        outputs=[str(home.warehouse), *(str(newest(home, period).path) for period in reported)],
        rows=outcome.conclusions(home, reported),
        problems=list(dict.fromkeys([*told, *problems])),
    )


def need_landing(home: Home) -> None:
    """Raise UserMistake where there is no landing folder: most likely another home was meant."""
    if not home.landing.is_dir():
        raise UserMistake(
            f"There is no landing folder at {home.landing}. Put exports under <system>/<feed>/ in it."
        )


def now() -> str:
    """This instant as RFC 3339 UTC with microseconds."""
    return instants.written(datetime.now(UTC))


def _inputs(home: Home, period: str | None, as_of: str | None) -> RunInputs:
    return RunInputs(
        code=fingerprints.of_code(home),
        landing=fingerprints.of_landing(home.landing),
        ledger_head=mark_of(home.ledger).head,
        asked_as_of=as_of,
        asked_period=period,
    )
