"""Traits: what a slider by meaning moves, each one number of a portrait.

A trait is read from what is known of a portrait (`of_labels`), to find its direction, and from what
the classifier sees in any picture (`of_answers`), to measure what moving along that direction does.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gen_core.data.avatars.schema import (
    BACKGROUNDS,
    CATEGORICAL,
    CLOTH_COLOURS,
    HAIR_COLOURS,
    SCHEMA,
    SKINS,
    attribute_labels,
    random_avatar,
)
from gen_core.data.images import LUMA
from gen_core.data.splits import AVATARS
from gen_core.nets.attributes import IGNORE_INDEX, SCALE

PEOPLE = 4000
"""Of the training data, to know how much traits vary."""


@dataclass(frozen=True)
class Trait:
    name: str
    """Ready to read: "glasses"."""
    low: str
    """What its lower end is called: "none"."""
    high: str
    attribute: str
    """The attribute it is read from."""
    values: tuple[float, ...] = ()
    """Of a categorical attribute: what each of its values counts. Empty for a continuous one."""


def _any_but_none(attribute: str) -> tuple[float, ...]:
    return tuple(float(value != "none") for value in CATEGORICAL[attribute])


def _brightness(colours: Mapping[str, tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(float(torch.tensor(rgb) @ torch.tensor(LUMA)) for rgb in colours.values())


TRAITS = {
    trait.name: trait
    for trait in (
        Trait("smile", "frowning", "smiling", "smile"),
        Trait("age", "young", "old", "age"),
        Trait("turn", "left", "right", "turn"),
        Trait("tilt", "left", "right", "tilt"),
        Trait("glasses", "none", "glasses", "glasses", _any_but_none("glasses")),
        Trait("hair colour", "dark", "light", "hair_colour", _brightness(HAIR_COLOURS)),
        Trait("skin", "dark", "light", "skin", _brightness(SKINS)),
        Trait("beard", "none", "beard", "beard", _any_but_none("beard")),
        Trait("hat", "none", "hat", "hat", _any_but_none("hat")),
        Trait("mouth", "shut", "open", "mouth", (0.0, 1.0)),
        Trait("clothes", "dark", "light", "cloth_colour", _brightness(CLOTH_COLOURS)),
        Trait("background", "dark", "light", "background", _brightness(BACKGROUNDS)),
        Trait("light", "left", "right", "light"),
        Trait("warmth", "cold", "warm", "warmth"),
    )
}
"""By name, those people ask for first."""


def of_labels(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of labels (N, ...) -> the traits (N, len(TRAITS)) float32, and where they show,
    (N, len(TRAITS)) bool; 0 where one does not."""
    columns, shown = [], []
    for trait in TRAITS.values():
        column = rows[:, SCHEMA.names.index(trait.attribute)]
        shown.append(column != IGNORE_INDEX if trait.values else torch.ones_like(column).bool())
        value = torch.tensor(trait.values)[column.clamp(min=0)] if trait.values else column / SCALE
        columns.append(value * shown[-1])
    return torch.stack(columns, 1).float(), torch.stack(shown, 1)


def of_answers(logits: Mapping[str, Tensor], numbers: Tensor) -> Tensor:
    """What `AttributeClassifier.answers` gives -> the traits (N, len(TRAITS)) float32.

    A categorical attribute counts with the probabilities that the classifier gives its values.
    """
    known = dict(zip(SCHEMA.continuous, numbers.T, strict=True))
    for trait in filter(lambda trait: trait.values, TRAITS.values()):
        worth = torch.tensor(trait.values, device=numbers.device)
        known[trait.attribute] = logits[trait.attribute].softmax(1) @ worth
    return torch.stack([known[trait.attribute] for trait in TRAITS.values()], 1)


def moments(traits: Tensor, shown: Tensor) -> tuple[Tensor, Tensor]:
    """Traits (N, T) and where they show -> the mean and the standard deviation of each, (T,)."""
    count = shown.sum(0).clamp(min=1)
    mean = (traits * shown).sum(0) / count
    return mean, ((traits - mean).square() * shown).sum(0).div(count).sqrt()


@functools.cache
def spreads() -> Tensor:
    """(T,) the standard deviations of the traits in the data: what effects are counted in."""
    people = [random_avatar(seed) for seed in AVATARS["train"][:PEOPLE]]
    return moments(*of_labels(attribute_labels(people)))[1]
