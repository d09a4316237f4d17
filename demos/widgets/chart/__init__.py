"""Small charts drawn on the server, as SVG that follows the theme; chart.css is their style."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import product

WIDTH, HEIGHT = 430, 450
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 30, 44
"""Room around the axes."""
DOT = 7
"""Radius of a point."""
LETTER, SMALL_LETTER = 9.2, 7.2
"""How wide a letter of a name is and one of a note, on average, where labels are largest."""


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, laid out from pixel `start` to pixel `end`."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> "Axis":
        """With room beside the outermost values; a single value stands in the middle."""
        low, high = min(values), max(values)
        room = 0.12 * (high - low) or 0.1 * abs(high) or 1.0
        return cls(low - room, high + room, start, end)

    @classmethod
    def across(cls, values: Sequence[float]) -> "Axis":
        """From the left edge of a chart to its right."""
        return cls.around(values, LEFT, WIDTH - RIGHT)

    @classmethod
    def upward(cls, values: Sequence[float]) -> "Axis":
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
    def around(cls, values: Sequence[float], start: float, end: float) -> "LogAxis":
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
    """Points with their labels, each as close to its own point as others leave room for."""
    taken = [(m.x - DOT, m.y - DOT, m.x + DOT, m.y + DOT) for m in marks]
    drawn = []
    for mark in sorted(marks, key=lambda mark: mark.y):
        spots = _spots(mark)
        box, x, y, anchor = next((spot for spot in spots if _free(spot[0], taken)), spots[0])
        taken.append(box)
        drawn.append(_labelled(mark, x, y, anchor))
    return "".join(drawn)


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def _spots(mark: Mark) -> list[tuple[Box, float, float, str]]:
    """Where its label may stand, the best first: the room it takes, and x, y and anchor of its
    text. Beside the point, on the side with more room; else a little lower or higher, or on the
    other side."""
    width = max(LETTER * len(mark.name), SMALL_LETTER * len(mark.note))
    left, right = (mark.x - 13, "end"), (mark.x + 13, "start")
    sides = [right, left] if mark.x < (LEFT + WIDTH) / 2 else [left, right]
    spots = []
    for away in range(0, 121, 10):
        for (x, anchor), y in product(sides, (mark.y + 1 + away, mark.y + 1 - away)):
            start = x if anchor == "start" else x - width
            box = (start, y - 13, start + width, y + (21 if mark.note else 5))
            spots.append((box, x, y, anchor))
    return spots


def _free(box: Box, taken: Sequence[Box]) -> bool:
    """Whether it lies inside the chart and meets none of the others."""
    left, top, right, bottom = box
    inside = left >= LEFT and right <= WIDTH and top >= TOP - 10 and bottom <= HEIGHT - BOTTOM
    return inside and not any(
        left < other[2] and right > other[0] and top < other[3] and bottom > other[1]
        for other in taken
    )


def _labelled(mark: Mark, x: float, y: float, anchor: str) -> str:
    leader = ""
    if abs(y - mark.y) > 5:
        leader = f'<path class="leader" d="M{mark.x:.1f} {mark.y:.1f}L{x:.1f} {y - 3:.1f}"/>'
    return (
        f'<g style="--hue:{mark.hue}">{leader}'
        f'<circle class="{"point hollow" if mark.hollow else "point"}" '
        f'cx="{mark.x:.1f}" cy="{mark.y:.1f}" r="{DOT}"/>'
        + write(x, y, mark.name, "name", anchor)
        + (write(x, y + 16, mark.note, "tick", anchor) if mark.note else "")
        + "</g>"
    )
