"""Samples of control operations that an auditor can draw again by hand.

The *frame* is every operation of a control that is due. It is ordered by the SHA-256 of `<seed>:<operation_id>`, and the
first rows are the sample: every operation has the same chance, and the order depends on nothing but seed and ids. Sizes
follow the frequency of the control and the size of the frame.
"""

from __future__ import annotations

import csv
import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.errors import UserMistake
from pipelines.reports.data_files import rows_of

METHOD = "ascending SHA-256 of '<seed>:<operation_id>'"

_COPIED = (
    *("subject_type", "subject_id", "subject_name", "system", "instance", "cycle"),
    *("opened_at", "due_at", "performed_at", "outcome", "reason", "reason_text", "evidence"),
)
COLUMNS = (
    *("period_id", "control_id", "frequency", "frame_size", "sample_size", "seed", "frame_sha256"),
    *("rank", "draw_sha256", "operation_id"),
    *_COPIED,
)

PER_EVENT = "per_event"


@dataclass(frozen=True)
class Size:
    """How many operations are drawn: `least` of a small frame, `most` of one of `most_from` operations or more."""

    least: int
    most: int
    most_from: int

    def of(self, frame: int) -> int:
        """The size for a frame: rises evenly from `least` to `most`, rounded up, and never more than there are."""
        reached = min(frame, self.most_from)
        return min(frame, self.least + -((self.least - self.most) * reached // self.most_from))


SIZES = {
    "annual": Size(1, 1, 1),
    "quarterly": Size(2, 2, 4),
    "monthly": Size(2, 4, 12),
    "weekly": Size(5, 15, 52),
    "daily": Size(20, 40, 365),
    PER_EVENT: Size(25, 60, 1000),
}

# Operations of these come with the calendar, whatever happens; those of all others with what happens.
FREQUENCIES = {"EVD": "weekly", "LOG": "daily"}


@dataclass(frozen=True)
class SamplingPlan:
    """The seed, and how many operations of each control are drawn."""

    seed: int = 1
    sizes: Mapping[str, Size] = field(default_factory=lambda: dict(SIZES))
    frequencies: Mapping[str, str] = field(default_factory=lambda: dict(FREQUENCIES))

    def frequency(self, control_id: str) -> str:
        return self.frequencies.get(control_id, PER_EVENT)

    def size(self, control_id: str, frame: int) -> int:
        return self.sizes[self.frequency(control_id)].of(frame)

    def as_plain(self) -> dict[str, Any]:
        """The plan as the manifest records it, and as `[sampling]` of `upheld.toml` may set it."""
        return {
            "method": METHOD,
            "seed": self.seed,
            "sizes": {name: vars(size) for name, size in self.sizes.items()},
            "frequencies": dict(self.frequencies),
        }


def plan_of(settings: Mapping[str, Any], where: str = "[sampling]") -> SamplingPlan:
    """The plan that `[sampling]` sets; what it doesn't name stays as it is. Raises UserMistake for what can't be one."""
    known = {"seed", "sizes", "frequencies", "method"}
    if strangers := sorted(settings.keys() - known):
        raise UserMistake(f"{where}: expected seed, sizes or frequencies, found {strangers[0]!r}.")
    seed = settings.get("seed", SamplingPlan.seed)
    if not _is_count(seed):
        raise UserMistake(f"{where} seed: expected a whole number from 0, found {seed!r}.")
    sizes = dict(SIZES)
    for name, numbers in _table(settings, "sizes", where).items():
        sizes[name] = _size(name, numbers, where)
    frequencies = FREQUENCIES | _table(settings, "frequencies", where)
    for control_id, name in frequencies.items():
        if name not in sizes:
            raise UserMistake(
                f"{where} frequencies, {control_id}: expected one of {', '.join(sizes)}, found {name!r}."
            )
    return SamplingPlan(seed, sizes, frequencies)


@dataclass(frozen=True)
class Frame:
    """The operations that a sample is drawn from: the ids of those that are due, of one control."""

    operation_ids: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """SHA-256 of the sorted ids, one per line."""
        return hashlib.sha256(
            "".join(f"{each}\n" for each in sorted(self.operation_ids)).encode()
        ).hexdigest()

    def draw(self, seed: int, size: int) -> list[tuple[str, str]]:
        """The first `size` of all pairs (draw, operation id), in order of the draw."""
        return heapq.nsmallest(size, ((draw_of(seed, each), each) for each in self.operation_ids))


def draw_of(seed: int, operation_id: str) -> str:
    """What decides the place of an operation: SHA-256 of `<seed>:<operation_id>`, in hex."""
    return hashlib.sha256(f"{seed}:{operation_id}".encode()).hexdigest()


def draw_samples(
    operations: Path, plan: SamplingPlan, control_id: str | None = None, size: int | None = None
) -> list[dict[str, str]]:
    """The sample of every control (or of one, of a size of its own) from a `control_operations.csv`, as rows.

    Ordered by control and rank. A control without any operation that is due has no row.
    """
    frames: dict[str, list[str]] = defaultdict(list)
    for row in rows_of(operations):
        if row["outcome"] != "pending" and control_id in (None, row["control_id"]):
            frames[row["control_id"]].append(row["operation_id"])
    drawn: dict[tuple[str, str], dict[str, str]] = {}
    for each, operation_ids in sorted(frames.items()):
        drawn |= _drawn(each, Frame(tuple(operation_ids)), plan, size)
    for row in rows_of(operations):
        if found := drawn.get((row["control_id"], row["operation_id"])):
            found |= {"period_id": row["period_id"]} | {name: row[name] for name in _COPIED}
    return list(drawn.values())


def write_samples(rows: Iterable[Mapping[str, str]], path: Path) -> None:
    """Write rows of a sample in the one form that data files have. Their text is safe already: it comes from one."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([row[name] for name in COLUMNS] for row in rows)


def faults_of_samples(
    told: Iterable[Mapping[str, str]], operations: Path, plan: SamplingPlan
) -> Iterator[str]:
    """Where `samples.csv` is not what its seed draws, one line each."""
    expected = {(row["control_id"], row["rank"]): row for row in draw_samples(operations, plan)}
    for row in told:
        same = expected.pop((row.get("control_id", ""), row.get("rank", "")), None)
        if same is None:
            yield f"{row.get('control_id')} {row.get('rank')}: the seed {plan.seed} draws no such item."
        elif same != dict(row):
            yield f"{row['control_id']} {row['rank']}: the seed {plan.seed} draws {same['operation_id']}, or it was altered."
    for control_id, rank in expected:
        yield f"{control_id} {rank}: is missing."


def _drawn(
    control_id: str, frame: Frame, plan: SamplingPlan, size: int | None
) -> dict[tuple[str, str], dict[str, str]]:
    size = plan.size(control_id, len(frame.operation_ids)) if size is None else size
    sample = frame.draw(plan.seed, size)
    common = {
        "period_id": "",
        "control_id": control_id,
        "frequency": plan.frequency(control_id),
        "frame_size": str(len(frame.operation_ids)),
        "sample_size": str(len(sample)),
        "seed": str(plan.seed),
        "frame_sha256": frame.sha256,
    }
    return {
        (control_id, operation_id): common
        | {"rank": str(rank), "draw_sha256": draw, "operation_id": operation_id}
        for rank, (draw, operation_id) in enumerate(sample, 1)
    }


def _table(settings: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    table = settings.get(name, {})
    if not isinstance(table, Mapping):
        raise UserMistake(f"{where} {name}: expected a table, found {table!r}.")
    return dict(table)


def _size(name: str, numbers: Any, where: str) -> Size:
    keys = ("least", "most", "most_from")
    if (
        not isinstance(numbers, Mapping)
        or set(numbers) != set(keys)
        or not all(_is_count(numbers[key]) for key in keys)
        or not 1 <= numbers["least"] <= numbers["most"]
        or numbers["most_from"] < 1
    ):
        raise UserMistake(
            f"{where} sizes, {name}: expected {{least = 25, most = 60, most_from = 1000}}, found {numbers!r}."
        )
    return Size(**numbers)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
