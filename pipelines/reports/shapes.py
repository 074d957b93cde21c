"""What a control's operations look like over the period, as plain data that a format can draw.

Which shape fits follows from the operations themselves, never from the control's name, so that a control which does
not exist yet is drawn too:

- slots, where each operation stands for a stretch of days (its cycle is a date): what is there and what is missing;
- cycles, where operations come in a few rounds: how each round went;
- measures, where operations are measured against a limit: how far from it each was;
- spells, where a control judges a state that lasts: the exceptions, from when to when, beside the measures if there are any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Ask = Callable[..., list[tuple[Any, ...]]]
"""Runs a query about the period and returns its rows."""

SUBJECTS = 20
"""Subjects with a row of their own in a picture; those with exceptions come first."""
CYCLES = 24
POINTS = 300
COLUMNS, ROWS = 84, 24
"""The raster in which operations within their limit are counted."""


@dataclass(frozen=True)
class Run:
    """Adjacent slots of one subject with the same outcome."""

    begin: datetime
    end: datetime
    outcome: str
    slots: int


@dataclass(frozen=True)
class Slots:
    """Per subject its runs. `left_out` subjects are not among them."""

    subjects: tuple[tuple[str, tuple[Run, ...]], ...]
    left_out: int


@dataclass(frozen=True)
class Cycles:
    """Per cycle, in order: outcome -> operations."""

    cycles: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]


@dataclass(frozen=True)
class Measured:
    """`operations` of one outcome at one place. `share` is measure / limit: 1 is the limit itself."""

    at: datetime
    share: float
    outcome: str
    operations: int


@dataclass(frozen=True)
class Measures:
    """Measures against their limit; `limit` None where policy set different ones. `left_out` exceptions are not drawn."""

    name: str
    unit: str
    limit: float | None
    points: tuple[Measured, ...]
    left_out: int


@dataclass(frozen=True)
class Spell:
    """An exception that lasted: from `begin`, past `due`, until `end` (None: it still lasts at the end)."""

    name: str
    begin: datetime
    due: datetime | None
    end: datetime | None
    outcome: str


@dataclass(frozen=True)
class Spells:
    """The longest exceptions. `left_out` others are not among them."""

    spells: tuple[Spell, ...]
    left_out: int


Shape = Slots | Cycles | Measures | Spells

_KINDS = """
select
    control_id,
    case
        when count(*) filter (regexp_matches(cycle, '^\\d{4}-\\d{2}-\\d{2}$')) >= 0.9 * count(*) then 'slots'
        when count(nullif(cycle, '')) >= 0.9 * count(*) and count(distinct cycle) <= $cycles then 'cycles'
        when count(*) filter (measure_value is not null and threshold_value > 0) >= 0.5 * count(*) then 'measures'
    end as kind,
    -- A state has a time for which it is allowed, and most exceptions last. An act has neither.
    count(*) filter (is_exception and due_at > opened_at) >= 0.5 * count(*) filter (is_exception)
        and count(*) filter (is_exception and performed_at is null) >= 0.5 * count(*) filter (is_exception) as lasts
from (
    select *, outcome in ('deviation', 'waived', 'indeterminate') as is_exception
    from rpt_control_operations
    where period_id = $period_id
)
group by control_id
order by control_id
"""

_SLOTS = """
with
slots as (
    select
        concat_ws('/', system, instance, subject_id) as subject,
        -- One subject is one row, whatever it is called in each of its operations.
        max(coalesce(subject_name, subject_id)) over (partition by system, instance, subject_id) as name,
        opened_at,
        due_at,
        outcome,
        -- Of two operations in one slot the worse one is drawn.
        row_number() over (
            partition by system, instance, subject_id, opened_at
            order by array_position(['deviation', 'indeterminate', 'waived', 'pending', 'operated'], outcome), operation_id
        ) as place
    from rpt_control_operations
    where period_id = $period_id and control_id = $control_id and opened_at is not null and due_at > opened_at
),
ranked as (
    select
        *,
        dense_rank() over (order by exceptions desc, name, subject) as rank
    from (
        select
            *, count(*) filter (outcome not in ('operated', 'pending')) over (partition by subject) as exceptions
        from slots
        where place = 1
    )
)
select name, subject, opened_at, due_at, outcome, max(rank) over () as subjects
from ranked
qualify rank <= $subjects
order by rank, opened_at, due_at
"""

_CYCLES = """
select cycle, outcome, count(*)
from rpt_control_operations
where period_id = $period_id and control_id = $control_id and cycle <> ''
group by all
order by cycle, outcome
"""

# Operated ones are counted in a raster, so that their number does not matter; exceptions are drawn one by one.
_MEASURES = """
with
measured as (
    select
        operation_id,
        outcome,
        greatest($start_at::timestamp, least(coalesce(performed_at, $cutoff_at::timestamp), $end_at::timestamp)) as placed_at,
        measure_value / threshold_value as share
    from rpt_control_operations
    where period_id = $period_id and control_id = $control_id and measure_value is not null and threshold_value > 0
),
raster as (
    select
        $start_at::timestamp + to_microseconds(cast(
            (0.5 + least(floor((epoch_us(placed_at) - epoch_us($start_at::timestamp)) / $width_us), $columns - 1)) * $width_us as bigint
        )
        ) as placed_at,
        case when share < -1 then -1 else (0.5 + floor(least(share, 64) * $rows)) / $rows end as share,
        outcome,
        count(*) as operations
    from measured
    where outcome in ('operated', 'pending')
    group by all
),
exceptions as (
    select placed_at, share, outcome, 1 as operations
    from measured
    where outcome not in ('operated', 'pending')
    qualify row_number() over (order by share desc, operation_id) <= $points
)
select placed_at, share, outcome, operations from raster
union all
select placed_at, share, outcome, operations from exceptions
order by all
"""

_LIMITS = """
select
    coalesce(min(measure_name), ''), coalesce(min(unit), ''), min(threshold_value), max(threshold_value),
    count(*) filter (outcome not in ('operated', 'pending') and measure_value is not null and threshold_value > 0)
from rpt_control_operations
where period_id = $period_id and control_id = $control_id
"""

_SPELLS = """
with
spells as (
    select
        operations.operation_id,
        coalesce(operations.subject_name, operations.subject_id) as name,
        coalesce(operations.opened_at, deviations.began_at) as begin_at,
        coalesce(operations.due_at, deviations.began_at) as due_at,
        operations.performed_at as end_at,
        operations.outcome,
        count(*) over () as every
    from rpt_control_operations as operations
    left join rpt_deviations as deviations
        on operations.operation_id = deviations.operation_id and operations.period_id = deviations.period_id
    where operations.period_id = $period_id and operations.control_id = $control_id
        and operations.outcome in ('deviation', 'waived', 'indeterminate')
)
select name, begin_at, due_at, end_at, outcome, every
from spells
where begin_at is not null
order by
    array_position(['deviation', 'indeterminate', 'waived'], outcome),
    coalesce(end_at, $cutoff_at::timestamp) - begin_at desc, name, operation_id
limit $subjects
"""


def read_shapes(
    ask: Ask, start_at: datetime, end_at: datetime, cutoff_at: datetime
) -> dict[str, tuple[Shape, ...]]:
    """Control id -> the shapes that fit it, those worth a picture only."""
    times = {"start_at": start_at, "end_at": end_at, "cutoff_at": cutoff_at}
    shapes: dict[str, tuple[Shape, ...]] = {}
    for control_id, kind, lasts in ask(_KINDS, cycles=CYCLES):
        found: list[Shape | None] = []
        if kind == "slots":
            found.append(_slots(ask, control_id))
        elif kind == "cycles":
            found.append(_cycles(ask, control_id))
        elif kind == "measures":
            found.append(_measures(ask, control_id, times))
        if kind in (None, "measures") and lasts:
            found.append(_spells(ask, control_id, cutoff_at))
        shapes[control_id] = tuple(shape for shape in found if shape is not None)
    return shapes


def _slots(ask: Ask, control_id: str) -> Slots | None:
    rows = ask(_SLOTS, control_id=control_id, subjects=SUBJECTS)
    names: dict[str, str] = {}
    runs: dict[str, list[Run]] = {}
    for name, subject, begin, end, outcome, _subjects in rows:
        names[subject] = name
        before = runs.setdefault(subject, [])
        if before and before[-1].outcome == outcome and before[-1].end == begin:
            before[-1] = Run(before[-1].begin, end, outcome, before[-1].slots + 1)
        else:
            before.append(Run(begin, end, outcome, 1))
    if not rows:
        return None
    subjects = tuple((names[subject], tuple(found)) for subject, found in runs.items())
    return Slots(subjects, rows[0][-1] - len(subjects))


def _cycles(ask: Ask, control_id: str) -> Cycles | None:
    cycles: dict[str, list[tuple[str, int]]] = {}
    for cycle, outcome, operations in ask(_CYCLES, control_id=control_id):
        cycles.setdefault(cycle, []).append((outcome, operations))
    return Cycles(tuple((cycle, tuple(found)) for cycle, found in cycles.items())) if cycles else None


def _measures(ask: Ask, control_id: str, times: dict[str, datetime]) -> Measures:
    ((name, unit, lowest, highest, exceptions),) = ask(_LIMITS, control_id=control_id)
    length = times["end_at"] - times["start_at"]
    rows = ask(
        _MEASURES,
        control_id=control_id,
        width_us=length.total_seconds() * 1e6 / COLUMNS,
        columns=COLUMNS,
        rows=ROWS,
        points=POINTS,
        **times,
    )
    limit = lowest if lowest == highest else None
    return Measures(name, unit, limit, tuple(Measured(*row) for row in rows), max(0, exceptions - POINTS))


def _spells(ask: Ask, control_id: str, cutoff_at: datetime) -> Spells | None:
    rows = ask(_SPELLS, control_id=control_id, cutoff_at=cutoff_at, subjects=SUBJECTS)
    if not rows:
        return None
    return Spells(tuple(Spell(*row[:5]) for row in rows), rows[0][5] - len(rows))
