"""The shape of a control's operations as a picture: slots, cycles, measures against a limit, or spells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pipelines.reports.formats.pictures.drawing import (
    COLOURS,
    FONT,
    INK,
    LEFT,
    QUIET,
    RIGHT,
    RULE,
    SHAPES,
    TOP,
    WIDTH,
    Layer,
    after_the_cutoff,
    calendar,
    cutoff,
    label,
    layer,
    svg,
    x_of,
)
from pipelines.reports.report import Period
from pipelines.reports.shapes import COLUMNS, ROWS, Cycles, Measured, Measures, Shape, Slots, Spells
from pipelines.reports.visible_text import visible
from pipelines.reports.words import OUTCOMES, counted

_NAMES = 250
"""Where the axis begins in pictures with a row per subject: names need room."""
_LETTERS = 38
_FOOT = 24
_LEGEND = 18
_PALE = {
    "deviation": "#f3cfcb",
    "indeterminate": "#ddcff2",
    "waived": "#f4d9c4",
    "pending": "#e3e7eb",
    "operated": "#b9c8d6",
}
_DOUBLINGS = 6


@dataclass(frozen=True)
class Picture:
    """An SVG, what it shows for those who do not see it, and how to read it."""

    svg: str
    alt: str
    caption: str


def shape_picture(shape: Shape, period: Period, font: str = FONT) -> Picture:
    """The picture that fits the shape."""
    if isinstance(shape, Slots):
        return _slots(shape, period, font)
    if isinstance(shape, Cycles):
        return _cycles(shape, font)
    if isinstance(shape, Measures):
        return _measures(shape, period, font)
    return _spells(shape, period, font)


# -- slots -------------------------------------------------------------------------------------------------------


def _slots(shape: Slots, period: Period, font: str) -> Picture:
    tall = 17
    foot = TOP + tall * len(shape.subjects)
    boxes: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for row, (name, runs) in enumerate(shape.subjects):
        y = TOP + tall * row
        names.append({"x": 0, "y": y + tall / 2, "text": _short(name)})
        for run in runs:
            counts[run.outcome] = counts.get(run.outcome, 0) + run.slots
            left, right = x_of(period, run.begin, _NAMES), x_of(period, run.end, _NAMES)
            # A slot of an hour still has to be seen.
            boxes.append(
                {
                    "x": left,
                    "x2": max(right, left + 1.2),
                    "y": y + 2.5,
                    "y2": y + tall - 2.5,
                    "outcome": run.outcome,
                }
            )
    boxes.sort(
        key=lambda box: OUTCOMES[box["outcome"]].rank if box["outcome"] in OUTCOMES else 9, reverse=True
    )
    layers = [
        *after_the_cutoff(period, foot, _NAMES),
        *_coloured({"type": "rect"}, boxes, _PALE | {k: v for k, v in COLOURS.items() if k != "operated"}),
        *calendar(period, TOP, foot, _NAMES),
        *label(names, 11, INK),
        *cutoff(period, foot, _NAMES),
        *_legend(counts, foot + _FOOT, _PALE | {k: v for k, v in COLOURS.items() if k != "operated"}),
    ]
    told = ", ".join(f"{OUTCOMES[outcome].title.lower()} {number:,}" for outcome, number in _ranked(counts))
    left_out = (
        f" {counted(shape.left_out, 'more subject is', 'more subjects are')} not drawn."
        if shape.left_out
        else ""
    )
    return Picture(
        svg(layers, foot + _FOOT + _LEGEND, font),
        f"Slots of {counted(len(shape.subjects), 'subject')}: {told}.{left_out}",
        f"Every slot of each subject from the beginning to the end of the period, those with exceptions first.{left_out}",
    )


# -- cycles ------------------------------------------------------------------------------------------------------


def _cycles(shape: Cycles, font: str) -> Picture:
    tall, room = 26, WIDTH - LEFT - 120
    most = max(sum(number for _, number in found) for _, found in shape.cycles)
    boxes: list[dict[str, Any]] = []
    inside: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    totals: dict[str, int] = {}
    told = []
    for row, (cycle, found) in enumerate(shape.cycles):
        y, x = 4 + tall * row, float(LEFT)
        names.append({"x": 0, "y": y + tall / 2, "text": _short(cycle, 17)})
        counts = dict(found)
        for outcome, number in sorted(
            counts.items(), key=lambda item: -OUTCOMES[item[0]].rank if item[0] in OUTCOMES else 0
        ):
            totals[outcome] = totals.get(outcome, 0) + number
            wide = max(2.0, round(room * number / most, 2))
            boxes.append({"x": x, "x2": x + wide, "y": y + 4, "y2": y + tall - 4, "outcome": outcome})
            if wide > 8 + 7 * len(f"{number:,}"):
                inside.append({"x": x + 5, "y": y + tall / 2, "text": f"{number:,}", "outcome": outcome})
            x += wide
        whole = sum(counts.values())
        decided = counts.get("operated", 0)
        beside.append({"x": x + 6, "y": y + tall / 2, "text": f"{decided:,} of {whole:,} operated"})
        told.append(f"{cycle}: {decided:,} of {whole:,} operated")
    foot = 4 + tall * len(shape.cycles)
    white = [text for text in inside if text["outcome"] != "operated"]
    dark = [text for text in inside if text["outcome"] == "operated"]
    layers = [
        *_coloured({"type": "rect"}, boxes, COLOURS | {"operated": _PALE["operated"]}),
        *label(names, 11, INK, fontWeight="bold"),
        *label(white, 11, "#ffffff", fontWeight="bold"),
        *label(dark, 11, INK),
        *label(beside),
        *layer({"type": "rule", "color": QUIET}, [{"x": LEFT, "y": 4, "y2": foot}], "x", "y", "y2"),
        *_legend(totals, foot + 4, COLOURS | {"operated": _PALE["operated"]}),
    ]
    return Picture(
        svg(layers, foot + 6 + _LEGEND, font),
        f"Operations by cycle. {'; '.join(told)}.",
        "How many operations of each cycle operated, and what became of the others.",
    )


# -- measures ----------------------------------------------------------------------------------------------------


def _measures(shape: Measures, period: Period, font: str) -> Picture:
    largest = max((point.share for point in shape.points), default=1.0)
    doublings = min(_DOUBLINGS, max(1, math.ceil(math.log2(max(largest, 1.0) + 1e-9))))
    unit, step = 96.0, 26.0
    limit_y = TOP + step * doublings
    zero_y = limit_y + unit
    foot = zero_y + (14 if any(point.share < 0 for point in shape.points) else 0)

    def y_of(share: float) -> float:
        if share > 1:
            return round(limit_y - step * min(math.log2(share), doublings), 2)
        return round(min(zero_y - unit * share, foot), 2)

    def amount(times: float) -> str:
        if shape.limit is None:
            return "the limit" if times == 1 else f"{times:g} times the limit"
        return f"{shape.limit * times:,g} {shape.unit}".strip() + (" allowed" if times == 1 else "")

    raster = [point for point in shape.points if point.outcome in ("operated", "pending")]
    single = [point for point in shape.points if point.outcome not in ("operated", "pending")]
    cells = _cells(raster, period, y_of, unit / ROWS)
    lines = [
        {"x": LEFT, "y": limit_y - step * times, "x2": WIDTH - RIGHT} for times in range(1, doublings + 1)
    ]
    marks = [
        {"x": LEFT - 8, "y": limit_y - step * times, "text": amount(2**times)}
        for times in range(1, doublings + 1)
    ]
    marks.append({"x": LEFT - 8, "y": zero_y, "text": "0"})
    faint = {"type": "rule", "color": RULE, "strokeWidth": 1}
    layers = [
        *after_the_cutoff(period, foot),
        *layer(faint, lines, "x", "y", "x2"),
        *layer(faint, [{"x": LEFT, "y": zero_y, "x2": WIDTH - RIGHT}], "x", "y", "x2"),
        *calendar(period, TOP, foot),
        *_coloured({"type": "rect"}, cells, COLOURS, opacity=True),
        *layer(
            {"type": "rule", "color": INK, "strokeWidth": 1.4, "strokeDash": [6, 3]},
            [{"x": LEFT, "y": limit_y, "x2": WIDTH - RIGHT}],
            "x",
            "y",
            "x2",
        ),
        *_points(single, period, y_of),
        *label(marks, align="right"),
        *label([{"x": LEFT - 8, "y": limit_y, "text": amount(1)}], 11, INK, align="right", fontWeight="bold"),
        *cutoff(period, foot),
        *_legend(_tally(shape.points), foot + _FOOT, COLOURS, points=True),
    ]
    over = sum(point.operations for point in shape.points if point.share > 1)
    every = sum(point.operations for point in shape.points) + shape.left_out
    name = shape.name.replace("_", " ") or "measure"
    left_out = (
        f" {counted(shape.left_out, 'smaller exception is', 'smaller exceptions are')} not drawn."
        if shape.left_out
        else ""
    )
    return Picture(
        svg(layers, foot + _FOOT + _LEGEND, font),
        f"{name.capitalize()} of {counted(every, 'operation')} against {amount(1)}: {over + shape.left_out:,} beyond it.{left_out}",
        f"{name.capitalize()} of each operation where it was performed, or at the end where it was not; darker where there "
        f"are many. The scale doubles with each line above the limit.{left_out}",
    )


def _cells(raster: list[Measured], period: Period, y_of: Any, tall: float) -> list[dict[str, Any]]:
    """The raster in four depths of colour; neighbours of one depth become one box, so that a full one stays small."""
    most = max((point.operations for point in raster), default=1)
    half = (WIDTH - LEFT - RIGHT) / COLUMNS / 2
    cells: list[dict[str, Any]] = []
    for point in sorted(raster, key=lambda point: (point.outcome, point.share, point.at)):
        x, y = x_of(period, point.at), y_of(point.share)
        cell = {
            "x": round(x - half, 2),
            "x2": round(x + half, 2),
            "y": round(y - tall / 2, 2),
            "y2": round(y + tall / 2, 2),
            "outcome": point.outcome,
            "opacity": 0.55 + 0.15 * min(3, 4 * point.operations // (most + 1)),
        }
        before = cells[-1] if cells else None
        if (
            before
            and all(before[name] == cell[name] for name in ("y", "outcome", "opacity"))
            and abs(before["x2"] - cell["x"]) < 0.1
        ):
            before["x2"] = cell["x2"]
        else:
            cells.append(cell)
    return cells


def _points(points: list[Measured], period: Period, y_of: Any) -> list[Layer]:
    layers: list[Layer] = []
    for outcome in dict.fromkeys(point.outcome for point in points):
        rows = [
            {"x": x_of(period, point.at), "y": y_of(point.share)}
            for point in points
            if point.outcome == outcome
        ]
        mark = {
            "type": "point",
            "filled": True,
            "opacity": 0.9,
            "size": 55,
            "shape": SHAPES.get(outcome, "circle"),
            "color": COLOURS.get(outcome, INK),
        }
        layers += layer(mark, rows, "x", "y")
    return layers


# -- spells ------------------------------------------------------------------------------------------------------


def _spells(shape: Spells, period: Period, font: str) -> Picture:
    tall = 19
    foot = TOP + tall * len(shape.spells)
    before: list[dict[str, Any]] = []
    after: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    ticks: list[dict[str, Any]] = []
    lasting: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for row, spell in enumerate(shape.spells):
        y = TOP + tall * row
        counts[spell.outcome] = counts.get(spell.outcome, 0) + 1
        names.append({"x": 0, "y": y + tall / 2, "text": _short(spell.name)})
        end = x_of(period, spell.end or period.cutoff_at, _NAMES)
        begin = x_of(period, spell.begin, _NAMES)
        due = min(max(x_of(period, spell.due, _NAMES) if spell.due else begin, begin), end)
        box = {"y": y + 4, "y2": y + tall - 4, "outcome": spell.outcome}
        before.append(box | {"x": begin, "x2": due})
        after.append(box | {"x": due, "x2": max(end, due + 1.5)})
        if spell.due and period.start_at < spell.due < period.end_at:
            ticks.append({"x": due, "y": y + 1.5, "y2": y + tall - 1.5})
        if spell.end is None:
            lasting.append({"x": end + 5, "y": y + tall / 2})
    layers = [
        *after_the_cutoff(period, foot, _NAMES),
        *calendar(period, TOP, foot, _NAMES),
        *_coloured({"type": "rect"}, before, _PALE),
        *_coloured({"type": "rect"}, after, COLOURS),
        *layer({"type": "rule", "color": INK, "strokeWidth": 1.4}, ticks, "x", "y", "y2"),
        *layer(
            {
                "type": "point",
                "filled": True,
                "opacity": 1,
                "shape": "triangle-right",
                "size": 45,
                "color": INK,
            },
            lasting,
            "x",
            "y",
        ),
        *label(names, 11, INK),
        *cutoff(period, foot, _NAMES),
        *_legend(counts, foot + _FOOT, COLOURS),
    ]
    lasts = len(lasting)
    left_out = f" {counted(shape.left_out, 'other is', 'others are')} not drawn." if shape.left_out else ""
    return Picture(
        svg(layers, foot + _FOOT + _LEGEND, font),
        f"{counted(len(shape.spells), 'exception').capitalize()} over time, {lasts} of them lasting to the end.{left_out}",
        "Exceptions from when to when: pale up to what is allowed, full beyond it; an arrow where it still lasts."
        f"{left_out}",
    )


# -- shared ------------------------------------------------------------------------------------------------------


def _coloured(
    mark: dict[str, Any], boxes: list[dict[str, Any]], colours: dict[str, str], opacity: bool = False
) -> list[Layer]:
    """Boxes in the colour of their outcome, in the order in which they are given."""
    layers: list[Layer] = []
    channels = ("x", "x2", "y", "y2")
    for outcome in dict.fromkeys(box["outcome"] for box in boxes):
        rows = [
            {name: box[name] for name in (*channels, *(("opacity",) if opacity else ()))}
            for box in boxes
            if box["outcome"] == outcome
        ]
        shade = {"opacity": {"field": "opacity", "type": "quantitative", "scale": None}} if opacity else {}
        layers += layer(mark | {"color": colours.get(outcome, INK)}, rows, *channels, **shade)
    return layers


def _legend(counts: dict[str, int], y: float, colours: dict[str, str], points: bool = False) -> list[Layer]:
    """Which outcomes there are, with their marks."""
    layers: list[Layer] = []
    x = 0.0
    for outcome, number in _ranked(counts):
        shape = SHAPES.get(outcome, "square") if points else "square"
        mark = {"type": "point", "filled": True, "opacity": 1, "size": 70, "shape": shape}
        text = f"{OUTCOMES[outcome].title} {number:,}"
        layers += layer(mark | {"color": colours.get(outcome, INK)}, [{"x": x + 5, "y": y + 8}], "x", "y")
        layers += label([{"x": x + 14, "y": y + 8.5, "text": text}])
        x += 34 + 6.2 * len(text)
    return layers


def _ranked(counts: dict[str, int]) -> list[tuple[str, int]]:
    known = [(outcome, number) for outcome, number in counts.items() if outcome in OUTCOMES]
    return sorted(known, key=lambda item: OUTCOMES[item[0]].rank)


def _tally(points: tuple[Measured, ...]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for point in points:
        counts[point.outcome] = counts.get(point.outcome, 0) + point.operations
    return counts


def _short(name: str, letters: int = _LETTERS) -> str:
    shown = visible(name)
    return shown if len(shown) <= letters else f"{shown[: letters - 1]}…"
