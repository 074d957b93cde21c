"""What all pictures share: the period as a horizontal axis, marks at computed pixels, one SVG at the end.

Everything stands at computed pixels and nothing depends on how wide a machine's fonts are, so an SVG is the same bytes
everywhere. Pictures are Vega-Lite, rendered by vl-convert without network.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Any

import vl_convert

from pipelines.reports.report import Period

FONT = "'Helvetica Neue', 'Segoe UI', 'Liberation Sans', Arial, sans-serif"
INK, QUIET, RULE, VOLUME = "#17212b", "#4a5764", "#d5dce3", "#7c97ae"
COLOURS = {
    "deviation": "#b42318",
    "indeterminate": "#6938b8",
    "waived": "#b54708",
    "pending": "#66727e",
    "operated": VOLUME,
}
SHAPES = {
    "deviation": "circle",
    "indeterminate": "square",
    "waived": "diamond",
    "pending": "triangle-up",
    "operated": "square",
}
WIDTH, LEFT, RIGHT, TOP = 880, 118, 12, 18

Layer = dict[str, Any]

# Not strftime: month names must not follow a machine's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def svg(layers: list[Layer], height: float, font: str) -> str:
    """One picture, without width and height so that whoever shows it can size it."""
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.1.json",
        "width": WIDTH,
        "height": height,
        "padding": 0,
        "autosize": "none",
        "background": "transparent",
        "layer": layers,
        "config": {"font": font, "aria": False, "view": {"stroke": None}},
    }
    drawn = vl_convert.vegalite_to_svg(spec, vl_version="6.1")
    return drawn.replace(f' width="{WIDTH}" height="{height}"', "", 1)


def x_of(period: Period, instant: datetime, left: float = LEFT) -> float:
    """Where an instant stands; what lies outside the period stands at its edge."""
    share = (instant - period.start_at) / (period.end_at - period.start_at)
    return round(left + min(max(share, 0), 1) * (WIDTH - left - RIGHT), 2)


def at_pixel(field: str) -> dict[str, Any]:
    """A position that is already in pixels."""
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def layer(mark: dict[str, Any], rows: list[dict[str, Any]], *channels: str, **more: Any) -> list[Layer]:
    """One mark for each row, or nothing where there is none. `channels` are fields of the rows."""
    if not rows:
        return []
    encoding = {
        channel: at_pixel(channel) if channel in ("x", "y") else {"field": channel} for channel in channels
    }
    return [{"data": {"values": rows}, "mark": mark, "encoding": encoding | more}]


def label(rows: list[dict[str, Any]], size: int = 11, colour: str = QUIET, **mark: Any) -> list[Layer]:
    """Words at places: `x`, `y` and `text` of each row."""
    style = {"type": "text", "fontSize": size, "color": colour, "baseline": "middle", "align": "left"}
    return layer(style | mark, rows, "x", "y", text={"field": "text", "type": "nominal"})


def calendar(period: Period, top: float, foot: float, left: float = LEFT) -> list[Layer]:
    """Boundaries of months, or of weeks in a short period, in the period's own zone, with their names."""
    short = period.last_day - period.first_day < timedelta(days=75)
    begins, names = _weeks(period) if short else _months(period)
    places = [x_of(period, period.begin_of(day), left) for day in begins] + [WIDTH - RIGHT]
    rules = [{"x": x, "y": top, "y2": foot} for x in places[:-1] if x > left]
    labels = [
        {"x": x + 4, "y": foot + 13, "text": name}
        for x, following, name in zip(places, places[1:], names, strict=False)
        if following - x > 6 * len(name)
    ]
    frame = [{"x": left, "y": foot, "x2": WIDTH - RIGHT}]
    return [
        *layer({"type": "rule", "color": RULE, "strokeWidth": 1}, rules, "x", "y", "y2"),
        *layer({"type": "rule", "color": QUIET, "strokeWidth": 1}, frame, "x", "y", "x2"),
        *label(labels),
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


def after_the_cutoff(period: Period, foot: float, left: float = LEFT) -> list[Layer]:
    """The part of the period about which nothing is known yet, shaded."""
    if period.cutoff_at >= period.end_at:
        return []
    shade = [{"x": x_of(period, period.cutoff_at, left), "x2": WIDTH - RIGHT, "y": TOP, "y2": foot}]
    return layer({"type": "rect", "color": "#eceff3"}, shade, "x", "x2", "y", "y2")


def cutoff(period: Period, foot: float, left: float = LEFT) -> list[Layer]:
    """Where knowledge ends, when that is inside the period."""
    if period.cutoff_at >= period.end_at:
        return []
    x = x_of(period, period.cutoff_at, left)
    beside_right = x > WIDTH - 140
    rule = [{"x": x, "y": TOP - 6, "y2": foot}]
    name = [{"x": x - 5 if beside_right else x + 5, "y": TOP - 8, "text": "evidence ends"}]
    return [
        *layer({"type": "rule", "color": INK, "strokeWidth": 1, "strokeDash": [4, 3]}, rule, "x", "y", "y2"),
        *label(name, align="right" if beside_right else "left"),
    ]
