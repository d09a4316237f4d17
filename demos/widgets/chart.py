"""Small charts drawn on the server, as SVG that follows the theme; chart.css is their style."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 430, 450
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 30, 44
"""Room around the axes."""
LABEL_GAP, NAME_GAP = 36, 20
"""Between the labels of two points that lie close together, with a note and without."""


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, laid out from pixel `start` to pixel `end`."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> Axis:
        """With room beside the outermost values; a single value stands in the middle."""
        low, high = min(values), max(values)
        room = 0.12 * (high - low) or 0.1 * abs(high) or 1.0
        return cls(low - room, high + room, start, end)

    @classmethod
    def across(cls, values: Sequence[float]) -> Axis:
        """From the left edge of a chart to its right."""
        return cls.around(values, LEFT, WIDTH - RIGHT)

    @classmethod
    def upward(cls, values: Sequence[float]) -> Axis:
        """From the lower edge of a chart to its upper."""
        return cls.around(values, HEIGHT - BOTTOM, TOP)

    def at(self, value: float) -> float:
        return self.start + self.share(value) * (self.end - self.start)

    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Multiples of 1, 2 or 5 times a power of ten, six at most."""
        least = (self.high - self.low) / 6
        power = 10.0 ** math.floor(math.log10(least))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= least)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [k * step for k in range(first, last + 1)]


class LogAxis(Axis):
    """A logarithmic one, for positive values."""

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> LogAxis:
        """With room beside the outermost values, and at least half a decade wide."""
        low, high = min(values), max(values)
        room = max(1.7, (3 / (high / low)) ** 0.5)
        return cls(low / room, high * room, start, end)

    def share(self, value: float) -> float:
        return math.log(value / self.low) / math.log(self.high / self.low)

    def ticks(self) -> list[float]:
        """1, 2 and 5 in each decade; powers of ten alone where that would be too many."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = (1,) if math.log10(self.high / self.low) > 2.2 else (1, 2, 5)
        marks = [step * 10.0**decade for decade in decades for step in steps]
        return [mark for mark in marks if self.low <= mark <= self.high]


@dataclass(frozen=True)
class Mark:
    """A point of a chart, in pixels, with its label."""

    x: float
    y: float
    name: str
    note: str
    """Stands under the name, quieter; "" for none."""
    hue: str
    """A CSS colour."""
    hollow: bool = False


def chart(drawn: str, spoken: str, kind: str = "") -> str:
    """The <svg> around its parts; `spoken` is what it tells, for screen readers."""
    return (
        f'<svg class="{f"chart {kind}".strip()}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(spoken)}">{drawn}</svg>'
    )


def write(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def axes(across: Axis, up: Axis, *, below: str, beside: str, numbers: bool = True) -> str:
    """The grid with its figures and what they are; without `numbers`, those of `up` are missing."""
    parts = []
    for value in across.ticks():
        x = across.at(value)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(write(x, HEIGHT - BOTTOM + 17, f"{value:g}", "tick", "middle"))
    for value in up.ticks() if numbers else []:
        y = up.at(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(write(LEFT - 7, y + 4, f"{value:g}", "tick", "end"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(write(middle, HEIGHT - 8, below, "axis", "middle"))
    parts.append(write(2, 14, beside, "axis"))
    return "".join(parts)


def level(y: float, text: str) -> str:
    """A dashed line from edge to edge, and what it stands for."""
    line = f'<path class="floor" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
    return line + write(WIDTH - RIGHT - 2, y + 14, text, "tick", "end")


def corner(text: str) -> str:
    """A word at the top right: where better is."""
    return write(WIDTH - RIGHT, 14, text, "tick", "end")


def placed(marks: Sequence[Mark]) -> str:
    """Points with their labels, which give way to each other from the top down."""
    drawn, lowest = [], {"start": -math.inf, "end": -math.inf}
    for mark in sorted(marks, key=lambda mark: mark.y):
        anchor = "start" if mark.x < (LEFT + WIDTH) / 2 else "end"
        y = max(mark.y, lowest[anchor] + (LABEL_GAP if mark.note else NAME_GAP))
        lowest[anchor] = y
        drawn.append(_labelled(mark, y, anchor))
    return "".join(drawn)


def _labelled(mark: Mark, label_y: float, anchor: str) -> str:
    x, y = mark.x, mark.y
    beside = x + (13 if anchor == "start" else -13)
    leader = ""
    if label_y - y > 4:
        leader = f'<path class="leader" d="M{x:.1f} {y:.1f}L{beside:.1f} {label_y - 2:.1f}"/>'
    return (
        f'<g style="--hue:{mark.hue}">{leader}'
        f'<circle class="{"point hollow" if mark.hollow else "point"}" '
        f'cx="{x:.1f}" cy="{y:.1f}" r="7"/>'
        + write(beside, label_y + 1, mark.name, "name", anchor)
        + (write(beside, label_y + 17, mark.note, "tick", anchor) if mark.note else "")
        + "</g>"
    )
