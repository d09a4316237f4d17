"""Several labels at once, any of them missing: as an embedding, and as the outputs of a classifier.

A row of labels is int64. Of each categorical attribute it has the index of its value, or
`IGNORE_INDEX`; behind these stand the continuous ones, times `SCALE`, or `MISSING`.
"""

from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

IGNORE_INDEX = -1
"""In place of a value that a picture does not show, or that is not asked for."""
MISSING = -10_000
"""In place of a number that is not asked for: none is so low."""
SCALE = 1000
"""Rows are whole numbers: the continuous attributes count in thousandths."""
CONTINUOUS_WEIGHT = 10.0
"""Of the continuous attributes' squared error beside the categorical ones' cross-entropies."""


class AttributeEmbedding(nn.Module):
    """Rows of labels -> (B, width). What is missing adds nothing."""

    def __init__(self, choices: tuple[int, ...], measures: int, width: int) -> None:
        """choices: how many values each categorical attribute has; measures: how many attributes
        are continuous."""
        super().__init__()
        self.choices = len(choices)
        self.values = nn.Embedding(sum(choices), width)
        nn.init.normal_(self.values.weight, std=len(choices) ** -0.5)
        self.measures = nn.Linear(2 * measures, width, bias=False)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.register_buffer("first", torch.tensor([0, *choices[:-1]]).cumsum(0), persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        """rows (B, choices + measures) int64 -> (B, width)"""
        values, numbers = rows[:, : self.choices], rows[:, self.choices :] / SCALE
        known = (values >= 0)[..., None]
        embedded = self.values((self.first + values).clamp(min=0)) * known
        present = (numbers >= -1).float()
        numbers = self.measures(torch.cat([numbers * present, present], dim=1))
        return self.mlp(embedded.sum(1) + numbers)


class AttributeTokens(nn.Module):
    """Rows of labels -> a vector for each attribute, as a transformer reads them before all else.
    What is missing has a vector too."""

    def __init__(self, choices: tuple[int, ...], measures: int, width: int) -> None:
        """As `AttributeEmbedding`."""
        super().__init__()
        self.count = len(choices) + measures
        self.values = nn.Embedding(sum(choices) + len(choices), width)
        nn.init.normal_(self.values.weight, std=0.02)
        self.measures = nn.Parameter(0.02 * torch.randn(3, measures, width))
        """Of each number: what always stands there, what is added where it is known, and that times
        the number."""
        sizes = torch.tensor(choices)
        self.register_buffer("sizes", sizes, persistent=False)
        self.register_buffer("first", (sizes + 1).cumsum(0) - (sizes + 1), persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        """rows (B, choices + measures) int64 -> (B, choices + measures, width)"""
        values, numbers = rows.split([len(self.sizes), self.measures.shape[1]], dim=1)
        values = self.first + torch.where(values >= 0, values, self.sizes)
        numbers = (numbers / SCALE)[..., None]
        always, known, slope = self.measures
        measured = always + (numbers >= -1) * (known + numbers * slope)
        return torch.cat([self.values(values), measured], dim=1)


class AttributeLoss(NamedTuple):
    """How far a classifier's outputs are from rows of labels."""

    categorical: Tensor
    """The cross-entropies of all categorical attributes, summed."""
    continuous: Tensor
    """The squared error of the continuous ones, `CONTINUOUS_WEIGHT` times."""
    right: dict[str, Tensor]
    """By categorical attribute the share of right answers."""
    error: Tensor
    """(B, continuous): by how much each number is too high."""

    @property
    def total(self) -> Tensor:
        return self.categorical + self.continuous

    @property
    def accuracy(self) -> Tensor:
        """The mean share of right answers, all categorical attributes alike."""
        return torch.stack([*self.right.values()]).mean()


class AttributeHead(nn.Module):
    """What the outputs of a classifier, (B, count), mean: the logits of all values of all
    categorical attributes, then the continuous ones. It has no weights."""

    def __init__(self, sizes: Mapping[str, int], continuous: int) -> None:
        """sizes: by categorical attribute, how many values it has."""
        super().__init__()
        self.sizes, self.continuous = dict(sizes), continuous
        self.count = sum(sizes.values()) + continuous
        first = torch.tensor([0, *accumulate(sizes.values())][:-1])
        self.register_buffer("first", first, persistent=False)

    def forward(self, out: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """(B, count) -> logits by categorical attribute, each (B, values), and the continuous ones
        (B, continuous), each in its own range."""
        *logits, numbers = out.float().split([*self.sizes.values(), self.continuous], dim=1)
        return dict(zip(self.sizes, logits, strict=True)), numbers

    def loss(self, out: Tensor, label: Tensor) -> AttributeLoss:
        """out (B, count), label rows of labels; a value that is hidden there is not asked."""
        logits, numbers = self(out)
        categorical, right = masked_cross_entropy(logits, label[:, : len(self.sizes)])
        error = numbers - label[:, len(self.sizes) :] / SCALE
        return AttributeLoss(categorical, CONTINUOUS_WEIGHT * error.square().mean(), right, error)

    def logits_of(self, out: Tensor, label: Tensor) -> Tensor:
        """(B, count), rows of labels -> (B, categorical): the logit of each value that the row
        tells; 0 where it tells none."""
        rows = label[:, : len(self.sizes)]
        return out.gather(1, (self.first + rows).clamp(min=0)) * (rows != IGNORE_INDEX)


def masked_cross_entropy(
    logits: Mapping[str, Tensor], answers: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """The cross-entropies of all questions, summed, and by question the share of right answers.

    logits: by question, (B, values); answers (B, questions) in the same order, `IGNORE_INDEX` where
    the picture gives none: those are not asked.
    """
    losses, right = [], {}
    for (name, values), answer in zip(logits.items(), answers.T, strict=True):
        asked = (answer != IGNORE_INDEX).sum().clamp(min=1)
        error = F.cross_entropy(values, answer, ignore_index=IGNORE_INDEX, reduction="sum")
        losses.append(error / asked)
        right[name] = (values.argmax(1) == answer).sum() / asked
    return torch.stack(losses).sum(), right
