"""What the command line shows: progress while it works, tables at the end. Text from evidence is never markup."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.orchestration.progress import Progress

if TYPE_CHECKING:
    from pipelines.orchestration.sources import SourceSummary
    from pipelines.orchestration.state import Outcome

_PROBLEMS_SHOWN = 40
_GAPS_SHOWN = 5
_NAMES_SHOWN = 8
# Wide enough for every table where nobody looks through a window: a log, a pipe.
_PIPE_WIDTH = 160


def _console(stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr, highlight=False, soft_wrap=True, width=None if stream.isatty() else _PIPE_WIDTH
    )


class TerminalProgress(Progress):
    """One line per finished stage on standard error; at a terminal also what the stage is doing now."""

    def __init__(self) -> None:
        super().__init__()
        self._console = _console(stderr=True)
        self._status: Any = None
        self._stage = ""
        self._began = 0.0

    def begin(self, stage: str) -> None:
        self.close()
        self._stage, self._began = stage, monotonic()
        if self._console.is_terminal:
            self._status = self._console.status(Text(stage))
            self._status.start()

    def update(self, detail: str) -> None:
        if self._status is not None:
            self._status.update(Text.assemble(self._stage, "  ", (detail, "dim")))

    def end(self, summary: str) -> None:
        self.close()
        seconds = f"{monotonic() - self._began:.1f} s"
        shown = summary.replace(f"{Path.cwd()}{os.sep}", "")
        self._console.print(Text.assemble((f"{self._stage:<18}", "bold"), shown, (f"  {seconds}", "dim")))

    def close(self) -> None:
        """Leave the terminal as it was, also when a stage fails."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def show_outcome(done: Outcome, changed: bool) -> None:
    """The end of a run: a conclusion per control and period, where the bundles are, what is wrong."""
    console = _console()
    if not changed:
        console.print(
            Text(
                f"Nothing new since the last run: its outcome as of {done.as_of.replace('.000000Z', 'Z')} stands."
            )
        )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("period", "control", "", "conclusion"):
        table.add_column(heading, no_wrap=heading != "")
    for heading in ("tested", "deviations", "waived", "indeterminate", "pending"):
        table.add_column(heading, justify="right")
    for row in done.rows:
        table.add_row(
            Text(row["period_id"]),
            Text(row["control_id"]),
            Text(row["title"]),
            Text(row["conclusion"].replace("_", " "), style=_STYLES.get(row["conclusion"], "")),
            *(str(row[name]) for name in ("tested", "deviations", "waived", "indeterminate", "pending")),
        )
    console.print(table)
    show_problems(done.problems)
    for path in done.outputs:
        console.print(Text(_from_here(path)))


_STYLES = {"exceptions_noted": "red", "insufficient_evidence": "yellow", "no_exceptions_noted": "green"}


def show_problems(problems: Sequence[str]) -> None:
    """One line each; of very many, the first and how many more there are."""
    console = _console()
    if problems:
        console.print(Text(f"{len(problems):,} problem{'' if len(problems) == 1 else 's'}", style="bold"))
    for line in problems[:_PROBLEMS_SHOWN]:
        console.print(Text(f"  {_one_line(line)}"))
    if len(problems) > _PROBLEMS_SHOWN:
        console.print(Text(f"  and {len(problems) - _PROBLEMS_SHOWN:,} more; the bundles list them all."))


def _drift_lines(source: SourceSummary) -> Iterator[str]:
    """What the feed's files hold that its description does not know, in two lines at the most."""
    drift = source.drift
    name = f"{source.system}/{source.feed} ({source.instance})"
    if drift and drift.words and drift.words.share is not None:
        words = drift.words
        told = f"{name}: of {words.records:,} records {words.mapped:,} tell of an action, {words.use:,} of use"
        yield told + _named("; words without a meaning: ", words.unknown_words, words.unknown_words_not_shown)
    if drift and (drift.unread_fields or drift.unread_fields_not_shown):
        sampled = f"{name}: not read, in {drift.sampled_records:,} sampled records of {drift.sampled_files} files: "
        yield _named(sampled, drift.unread_fields, drift.unread_fields_not_shown)


def _named(told: str, counts: Mapping[str, int], others: int) -> str:
    shown = [f"{name} ({count:,})" for name, count in list(counts.items())[:_NAMES_SHOWN]]
    more = others + len(counts) - len(shown)
    return (told if shown or more else "") + ", ".join([*shown, *([f"{more:,} more"] if more else [])])


def show_sources(sources: Sequence[SourceSummary]) -> None:
    """One row per feed and instance, and below it the stretches that no file covers and what nobody described."""
    console = _console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("feed", "instance", "kind", "required"):
        table.add_column(heading, no_wrap=True)
    for heading in ("files", "rejected", "records", "rejected"):
        table.add_column(heading, justify="right")
    for heading in ("last collected", "covers", "gaps"):
        table.add_column(heading)
    gaps: list[str] = []
    for source in sources:
        name = f"{source.system}/{source.feed}"
        table.add_row(
            Text(name),
            Text(source.instance),
            source.kind,
            "yes" if source.required else "",
            *(f"{count:,}" if count else "" for count in (source.files, source.rejected_files)),
            *(f"{count:,}" if count else "" for count in (source.records, source.rejected_records)),
            source.last_collected_at.strftime(_DAY) if source.last_collected_at else "never",
            _span(*source.covered, _DAY) if source.covered else "",
            f"{len(source.gaps)} ({_length(source.gaps)})" if source.gaps else "",
        )
        gaps += [
            f"{name} ({source.instance}): nothing covers {_span(*gap, _MINUTE)}"
            for gap in source.gaps[:_GAPS_SHOWN]
        ]
        if len(source.gaps) > _GAPS_SHOWN:
            gaps.append(f"{name} ({source.instance}): and {len(source.gaps) - _GAPS_SHOWN} more gaps")
    console.print(table)
    for line in [*gaps, *(line for source in sources for line in _drift_lines(source))]:
        console.print(Text(line))


_DAY, _MINUTE = "%Y-%m-%d", "%Y-%m-%d %H:%M"


def _span(start: datetime, end: datetime, precision: str) -> str:
    shown = [start.strftime(precision), end.strftime(precision)]
    return " - ".join(dict.fromkeys(shown))


def _length(gaps: Iterable[tuple[datetime, datetime]]) -> str:
    whole = sum(((end - start) for start, end in gaps), timedelta())
    return f"{whole.days} d" if whole >= timedelta(days=1) else f"{whole.total_seconds() / 3600:.1f} h"


def _from_here(path: str) -> str:
    """As short as it can be typed here; a bundle's page rather than its folder."""
    page = Path(path) / "report.html"
    shown = page if page.is_file() else Path(path)
    return str(shown.relative_to(Path.cwd()) if shown.is_relative_to(Path.cwd()) else shown)


def _one_line(text: str) -> str:
    return " ".join(text.split())
