"""What the Overview draws: the data sets on offer, a family's pictures with what they cost, and the
film of the example."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from demos.tabs.overview.texts import (
    FASHION,
    PORTRAITS,
    SETS,
    DataText,
    FamilyText,
    families_of,
)
from gen_core import Family, available
from gen_core.data import CLASSES
from gen_core.data.avatars import portrait, random_avatar
from gen_core.data.avatars.captions import caption
from gen_core.data.splits import AVATARS
from gen_core.evaluation.reference import floor_of
from gen_core.knobs import choice
from gen_core.sampling import Meter, pixels

# --- the data sets --------------------------------------------------------------------------------


def on_offer() -> list[DataText]:
    """Portraits where two models of them are here, for one alone is no comparison; and clothes."""
    here = available()
    there = sum(text.model(PORTRAITS.id) in here for text in families_of(PORTRAITS))
    return [PORTRAITS, FASHION] if there > 1 else [FASHION]


def named(title: str) -> DataText:
    """By its title, of now or of old links. Raises KnobError."""
    known = {data.linked: data for data in SETS} | {data.title: data for data in SETS}
    return known[choice("data", title, list(known))]


def said(data: DataText, label: int) -> str:
    """What a picture with that label was asked for, in words."""
    return (
        caption(random_avatar(AVATARS["asked"][label])) if data.colour else CLASSES[data.id][label]
    )


@functools.lru_cache(maxsize=64)
def person(label: int) -> np.ndarray:
    """uint8 (64, 64, 3): who is asked for in the column so numbered, drawn by a program."""
    return portrait(random_avatar(AVATARS["asked"][label]), 64)


# --- a family's drawing ---------------------------------------------------------------------------


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
    """What each picture was asked for: a class, or the number of a person (see `said`); None
    for an unconditional one."""
    milliseconds: float
    """Wall time per picture, so far."""
    evaluations: float
    """Network evaluations per picture, so far."""
    parameters: int
    frechet: float | None
    """None: not measured yet."""
    samples: int | None
    """With how many samples `frechet` was measured."""
    floor: float | None
    """Fréchet distance of as many real pictures from other real ones."""
    as_measured: bool
    """Whether these pictures were drawn with the knobs that `frechet` was measured with."""

    @property
    def done(self) -> bool:
        return self.step == self.total


def drawn(text: FamilyText, model: Family, seeds: list[int], steps: int) -> Iterator[Result]:
    """Yields a Result for each frame that is a picture; the last one is done.

    The figures are the sampler's own: what the receiver does between two frames is left out.
    """
    asked = model.published
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
            # Of people, the place of each.
            labels=[*range(len(label))] if isinstance(label, Tensor) else label,
            milliseconds=float(f"{1000 * meter.seconds / len(seeds):.4g}"),
            evaluations=meter.evaluations,
            parameters=sum(p.numel() for p in model.parameters()),
            frechet=metrics.get("frechet"),
            samples=metrics.get("samples"),
            floor=floor_of(model.card),
            as_measured=knobs == asked,
        )


@dataclass(frozen=True)
class Film:
    """Earlier moments of a drawing, for the example that plays."""

    steps: list[int]
    tiles: np.ndarray
    """uint8 (len(steps) * B, H, W) or (len(steps) * B, H, W, 3), moment by moment"""

    def sprite(self) -> np.ndarray:
        """uint8: a line of pictures for each moment, one below the other."""
        moments = self.tiles.reshape(len(self.steps), -1, *self.tiles.shape[1:])
        return np.concatenate([np.concatenate([*line], axis=1) for line in moments])


FILM = (0.0, 0.7, 0.88)
"""Its moments, as shares of the steps: early ones look alike."""


def filmed(results: Sequence[Result]) -> tuple[Result, Film | None]:
    """The end of a drawing, and its film; None where it is done in one step."""
    *before, last = results
    moments = [before[int(share * len(before))] for share in FILM] if len(before) > 1 else []
    if not moments:
        return last, None
    tiles = np.concatenate([moment.tiles for moment in moments])
    return last, Film([moment.step for moment in moments], tiles)
