"""A control's operations over the whole period as one small SVG: volume above, every kind of exception in its lane.

Everything stands at computed pixels and nothing depends on how wide a machine's fonts are, so the SVG is the same
bytes everywhere.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Any

import altair as alt
import vl_convert

from pipelines.reports.report import Control, Period, Timeline
from pipelines.reports.words import OUTCOMES, counted

FONT = "'Helvetica Neue', 'Segoe UI', 'Liberation Sans', Arial, sans-serif"
INK, QUIET, RULE, VOLUME = "#17212b", "#4a5764", "#d5dce3", "#7c97ae"
COLOURS = {"deviation": "#b42318", "indeterminate": "#6938b8", "waived": "#b54708", "pending": "#66727e"}
SHAPES = {"deviation": "circle", "indeterminate": "square", "waived": "diamond", "pending": "triangle-up"}
LANES = ("deviation", "indeterminate", "waived", "pending")

# Not strftime: month names must not follow a machine's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WIDTH, _LEFT, _RIGHT = 880, 118, 12
_TOP, _BARS, _NO_BARS, _LANE, _BOTTOM = 18, 64, 26, 24, 22


def picture(control: Control, period: Period, font: str = FONT) -> str:
    """The SVG of one assessed control, without width and height so that the page can size it."""
    timeline = control.timeline
    assert timeline is not None, "only assessed controls have a timeline"
    lanes = [outcome for outcome in LANES if any(s.outcome == outcome for s in timeline.stretches)]
    drawn = any(s.outcome == "operated" for s in timeline.stretches)
    base = _TOP + (_BARS if drawn else _NO_BARS)
    top = base + (8 if lanes else 0)
    foot = top + _LANE * len(lanes)
    height = foot + _BOTTOM
    layers = [
        *_after_the_cutoff(period, foot),
        *_calendar(period, _TOP if drawn else base, foot),
        *_volume(timeline, period, base),
        *_exceptions(timeline, period, lanes, top),
        *_cutoff(period, foot),
    ]
    chart = (
        alt.layer(*layers)
        .properties(width=_WIDTH, height=height, padding=0, autosize="none")
        .configure(font=font, aria=False, background="transparent")
        .configure_view(stroke=None)
    )
    svg = vl_convert.vegalite_to_svg(chart.to_dict())
    return svg.replace(f' width="{_WIDTH}" height="{height}"', "", 1)


def caption(control: Control, period: Period) -> str:
    """What the picture shows, in one or two sentences for those who do not see it."""
    timeline = control.timeline
    assert timeline is not None, "only assessed controls have a timeline"
    units = {1: "days", 7: "weeks"}.get(timeline.days, f"stretches of {timeline.days} days")
    parts = []
    for outcome in ("operated", *LANES):
        found = [stretch.operations for stretch in timeline.stretches if stretch.outcome == outcome]
        if found:
            name = OUTCOMES[outcome].title.lower()
            parts.append(f"{name} {sum(found):,}, in {len(found)} of {timeline.length} {units}")
    return f"Operations over the period: {'; '.join(parts)}." if parts else "No operation has a date to draw."


def stretch_name(timeline: Timeline) -> str:
    """What one stretch of the picture is called: `day`, `week`, `30-day stretch`."""
    return {1: "day", 7: "week"}.get(timeline.days, f"{timeline.days}-day stretch")


def _x(period: Period, instant: datetime) -> float:
    share = (instant - period.start_at) / (period.end_at - period.start_at)
    return round(_LEFT + min(max(share, 0), 1) * (_WIDTH - _LEFT - _RIGHT), 2)


def _edges(timeline: Timeline, period: Period, number: int) -> tuple[float, float]:
    begin = period.start_at + timedelta(days=timeline.days * number)
    return _x(period, begin), _x(period, begin + timedelta(days=timeline.days))


def _at(field: str) -> dict[str, Any]:
    """A position that is already in pixels."""
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _layer(mark: dict[str, Any], rows: list[dict[str, Any]], *channels: str, **more: Any) -> list[alt.Chart]:
    if not rows:
        return []
    encoding = {
        channel: _at(channel) if channel in ("x", "y") else {"field": channel} for channel in channels
    }
    return [alt.Chart.from_dict({"data": {"values": rows}, "mark": mark, "encoding": encoding | more})]


def _text(rows: list[dict[str, Any]], size: int = 11, colour: str = QUIET, **mark: Any) -> list[alt.Chart]:
    style = {"type": "text", "fontSize": size, "color": colour, "baseline": "middle", "align": "left"}
    return _layer(style | mark, rows, "x", "y", text={"field": "text", "type": "nominal"})


def _calendar(period: Period, top: float, foot: float) -> list[alt.Chart]:
    """Boundaries of months, or of weeks in a short period, in the period's own zone, with their names."""
    short = period.last_day - period.first_day < timedelta(days=75)
    begins, names = _weeks(period) if short else _months(period)
    places = [_x(period, period.begin_of(day)) for day in begins] + [_WIDTH - _RIGHT]
    rules = [{"x": x, "y": top, "y2": foot} for x in places[:-1] if x > _LEFT]
    labels = [
        {"x": x + 4, "y": foot + 13, "text": name}
        for x, following, name in zip(places, places[1:], names, strict=False)
        if following - x > 6 * len(name)
    ]
    frame = [{"x": _LEFT, "y": foot, "x2": _WIDTH - _RIGHT}]
    return [
        *_layer({"type": "rule", "color": RULE, "strokeWidth": 1}, rules, "x", "y", "y2"),
        *_layer({"type": "rule", "color": QUIET, "strokeWidth": 1}, frame, "x", "y", "x2"),
        *_text(labels),
    ]


def _weeks(period: Period) -> tuple[list[date], list[str]]:
    count = (period.last_day - period.first_day).days // 7 + 1
    days = [period.first_day + timedelta(days=7 * number) for number in range(count)]
    return days, [f"{day.day} {_MONTHS[day.month - 1]}" for day in days]


def _months(period: Period) -> tuple[list[date], list[str]]:
    """Every month, or every second, third ... of a long period, so that there are at most twelve."""
    months = [period.first_day.replace(day=1)]
    while (following := _next_month(months[-1])) <= period.last_day:
        months.append(following)
    months = months[:: math.ceil(len(months) / 12)]
    years = [None, *(month.year for month in months)]
    names = [
        _MONTHS[month.month - 1] + (f" {month.year}" if month.year != year else "")
        for month, year in zip(months, years, strict=False)
    ]
    return months, names


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _volume(timeline: Timeline, period: Period, base: float) -> list[alt.Chart]:
    counts = {s.number: s.operations for s in timeline.stretches if s.outcome == "operated"}
    most = max(counts.values(), default=0)
    bars = []
    for number, operations in sorted(counts.items()):
        left, right = _edges(timeline, period, number)
        # A bar of one operation among thousands still has to be seen.
        tall = max(2.0, round(_BARS * operations / most, 2))
        bars.append({"x": left + 0.6, "x2": max(right - 0.6, left + 1.2), "y": base - tall, "y2": base})
    floor = [{"x": _LEFT, "y": base, "x2": _WIDTH - _RIGHT}]
    ceiling = [{"x": _LEFT - 4, "y": _TOP, "x2": _WIDTH - _RIGHT}] if most else []
    scale = [{"x": _LEFT - 8, "y": _TOP + 1, "text": f"{most:,}"}] if most else []
    undated = []
    if timeline.undated:
        text = counted(
            timeline.undated,
            "operation without a date is not drawn",
            "operations without a date are not drawn",
        )
        undated = [{"x": _LEFT + 4, "y": _TOP - 9 if most else base - 10, "text": text}]
    return [
        *_layer({"type": "rule", "color": RULE, "strokeWidth": 1}, ceiling, "x", "y", "x2"),
        *_layer({"type": "rect", "color": VOLUME}, bars, "x", "x2", "y", "y2"),
        *_layer({"type": "rule", "color": QUIET, "strokeWidth": 1}, floor, "x", "y", "x2"),
        *_text([{"x": 0, "y": base - 22, "text": "Operated"}], 12, INK, fontWeight="bold"),
        *_text([{"x": 0, "y": base - 7, "text": f"per {stretch_name(timeline)}"}]),
        *_text(scale, align="right"),
        *_text(undated),
    ]


def _exceptions(timeline: Timeline, period: Period, lanes: list[str], top: float) -> list[alt.Chart]:
    """One lane per kind of exception: a mark where there is one, its number beside it where there are more."""
    layers: list[alt.Chart] = []
    for row, outcome in enumerate(lanes):
        y = top + _LANE * row + _LANE / 2
        found = {s.number: s.operations for s in timeline.stretches if s.outcome == outcome}
        points, counts = [], []
        for number, operations in sorted(found.items()):
            x = round(sum(_edges(timeline, period, number)) / 2, 2)
            points.append({"x": x, "y": y, "size": 70 if operations == 1 else 110})
            text = f"{operations:,}"
            needed = 16 + 6 * len(text)
            following = min((other for other in found if other > number), default=None)
            right = _WIDTH - _RIGHT + 20 if following is None else _edges(timeline, period, following)[0]
            if operations > 1 and x + needed <= right:
                counts.append({"x": x + 8, "y": y + 0.5, "text": text})
        mark = {
            "type": "point",
            "filled": True,
            "opacity": 1,
            "shape": SHAPES[outcome],
            "color": COLOURS[outcome],
        }
        lane = [{"x": _LEFT, "y": y, "x2": _WIDTH - _RIGHT}]
        name = [{"x": 0, "y": y, "text": OUTCOMES[outcome].title}]
        total = [{"x": _LEFT - 8, "y": y, "text": f"{sum(found.values()):,}"}]
        layers += _layer({"type": "rule", "color": RULE, "strokeWidth": 1}, lane, "x", "y", "x2")
        # A number is read, so the lane's line is taken away behind it.
        behind = [
            {**c, "x": c["x"] - 2, "x2": c["x"] + 6.2 * len(c["text"]), "y": y - 6, "y2": y + 6}
            for c in counts
        ]
        layers += _layer({"type": "rect", "color": "#ffffff"}, behind, "x", "x2", "y", "y2")
        layers += _layer(
            mark, points, "x", "y", size={"field": "size", "type": "quantitative", "scale": None}
        )
        layers += _text(counts, 10.5, COLOURS[outcome], fontWeight="bold")
        layers += _text(name, 12, COLOURS[outcome], fontWeight="bold")
        layers += _text(total, align="right")
    return layers


def _after_the_cutoff(period: Period, foot: float) -> list[alt.Chart]:
    """The part of the period about which nothing is known yet, shaded."""
    if period.cutoff_at >= period.end_at:
        return []
    shade = [{"x": _x(period, period.cutoff_at), "x2": _WIDTH - _RIGHT, "y": _TOP, "y2": foot}]
    return _layer({"type": "rect", "color": "#eceff3"}, shade, "x", "x2", "y", "y2")


def _cutoff(period: Period, foot: float) -> list[alt.Chart]:
    """Where knowledge ends, when that is inside the period."""
    if period.cutoff_at >= period.end_at:
        return []
    x = _x(period, period.cutoff_at)
    beside_right = x > _WIDTH - 140
    rule = [{"x": x, "y": _TOP - 6, "y2": foot}]
    name = [{"x": x - 5 if beside_right else x + 5, "y": _TOP - 8, "text": "evidence ends"}]
    return [
        *_layer({"type": "rule", "color": INK, "strokeWidth": 1, "strokeDash": [4, 3]}, rule, "x", "y", "y2"),
        *_text(name, align="right" if beside_right else "left"),
    ]
