"""Quality against time, both on logarithmic axes, as a small SVG that follows the theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from demos.overview.results import distance, milliseconds

WIDTH, HEIGHT = 430, 450
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 30, 44
LABEL_GAP = 36
"""Between the labels of two points that lie close together."""


@dataclass(frozen=True)
class Point:
    name: str
    hue: str
    milliseconds: float
    frechet: float | None
    """None: drawn at the top edge, as not measured yet."""
    as_measured: bool = True
    """False: time and distance are of different settings, and the point is hollow."""


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis from `low` to `high`, laid out from pixel `start` to pixel `end`."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> Axis:
        """With room beside the outermost values, and at least half a decade wide."""
        low, high = min(values), max(values)
        room = max(1.7, (3 / (high / low)) ** 0.5)
        return cls(low / room, high * room, start, end)

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """1, 2 and 5 in each decade; powers of ten alone where that would be too many."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = (1,) if math.log10(self.high / self.low) > 2.2 else (1, 2, 5)
        marks = [step * 10.0**decade for decade in decades for step in steps]
        return [mark for mark in marks if self.low <= mark <= self.high]


def scatter(points: Sequence[Point], floor: float | None) -> str:
    """An <svg>; floor is the distance between real pictures and others, a dashed line."""
    distances = [p.frechet for p in points if p.frechet is not None]
    distances += [floor] if floor else []
    across = Axis.around([p.milliseconds for p in points] or [1], LEFT, WIDTH - RIGHT)
    up = Axis.around(distances or [1], HEIGHT - BOTTOM, TOP)
    drawn = _grid(across, up, bool(distances)) + _floor(up, floor) + _better()
    drawn += "".join(_placed(points, across, up))
    about = "; ".join(_spoken(p) for p in points) or "no points yet"
    return (
        f'<svg class="ov-scatter" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Fréchet distance against time a picture. {about}">{drawn}</svg>'
    )


def _spoken(point: Point) -> str:
    return f"{point.name}: {distance(point.frechet)} at {milliseconds(point.milliseconds)} ms"


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{text}</text>'


def _grid(across: Axis, up: Axis, measured: bool) -> str:
    parts = []
    for value in across.ticks():
        x = across.at(value)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(_text(x, HEIGHT - BOTTOM + 17, f"{value:g}", "tick", "middle"))
    for value in up.ticks() if measured else []:
        y = up.at(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(_text(LEFT - 7, y + 4, f"{value:g}", "tick", "end"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(_text(middle, HEIGHT - 8, "milliseconds a picture", "axis", "middle"))
    parts.append(_text(2, 14, "Fréchet distance", "axis"))
    return "".join(parts)


def _floor(up: Axis, floor: float | None) -> str:
    if not floor:
        return ""
    y = up.at(floor)
    words = f"floor {floor:.2g}: real against real pictures"
    return f'<path class="floor" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>' + _text(
        WIDTH - RIGHT - 2, y + 14, words, "tick", "end"
    )


def _better() -> str:
    return _text(WIDTH - RIGHT, 14, "better: down, left", "tick", "end")


def _placed(points: Sequence[Point], across: Axis, up: Axis) -> list[str]:
    """Points with their labels, which give way to each other from the top down."""
    marks, lowest = [], {"start": -math.inf, "end": -math.inf}
    placed = [(up.at(p.frechet) if p.frechet else TOP + 10, p) for p in points]
    for y, point in sorted(placed, key=lambda pair: pair[0]):
        x = across.at(point.milliseconds)
        anchor = "start" if x < (LEFT + WIDTH) / 2 else "end"
        label_y = max(y, lowest[anchor] + LABEL_GAP)
        lowest[anchor] = label_y
        marks.append(_mark(point, x, y, label_y, anchor))
    return marks


def _mark(point: Point, x: float, y: float, label_y: float, anchor: str) -> str:
    beside = x + (13 if anchor == "start" else -13)
    solid = point.frechet is not None and point.as_measured
    value = f"{distance(point.frechet)} · {milliseconds(point.milliseconds)} ms"
    leader = ""
    if label_y - y > 4:
        leader = f'<path class="leader" d="M{x:.1f} {y:.1f}L{beside:.1f} {label_y - 2:.1f}"/>'
    return (
        f'<g style="--hue:{point.hue}">{leader}'
        f'<circle class="{"point" if solid else "point hollow"}" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'
        + _text(beside, label_y + 1, point.name, "name", anchor)
        + _text(beside, label_y + 17, value, "tick", anchor)
        + "</g>"
    )
