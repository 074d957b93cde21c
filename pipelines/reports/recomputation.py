"""The figures of a bundle, computed again from its own rows in plain Python.

`control_coverage.csv` is what people read first and what nobody could check by eye. Everything in it follows from
`control_operations.csv` and `expectations.csv`; this is the second, independent way to it. The first is the warehouse.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from math import floor

from pipelines.binomial import upper_limit_95
from pipelines.reports.canonical import canonical_number

OUTCOMES = ("operated", "deviation", "waived", "indeterminate", "pending")
_EVIDENCE = re.compile(r"([0-9a-f]{64})(?::([1-9][0-9]{0,17}))?")

Row = Mapping[str, str]


def coverage_of(outcomes: Mapping[str, int], is_evidence_whole: bool) -> dict[str, str]:
    """The figures and the conclusion of one control, each as it is written in `control_coverage.csv`."""
    count = {outcome: outcomes.get(outcome, 0) for outcome in OUTCOMES}
    population = sum(count.values())
    tested = population - count["pending"]
    decided = count["operated"] + count["deviation"]
    limit = upper_limit_95(count["deviation"], decided)
    return {
        "population": str(population),
        "tested": str(tested),
        "operated": str(count["operated"]),
        "deviations": str(count["deviation"]),
        "waived": str(count["waived"]),
        "indeterminate": str(count["indeterminate"]),
        "pending": str(count["pending"]),
        "evidence_coverage": _share(tested - count["indeterminate"], tested),
        "deviation_rate": _share(count["deviation"], decided),
        "deviation_rate_upper_95": "" if limit is None else canonical_number(limit),
        "conclusion": _conclusion(count, tested, is_evidence_whole),
    }


def faults_of_coverage(
    coverage: Iterable[Row], operations: Iterable[Row], expectations: Iterable[Row]
) -> Iterator[str]:
    """Where `control_coverage.csv` says something else than the rows it sums up, one line each."""
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for row in operations:
        outcomes[row["control_id"]][row["outcome"]] += 1
    failed = {row["control_id"] for row in expectations if row["passed"] != "true"}
    told = {row["control_id"]: row for row in coverage}
    for control_id, row in told.items():
        computed = coverage_of(outcomes.get(control_id, {}), control_id not in failed)
        for column, value in computed.items():
            if row.get(column) != value:
                yield f"{control_id}: {column} is {row.get(column) or 'empty'}; its operations give {value or 'empty'}."
    for control_id in sorted(outcomes.keys() - told.keys()):
        yield f"{control_id}: has operations and no line here."


def faults_of_operations(
    operations: Iterable[Row], evidence_files: Iterable[Row], period_id: str | None
) -> Iterator[str]:
    """Operations that can't be: of another period, with an unknown outcome, or resting on evidence nobody delivered."""
    records: dict[str, int] = defaultdict(int)
    for file in evidence_files:
        whole = int(file["records_parsed"] or 0) + int(file["records_rejected"] or 0)
        records[file["sha256"]] = max(records[file["sha256"]], whole)
    seen: set[str] = set()
    for row in operations:
        where = f"operation {row['operation_id']}"
        if row["operation_id"] in seen:
            yield f"{where}: is there twice."
        seen.add(row["operation_id"])
        if row["outcome"] not in OUTCOMES:
            yield f"{where}: outcome is {row['outcome'] or 'empty'}."
        if period_id is not None and row["period_id"] != period_id:
            yield f"{where}: is of period {row['period_id']}, not {period_id}."
        for token in row["evidence"].split():
            found = _EVIDENCE.fullmatch(token)
            if not found or found[1] not in records:
                yield f"{where}: rests on {token}, which is not in evidence_files.csv."
            elif found[2] and int(found[2]) > records[found[1]]:
                yield f"{where}: rests on {token}; that file has {records[found[1]]} records."


def faults_of_deviations(deviations: Iterable[Row], operations: Iterable[Row]) -> Iterator[str]:
    """Where `deviations.csv` is not exactly the deviations and waived rows of `control_operations.csv`."""
    expected = {
        row["operation_id"]: dict(row) for row in operations if row["outcome"] in ("deviation", "waived")
    }
    for row in deviations:
        same = expected.pop(row["operation_id"], None)
        if same is None:
            yield f"operation {row['operation_id']}: is no deviation in control_operations.csv."
        elif any(row.get(column) != value for column, value in same.items()):
            yield f"operation {row['operation_id']}: differs from control_operations.csv."
    for operation_id in expected:
        yield f"operation {operation_id}: is a deviation and missing here."


def _share(part: int, whole: int) -> str:
    """A rate rounded to six decimals, halves up: as the warehouse rounds."""
    if not whole:
        return ""
    millionths = part / whole * 1e6
    below = floor(millionths)
    return canonical_number((below + (millionths - below >= 0.5)) / 1e6)


def _conclusion(count: Mapping[str, int], tested: int, is_evidence_whole: bool) -> str:
    if count["indeterminate"] or not is_evidence_whole:
        return "insufficient_evidence"
    if count["deviation"] or count["waived"]:
        return "exceptions_noted"
    return "no_exceptions_noted" if tested else "no_occurrence"
