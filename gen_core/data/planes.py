"""What models of points shall imitate: sets in the plane with an exact density, drawn for many runs
at once from their own noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gen_core.data.toys import Curve, GaussianMixture, Toy, TwoMoons, grid, ring, spiral
from gen_core.knobs import KnobError, shown, whole

EDGE = 3.0
"""The plane that is shown and measured reaches from -EDGE to EDGE."""
APART = 6
"""Gaussians so many standard deviations apart, twice the three in which samples belong to one,
are modes; closer ones merge."""
MOST_MODES, MOST_POINTS = 25, 1000
PENCIL = 0.05
"""The standard deviation around each point that a visitor draws."""


@dataclass(frozen=True)
class Plane:
    """A set in the plane: a place on a skeleton, and Gaussian noise around it."""

    toy: Toy
    """Its density."""
    place: Callable[[Tensor], Tensor]
    """Uniform numbers in [0, 1) (...) -> places (..., 2)"""
    std: float
    modes: Tensor | None
    """(K, 2), all equally likely; None for a set that does not fall into parts."""

    def points(self, uniform: Tensor, noise: Tensor) -> Tensor:
        """uniform (...) in [0, 1), noise (..., 2) standard normal -> points (..., 2)"""
        return self.place(uniform) + self.std * noise


def mixture(toy: GaussianMixture) -> Plane:
    """Equally likely Gaussians as a plane."""
    means = toy.means.float()

    def place(uniform: Tensor) -> Tensor:
        return means[(uniform * len(means)).long().clamp(max=len(means) - 1)]

    distinct = len(means) == 1 or torch.pdist(toy.means).min() >= APART * toy.std
    modes = means if distinct and len(means) <= MOST_MODES else None
    return Plane(toy, place, toy.std, modes)


def curve(toy: Curve) -> Plane:
    """A smeared curve as a plane: one piece, without modes."""
    return Plane(toy, toy.place, toy.std, None)


SETS: dict[str, Callable[..., Plane]] = {
    "ring": lambda: mixture(ring()),
    "grid": lambda: mixture(grid()),
    "moons": lambda: curve(TwoMoons()),
    "spiral": lambda: curve(spiral()),
    "points": lambda points: mixture(GaussianMixture(torch.tensor(points), PENCIL)),
}


def load_plane(name: str, points: Sequence[tuple[float, float]] = ()) -> Plane:
    """A set by its name; for "points" those, as `checked_points` gives them."""
    return SETS[name](points) if name == "points" else SETS[name]()


def checked_points(points: Any) -> tuple[tuple[float, float], ...]:
    """1 to 1,000 pairs of numbers from -3 to 3. Raises KnobError for anything else."""
    try:
        rows = [tuple(float(v) for v in row) for row in points]
    except (TypeError, ValueError):
        raise KnobError(f"points={shown(points)}: give a list of pairs (x, y)") from None
    if not rows:
        raise KnobError("points=(): draw at least one point")
    whole("the number of points", len(rows), 1, MOST_POINTS)
    for k, row in enumerate(rows):
        if len(row) != 2 or not all(-EDGE <= v <= EDGE for v in row):  # NaN is not either
            raise KnobError(
                f"points[{k}]={shown(row)}: choose two numbers from {-EDGE:g} to {EDGE:g}"
            )
    return tuple(rows)


def points_for(name: str, points: Any) -> tuple[tuple[float, float], ...]:
    """The points that a set takes: for "points" those, checked, for any other none."""
    if name == "points":
        return checked_points(points)
    if points not in ((), []):
        raise KnobError(f"data={name!r} takes no points: choose data='points', or give ()")
    return ()
