"""oscal/assessment-results.json: the results as OSCAL 1.2.1, for tools that read assessments.

One finding for each assessed control and for each requirement of a framework; one observation for each population and
for each exception, with the evidence records it rests on. Ids are derived from what they name and the document is dated
by `as_of`, so the same report is the same file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pipelines import __version__
from pipelines.reports import words
from pipelines.reports.canonical import canonical_number, canonical_time
from pipelines.reports.chapters import Chapter, chapters, cited, limits, names_of, requirements
from pipelines.reports.report import AuditReport, EvidenceFile
from pipelines.reports.visible_text import visible

WRITES_DATA = False

OSCAL_VERSION = "1.2.1"
NAMESPACE = "urn:upheld:report"
OBSERVED_PER_CONTROL = 1000
"""Exceptions of each kind with an observation of their own; the CSV files have them all."""
RECORDS_PER_OBSERVATION = 50

_MARKUP = re.compile(r"[\\`*_\[\]{}<>~^&#|!$]|^[-+=]|(?<=^\d)[.)]")


def render(report: AuditReport, folder: Path) -> None:
    """Write `folder`/oscal/assessment-results.json."""
    target = folder / "oscal" / "assessment-results.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(assessment_results(report), indent=1, ensure_ascii=False, allow_nan=False)
    target.write_text(text + "\n", encoding="utf-8", newline="\n")


def assessment_results(report: AuditReport) -> dict[str, Any]:
    """The whole document."""
    return {"assessment-results": _Document(report).build()}


def markup(text: str) -> str:
    """Text from evidence in a field that OSCAL reads as Markdown: every character stands for itself."""
    return _MARKUP.sub(lambda match: f"\\{match[0]}", visible(text).strip())


def token(text: str) -> str:
    """The nearest OSCAL token: an id made of letters, digits, `.`, `-` and `_` that begins with a letter."""
    plain = re.sub(r"[^0-9A-Za-z._-]+", "-", text).strip("-") or "none"
    return plain if plain[0].isalpha() else f"_{plain}"


class _Document:
    def __init__(self, report: AuditReport) -> None:
        self.report = report
        self.names = names_of(report.evidence_files)
        self.collected = _first_collected(report.evidence_files)
        self.resources: dict[str, dict[str, Any]] = {}
        self.of_control: dict[str, list[str]] = {}

    def id(self, *parts: str) -> str:
        """The id of a thing in this period: the same in every run over the same evidence."""
        period = self.report.period
        name = "\x1f".join((NAMESPACE, period.period_id, canonical_time(period.as_of), *parts))
        return str(uuid5(NAMESPACE_URL, name))

    def build(self) -> dict[str, Any]:
        report, period = self.report, self.report.period
        told = chapters(report, OBSERVED_PER_CONTROL)
        observations = [observation for chapter in told for observation in self.observations_of(chapter)]
        findings = [self.finding_of(chapter) for chapter in told] + list(self.requirements())
        plan = self.id("resource", "plan")
        data = self.data_resource()
        result: dict[str, Any] = {
            "uuid": self.id("result"),
            "title": f"Identity controls, {markup(period.period_id)}",
            "description": "Did each control operate over the whole audit period, and which evidence proves it? "
            "The opinion on design and operation of the controls is the auditor's.",
            "start": canonical_time(period.start_at),
            "end": canonical_time(period.end_at),
            "props": [
                _property("as_of", canonical_time(period.as_of)),
                _property("judged_up_to", canonical_time(period.cutoff_at)),
                _property("time_zone", period.timezone),
                _property("data_digest", report.data_digest or "none"),
            ],
            "reviewed-controls": self.reviewed(),
        }
        if observations:
            result["observations"] = observations
        if findings:
            result["findings"] = findings
        result["remarks"] = "\n\n".join(
            f"{markup(limit.name)}: {markup(f'{limit.amount} {limit.text}')}" for limit in limits(report)
        )
        return {
            "uuid": self.id("document", report.data_digest or ""),
            "metadata": {
                "title": f"Identity controls, {markup(period.period_id)}",
                "last-modified": canonical_time(period.as_of),
                "version": period.as_of.strftime("%Y%m%dT%H%M%S"),
                "oscal-version": OSCAL_VERSION,
                "props": [_property("generator", f"upheld {__version__}")],
            },
            "import-ap": {
                "href": f"#{plan}",
                "remarks": "What was assessed and by which policy is decided in files that are evidence themselves.",
            },
            "results": [result],
            "back-matter": {
                "resources": [self.plan_resource(plan), data]
                + [self.resources[sha256] for sha256 in sorted(self.resources)]
            },
        }

    def reviewed(self) -> dict[str, Any]:
        assessed = [{"control-id": token(control.control_id)} for control in self.report.assessed]
        missing = [control for control in self.report.controls if control.figures is None]
        selection: dict[str, Any] = {"description": "The controls of the catalogue that this build assesses."}
        if assessed:
            selection["include-controls"] = assessed
        if missing:
            names = ", ".join(f"{control.control_id} {control.title}" for control in missing)
            selection["remarks"] = f"Not assessed: {markup(names)}."
        return {"control-selections": [selection]}

    # -- observations --------------------------------------------------------------------------------------------

    def observations_of(self, chapter: Chapter) -> Iterator[dict[str, Any]]:
        control = chapter.control
        ids = self.of_control[control.control_id] = []
        for observation in (self.population(chapter), *map(self.exception, _exceptions(chapter))):
            ids.append(observation["uuid"])
            yield observation

    def population(self, chapter: Chapter) -> dict[str, Any]:
        """All operations of a control as one observation, with its figures and how completeness was shown."""
        control, figures = chapter.control, chapter.control.figures
        assert figures is not None, "only assessed controls have figures"
        numbers = {name: value for name, value in vars(figures).items() if value is not None}
        completeness = [
            f"{'passed' if finding.passed else 'FAILED'} {markup(finding.expectation)}: {markup(finding.detail or '')}"
            for finding in control.findings
        ]
        listed = len(chapter.deviations) + len(chapter.indeterminate)
        there = figures.deviations + figures.waived + figures.indeterminate
        cut = (
            [f"{listed:,} of {there:,} exceptions are observed here; data/deviations.csv has them all."]
            if listed < there
            else []
        )
        return {
            "uuid": self.id("observation", control.control_id),
            "title": f"{control.control_id}: population",
            "description": markup(chapter.sentence),
            "props": [_property(name, canonical_number(value)) for name, value in numbers.items()],
            "methods": ["TEST"],
            "types": ["control-objective"],
            "relevant-evidence": [
                {
                    "href": f"#{self.id('resource', 'data')}",
                    "description": f"Every operation of {control.control_id} with its evidence is a row of "
                    "data/control\\_operations.csv.",
                }
            ],
            "collected": canonical_time(self.report.period.as_of),
            "remarks": "\n\n".join([*completeness, *cut])
            or "No completeness expectation names this control.",
        }

    def exception(self, row: dict[str, Any]) -> dict[str, Any]:
        name = row["subject_name"] or row["subject_id"] or "unnamed"
        tokens = cited(row["evidence"])
        observation: dict[str, Any] = {
            "uuid": self.id("observation", row["operation_id"]),
            "title": f"{row['control_id']}: {markup(name)}",
            "description": markup(row["reason_text"] or "") or "No sentence was given.",
            "props": [
                _property(column, str(row[column]))
                for column in ("operation_id", "outcome", "reason", "subject_id", "cycle", "waiver_id")
                if str(row[column] or "").strip()
            ]
            + [
                _property(column, canonical_time(row[column]))
                for column in ("began_at", "opened_at", "due_at", "performed_at")
                if row[column] is not None
            ],
            "methods": ["TEST"],
            "types": ["finding"],
        }
        if tokens:
            observation["relevant-evidence"] = [
                self.evidence(sha256, record) for sha256, record in tokens[:RECORDS_PER_OBSERVATION]
            ]
        known = [self.collected[sha256] for sha256, _ in tokens if sha256 in self.collected]
        # What the observation rests on was whole when the last of its files had been collected.
        observation["collected"] = canonical_time(max(known, default=self.report.period.as_of))
        if len(tokens) > RECORDS_PER_OBSERVATION:
            observation["remarks"] = (
                f"{len(tokens) - RECORDS_PER_OBSERVATION:,} more records: see data/control\\_operations.csv."
            )
        return observation

    def evidence(self, sha256: str, record: str) -> dict[str, Any]:
        where = f"record {record}" if record else "the whole file"
        names = self.names.get(sha256)
        shown = (
            f"{names.shown} ({names.feeds})" if names else "a file that is not in the list of evidence files"
        )
        return {
            "href": f"#{self.file_resource(sha256)}",
            "description": markup(f"{where} of {shown}"),
            "props": [_property("evidence", f"{sha256}:{record}" if record else sha256)],
        }

    # -- findings ------------------------------------------------------------------------------------------------

    def finding_of(self, chapter: Chapter) -> dict[str, Any]:
        control = chapter.control
        return {
            "uuid": self.id("finding", control.control_id),
            "title": f"{control.control_id} {markup(control.title)}",
            "description": markup(
                f"{words.CONCLUSIONS[control.conclusion].title}. {chapter.sentence}"
                if control.conclusion in words.CONCLUSIONS
                else chapter.sentence
            ),
            "props": [_property("conclusion", control.conclusion or "none")],
            "target": self.target(control.control_id, control.conclusion, control.objective),
            "related-observations": [
                {"observation-uuid": uuid} for uuid in self.of_control[control.control_id]
            ],
        }

    def requirements(self) -> Iterator[dict[str, Any]]:
        """One finding for each requirement of a framework, from the controls that answer it."""
        for asked in requirements(self.report):
            target = token(f"{asked.framework}-{asked.version}_{asked.requirement_id}")
            observed = [control for control, _, _ in asked.controls if control in self.of_control]
            props = {
                "framework": asked.framework,
                "version": asked.version,
                "requirement": asked.requirement_id,
                "former-ids": asked.former_ids,
                "answer": asked.answer,
            }
            finding = {
                "uuid": self.id("finding", asked.framework, asked.version, asked.requirement_id),
                "title": markup(f"{asked.framework} {asked.version} {asked.requirement_id}"),
                "description": markup(f"{asked.title or asked.requirement_id}: {asked.answer_title}."),
                "props": [_property(name, value) for name, value in props.items() if value]
                + [
                    _property("control", f"{control} {relation}".strip())
                    for control, relation, _ in asked.controls
                ],
                "target": self.target(target, asked.answer, asked.title),
            }
            if observed:
                finding["related-observations"] = [
                    {"observation-uuid": self.of_control[control][0]} for control in observed
                ]
            yield finding

    def target(self, target: str, answer: str | None, title: str | None) -> dict[str, Any]:
        """Satisfied only where everything was tested and found without exceptions."""
        clean, failed = answer == "no_exceptions_noted", answer == "exceptions_noted"
        meaning = words.ANSWERS[answer].meaning if answer in words.ANSWERS else "It was not shown."
        other = "" if clean or failed else " OSCAL has no state of its own for that."
        return {
            "type": "objective-id",
            "target-id": token(target),
            **({"title": markup(title)} if title and title.strip() else {}),
            "status": {
                "state": "satisfied" if clean else "not-satisfied",
                "reason": "pass" if clean else "fail" if failed else "other",
                "remarks": f"{meaning}{other}",
            },
        }

    # -- back matter ---------------------------------------------------------------------------------------------

    def file_resource(self, sha256: str) -> str:
        uuid = self.id("resource", sha256)
        if sha256 not in self.resources:
            names = self.names.get(sha256)
            self.resources[sha256] = {
                "uuid": uuid,
                "title": markup(names.shown) if names else "A file that is not in the list of evidence files",
                **({"description": f"Evidence file of {markup(names.feeds)}."} if names else {}),
                "rlinks": [
                    {
                        "href": f"urn:sha256:{sha256}",
                        **(
                            {"hashes": [{"algorithm": "SHA-256", "value": sha256}]}
                            if re.fullmatch(r"[0-9a-f]{64}", sha256)
                            else {}
                        ),
                    }
                ],
            }
        return uuid

    def plan_resource(self, uuid: str) -> dict[str, Any]:
        files = self.report.decisions_in_force
        return {
            "uuid": uuid,
            "title": "Decisions in force",
            "description": "Scope, policies, waivers and required feeds, as decided by people.",
            **(
                {
                    "rlinks": [
                        {
                            "href": f"urn:sha256:{file.sha256}",
                            "hashes": [{"algorithm": "SHA-256", "value": file.sha256}],
                        }
                        for file in files
                    ]
                }
                if files
                else {}
            ),
        }

    def data_resource(self) -> dict[str, Any]:
        return {
            "uuid": self.id("resource", "data"),
            "title": "The data of this bundle",
            "description": "Operations, deviations, expectations and evidence files as CSV. The manifest beside "
            "them has their hashes.",
            "rlinks": [
                {"href": "../data/control_operations.csv", "media-type": "text/csv"},
                {"href": "../data/deviations.csv", "media-type": "text/csv"},
            ],
        }


def _exceptions(chapter: Chapter) -> Iterator[dict[str, Any]]:
    yield from chapter.deviations
    yield from chapter.indeterminate


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": name.replace("_", "-"), "ns": NAMESPACE, "value": visible(value).strip() or "-"}


def _first_collected(files: tuple[EvidenceFile, ...]) -> dict[str, datetime]:
    first: dict[str, datetime] = {}
    for file in files:
        if file.collected_at is not None:
            first[file.sha256] = min(file.collected_at, first.get(file.sha256, file.collected_at))
    return first
