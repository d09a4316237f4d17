"""A classifier of portraits: which attributes are seen? Measures the models that draw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gen_core import metrics
from gen_core.data.avatars.labels import CHOICES, MEASURES, THOUSANDTHS
from gen_core.families.judge import Judge
from gen_core.family import Losses, register
from gen_core.nets.classifier import marked


@dataclass(frozen=True)
class AvatarJudgeConfig:
    channels: int = 3
    widths: tuple[int, ...] = (24, 64, 96, 128)


@register
class AvatarJudge(Judge):
    """The features of `Judge`, and an answer for each attribute."""

    name = "avatar-judge"
    Config = AvatarJudgeConfig
    indexes = True

    @property
    def outputs(self) -> int:
        """The logits of all values of all choices, then the measures."""
        return sum(map(len, CHOICES.values())) + len(MEASURES)

    def answers(self, out: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """What `forward` gives, (B, outputs) -> logits by choice, each (B, values), and the
        measures (B, len(MEASURES)), each in its attribute's own range"""
        sizes = [len(values) for values in CHOICES.values()]
        *logits, numbers = out.float().split([*sizes, len(MEASURES)], dim=1)
        return dict(zip(CHOICES, logits, strict=True)), numbers

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """x (B, 3, H, W), label as `labels.facts` gives it; what is hidden is not asked."""
        logits, numbers = self.answers(self(x))
        loss, right = marked(logits, label[:, : len(CHOICES)])
        squares = _off(numbers, label).square().mean()
        accuracy = torch.stack([*right.values()]).mean()
        return {"loss": loss + 10 * squares, "accuracy": accuracy, "off": squares.sqrt()}

    def agreement(self, out: Tensor, label: Tensor) -> dict[str, Any]:
        """The share of right answers, of all choices and of each; how far the measures are off.

        What the label does not tell is not asked.
        """
        logits, numbers = self.answers(out)
        _, right = marked(logits, label[:, : len(CHOICES)])
        shares = {name: float(share) for name, share in right.items()}
        off = _off(numbers, label).abs().mean(0).tolist()
        return {
            "accuracy": sum(shares.values()) / len(shares),
            "right": shares,
            "off": dict(zip(MEASURES, off, strict=True)),
        }

    def census(self, out: Tensor) -> dict[str, Any]:
        """By choice the share of pictures with each value; of each measure, how many in each of
        ten equal parts of its range."""
        logits, numbers = self.answers(out.cpu())
        ranges = {name: (0.0 if name == "age" else -1.0, 1.0) for name in MEASURES}
        clipped = {
            name: column.clamp(*ranges[name])
            for name, column in zip(MEASURES, numbers.T, strict=True)
        }
        return {
            "shares": {name: metrics.class_shares(said).tolist() for name, said in logits.items()},
            "spread": {
                name: (torch.histc(values, 10, *ranges[name]) / len(values)).tolist()
                for name, values in clipped.items()
            },
        }


def _off(numbers: Tensor, label: Tensor) -> Tensor:
    """By how much the measures (B, len(MEASURES)) differ from those in `labels.facts`."""
    return numbers - label[:, len(CHOICES) :] / THOUSANDTHS
