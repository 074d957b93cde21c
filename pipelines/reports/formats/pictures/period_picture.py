"""A control's operations over the whole period as one small picture: volume above, every exception in its lane."""

from __future__ import annotations

from datetime import timedelta

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
    VOLUME,
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
from pipelines.reports.report import Control, Period, Timeline
from pipelines.reports.words import OUTCOMES, counted

LANES = ("deviation", "indeterminate", "waived", "pending")
_BARS, _NO_BARS, _LANE, _BOTTOM = 64, 26, 24, 22


def picture(control: Control, period: Period, font: str = FONT) -> str:
    """The SVG of one assessed control, without width and height so that the page can size it."""
    timeline = control.timeline
    assert timeline is not None, "only assessed controls have a timeline"
    lanes = [outcome for outcome in LANES if any(s.outcome == outcome for s in timeline.stretches)]
    drawn = any(s.outcome == "operated" for s in timeline.stretches)
    base = TOP + (_BARS if drawn else _NO_BARS)
    top = base + (8 if lanes else 0)
    foot = top + _LANE * len(lanes)
    height = foot + _BOTTOM
    layers = [
        *after_the_cutoff(period, foot),
        *calendar(period, TOP if drawn else base, foot),
        *_volume(timeline, period, base),
        *_exceptions(timeline, period, lanes, top),
        *cutoff(period, foot),
    ]
    return svg(layers, height, font)


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


def _edges(timeline: Timeline, period: Period, number: int) -> tuple[float, float]:
    begin = period.start_at + timedelta(days=timeline.days * number)
    return x_of(period, begin), x_of(period, begin + timedelta(days=timeline.days))


def _volume(timeline: Timeline, period: Period, base: float) -> list[Layer]:
    counts = {s.number: s.operations for s in timeline.stretches if s.outcome == "operated"}
    most = max(counts.values(), default=0)
    bars = []
    for number, operations in sorted(counts.items()):
        left, right = _edges(timeline, period, number)
        # A bar of one operation among thousands still has to be seen.
        tall = max(2.0, round(_BARS * operations / most, 2))
        bars.append({"x": left + 0.6, "x2": max(right - 0.6, left + 1.2), "y": base - tall, "y2": base})
    floor = [{"x": LEFT, "y": base, "x2": WIDTH - RIGHT}]
    ceiling = [{"x": LEFT - 4, "y": TOP, "x2": WIDTH - RIGHT}] if most else []
    scale = [{"x": LEFT - 8, "y": TOP + 1, "text": f"{most:,}"}] if most else []
    undated = []
    if timeline.undated:
        text = counted(
            timeline.undated,
            "operation without a date is not drawn",
            "operations without a date are not drawn",
        )
        undated = [{"x": LEFT + 4, "y": TOP - 9 if most else base - 10, "text": text}]
    return [
        *layer({"type": "rule", "color": RULE, "strokeWidth": 1}, ceiling, "x", "y", "x2"),
        *layer({"type": "rect", "color": VOLUME}, bars, "x", "x2", "y", "y2"),
        *layer({"type": "rule", "color": QUIET, "strokeWidth": 1}, floor, "x", "y", "x2"),
        *label([{"x": 0, "y": base - 22, "text": "Operated"}], 12, INK, fontWeight="bold"),
        *label([{"x": 0, "y": base - 7, "text": f"per {stretch_name(timeline)}"}]),
        *label(scale, align="right"),
        *label(undated),
    ]


def _exceptions(timeline: Timeline, period: Period, lanes: list[str], top: float) -> list[Layer]:
    """One lane per kind of exception: a mark where there is one, its number beside it where there are more."""
    layers: list[Layer] = []
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
            right = WIDTH - RIGHT + 20 if following is None else _edges(timeline, period, following)[0]
            if operations > 1 and x + needed <= right:
                counts.append({"x": x + 8, "y": y + 0.5, "text": text})
        mark = {
            "type": "point",
            "filled": True,
            "opacity": 1,
            "shape": SHAPES[outcome],
            "color": COLOURS[outcome],
        }
        lane = [{"x": LEFT, "y": y, "x2": WIDTH - RIGHT}]
        name = [{"x": 0, "y": y, "text": OUTCOMES[outcome].title}]
        total = [{"x": LEFT - 8, "y": y, "text": f"{sum(found.values()):,}"}]
        layers += layer({"type": "rule", "color": RULE, "strokeWidth": 1}, lane, "x", "y", "x2")
        # A number is read, so the lane's line is taken away behind it.
        behind = [
            {**c, "x": c["x"] - 2, "x2": c["x"] + 6.2 * len(c["text"]), "y": y - 6, "y2": y + 6}
            for c in counts
        ]
        layers += layer({"type": "rect", "color": "#ffffff"}, behind, "x", "x2", "y", "y2")
        layers += layer(mark, points, "x", "y", size={"field": "size", "type": "quantitative", "scale": None})
        layers += label(counts, 10.5, COLOURS[outcome], fontWeight="bold")
        layers += label(name, 12, COLOURS[outcome], fontWeight="bold")
        layers += label(total, align="right")
    return layers
