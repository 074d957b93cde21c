"""One audit period as plain data, read from the rpt_ tables of the published warehouse.

Small things (period, controls, findings) are held whole; tables that grow with the company are `Table`s, read
again from the warehouse by whoever iterates them, so no format ever needs all operations in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.errors import UserMistake
from pipelines.reports.shapes import Shape, read_shapes
from pipelines.warehouse import Connection, open_read_only
from pipelines.warehouse import name as quoted

Kind = Literal["text", "time", "integer", "number", "truth"]
"""What a column holds. `time` is an instant in UTC, `number` a DOUBLE, `truth` a BOOLEAN; any may be NULL."""


@dataclass(frozen=True)
class Column:
    """A column of a table by its name in the warehouse and in the CSV file."""

    name: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """Rows in canonical order. `read` starts again at the first row each time it is called."""

    name: str
    columns: tuple[Column, ...]
    read: Callable[[], Iterator[tuple[Any, ...]]] = field(repr=False)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self.read()

    def records(self) -> Iterator[dict[str, Any]]:
        names = [column.name for column in self.columns]
        return (dict(zip(names, row, strict=True)) for row in self.read())


@dataclass(frozen=True)
class Period:
    """`start_at`, `end_at` (exclusive), `as_of` and `cutoff_at` (T of SPEC section 1) are naive UTC instants."""

    period_id: str
    start_at: datetime
    end_at: datetime
    timezone: str
    as_of: datetime
    cutoff_at: datetime
    feed_timezones: Mapping[str, str] = field(default_factory=dict)
    """`system/feed` -> zone, of feeds whose times without a zone were read in another one than UTC."""

    @property
    def zone(self) -> tzinfo:
        """The period's zone, or UTC where this machine does not know it."""
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            return UTC

    def day_of(self, instant: datetime) -> date:
        """The calendar day of a UTC instant in the period's own zone."""
        return instant.replace(tzinfo=UTC).astimezone(self.zone).date()

    def begin_of(self, day: date) -> datetime:
        """The UTC instant at which a day begins in the period's own zone."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return midnight.astimezone(UTC).replace(tzinfo=None)

    @property
    def first_day(self) -> date:
        return self.day_of(self.start_at)

    @property
    def last_day(self) -> date:
        """The last day inside the period."""
        return self.day_of(self.end_at - timedelta(microseconds=1))

    @property
    def is_over(self) -> bool:
        return self.as_of >= self.end_at


@dataclass(frozen=True)
class Figures:
    """Counts of operations and rates of section 6; a rate is None where it is undefined (nothing to divide by)."""

    population: int
    tested: int
    operated: int
    deviations: int
    waived: int
    indeterminate: int
    pending: int
    evidence_coverage: float | None
    deviation_rate: float | None
    deviation_rate_upper_95: float | None


@dataclass(frozen=True)
class Finding:
    """The answer to one completeness expectation, for one control or (control_id None) for the warehouse."""

    expectation: str
    control_id: str | None
    passed: bool
    detail: str | None


@dataclass(frozen=True)
class Stretch:
    """How many operations of one outcome fall into one stretch of the period (`number` from 0)."""

    number: int
    outcome: str
    operations: int


@dataclass(frozen=True)
class Timeline:
    """A control's operations over the period, in stretches of `days` days from P.start.

    An operation stands where it was performed, a deviation where it began, the others where they were due; what
    lies outside the period stands at its edge. `undated` operations have no such instant: a state that held all along.
    """

    days: int
    length: int
    stretches: tuple[Stretch, ...] = ()
    undated: int = 0


@dataclass(frozen=True)
class Control:
    """What is claimed about one control and, where it is assessed, what was found.

    `figures` None: not assessed; then nothing but the title may be known of it.
    """

    control_id: str
    title: str
    objective: str | None
    operation_is: str | None
    operated_when: str | None
    figures: Figures | None
    conclusion: str | None
    findings: tuple[Finding, ...]
    timeline: Timeline | None
    shapes: tuple[Shape, ...] = ()


@dataclass(frozen=True)
class Waiver:
    """An approved exception that excuses at least one operation of the period. Instants are naive UTC."""

    waiver_id: str
    control_id: str
    system: str | None
    subject_id: str | None
    in_force_from: datetime | None
    in_force_until: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    reason: str | None
    evidence: str | None


@dataclass(frozen=True)
class LateDecision:
    """A waiver or policy that was first collected after the instant it governs."""

    kind: str
    decision_id: str
    governs_from: datetime | None
    first_collected_at: datetime | None
    detail: str | None


@dataclass(frozen=True)
class FeedCoverage:
    """How much of the period one feed covers. `uncovered_seconds` for logs, `missed_slots` for snapshots."""

    system: str
    feed: str
    instance: str | None
    kind: str | None
    sparse: bool | None
    evidence_files: int
    uncovered_seconds: float
    missed_slots: int
    rejected_records: int
    rejected_files: int
    detail: str | None

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing to say against this feed."""
        faults = self.uncovered_seconds, self.missed_slots, self.rejected_records, self.rejected_files
        return bool(self.evidence_files) and not any(faults)


@dataclass(frozen=True)
class EvidenceTiming:
    """How many of a period's operations, of all controls, rest on evidence first collected in its last tenth or later."""

    last_tenth_from: datetime
    operations: int
    end_loaded_operations: int
    end_loaded_share: float


@dataclass(frozen=True)
class EvidenceFile:
    """One delivery of an evidence file; `collected_at` is a naive UTC instant."""

    system: str
    feed: str
    instance: str | None
    original_name: str | None
    sha256: str
    collected_at: datetime | None
    status: str
    reject_reason: str | None


@dataclass(frozen=True)
class AuditReport:
    """Everything a format may put before an auditor.

    `tables` hold what goes into data/, in their canonical order. `data_digest` is the SHA-256 over the written
    data files and None until they are written.
    """

    period: Period
    controls: tuple[Control, ...]
    general_findings: tuple[Finding, ...]
    late_decisions: tuple[LateDecision, ...]
    feed_coverage: tuple[FeedCoverage, ...]
    evidence_files: tuple[EvidenceFile, ...]
    waivers: tuple[Waiver, ...]
    tables: tuple[Table, ...]
    exceptions: Callable[[int], Iterator[dict[str, Any]]] = field(repr=False)
    """`exceptions(rows)`: of every control the first `rows` of its two lists, `deviations` (waived ones too) and
    `indeterminate`, as records of rpt_control_operations with `began_at` and `list`."""
    timing: EvidenceTiming | None = None
    """None where the period has no operation."""
    data_digest: str | None = None

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)

    @property
    def assessed(self) -> tuple[Control, ...]:
        return tuple(control for control in self.controls if control.figures is not None)

    @property
    def conclusions(self) -> dict[str, str]:
        """Control id -> code name of its conclusion, for assessed controls."""
        return {control.control_id: control.conclusion for control in self.assessed if control.conclusion}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding: those that touch a control, then the general ones."""
        return (
            tuple(finding for control in self.controls for finding in control.findings)
            + self.general_findings
        )

    @property
    def decisions_in_force(self) -> tuple[EvidenceFile, ...]:
        """The newest accepted file of each decisions feed, in order of feed; ties break by hash."""
        newest: dict[str, EvidenceFile] = {}
        for file in self.evidence_files:
            if file.system != "decisions" or file.status != "accepted" or file.collected_at is None:
                continue
            known = newest.get(file.feed)
            if known is None or (file.collected_at, file.sha256) > (known.collected_at, known.sha256):
                newest[file.feed] = file
        return tuple(newest[feed] for feed in sorted(newest))


# -- what is read -----------------------------------------------------------------------------------------------

_FIGURES = (
    *(Column(name, "integer") for name in ("population", "tested", "operated", "deviations", "waived")),
    *(Column(name, "integer") for name in ("indeterminate", "pending")),
    *(Column(name, "number") for name in ("evidence_coverage", "deviation_rate", "deviation_rate_upper_95")),
)
_OPERATION = (
    *map(Column, ("operation_id", "period_id", "control_id", "subject_type", "subject_id", "subject_name")),
    *map(Column, ("system", "instance", "identity_id", "entitlement", "cycle")),
    *(Column(name, "time") for name in ("opened_at", "due_at", "performed_at")),
    Column("measure_name"),
    Column("measure_value", "number"),
    Column("threshold_value", "number"),
    *map(Column, ("unit", "outcome", "reason", "reason_text", "waiver_id", "evidence")),
)


@dataclass(frozen=True)
class _Source:
    """Where a table of data/ comes from: `keys` order it, and the other columns settle what the keys leave open."""

    name: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    where: str = "true"

    def sql(self) -> str:
        names = [column.name for column in self.columns]
        order = [*self.keys, *(name for name in names if name not in self.keys)]
        ordering = ", ".join(f'"{name}" nulls last' for name in order)
        selected = ", ".join(f'"{name}"' for name in names)
        return f"select {selected} from rpt_{self.name} where {self.where} order by {ordering}"


_OF_PERIOD = "period_id = $period_id"
_SOURCES = (
    _Source(
        "control_coverage",
        (*map(Column, ("period_id", "control_id", "title")), *_FIGURES, Column("conclusion")),
        ("control_id",),
        f"{_OF_PERIOD} and control_id in (select control_id from rpt_controls where assessed)",
    ),
    _Source("control_operations", _OPERATION, ("operation_id",), _OF_PERIOD),
    _Source(
        "expectations",
        (Column("expectation"), Column("control_id"), Column("passed", "truth"), Column("detail")),
        ("expectation", "control_id", "passed", "detail"),
        f"({_OF_PERIOD} or period_id is null)",
    ),
    _Source("deviations", (*_OPERATION, Column("began_at", "time")), ("operation_id",), _OF_PERIOD),
    _Source(
        "evidence_files",
        (
            *map(Column, ("system", "feed", "instance", "original_name", "sha256")),
            Column("size_bytes", "integer"),
            Column("collected_at", "time"),
            Column("collected_at_source"),
            Column("window_start", "time"),
            Column("window_end", "time"),
            *(Column(n, "integer") for n in ("declared_record_count", "records_parsed", "records_rejected")),
            Column("first_event_at", "time"),
            Column("last_event_at", "time"),
            Column("snapshot_id"),
            Column("filtered", "truth"),
            *map(Column, ("query", "collected_by", "status", "reject_reason")),
        ),
        ("system", "feed", "instance", "collected_at", "sha256", "original_name"),
    ),
    _Source(
        "rejected_records",
        (
            *map(Column, ("system", "feed", "instance", "original_name", "sha256")),
            Column("record_number", "integer"),
            Column("reason"),
            Column("byte_offset", "integer"),
            Column("byte_length", "integer"),
            Column("text_sha256"),
            Column("text"),
        ),
        ("system", "feed", "instance", "sha256", "record_number"),
    ),
    _Source(
        "unlinked",
        tuple(map(Column, ("kind", "system", "instance", "native_id", "name", "tried", "evidence"))),
        ("kind", "system", "instance", "native_id"),
    ),
    _Source(
        "framework_coverage",
        (
            *map(
                Column,
                ("period_id", "framework", "version", "requirement_id", "title", "former_ids", "answer"),
            ),
            *map(Column, ("relation", "control_id", "control_title", "conclusion")),
            Column("tested", "integer"),
            Column("deviations", "integer"),
        ),
        ("framework", "version", "requirement_id", "relation", "control_id"),
        _OF_PERIOD,
    ),
)

_EXCEPTIONS = f"""
with
listed as (
    select
        {", ".join(f'operations."{column.name}"' for column in _OPERATION)},
        deviations.began_at,
        case when operations.outcome = 'indeterminate' then 'indeterminate' else 'deviations' end as list,
        case when operations.outcome = 'indeterminate' then operations.due_at else deviations.began_at end as placed_at
    from rpt_control_operations as operations
    left join rpt_deviations as deviations
        on operations.operation_id = deviations.operation_id and operations.period_id = deviations.period_id
    where operations.period_id = $period_id and operations.outcome in ('deviation', 'waived', 'indeterminate')
)
select {", ".join(f'"{column.name}"' for column in _OPERATION)}, began_at, list
from listed
qualify row_number() over (
    partition by control_id, list order by outcome, placed_at nulls last, operation_id
) <= $rows
order by control_id, list, outcome, placed_at nulls last, operation_id
"""

_TIMELINE = """
with
placed as (
    select
        operations.control_id,
        operations.outcome,
        case
            when operations.outcome in ('deviation', 'waived')
                then coalesce(deviations.began_at, operations.due_at, operations.opened_at)
            -- Where a state held all along there is no instant, and the day it began would mislead.
            when operations.outcome = 'operated' then coalesce(operations.performed_at, operations.due_at)
            else coalesce(operations.due_at, operations.opened_at)
        end as placed_at
    from rpt_control_operations as operations
    left join rpt_deviations as deviations
        on operations.operation_id = deviations.operation_id and operations.period_id = deviations.period_id
    where operations.period_id = $period_id
)
select
    control_id,
    outcome,
    case
        when placed_at is null then null
        when placed_at < $start_at then 0
        else least((epoch_us(placed_at) - epoch_us($start_at::timestamp)) // $width_us, $last)
    end as stretch,
    count(*) as operations
from placed
group by all
order by control_id, stretch nulls last, outcome
"""


@contextmanager
def open_report(warehouse: Path, period_id: str) -> Iterator[AuditReport]:
    """The report of one period; its tables can be read until the block ends. They all see one published build.

    Raises UserMistake when there is no warehouse or it has no such period.
    """
    connection = open_read_only(warehouse)
    try:
        yield _read_report(connection, period_id)
    finally:
        connection.close()


def _cursor(connection: Connection) -> Connection:
    """A reader of its own, so that two tables (or one twice) can be read side by side."""
    cursor = connection.cursor()
    # A cursor begins in the first database of its connection, not in the one the connection uses.
    (database,) = connection.execute("select current_database()").fetchone() or ("",)
    cursor.execute(f"use {quoted(database)}")
    return cursor


def _read_report(connection: Connection, period_id: str) -> AuditReport:
    def rows(sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return _cursor(connection).execute(sql, {"period_id": period_id, **parameters}).fetchall()

    period = _read_period(connection, period_id)
    tables = tuple(_table(connection, source, period_id) for source in _SOURCES)
    by_name = {table.name: table for table in tables}

    findings = tuple(Finding(*row) for row in by_name["expectations"])
    controls = _controls(connection, period, by_name["control_coverage"], findings)
    known = {control.control_id for control in controls}
    late = rows(
        """
        select kind, decision_id, governs_from, first_collected_at, detail from rpt_late_decisions
        where period_id = $period_id order by all nulls last
        """
    )
    feeds = rows(
        """
        select
            system, feed, instance, kind, sparse, coalesce(evidence_files, 0), coalesce(uncovered_seconds, 0),
            coalesce(missed_slots, 0), coalesce(rejected_records, 0), coalesce(rejected_files, 0), detail
        from rpt_feed_coverage
        where period_id = $period_id order by all nulls last
        """
    )
    waivers = rows(
        """
        select
            waiver_id, control_id, system, subject_id, in_force_from, in_force_until, approved_by, approved_at, reason,
            evidence
        from rpt_waivers
        where period_id = $period_id order by all nulls last
        """
    )

    timing = rows(
        """
        select last_tenth_from, operations, end_loaded_operations, end_loaded_share from rpt_evidence_timing
        where period_id = $period_id and control_id is null
        """
    )

    def exceptions(most: int) -> Iterator[dict[str, Any]]:
        names = [*(column.name for column in _OPERATION), "began_at", "list"]
        return (dict(zip(names, row, strict=True)) for row in rows(_EXCEPTIONS, rows=most))

    return AuditReport(
        period=period,
        controls=controls,
        general_findings=tuple(finding for finding in findings if finding.control_id not in known),
        late_decisions=tuple(LateDecision(*row) for row in late),
        feed_coverage=tuple(FeedCoverage(*row) for row in feeds),
        evidence_files=tuple(
            EvidenceFile(**{name: record[name] for name in EvidenceFile.__dataclass_fields__})
            for record in by_name["evidence_files"].records()
        ),
        waivers=tuple(Waiver(*row) for row in waivers),
        tables=tables,
        exceptions=exceptions,
        timing=EvidenceTiming(*timing[0]) if timing else None,
    )


def _read_period(connection: Connection, period_id: str) -> Period:
    known = (
        _cursor(connection)
        .execute(
            "select period_id, start_at, end_at, timezone, as_of, cutoff_at, feed_timezones from rpt_periods order by all"
        )
        .fetchall()
    )
    found = [row for row in known if row[0] == period_id]
    if not found:
        names = ", ".join(dict.fromkeys(row[0] for row in known)) or "none"
        raise UserMistake(f"The warehouse has no period {period_id!r}. Periods it has: {names}.")
    *values, feed_timezones = found[0]
    return Period(*values, json.loads(feed_timezones or "{}"))


def _table(connection: Connection, source: _Source, period_id: str) -> Table:
    sql = source.sql()
    parameters = {"period_id": period_id} if "$period_id" in sql else {}

    def read() -> Iterator[tuple[Any, ...]]:
        cursor = _cursor(connection)
        try:
            result = cursor.execute(sql, parameters)
            while batch := result.fetchmany(8192):
                yield from batch
        finally:
            cursor.close()

    return Table(source.name, source.columns, read)


def _controls(
    connection: Connection, period: Period, coverage: Table, findings: tuple[Finding, ...]
) -> tuple[Control, ...]:
    timelines = _timelines(connection, period)
    shapes = _shapes(connection, period)
    covered = {record["control_id"]: record for record in coverage.records()}
    names = [column.name for column in _FIGURES]
    catalogue = (
        _cursor(connection)
        .execute(
            """
            select control_id, title, objective, operation_is, operated_when, assessed
            from rpt_controls order by control_id
            """
        )
        .fetchall()
    )
    controls = []
    for control_id, title, objective, operation_is, operated_when, assessed in catalogue:
        record = covered.get(control_id)
        if assessed and record is None:
            # An assessed control without figures would vanish from the report: that is never what was found.
            raise RuntimeError(
                f"rpt_control_coverage lacks the assessed control {control_id} for {period.period_id}"
            )
        controls.append(
            Control(
                control_id=control_id,
                title=title,
                objective=objective,
                operation_is=operation_is,
                operated_when=operated_when,
                figures=Figures(**{name: record[name] for name in names}) if record else None,
                conclusion=record["conclusion"] if record else None,
                findings=tuple(finding for finding in findings if finding.control_id == control_id),
                timeline=timelines(control_id) if record else None,
                shapes=shapes.get(control_id, ()) if record else (),
            )
        )
    return tuple(controls)


def _shapes(connection: Connection, period: Period) -> dict[str, tuple[Shape, ...]]:
    def ask(sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return _cursor(connection).execute(sql, {"period_id": period.period_id, **parameters}).fetchall()

    return read_shapes(ask, period.start_at, period.end_at, period.cutoff_at)


def _timelines(connection: Connection, period: Period) -> Callable[[str], Timeline]:
    whole_days = -(-(period.end_at - period.start_at) // timedelta(days=1))
    days = next((width for width in (1, 7, 30) if whole_days <= 62 * width), 90)
    length = max(1, -(-whole_days // days))
    counted = (
        _cursor(connection)
        .execute(
            _TIMELINE,
            {
                "period_id": period.period_id,
                "start_at": period.start_at,
                "width_us": days * 86_400_000_000,
                "last": length - 1,
            },
        )
        .fetchall()
    )
    stretches: dict[str, list[Stretch]] = {}
    undated: dict[str, int] = {}
    for control_id, outcome, number, operations in counted:
        if number is None:
            undated[control_id] = undated.get(control_id, 0) + operations
        else:
            stretches.setdefault(control_id, []).append(Stretch(number, outcome, operations))
    return lambda control_id: Timeline(
        days, length, tuple(stretches.get(control_id, ())), undated.get(control_id, 0)
    )
