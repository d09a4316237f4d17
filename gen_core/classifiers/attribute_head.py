"""What a network says when it is asked for all attributes of a portrait, and how it is marked."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from gen_core.data.avatars.labels import CHOICES, MEASURES, THOUSANDTHS
from gen_core.data.images import UNSEEN
from gen_core.devices import constant
from gen_core.nets.classifier import marked

SIZES = tuple(len(values) for values in CHOICES.values())
"""How many values each choice has."""
FIRST = (0, *accumulate(SIZES[:-1]))
"""Where the logits of each choice begin."""
OUTPUTS = sum(SIZES) + len(MEASURES)
"""The logits of all values of all choices, then the measures."""
MEASURES_WEIGHT = 10.0
"""Of the measures' squared error beside the choices' cross-entropies."""


class Marks(NamedTuple):
    choices: Tensor
    """The cross-entropies of all choices, summed."""
    measures: Tensor
    """The squared error of the measures, MEASURES_WEIGHT times."""
    right: dict[str, Tensor]
    """By choice the share of right answers."""
    off: Tensor
    """(B, len(MEASURES)): by how much each measure is too high."""

    @property
    def loss(self) -> Tensor:
        return self.choices + self.measures

    @property
    def share_right(self) -> Tensor:
        """Of all choices alike."""
        return torch.stack([*self.right.values()]).mean()


def answers(out: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """(B, OUTPUTS) -> logits by choice, each (B, values), and the measures (B, len(MEASURES)),
    each in its attribute's own range."""
    *logits, numbers = out.float().split([*SIZES, len(MEASURES)], dim=1)
    return dict(zip(CHOICES, logits, strict=True)), numbers


def marks(out: Tensor, label: Tensor) -> Marks:
    """out (B, OUTPUTS), label as `labels.facts` gives it; what is hidden there is not asked."""
    logits, numbers = answers(out)
    choices, right = marked(logits, label[:, : len(CHOICES)])
    off = numbers - label[:, len(CHOICES) :] / THOUSANDTHS
    return Marks(choices, MEASURES_WEIGHT * off.square().mean(), right, off)


def logits_of(out: Tensor, label: Tensor) -> Tensor:
    """(B, OUTPUTS) -> (B, len(CHOICES)): the logit of each value that `label` (as `labels.facts`
    gives it) tells; 0 where it tells none."""
    rows = label[:, : len(CHOICES)]
    return out.gather(1, (constant(FIRST, torch.int64, out.device) + rows).clamp(min=0)) * (
        rows != UNSEEN
    )
