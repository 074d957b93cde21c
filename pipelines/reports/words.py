"""Plain words for the code names of SPEC section 6. Every format shows both: the words to read, the code to search.

The word for what an auditor concludes about a control's design and operation is the auditor's and is not used here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.reports.report import Control, EvidenceTiming, Period

UNDEFINED = "\u2013"
"""What stands where there is no value."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True)
class Words:
    """How one code name is put to a reader. `rank` orders what needs attention first."""

    rank: int
    title: str
    meaning: str


CONCLUSIONS: dict[str, Words] = {
    "insufficient_evidence": Words(
        0,
        "Insufficient evidence",
        "At least one operation cannot be decided, or the evidence the control depends on is not whole.",
    ),
    "exceptions_noted": Words(
        1,
        "Exceptions noted",
        "At least one operation deviated from policy, with or without an approved waiver.",
    ),
    "no_exceptions_noted": Words(
        2, "No exceptions noted", "Every tested operation was within policy and the evidence for it is whole."
    ),
    "no_occurrence": Words(3, "Nothing to test", "No operation of this control fell due in the period."),
}

ANSWERS: dict[str, Words] = CONCLUSIONS | {
    "supported_only": Words(
        4, "Only supported", "No control tests what the requirement asks; assessed controls support it."
    ),
    "not_answered": Words(5, "Not answered", "No assessed control speaks to the requirement."),
}
"""What a requirement of a framework gets: the worst conclusion of the controls that test it, or none."""

OUTCOMES: dict[str, Words] = {
    "deviation": Words(0, "Deviation", "It should have operated; evidence shows it did not, or late."),
    "indeterminate": Words(1, "Indeterminate", "Evidence needed to decide is missing."),
    "waived": Words(2, "Waived", "A deviation covered by an approved exception in force when it began."),
    "pending": Words(3, "Pending", "Not due by the end of what is judged."),
    "operated": Words(4, "Operated", "Done within policy, and evidence shows it."),
}


def conclusion_sentence(control: Control) -> str:
    """What led to the conclusion of an assessed control, with the numbers in it."""
    figures = control.figures
    assert figures is not None, "a control that is not assessed has no conclusion"
    failed = sum(not finding.passed for finding in control.findings)
    decided = figures.operated + figures.deviations
    parts = []
    if figures.indeterminate:
        parts.append(
            f"{figures.indeterminate:,} of {counted(figures.tested, 'tested operation')} cannot be decided."
        )
    if control.conclusion == "insufficient_evidence" and failed:
        parts.append(f"{counted(failed, 'completeness expectation')} failed.")
    if figures.deviations:
        even_so = "Even so, the evidence shows " if parts else ""
        parts.append(
            f"{even_so}{counted(figures.deviations, 'deviation')} in {counted(decided, 'decided operation')}."
        )
    if figures.waived:
        more = "more " if figures.deviations else "deviation " if figures.waived == 1 else "deviations "
        is_or_are = "is" if figures.waived == 1 else "are"
        parts.append(f"{figures.waived:,} {more}{is_or_are} covered by an approved waiver.")
    if not parts and figures.tested:
        every = (
            f"All {figures.tested:,} tested operations were"
            if figures.tested > 1
            else "The one tested operation was"
        )
        parts.append(f"{every} within policy.")
    if not figures.tested:
        parts.append("No operation fell due in the period.")
    if not figures.tested and figures.pending:
        parts.append(
            f"{counted(figures.pending, 'operation')} {'is' if figures.pending == 1 else 'are'} still pending."
        )
    return " ".join(parts)


def conclusion_grounds(control: Control) -> str:
    """The same in a few words, for a line in a table; empty where the conclusion says it all."""
    figures = control.figures
    assert figures is not None, "a control that is not assessed has no conclusion"
    grounds = []
    if figures.indeterminate:
        grounds.append(f"{figures.indeterminate:,} indeterminate")
    failed = sum(not finding.passed for finding in control.findings)
    if control.conclusion == "insufficient_evidence" and failed:
        grounds.append(counted(failed, "failed expectation"))
    if figures.deviations:
        grounds.append(counted(figures.deviations, "deviation"))
    if figures.waived:
        grounds.append(f"{figures.waived:,} waived")
    if not figures.tested and figures.pending:
        grounds.append(f"{figures.pending:,} pending")
    return ", ".join(grounds)


def timing_sentence(timing: EvidenceTiming, period: Period) -> str:
    """How much of the evidence was gathered only at the end: SPEC's end-loaded share, with what it counts."""
    operations = counted(timing.operations, "operation")
    return (
        f"{percent(timing.end_loaded_share)} of the period's {operations} rest on evidence that was first collected in the "
        f"last tenth of the period, from {day(period.day_of(timing.last_tenth_from))} on, or later."
    )


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`3 deviations`, `1 deviation`, `no deviations`."""
    name = noun if number == 1 else plural or f"{noun}s"
    return f"{number:,} {name}" if number else f"no {name}"


def percent(share: float | None) -> str:
    """A share to one decimal; 0 % and 100 % are said only when that is exact."""
    return _percent(share, round)


def percent_at_least(share: float | None) -> str:
    """As `percent`, rounded down: coverage may not be overstated."""
    return _percent(share, math.floor)


def percent_at_most(share: float | None) -> str:
    """As `percent`, rounded up: an upper limit may not be understated."""
    return _percent(share, math.ceil)


def _percent(share: float | None, rounding: Callable[[float], int]) -> str:
    if share is None:
        return UNDEFINED
    if share in (0, 1):
        return f"{share * 100:.0f}\u00a0%"
    # Floating point must not turn 0.7 into 69.9: settle the noise first.
    tenths = rounding(round(share * 1000, 6))
    if tenths <= 0:
        return "<\u00a00.1\u00a0%"
    if tenths >= 1000:
        return ">\u00a099.9\u00a0%"
    return f"{tenths / 10:.1f}\u00a0%"


def day(value: date) -> str:
    """`1 January 2026`, in the same words on every machine."""
    return f"{value.day}\u00a0{_MONTHS[value.month - 1]}\u00a0{value.year}"


def duration(seconds: float) -> str:
    """`2.0 d` from a day on, else `5.5 h`."""
    span = timedelta(seconds=seconds)
    if span >= timedelta(days=1):
        return f"{span / timedelta(days=1):,.1f}\u00a0d"
    return f"{span / timedelta(hours=1):.1f}\u00a0h"
