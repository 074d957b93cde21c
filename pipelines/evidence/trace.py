"""From one control operation back to its evidence, as the vendor wrote it.

Reads the published report data and the originals only. What may be shown of a record is decided by `shown`, which
the caller passes in: which fields are named is known to the feeds' descriptions, not to this room.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pipelines.errors import UnreadableFile, UserMistake
from pipelines.evidence import instants
from pipelines.evidence.containers import NO_SIGNS, Signs
from pipelines.evidence.ledger import LedgerEntry, entries_naming
from pipelines.evidence.originals import sha256_of
from pipelines.evidence.records import FoundRecord, find_records, rewritten_csv
from pipelines.home import Home

Shown = Callable[[str, str, Any], Any]
"""(system, feed, record) -> the record with everything masked that may not be shown."""

Reading = Callable[[str, str], tuple[Signs | None, Sequence[str]]]
"""(system, feed) -> by what its JSON records are known (None where it has none), and the shapes in which it comes."""


def read_as_anything(system: str, feed: str) -> tuple[Signs | None, Sequence[str]]:
    """For whoever knows no descriptions: records are told by their place alone."""
    return NO_SIGNS, ("json", "csv")



@dataclass(frozen=True, kw_only=True)
class EvidenceRecord:
    """One record that an operation rests on.

    `record_number` is 1-based in the vendor's unit and None where a whole file is the evidence; `place` says it in
    words (`line 812`, `element 3 of Records`). `record` is what may be shown of it and `text` the same to print: as
    the vendor wrote it, or written anew where something had to be `masked`. `problem` says why there is no record.
    """

    sha256: str
    record_number: int | None
    system: str | None = None
    feed: str | None = None
    instance: str | None = None
    original_name: str | None = None
    collected_at: datetime | None = None
    place: str | None = None
    record: Any = None
    text: str | None = None
    masked: bool = False
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One row of `control_operations.csv` and the records it names, in the row's order.

    `also_in` are the other periods whose reports hold this operation.
    """

    operation_id: str
    period_id: str
    row: dict[str, str]
    evidence: Sequence[EvidenceRecord]
    also_in: Sequence[str] = ()

    def lines(self) -> Iterator[str]:
        """The trace as lines for a terminal; nothing a vendor wrote can steer it."""
        yield f"Operation {visible(self.operation_id)} in the report of {visible(self.period_id)}"
        for key, value in self.row.items():
            if value and key not in ("operation_id", "evidence"):
                yield f"  {visible(key):<16} {_indented(value, 19)}"
        if self.also_in:
            yield f"  also reported in {', '.join(map(visible, self.also_in))}"
        for number, item in enumerate(self.evidence, 1):
            yield ""
            yield from _evidence_lines(item, f"Evidence {number} of {len(self.evidence)}")

    def as_dict(self) -> dict[str, Any]:
        """The trace as plain JSON values."""
        return {
            "operation_id": self.operation_id,
            "period_id": self.period_id,
            "also_in": list(self.also_in),
            "row": self.row,
            "evidence": [
                asdict(item) | {"collected_at": item.collected_at and instants.written(item.collected_at)}
                for item in self.evidence
            ],
        }


def trace(
    home: Home, operation_id: str, shown: Shown, reading: Reading = read_as_anything
) -> Trace:
    """The operation's row and its evidence records.

    `reading(system, feed)` says how that feed's exports are read. Of an operation in several reports, one that is decided is shown rather than one that
    was pending. What can't be shown of the evidence is said in its `problem`. Raises UserMistake when no report holds the operation.
    """
    rows = list(_rows(home, operation_id))
    if not rows:
        where = (
            "report" if home.reports.is_dir() else "report, because none is written yet: upheld report PERIOD"
        )
        raise UserMistake(f"No operation {visible(operation_id)} in any {where}.")
    period_id, row = min(
        rows, key=lambda found: (found[1].get("outcome") == "pending", _newest_first(found[0]))
    )
    return Trace(
        operation_id=operation_id,
        period_id=period_id,
        row=row,
        evidence=evidence_records(home, [row.get("evidence", "")], shown, reading)[0],
        also_in=[other for other, _ in rows if other != period_id],
    )


def _newest_first(report: str) -> tuple[str, int]:
    """Of a period's revisions the last one counts; `.r2` and so on mark them."""
    period, _, number = report.rpartition(".r")
    return (period, -int(number)) if period and number.isascii() and number.isdigit() else (report, -1)


def _rows(home: Home, operation_id: str) -> Iterator[tuple[str, dict[str, str]]]:
    csv.field_size_limit(sys.maxsize)
    for report in sorted(home.reports.iterdir()) if home.reports.is_dir() else ():
        operations = home.report_data(report.name) / "control_operations.csv"
        if report.name.startswith(".") or not operations.is_file():
            continue
        with operations.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            headings = next(rows, [])
            if "operation_id" not in headings:
                continue
            column = headings.index("operation_id")
            for row in rows:
                if len(row) > column and row[column] == operation_id:
                    yield report.name, dict(zip(headings, row, strict=False))
                    break


def evidence_records(
    home: Home,
    tokens: Sequence[str],
    shown: Shown,
    reading: Reading = read_as_anything,
) -> list[list[EvidenceRecord]]:
    """The records that each of several `evidence` fields names, in its order. Every file is read once for all of them."""
    asked = [[_asked(token) for token in field.split()] for field in tokens]
    together = [each for field in asked for each in field]
    files = {sha256 for sha256, _ in together}
    deliveries: dict[str, list[LedgerEntry]] = {sha256: [] for sha256 in files}
    for entry in entries_naming(home.ledger, files):
        deliveries[entry.sha256].append(entry)
    answers: dict[tuple[str, int | None], EvidenceRecord] = {}
    for sha256 in files:
        numbers = list(dict.fromkeys(number for each, number in together if each == sha256))
        for number, answer in _of_one_file(
            home, sha256, numbers, deliveries[sha256], shown, reading
        ).items():
            answers[sha256, number] = answer
    return [[answers[each] for each in field] for field in asked]


def _asked(token: str) -> tuple[str, int | None]:
    """`sha256:record_number`; a token without a number names a whole file."""
    sha256, _, number = token.partition(":")
    return sha256, int(number) if re.fullmatch(r"[0-9]{1,18}", number) and int(number) else None


def _of_one_file(
    home: Home,
    sha256: str,
    numbers: Sequence[int | None],
    deliveries: Sequence[LedgerEntry],
    shown: Shown,
    reading: Reading,
) -> dict[int | None, EvidenceRecord]:
    if not deliveries:
        problem = "no ledger entry names this file"
        return {
            number: EvidenceRecord(sha256=sha256, record_number=number, problem=problem) for number in numbers
        }
    # The earliest collection is the one that counts; ties are broken so that the answer does not depend on arrival.
    first = min(deliveries, key=lambda entry: (entry.collected_at, entry.system, entry.feed, entry.instance))
    places = sorted({(entry.system, entry.feed) for entry in deliveries})
    signs, shapes = reading(first.system, first.feed)
    found, problem = _found(home, sha256, first.original_name, [number for number in numbers if number], signs, shapes)

    def answer(number: int | None) -> EvidenceRecord:
        told: dict[str, Any] = {"problem": problem}
        if number is None:
            told["place"] = "the whole file"
        elif problem is None:
            record = found.get(number)
            told = _told(record, places, shown) if record else {"problem": f"the file has no record {number}"}
        return EvidenceRecord(
            sha256=sha256,
            record_number=number,
            system=first.system,
            feed=first.feed,
            instance=first.instance,
            original_name=first.original_name,
            collected_at=first.collected_at,
            **told,
        )

    return {number: answer(number) for number in numbers}


def _found(
    home: Home, sha256: str, name: str, numbers: Sequence[int], signs: Signs | None, shapes: Sequence[str]
) -> tuple[dict[int, FoundRecord], str | None]:
    original = home.original(sha256)
    try:
        if sha256_of(original) != sha256:
            return {}, "the original was altered; run `upheld verify`"
        return find_records(original, name, numbers, signs, shapes), None
    except UnreadableFile as problem:
        return {}, str(problem)
    except OSError as problem:
        return {}, f"the original can't be read ({problem.strerror}); run `upheld verify`"


def _told(found: FoundRecord, places: Sequence[tuple[str, str]], shown: Shown) -> dict[str, Any]:
    if found.problem is not None:
        return {"place": found.place, "problem": found.problem}
    record = found.value
    # The same bytes may have landed under two feeds; whatever either of them masks stays masked.
    for system, feed in places:
        record = shown(system, feed, record)
    if found.is_plain and record == found.value:
        return {"place": found.place, "record": record, "text": found.text}
    is_csv = found.text is not None and found.place.startswith("row ")
    text = rewritten_csv(record) if is_csv else json.dumps(record, ensure_ascii=False)
    # Half a surrogate pair can stand in JSON, but can't be printed.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return {"place": found.place, "record": record, "text": text, "masked": record != found.value}


def _evidence_lines(item: EvidenceRecord, title: str) -> Iterator[str]:
    source = "/".join(part for part in (item.system, item.feed, item.instance) if part)
    yield visible(f"{title}: {source or 'unknown'}, {item.place or f'record {item.record_number}'}")
    if item.original_name:
        collected = f", collected {instants.written(item.collected_at)}" if item.collected_at else ""
        yield visible(f"  {item.original_name}{collected}")
    # As the report's evidence column has it, so that one finds the other.
    yield f"  {visible(item.sha256)}" + (f":{item.record_number}" if item.record_number else "")
    if item.problem:
        yield f"  {visible(item.problem)}"
    if item.masked:
        yield "  (values outside the fields this feed names are masked)"
    if item.text is not None:
        yield f"  {_indented(item.text, 2)}"


def _indented(text: str, spaces: int) -> str:
    return ("\n" + " " * spaces).join(visible(line) for line in re.split(r"\r\n|\n|\r", text))


# C0 but tab, DEL, C1, the marks that reorder what is read after them, and halves of surrogate pairs.
_STEERING = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    """One line of text in which nothing steers the terminal or changes the order of reading."""
    return _STEERING.sub(lambda sign: f"\\u{ord(sign.group()):04x}", text)
