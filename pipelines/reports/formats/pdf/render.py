"""report.pdf: the report on paper, typeset by Typst with the fonts that come with it.

The template is a program of ours and the report is its data: one JSON text in `sys.inputs`. Text from evidence is a
string value in that program and is never read as markup. The file is PDF/UA-1 and PDF/A-2a: readable by assistive
technology, and for decades.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import typst

from pipelines.reports import words
from pipelines.reports.chapters import Chapter, Citation, Requirement, chapters, limits, requirements, tally
from pipelines.reports.formats.pdf.printable import printed, printed_data, printed_svg
from pipelines.reports.formats.pictures.period_picture import caption, picture, stretch_name
from pipelines.reports.formats.pictures.shape_picture import shape_picture
from pipelines.reports.report import AuditReport, FeedCoverage, Finding, Waiver

WRITES_DATA = False

ROWS_PER_CONTROL = 100
"""Deviations, and as many indeterminate rows, printed under their control; the CSV files have them all."""
ROWS_PER_LIST = 60
"""Rows of every other list; the CSV files have them all."""
CITED_FILES = 4
CITED_RECORDS = 6

_TEMPLATE = Path(__file__).parent / "report.typ"
_FONT = "Libertinus Serif"


def render(report: AuditReport, folder: Path) -> None:
    """Write `folder`/report.pdf."""
    (folder / "report.pdf").write_bytes(document(report))


def document(report: AuditReport) -> bytes:
    """The PDF; the same bytes for the same report."""
    text = json.dumps(contents(report), ensure_ascii=False, allow_nan=False)
    return typst.compile(
        _TEMPLATE.read_bytes(),
        root=_TEMPLATE.parent,
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"report": text},
        timestamp=report.period.as_of.replace(tzinfo=UTC),
        pdf_standards=["ua-1", "a-2a"],
    )


def contents(report: AuditReport) -> dict[str, Any]:
    """What the template prints: texts and lists, every text printable."""
    period = report.period
    told = chapters(report, ROWS_PER_CONTROL)
    judged = (
        "The whole period is judged."
        if period.is_over
        else f"The period is still running: judged up to {moment(period.cutoff_at)} UTC."
    )
    rejected = report.table("rejected_records")
    unlinked = report.table("unlinked")
    data = printed_data(
        {
            "period_id": period.period_id,
            "days": f"{words.day(period.first_day)} to {words.day(period.last_day)}",
            "zone": f"{period.timezone}; {moment(period.start_at)} to {moment(period.end_at)} UTC",
            "as_of": f"{moment(period.as_of)} UTC",
            "judged": judged,
            "scope": f"{len(told)} of {len(report.controls)} controls assessed",
            "sources": f"{words.counted(len(report.feed_coverage), 'feed')}, "
            f"{words.counted(len(report.evidence_files), 'evidence file')}",
            "tally": [
                {"code": code, "number": number, "title": words.CONCLUSIONS[code].title}
                for code, number in tally(report).items()
            ]
            + [
                {
                    "code": "not_assessed",
                    "number": len(report.controls) - len(told),
                    "title": "Not assessed",
                }
            ],
            "limits": [
                {"name": limit.name, "amount": limit.amount, "text": limit.text} for limit in limits(report)
            ],
            "late": _late(report),
            "chapters": [_chapter(chapter) for chapter in told],
            "findings": _cut([_finding(finding) for finding in report.findings if not finding.passed]),
            "findings_total": len(report.findings),
            "timing": words.timing_sentence(report.timing, period) if report.timing else "",
            "feeds": _cut([_feed(feed) for feed in report.feed_coverage]),
            "unlinked": _counted_list(
                sum(1 for _ in unlinked),
                [
                    [r["kind"], r["system"] or "", r["native_id"] or "", r["name"] or "", r["tried"] or ""]
                    for r in islice(unlinked.records(), ROWS_PER_LIST)
                ],
            ),
            "rejected": _counted_list(
                sum(1 for _ in rejected),
                [
                    [
                        f"{r['system']}/{r['feed']}",
                        r["original_name"] or r["sha256"],
                        "" if r["record_number"] is None else f"{r['record_number']:,}",
                        r["reason"] or "",
                    ]
                    for r in islice(rejected.records(), ROWS_PER_LIST)
                ],
            ),
            "frameworks": _frameworks(report),
            "conclusion_words": _glossary(words.CONCLUSIONS),
            "outcome_words": _glossary(words.OUTCOMES),
        }
    )
    # Hashes are copied from the page, so nothing may stand between their characters.
    data["digest"] = report.data_digest or ""
    data["decisions"] = _cut(
        [
            printed_data({"feed": f"{f.system}/{f.feed}", "name": f.original_name or ""})
            | {"sha256": f.sha256, "collected": moment(f.collected_at)}
            for f in report.decisions_in_force
        ]
    )
    for told_chapter, shown in zip(told, data["chapters"], strict=True):
        control = told_chapter.control
        assert control.figures is not None, "only assessed controls have a chapter"
        if control.figures.population:
            shown["pictures"] = [
                {
                    "svg": printed_svg(picture(control, period, _FONT)),
                    "alt": caption(control, period),
                    "caption": f"Operations per {stretch_name(control.timeline)}: where performed; deviations where "
                    "they began; others where due. What lies outside the period stands at its edge.",
                }
            ]
            for shape in control.shapes:
                drawn = shape_picture(shape, period, _FONT)
                shown["pictures"].append(
                    {
                        "svg": printed_svg(drawn.svg),
                        "alt": printed(drawn.alt),
                        "caption": printed(drawn.caption),
                    }
                )
        for rows, cited in (
            (shown["deviations"]["rows"], told_chapter.deviations),
            (shown["indeterminate"]["rows"], told_chapter.indeterminate),
        ):
            for row, source in zip(rows, cited, strict=True):
                row["evidence"] = [_citation(citation) for citation in source["citations"][:CITED_FILES]]
                row["more_evidence"] = max(0, len(source["citations"]) - CITED_FILES)
                row["operation_id"] = source["operation_id"]
    return data


def moment(value: datetime | None) -> str:
    """A UTC instant to the second, as people read it; fractions are in the CSV."""
    if value is None:
        return words.UNDEFINED
    return value.isoformat(sep=" ", timespec="seconds").removesuffix(":00")


def _late(report: AuditReport) -> dict[str, Any]:
    return _cut(
        [
            f"{decision.kind} {decision.decision_id}: governs from {moment(decision.governs_from)}, "
            f"first collected {moment(decision.first_collected_at)} UTC"
            for decision in report.late_decisions
        ],
        8,
    )


def _chapter(chapter: Chapter) -> dict[str, Any]:
    control, figures = chapter.control, chapter.control.figures
    assert figures is not None and control.conclusion is not None, "only assessed controls have a chapter"
    upper = figures.deviation_rate_upper_95
    return {
        "id": control.control_id,
        "title": control.title,
        "code": control.conclusion,
        "conclusion": words.CONCLUSIONS[control.conclusion].title
        if control.conclusion in words.CONCLUSIONS
        else control.conclusion,
        "sentence": chapter.sentence,
        # The other grounds are columns of the same table.
        "grounds": words.counted(len(chapter.failed), "failed expectation")
        if chapter.failed and control.conclusion == "insufficient_evidence"
        else "",
        "objective": control.objective or "",
        "operation_is": control.operation_is or "",
        "operated_when": control.operated_when or "",
        "figures": {
            name: f"{getattr(figures, name):,}"
            for name in (
                *("population", "tested", "operated", "deviations"),
                *("waived", "indeterminate", "pending"),
            )
        },
        "rate": words.percent(figures.deviation_rate),
        "upper": "" if upper is None else words.percent_at_most(upper),
        "coverage": words.percent_at_least(figures.evidence_coverage),
        "decided": f"{figures.tested - figures.indeterminate:,} of {figures.tested:,} decided"
        if figures.tested
        else "",
        "pictures": [],
        "findings": _cut(
            [_finding(f) for f in sorted(control.findings, key=lambda f: (f.passed, f.expectation))], 30
        ),
        "passed": len(control.findings) - len(chapter.failed),
        "deviations": _counted_list(
            figures.deviations + figures.waived, [_operation(row) for row in chapter.deviations]
        ),
        "indeterminate": _counted_list(
            figures.indeterminate, [_operation(row) for row in chapter.indeterminate]
        ),
        "waivers": _cut([_waiver(waiver) for waiver in chapter.waivers]),
    }


def _operation(row: dict[str, Any]) -> dict[str, Any]:
    name, native = row["subject_name"] or row["subject_id"] or "", row["subject_id"] or ""
    place = "/".join(filter(None, (row["system"], row["instance"] if row["instance"] != "main" else None)))
    about = [place, row["cycle"], row["identity_id"], row["entitlement"]]
    return {
        "name": name,
        "native": "" if native == name else native,
        "about": " · ".join(filter(None, about)),
        "outcome": row["outcome"],
        "title": words.OUTCOMES[row["outcome"]].title,
        "reason": row["reason"] or "",
        "text": row["reason_text"] or "",
        "waiver": row["waiver_id"] or "",
        "times": [
            [label, moment(row[column])]
            for label, column in (
                ("Began", "began_at"),
                ("Opened", "opened_at"),
                ("Due", "due_at"),
                ("Performed", "performed_at"),
            )
            if row[column] is not None or column == "performed_at"
        ],
    }


def _citation(citation: Citation) -> dict[str, Any]:
    records = citation.records
    shown = ", ".join(records[:CITED_RECORDS])
    more = f" and {len(records) - CITED_RECORDS:,} more" if len(records) > CITED_RECORDS else ""
    noun = "record" if len(records) == 1 else "records"
    texts = {
        "name": citation.name or "(not in the list of evidence files)",
        "records": f"{noun} {shown}{more}" if records else "the whole file",
    }
    return printed_data(texts) | {"sha256": citation.sha256}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "passed": finding.passed,
        "expectation": finding.expectation,
        "control": finding.control_id or "all",
        "detail": finding.detail or "",
    }


def _feed(feed: FeedCoverage) -> dict[str, Any]:
    place = "/".join(
        filter(None, (feed.system, feed.feed, feed.instance if feed.instance != "main" else None))
    )
    faults = [
        f"{words.duration(feed.uncovered_seconds)} not covered" if feed.uncovered_seconds else "",
        words.counted(feed.missed_slots, "slot") + " missed" if feed.missed_slots else "",
        words.counted(feed.rejected_records, "record") + " rejected" if feed.rejected_records else "",
        words.counted(feed.rejected_files, "file") + " rejected" if feed.rejected_files else "",
        "" if feed.evidence_files else "no file",
    ]
    return {
        "feed": place,
        "kind": (feed.kind or "") + (", sparse" if feed.sparse else ""),
        "files": f"{feed.evidence_files:,}",
        "whole": feed.is_whole,
        "faults": "; ".join(filter(None, faults)) or "whole",
        "detail": "" if feed.is_whole else feed.detail or "",
    }


def _waiver(waiver: Waiver) -> dict[str, str]:
    place = "/".join(filter(None, (waiver.system, waiver.subject_id)))
    return {
        "id": waiver.waiver_id,
        "about": place or "everything the control judges",
        "force": f"{moment(waiver.in_force_from)} to {moment(waiver.in_force_until)} UTC",
        "approved": f"by {waiver.approved_by or words.UNDEFINED}, {moment(waiver.approved_at)} UTC",
        "reason": waiver.reason or "",
    }


def _frameworks(report: AuditReport) -> dict[str, Any]:
    """Per framework how many requirements got which answer, and the requirements that got one."""
    asked = requirements(report)
    counts: dict[str, dict[str, int]] = {}
    for requirement in asked:
        answers = counts.setdefault(_edition(requirement), {})
        answers[requirement.answer] = answers.get(requirement.answer, 0) + 1
    known = sorted(words.ANSWERS, key=lambda answer: words.ANSWERS[answer].rank)
    answered = [requirement for requirement in asked if requirement.answer != "not_answered"]
    return {
        "answers": [{"code": code, "title": words.ANSWERS[code].title} for code in known],
        "counts": [
            [framework, *(f"{answers[code]:,}" if code in answers else "" for code in known)]
            for framework, answers in counts.items()
        ],
        "answered": _cut([_requirement(requirement) for requirement in answered], 400),
    }


def _edition(requirement: Requirement) -> str:
    return " ".join(filter(None, (requirement.framework, requirement.version)))


def _requirement(requirement: Requirement) -> dict[str, str]:
    return {
        "framework": _edition(requirement),
        "requirement": requirement.requirement_id,
        "title": requirement.title,
        "former": requirement.former_ids,
        "controls": ", ".join(
            control
            + ("" if relation == "direct" else f" ({relation})")
            + ("" if conclusion else " (not assessed)")
            for control, relation, conclusion in requirement.controls
        ),
        "code": requirement.answer,
        "answer": requirement.answer_title,
    }


def _glossary(known: dict[str, words.Words]) -> list[dict[str, str]]:
    ordered = sorted(known.items(), key=lambda item: item[1].rank)
    return [{"code": code, "title": word.title, "meaning": word.meaning} for code, word in ordered]


def _cut(rows: list[Any], most: int = ROWS_PER_LIST) -> dict[str, Any]:
    return _counted_list(len(rows), rows[:most])


def _counted_list(total: int, rows: list[Any]) -> dict[str, Any]:
    """Rows that are printed and how many there are."""
    return {"total": total, "rows": rows}
