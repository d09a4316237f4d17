"""Traits: what a slider by meaning moves, each one number of a portrait.

A trait is read from what is known of a portrait (`of_facts`), to find its direction, and from what
the judge sees in any picture (`of_answers`), to measure what moving along that direction does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gen_core.data.avatars.attributes import BACKGROUNDS, CLOTH_COLOURS, HAIR_COLOURS, SKINS
from gen_core.data.avatars.labels import CHOICES, MEASURES, THOUSANDTHS
from gen_core.data.images import UNSEEN

LUMA = torch.tensor([0.299, 0.587, 0.114])
"""How bright red, green and blue look (Rec. ITU-R BT.601)."""


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
    """Of a choice: what each of its values counts. Empty for a measure."""


def _any_but_none(attribute: str) -> tuple[float, ...]:
    return tuple(float(value != "none") for value in CHOICES[attribute])


def _brightness(colours: Mapping[str, tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(float(torch.tensor(rgb) @ LUMA) for rgb in colours.values())


TRAITS = {
    trait.name: trait
    for trait in (
        Trait("smile", "frowning", "smiling", "smile"),
        Trait("age", "young", "old", "age"),
        Trait("turn", "to the left", "to the right", "turn"),
        Trait("tilt", "to one side", "to the other", "tilt"),
        Trait("glasses", "none", "glasses", "glasses", _any_but_none("glasses")),
        Trait("hair colour", "dark", "light", "hair_colour", _brightness(HAIR_COLOURS)),
        Trait("skin", "dark", "light", "skin", _brightness(SKINS)),
        Trait("beard", "none", "beard", "beard", _any_but_none("beard")),
        Trait("hat", "none", "hat", "hat", _any_but_none("hat")),
        Trait("mouth", "shut", "open", "mouth", (0.0, 1.0)),
        Trait("clothes", "dark", "light", "cloth_colour", _brightness(CLOTH_COLOURS)),
        Trait("background", "dark", "light", "background", _brightness(BACKGROUNDS)),
        Trait("light", "from the left", "from the right", "light"),
        Trait("warmth", "cold", "warm", "warmth"),
    )
}
"""By name, those people ask for first."""


def of_facts(facts: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of `labels.facts` (N, ...) -> the traits (N, len(TRAITS)) float32, and where they show,
    (N, len(TRAITS)) bool; 0 where one does not."""
    columns, shown = [], []
    for trait in TRAITS.values():
        if trait.values:
            codes = facts[:, list(CHOICES).index(trait.attribute)]
            shown.append(codes != UNSEEN)
            columns.append(torch.tensor(trait.values)[codes.clamp(min=0)] * shown[-1])
        else:
            column = facts[:, len(CHOICES) + MEASURES.index(trait.attribute)]
            columns.append(column / THOUSANDTHS)
            shown.append(torch.ones(len(facts), dtype=torch.bool))
    return torch.stack(columns, 1).float(), torch.stack(shown, 1)


def of_answers(logits: Mapping[str, Tensor], numbers: Tensor) -> Tensor:
    """What `AvatarJudge.answers` gives -> the traits (N, len(TRAITS)) float32.

    A choice counts with the probabilities that the judge gives its values.
    """
    columns = []
    for trait in TRAITS.values():
        if trait.values:
            worth = torch.tensor(trait.values, device=numbers.device)
            columns.append(logits[trait.attribute].softmax(1) @ worth)
        else:
            columns.append(numbers[:, MEASURES.index(trait.attribute)])
    return torch.stack(columns, 1)
