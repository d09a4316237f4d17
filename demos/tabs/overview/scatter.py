"""Quality against time, both on logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demos.tabs.overview.results import distance, milliseconds
from demos.widgets.chart import TOP, LogAxis, Mark, axes, chart, corner, level, placed


@dataclass(frozen=True)
class Point:
    name: str
    hue: str
    milliseconds: float
    frechet: float | None
    """None: drawn at the top edge, as not measured yet."""
    as_measured: bool = True
    """False: time and distance are of different settings, and the point is hollow."""


def scatter(points: Sequence[Point], floor: float | None) -> str:
    """An <svg>; floor is the distance between real pictures and others, a dashed line."""
    distances = [p.frechet for p in points if p.frechet is not None]
    distances += [floor] if floor else []
    across = LogAxis.across([p.milliseconds for p in points] or [1])
    up = LogAxis.upward(distances or [1])
    drawn = axes(
        across,
        up,
        below="milliseconds a picture",
        beside="Fréchet distance",
        numbers=bool(distances),
    )
    if floor:
        drawn += level(up.at(floor), f"floor {floor:.2g}: real against real pictures")
    drawn += corner("better: down, left")
    drawn += placed([_mark(p, across, up) for p in points])
    about = "; ".join(_spoken(p) for p in points) or "no points yet"
    return chart(drawn, f"Fréchet distance against time a picture. {about}", "ov-scatter")


def _spoken(point: Point) -> str:
    return f"{point.name}: {distance(point.frechet)} at {milliseconds(point.milliseconds)} ms"


def _mark(point: Point, across: LogAxis, up: LogAxis) -> Mark:
    return Mark(
        across.at(point.milliseconds),
        up.at(point.frechet) if point.frechet else TOP + 10,
        point.name,
        f"{distance(point.frechet)} · {milliseconds(point.milliseconds)} ms",
        point.hue,
        hollow=point.frechet is None or not point.as_measured,
    )
