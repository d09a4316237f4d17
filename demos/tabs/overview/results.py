"""What one family has to show in the Overview: pictures, and what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from demos.page.figures import pixels
from demos.tabs.overview.texts import FamilyText
from gen_core.evaluation.cost import Meter, published
from gen_core.family import Family


@dataclass(frozen=True)
class Result:
    """A row at one moment of its drawing. Plain values and one array: it can be kept."""

    family: str
    step: int
    total: int
    """Done when step == total."""
    tiles: np.ndarray
    """uint8 (B, H, W) or (B, H, W, 3)"""
    seeds: list[int]
    labels: list[int] | None
    """What each picture was asked for: a class, or the number of a person (see `sets.said`); None
    for a family that draws what it likes."""
    milliseconds: float
    """Wall time a picture, so far."""
    evaluations: float
    """Network evaluations a picture, so far."""
    parameters: int
    frechet: float | None
    """None: not measured yet."""
    samples: int | None
    """With how many samples `frechet` was measured."""
    floor: float | None
    """Fréchet distance between real pictures and other real ones."""
    as_measured: bool
    """Whether these pictures were drawn with the knobs that `frechet` was measured with."""

    @property
    def done(self) -> bool:
        return self.step == self.total


def drawn(text: FamilyText, model: Family, seeds: list[int], steps: int) -> Iterator[Result]:
    """Yields a Result for each frame that is a picture; the last one is done.

    The figures are the sampler's own: what the receiver does between two frames is left out.
    """
    asked = published(model)
    knobs = asked | ({"steps": steps} if "steps" in asked else {})
    label = model.condition.balanced(range(len(seeds)))
    metrics = model.card.get("metrics", {})
    meter = Meter(model, seeds, **knobs, **({} if label is None else {"label": label}))
    meter.warm_up()
    for frame in meter.frames():
        if frame.x.ndim != 4:
            continue  # a latent is not a picture
        yield Result(
            family=text.id,
            step=frame.step,
            total=frame.total,
            tiles=pixels(frame.x),
            seeds=seeds,
            labels=numbered(label),
            milliseconds=float(f"{1000 * meter.seconds / len(seeds):.4g}"),
            evaluations=meter.evaluations,
            parameters=sum(p.numel() for p in model.parameters()),
            frechet=metrics.get("frechet"),
            samples=metrics.get("samples"),
            floor=metrics.get("floor"),
            as_measured=knobs == asked,
        )


def numbered(label: Sequence[int] | Tensor | None) -> list[int] | None:
    """What `balanced` gave, as it is kept: classes, or for rows of facts the place of each."""
    return list(range(len(label))) if isinstance(label, Tensor) else label


def milliseconds(value: float) -> str:
    """Three figures at most: 0.84, 8.4, 84, 840."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def distance(value: float | None) -> str:
    """Two or three figures: 0.045, 0.45, 4.51, 45.1."""
    if value is None:
        return "not measured yet"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"
