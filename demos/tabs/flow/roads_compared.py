"""Four ways from one noise to the same data: how each goes, and what its steps are worth."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from demos.widgets.roads import GRID, REACH, RoadValue, arrows_text, places_text
from gen_core.data.yardstick import Yardstick
from gen_core.paths import Field, Road, road, straightness
from gen_core.paths.roads import FINE, distance, reference
from gen_core.progress import Progress
from gen_core.sampling import Noise

SHOWN, JUDGED = 500, 250
"""Points that are shown; and those of which straightness and error are the mean."""
KEY_FRAMES = 24
"""Moments of a road that are sent, besides its beginning: of fewer steps all, of more so many."""
MOST_EVALUATIONS = 64
"""Of the network, up to which few steps are measured."""
COSTS = {"euler": 1, "heun": 2, "rk4": 4}
"""Solver -> evaluations of the network in a step."""
ANCESTRAL = "ancestral"
FINE_SHOWN = 40
"""Pieces in which the road of fine steps is drawn."""


@dataclass(frozen=True)
class Way:
    """One of the four."""

    title: str
    spoken: str
    """Its name in a sentence."""
    note: str
    field: Field | None
    """None while nobody knows it."""
    method: str
    perfect: Field | None = None
    """What a network would answer that had learned all; None where nothing is learned, or where
    nobody can say."""

    @property
    def random(self) -> bool:
        """Whether fresh noise says where a point ends."""
        return self.method == ANCESTRAL

    def road(self, start: Tensor, steps: int, seeds: Sequence[int]) -> Road:
        """seeds: of fresh noise, one for each point, where the way takes any."""
        noise = Noise(seeds) if self.random else None
        return road(self.field, start, self.method, steps, noise=noise)


def four_ways(
    diffusion: Field,
    flow: Field,
    reflowed: Field | None,
    method: str,
    perfect: tuple[Field, Field] | None = None,
) -> list[Way]:
    """In the order of the page. perfect: diffusion and flow without a mistake, where networks have
    learned them."""
    from_what = "taught by the flow's own ends" if perfect else "a network, taught by exact ends"
    noisy, straight = perfect or (None, None)
    return [
        Way("Diffusion, fresh noise", "diffusion", "ancestral sampling", diffusion, ANCESTRAL),
        Way("Diffusion's ODE", "diffusion's ODE", "probability flow", diffusion, method, noisy),
        Way("Flow matching", "flow matching", "on the straight path", flow, method, straight),
        Way("Reflowed flow", "the reflowed flow", from_what, reflowed, method),
    ]


# --- what is shown --------------------------------------------------------------------------------


def moments(steps: int) -> list[int]:
    """The steps after which a key frame is taken, the first and the last among them."""
    pieces = min(steps, KEY_FRAMES)
    return [round(k * steps / pieces) for k in range(pieces + 1)]


def arrows(field: Field | None, times: Sequence[float]) -> str:
    """The field in the middle of each cell of a grid; "" for none."""
    if field is None:
        return ""
    line = ((torch.arange(GRID) + 0.5) / GRID * 2 - 1) * REACH
    places = torch.cartesian_prod(line, line)
    with torch.no_grad():
        return arrows_text(torch.stack([field.velocity(places, t) for t in times]))


def fields(way: Way, times: Sequence[float]) -> dict[str, str]:
    """Of a way that shares its field with the next one: none."""
    own = None if way.random else way.field
    return {"arrows": arrows(own, times), "exact": arrows(way.perfect, times)}


def travelled(way: Way, start: Tensor, steps: int, seeds: Sequence[int]) -> tuple[Road, RoadValue]:
    """The road of all points, and what the page is told of it."""
    went = way.road(start, steps, seeds)
    taken = moments(steps)
    points = places_text(went.points[taken][:, :SHOWN])
    shown = fields(way, [k / steps for k in taken])
    return went, RoadValue(way.title, way.note, points, evaluations=went.evaluations, **shown)


def so_far(way: Way, start: Tensor, steps: int, seeds: Sequence[int]) -> RoadValue:
    """Where the points would end, and the field half way, of a network that still learns."""
    if way.field is None:
        return RoadValue(way.title, way.note, waits="waits until the flow has learned")
    end = way.road(start[:SHOWN], steps, seeds[:SHOWN]).end
    return RoadValue(way.title, way.note, places_text(end[None]), **fields(way, [0.5]))


def point_on(way: Way, start: Tensor, steps: int, seeds: Sequence[int]) -> dict[str, str]:
    """The road of one point, start (1, 2), at the page's key frames, and that of fine steps."""
    points = way.road(start, steps, seeds).points[moments(steps)]
    if way.random:
        return {"way": places_text(points), "fine": ""}
    fine = road(way.field, start, "rk4", FINE).points[:: FINE // FINE_SHOWN]
    return {"way": places_text(points), "fine": places_text(fine)}


# --- what it is worth -----------------------------------------------------------------------------

ByEvaluations = dict[int, float]


@dataclass(frozen=True)
class Worth:
    """What was measured of a way; error and straightness are None with fresh noise."""

    straightness: float | None
    wasserstein: float
    error: float | None
    errors: ByEvaluations
    """Mean distance from the ends of 200 fine steps; none with fresh noise."""
    distances: ByEvaluations
    """The Wasserstein distance to the data."""


def worth_of(
    way: Way, start: Tensor, went: Road, seeds: Sequence[int], yardstick: Yardstick
) -> Generator[Progress, None, Worth]:
    """Measures a way. start: all points, went: their road."""

    def far(ends: Tensor) -> float:
        return float(yardstick.wasserstein(ends[None]))

    cost = COSTS.get(way.method, 1)
    counts = [2**k for k in range(7) if cost <= 2**k <= MOST_EVALUATIONS]
    ends = {}
    for n in counts:
        yield Progress(f"Measuring: {way.title}")
        ends[n] = way.road(start, n // cost, seeds).end
    distances = {n: far(end) for n, end in ends.items()}
    if way.random:
        return Worth(None, far(went.end), None, {}, distances)
    few = start[:JUDGED]
    yield Progress(f"Measuring: {way.title}")
    right = reference(way.field, few)
    errors = {n: distance(end[:JUDGED], right) for n, end in ends.items()}
    yield Progress(f"Measuring: {way.title}")
    bend = straightness(way.field, few)
    return Worth(bend, far(went.end), distance(went.end[:JUDGED], right), errors, distances)


def curves(ways: Sequence[Way], worths: Sequence[Worth]) -> list[dict[str, Any]]:
    """What few steps are worth, as `timeline/charts.js` draws it; a way has one colour in both."""
    ordered = sorted(zip(ways, worths, strict=True), key=lambda pair: pair[0].random)
    at = [2**k for k in range(7)]

    def chart(title: str, found: Sequence[tuple[str, ByEvaluations]], log: bool) -> dict[str, Any]:
        series = [
            {"name": name, "points": [[n, value] for n, value in row.items() if value > 0]}
            for name, row in found
            if row
        ]
        axes = {"x_label": "evaluations of the network", "log_x": True, "log_y": log}
        return {"title": title, "at": at, "series": series, "y_range": [] if log else [0]} | axes

    errors = [(way.title, worth.errors) for way, worth in ordered]
    distances = [(way.title, worth.distances) for way, worth in ordered]
    return [
        chart("Step error, against 200 fine steps", errors, log=True),
        chart("Wasserstein distance to the data", distances, log=False),
    ]


def nearest(evaluations: int) -> int:
    """The point of the curves for so many evaluations."""
    return min(range(7), key=lambda k: abs(2**k - evaluations))


def verdict(ways: Sequence[Way], worths: Sequence[Worth], method: str) -> str:
    """What one step of the best way is worth, and how many the others need for that. method: as a
    visitor reads it."""
    judged = [(way, worth.errors) for way, worth in zip(ways, worths, strict=True) if worth.errors]
    cost = COSTS[judged[0][0].method]
    ranked = sorted(judged, key=lambda pair: pair[1][cost])
    best, errors = ranked[0]
    goal = errors[cost]
    rest = [(way, _needed(row, goal, cost)) for way, row in ranked[1:]]
    rest.sort(key=lambda pair: pair[1] or MOST_EVALUATIONS + 1)
    most = MOST_EVALUATIONS // cost
    said = [f"{way.spoken} needs {n or f'more than {most}'}" for way, n in rest]
    return (
        f"One {method} step of {best.spoken} ends {goal:.2g} from where 200 fine ones do; "
        f"{' and '.join(said)} for that."
    )


def _needed(errors: ByEvaluations, goal: float, cost: int) -> int | None:
    """The least number of steps that was measured with no larger error; None where none was."""
    return next((n // cost for n, error in errors.items() if error <= goal), None)
