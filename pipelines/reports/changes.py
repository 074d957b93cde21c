"""What a revision says differently from the sealed bundle before it, and which evidence made the difference."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from pipelines.reports.data_files import rows_of

CHANGES_NAME = "changes.csv"

_KEYS = {
    "control_coverage": ("control_id",),
    "expectations": ("expectation", "control_id"),
    "evidence_files": ("sha256", "system", "feed", "instance", "collected_at"),
    "control_operations": ("operation_id",),
}
_SUBJECT = {
    "control_coverage": ("title",),
    "expectations": (),
    "evidence_files": ("system", "feed", "instance"),
    "control_operations": ("subject_id",),
}
_SAID = {
    "control_coverage": "conclusion",
    "expectations": "passed",
    "evidence_files": "original_name",
    "control_operations": "outcome",
}


@dataclass(frozen=True)
class Change:
    """One line of changes.csv. `change` is added, removed or changed; of a changed row, one line per column.

    `evidence`: the records the row rests on now that lie in files the sealed bundle did not know. Where there is none,
    the decisions files it did not know: then a policy, waiver or link made the difference.
    """

    file: str
    change: str
    control_id: str
    id: str
    subject: str
    column: str
    before: str
    after: str
    evidence: str


def changes_between(sealed: Path, revision: Path) -> list[Change]:
    """Everything that differs between the data of two bundles, in order of file, control and id."""
    known = {row["sha256"] for row in rows_of(sealed / "data" / "evidence_files.csv")}
    now = list(rows_of(revision / "data" / "evidence_files.csv"))
    new = {row["sha256"] for row in now} - known
    decided = sorted({row["sha256"] for row in now if row["system"] == "decisions"} & new)
    found: list[Change] = []
    for file in _KEYS:
        before = _keyed(sealed, file)
        after = _keyed(revision, file)
        for key in sorted(before.keys() | after.keys()):
            found += _changes(file, before.get(key), after.get(key), new, decided)
    return found


def write_changes(changes: Iterable[Change], path: Path) -> None:
    """Write changes.csv. What it says is taken from data files, so it is safe to open as it is."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([each.name for each in fields(Change)])
        writer.writerows(astuple(change) for change in changes)


def summary_of(changes: Iterable[Change]) -> str:
    """In a few words: how many conclusions, operations and evidence files differ."""
    changes = list(changes)

    def count(file: str, *columns: str) -> int:
        return len(
            {each.id for each in changes if each.file == file and (not columns or each.column in columns)}
        )

    return (
        f"{count('control_coverage', 'conclusion')} conclusions, {count('control_operations')} operations and "
        f"{count('evidence_files')} evidence files differ"
    )


def _keyed(bundle: Path, file: str) -> dict[tuple[str, ...], dict[str, str]]:
    return {tuple(row[name] for name in _KEYS[file]): row for row in rows_of(bundle / "data" / f"{file}.csv")}


def _changes(
    file: str,
    before: Mapping[str, str] | None,
    after: Mapping[str, str] | None,
    new: set[str],
    decided: list[str],
) -> Iterator[Change]:
    row = after or before
    assert row is not None, "a key of one of the two"

    def change(what: str, column: str, was: str, now: str) -> Change:
        return Change(
            file=file,
            change=what,
            control_id=row.get("control_id", ""),
            id=row[_KEYS[file][0]],
            subject="/".join(row[name] for name in _SUBJECT[file]),
            column=column,
            before=was,
            after=now,
            evidence=_because_of(row if after else {}, new, decided),
        )

    said = _SAID[file]
    if before is None:
        yield change("added", said, "", row[said])
    elif after is None:
        yield change("removed", said, row[said], "")
    else:
        for column in row:
            if before.get(column) != after.get(column):
                yield change("changed", column, before.get(column, ""), after.get(column, ""))


def _because_of(row: Mapping[str, str], new: set[str], decided: list[str]) -> str:
    if row.get("sha256") in new:
        return row["sha256"]
    cited = [token for token in row.get("evidence", "").split() if token.partition(":")[0] in new]
    return " ".join(cited or decided)
