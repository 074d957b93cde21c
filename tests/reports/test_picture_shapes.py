"""Which picture fits a control follows from its operations: controls that do not exist yet are drawn, too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import hostile
import pytest
from made_up_warehouse import END, START, make_home

from pipelines.reports.formats.pictures.shape_picture import shape_picture
from pipelines.reports.report import Control, Period, open_report
from pipelines.reports.shapes import Cycles, Measures, Slots, Spells

PERIOD = Period("2026-H1", START, END, "Europe/Berlin", END, END)
DAY = timedelta(days=1)
Make = Callable[[list[dict]], Control]


@pytest.fixture
def control(tmp_path: Path) -> Make:
    """The control OFF with these operations in the place of its own."""

    def make(operations: list[dict]) -> Control:
        home = make_home(tmp_path)
        with duckdb.connect(str(home.warehouse)) as connection:
            connection.execute("delete from rpt_control_operations where control_id = 'OFF'")
            connection.execute("delete from rpt_deviations where control_id = 'OFF'")
            for number, operation in enumerate(operations):
                row = {
                    "operation_id": f"{number:032d}",
                    "period_id": "2026-H1",
                    "control_id": "OFF",
                    "subject_id": f"subject-{number}",
                    "subject_name": None,
                    "outcome": "operated",
                } | operation
                names = ", ".join(row)
                marks = ", ".join(f"${name}" for name in row)
                connection.execute(f"insert into rpt_control_operations ({names}) values ({marks})", row)
        with open_report(home.warehouse, "2026-H1") as report:
            return next(control for control in report.assessed if control.control_id == "OFF")

    return make


def at(day: int) -> datetime:
    return START + day * DAY


def test_dated_cycles_are_slots_and_adjacent_ones_are_drawn_as_one(control: Make) -> None:
    days = [
        {
            "subject_id": feed,
            "cycle": f"{at(day):%Y-%m-%d}",
            "opened_at": at(day),
            "due_at": at(day + 1),
            "outcome": "deviation" if feed == "gap" and day == 3 else "operated",
        }
        for feed in ("whole", "gap")
        for day in range(6)
    ]
    (shape,) = control(days).shapes
    assert isinstance(shape, Slots)
    assert [(name, [(run.outcome, run.slots) for run in runs]) for name, runs in shape.subjects] == [
        ("gap", [("operated", 3), ("deviation", 1), ("operated", 2)]),
        ("whole", [("operated", 6)]),
    ]


def test_of_two_operations_in_one_slot_the_worse_is_drawn(control: Make) -> None:
    same = {"subject_id": "feed", "cycle": "2026-01-01", "opened_at": at(0), "due_at": at(1)}
    (shape,) = control([same, same | {"outcome": "indeterminate"}]).shapes
    assert isinstance(shape, Slots)
    assert [run.outcome for run in shape.subjects[0][1]] == ["indeterminate"]


def test_many_subjects_are_cut_exceptions_first(control: Make) -> None:
    slot = {"cycle": "2026-01-01", "opened_at": at(0), "due_at": at(1)}
    (shape,) = control(
        [
            slot | {"subject_id": f"feed-{n:02d}", "outcome": "deviation" if n == 29 else "operated"}
            for n in range(30)
        ]
    ).shapes
    assert isinstance(shape, Slots)
    assert (shape.subjects[0][0], len(shape.subjects), shape.left_out) == ("feed-29", 20, 10)
    assert "10 more subjects are not drawn." in shape_picture(shape, PERIOD).caption


def test_a_few_rounds_are_cycles_whatever_they_measure(control: Make) -> None:
    (shape,) = control(
        [
            {
                "cycle": cycle,
                "outcome": outcome,
                "measure_value": 1.0,
                "threshold_value": 7.0,
                "performed_at": at(5),
            }
            for cycle, outcome in (("2026-Q1", "operated"), ("2026-Q1", "deviation"), ("2026-Q2", "pending"))
        ]
    ).shapes
    assert shape == Cycles((("2026-Q1", (("deviation", 1), ("operated", 1))), ("2026-Q2", (("pending", 1),))))


def test_an_empty_cycle_is_none(control: Make) -> None:
    (shape,) = control(
        [
            {
                "cycle": "",
                "measure_value": 31.0,
                "threshold_value": 24.0,
                "unit": "hours",
                "performed_at": at(9),
            }
        ]
    ).shapes
    assert isinstance(shape, Measures)
    assert (shape.limit, shape.unit, [point.operations for point in shape.points]) == (24.0, "hours", [1])


def test_different_limits_are_drawn_as_shares_of_each(control: Make) -> None:
    (shape,) = control(
        [
            {"measure_value": 45.0, "threshold_value": 90.0, "performed_at": at(9)},
            {"measure_value": 60.0, "threshold_value": 30.0, "performed_at": at(9), "outcome": "deviation"},
        ]
    ).shapes
    assert isinstance(shape, Measures)
    assert shape.limit is None
    assert sorted(point.share for point in shape.points) == [pytest.approx(0.5208333), 2.0]
    assert "the limit" in shape_picture(shape, PERIOD).alt


def test_a_state_that_lasts_is_drawn_by_its_exceptions(control: Make) -> None:
    (shape,) = control(
        [
            {"opened_at": at(0)},
            {"opened_at": at(0)},
            {"opened_at": at(10), "due_at": at(24), "outcome": "deviation"},
            {"opened_at": at(10), "due_at": at(24), "performed_at": at(60), "outcome": "waived"},
        ]
    ).shapes
    assert isinstance(shape, Spells)
    assert [(spell.name, spell.begin, spell.end) for spell in shape.spells] == [
        ("subject-2", at(10), None),
        ("subject-3", at(10), at(60)),
    ]


def test_an_act_without_a_limit_needs_no_further_picture(control: Make) -> None:
    grant = {"opened_at": at(10), "due_at": at(10)}
    assert control([grant, grant | {"outcome": "deviation"}]).shapes == ()


def test_a_state_that_is_measured_is_drawn_both_ways(control: Make) -> None:
    unused = {"opened_at": at(0), "due_at": at(90), "measure_value": 120.0, "threshold_value": 90.0}
    shapes = control(
        [unused | {"outcome": "deviation"}, unused | {"performed_at": at(80), "measure_value": 80.0}]
    ).shapes
    assert [type(shape) for shape in shapes] == [Measures, Spells]


def test_a_state_without_exceptions_needs_no_picture(control: Make) -> None:
    assert control([{"opened_at": at(0)}, {"opened_at": at(0)}]).shapes == ()


@pytest.mark.parametrize("text", hostile.TEXTS)
def test_a_picture_holds_evidence_as_text_only(text: str) -> None:
    from xml.etree import ElementTree

    from pipelines.reports.shapes import Run, Spell

    for shape in (
        Slots(((text, (Run(at(0), at(1), "deviation", 1),)),), 0),
        Spells((Spell(text, at(0), at(5), None, "deviation"),), 0),
        Cycles(((text, (("deviation", 1),)),)),
    ):
        drawn = ElementTree.fromstring(shape_picture(shape, PERIOD).svg)
        tags = {element.tag.rpartition("}")[2] for element in drawn.iter()}
        assert tags <= {"svg", "g", "path", "text", "rect", "line", "defs", "clipPath"}
        assert not any(
            name.startswith("on") or "href" in name for element in drawn.iter() for name in element.attrib
        )


def test_the_same_shape_is_the_same_picture() -> None:
    shape = Cycles((("2026-Q1", (("deviation", 2), ("operated", 7))),))
    assert shape_picture(shape, PERIOD) == shape_picture(shape, PERIOD)
