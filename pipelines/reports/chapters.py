"""What every format tells about each assessed control, as plain data: sentences, chosen rows and their evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipelines.reports import words
from pipelines.reports.report import AuditReport, Control, EvidenceFile, Finding, Waiver
from pipelines.reports.visible_text import visible


@dataclass(frozen=True)
class Names:
    """What an evidence file is called: in short, in which feeds it came, and every name it was delivered under."""

    shown: str
    feeds: str
    every: str


UNKNOWN = Names("", "", "")


@dataclass(frozen=True)
class Citation:
    """The records of one evidence file that an operation rests on; none: the whole file."""

    sha256: str
    name: str
    feed: str
    records: list[str]


@dataclass(frozen=True)
class Chapter:
    """One assessed control. Rows are those of rpt_control_operations with `began_at` and `citations` added.

    The lists are cut; the figures of the control tell how many there are.
    """

    control: Control
    sentence: str
    grounds: str
    deviations: list[dict[str, Any]]
    indeterminate: list[dict[str, Any]]
    waivers: list[Waiver]

    @property
    def failed(self) -> list[Finding]:
        return [finding for finding in self.control.findings if not finding.passed]


@dataclass(frozen=True)
class Limit:
    """One thing the report does not cover. `amount` empty: there is nothing to say; `place` names where to read on."""

    name: str
    amount: str
    text: str
    place: str | None = None


@dataclass(frozen=True)
class Requirement:
    """What one requirement of a framework gets for an answer. `controls`: id, relation and conclusion of each."""

    framework: str
    version: str
    requirement_id: str
    title: str
    former_ids: str
    answer: str
    controls: list[tuple[str, str, str | None]]

    @property
    def answer_title(self) -> str:
        return words.ANSWERS[self.answer].title if self.answer in words.ANSWERS else self.answer


def requirements(report: AuditReport) -> list[Requirement]:
    """Every requirement once, in the order of the frameworks."""
    found: dict[tuple[str, str, str], Requirement] = {}
    for row in report.table("framework_coverage").records():
        framework, version, requirement_id = (
            row[name] or "" for name in ("framework", "version", "requirement_id")
        )
        requirement = found.setdefault(
            (framework, version, requirement_id),
            Requirement(
                framework,
                version,
                requirement_id,
                row["title"] or "",
                row["former_ids"] or "",
                row["answer"] or "not_answered",
                [],
            ),
        )
        if row["control_id"]:
            requirement.controls.append((row["control_id"], row["relation"] or "", row["conclusion"]))
    return list(found.values())


def chapters(report: AuditReport, rows: int) -> list[Chapter]:
    """The assessed controls, those that need attention first, each with at most `rows` rows in each of its lists."""
    known = names_of(report.evidence_files)
    listed: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in report.exceptions(rows):
        row["citations"] = citations(row["evidence"], known)
        listed.setdefault((row["control_id"], row.pop("list")), []).append(row)
    return [
        Chapter(
            control=control,
            sentence=words.conclusion_sentence(control),
            grounds=words.conclusion_grounds(control),
            deviations=listed.get((control.control_id, "deviations"), []),
            indeterminate=listed.get((control.control_id, "indeterminate"), []),
            waivers=[waiver for waiver in report.waivers if waiver.control_id == control.control_id],
        )
        for control in sorted(report.assessed, key=_needs_attention)
    ]


def _needs_attention(control: Control) -> tuple[int, str]:
    conclusion = words.CONCLUSIONS.get(control.conclusion or "")
    return (conclusion.rank if conclusion else len(words.CONCLUSIONS), control.control_id)


def tally(report: AuditReport) -> dict[str, int]:
    """Code name of each conclusion -> how many assessed controls have it, in order of rank."""
    return {
        name: sum(control.conclusion == name for control in report.assessed)
        for name in sorted(words.CONCLUSIONS, key=lambda name: words.CONCLUSIONS[name].rank)
    }


def limits(report: AuditReport) -> list[Limit]:
    """What is not covered. Every format prints it on its first page."""
    not_assessed = [control for control in report.controls if control.figures is None]
    indeterminate = sum(control.figures.indeterminate for control in report.assessed if control.figures)
    failed = [finding for finding in report.findings if not finding.passed]
    unlinked: dict[str, int] = {}
    for record in report.table("unlinked").records():
        unlinked[record["kind"]] = unlinked.get(record["kind"], 0) + 1
    records = sum(1 for _ in report.table("rejected_records"))
    files = sum(file.status == "rejected" for file in report.evidence_files)
    every = len(report.findings)
    return [
        Limit(
            "Controls not assessed",
            f"{len(not_assessed)}." if not_assessed else "",
            ", ".join(f"{control.control_id}\u00a0{control.title}" for control in not_assessed)
            or "None: every control of the catalogue is assessed.",
        ),
        Limit(
            "Indeterminate operations",
            f"{indeterminate:,}." if indeterminate else "",
            "The evidence that would decide them is missing; they are listed under their control."
            if indeterminate
            else "None.",
        ),
        Limit(
            "Completeness expectations that failed",
            f"{len(failed):,} of {every:,}." if failed else "",
            "" if failed else f"None of {every:,}.",
            "completeness" if failed else None,
        ),
        Limit(
            "Records nothing links to an identity",
            f"{sum(unlinked.values()):,}." if unlinked else "",
            ", ".join(words.counted(number, kind) for kind, number in unlinked.items()) + "."
            if unlinked
            else "None.",
            "unlinked" if unlinked else None,
        ),
        Limit(
            "Evidence that could not be used",
            f"{words.counted(records, 'record')}, {words.counted(files, 'whole file')}."
            if records or files
            else "",
            "" if records or files else "None.",
            "rejected" if records or files else None,
        ),
    ]


def cited(evidence: str | None) -> list[tuple[str, str]]:
    """The (sha256, record number) pairs of an evidence column, in its order. No number means the whole file."""
    pairs = (token.partition(":") for token in (evidence or "").split())
    return [(visible(sha256), visible(record)) for sha256, _, record in pairs]


def citations(evidence: str | None, known: dict[str, Names]) -> list[Citation]:
    """An evidence column by file, with the names the files were delivered under."""
    records: dict[str, list[str]] = {}
    for sha256, record in cited(evidence):
        records.setdefault(sha256, []).extend([record] if record else [])
    return [
        Citation(sha256, names.shown, names.feeds, numbers)
        for sha256, numbers, names in ((s, n, known.get(s, UNKNOWN)) for s, n in records.items())
    ]


def names_of(files: Iterable[EvidenceFile]) -> dict[str, Names]:
    """sha256 -> names. An unchanged snapshot arrives under a new name every week; the first one stands for all."""
    names: dict[str, dict[str, None]] = {}
    feeds: dict[str, dict[str, None]] = {}
    for file in files:
        names.setdefault(file.sha256, {})[file.original_name or "(no name)"] = None
        feeds.setdefault(file.sha256, {})[f"{file.system}/{file.feed}"] = None
    return {sha256: _names(list(known), list(feeds[sha256])) for sha256, known in names.items()}


def _names(names: list[str], feeds: list[str]) -> Names:
    others = f" (and under {words.counted(len(names) - 1, 'other name')})" if len(names) > 1 else ""
    return Names(names[0] + others, ", ".join(feeds), "\n".join(map(visible, names)))
