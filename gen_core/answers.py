"""What a network says when it is asked for all attributes of a portrait, and how it is marked."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gen_core.data.avatars.labels import CHOICES, MEASURES, THOUSANDTHS
from gen_core.nets.classifier import marked

SIZES = tuple(len(values) for values in CHOICES.values())
"""How many values each choice has."""
OUTPUTS = sum(SIZES) + len(MEASURES)
"""The logits of all values of all choices, then the measures."""
MEASURES_COUNT = 10.0
"""As many times the measures' squared error joins the choices' cross-entropies."""


class Marks(NamedTuple):
    loss: Tensor
    """The cross-entropies of all choices and the measures' squared error, in one."""
    right: dict[str, Tensor]
    """By choice the share of right answers."""
    off: Tensor
    """(B, len(MEASURES)): by how much each measure is too high."""


def answers(out: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """(B, OUTPUTS) -> logits by choice, each (B, values), and the measures (B, len(MEASURES)),
    each in its attribute's own range."""
    *logits, numbers = out.float().split([*SIZES, len(MEASURES)], dim=1)
    return dict(zip(CHOICES, logits, strict=True)), numbers


def marks(out: Tensor, label: Tensor) -> Marks:
    """out (B, OUTPUTS), label as `labels.facts` gives it; what is hidden there is not asked."""
    logits, numbers = answers(out)
    loss, right = marked(logits, label[:, : len(CHOICES)])
    off = numbers - label[:, len(CHOICES) :] / THOUSANDTHS
    return Marks(loss + MEASURES_COUNT * off.square().mean(), right, off)


def share_right(right: dict[str, Tensor]) -> Tensor:
    """Of all choices alike."""
    return torch.stack([*right.values()]).mean()
