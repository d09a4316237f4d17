"""What one family has to show in the Overview: pictures, and what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from demos.figures import pixels
from demos.texts.overview import FamilyText
from gen_core.evaluate import is_conditional
from gen_core.family import Family
from gen_core.measure import Cost, Meter, published


@dataclass(frozen=True)
class Result:
    """A finished row. Plain values and one array, so that it can be kept as an example."""

    family: str
    tiles: np.ndarray
    """uint8 (B, H, W)"""
    seeds: list[int]
    labels: list[int] | None
    """Class of each picture; None for a family that draws what it likes."""
    milliseconds: float
    """Wall time a picture."""
    evaluations: float
    """Network evaluations a picture."""
    parameters: int
    frechet: float | None
    """None: not measured yet."""
    samples: int | None
    """With how many samples `frechet` was measured."""
    floor: float | None
    """Fréchet distance between real pictures and other real ones."""
    as_measured: bool
    """Whether these pictures were drawn with the knobs that `frechet` was measured with."""


@dataclass(frozen=True)
class Progress:
    """A row while its sampler runs."""

    family: str
    tiles: np.ndarray
    """uint8 (B, H, W)"""
    seeds: list[int]
    labels: list[int] | None
    step: int
    total: int


def drawn(text: FamilyText, model: Family, seeds: list[int], steps: int) -> Iterator[Any]:
    """Yields Progress for each frame that is a picture, then the Result.

    The figures are the sampler's own: what the receiver does between two frames is left out.
    """
    asked = published(model)
    knobs = asked | ({"steps": steps} if "steps" in asked else {})
    labels = (
        [i % model.config.classes for i in range(len(seeds))] if is_conditional(model) else None
    )
    meter = Meter(model, seeds, **knobs, **({} if labels is None else {"label": labels}))
    x = None
    for frame in meter.frames():
        x = frame.x
        if x.ndim == 4:  # a latent is not a picture
            yield Progress(text.id, pixels(x), seeds, labels, frame.step, frame.total)
    yield _result(text, model, labels, meter.cost(x), knobs == asked, seeds)


def _result(
    text: FamilyText, model: Family, labels: list[int] | None, cost: Cost, as_measured: bool,
    seeds: list[int],
) -> Result:  # fmt: skip
    metrics = model.card.get("metrics", {})
    return Result(
        family=text.id,
        tiles=pixels(_pictures(cost.x)),
        seeds=seeds,
        labels=labels,
        milliseconds=float(f"{cost.milliseconds:.4g}"),
        evaluations=cost.evaluations,
        parameters=sum(p.numel() for p in model.parameters()),
        frechet=metrics.get("frechet"),
        samples=metrics.get("samples"),
        floor=metrics.get("floor"),
        as_measured=as_measured,
    )


def _pictures(x: Tensor) -> Tensor:
    return x
