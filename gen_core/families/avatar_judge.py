"""A classifier of portraits: which attributes are seen? Measures the models that draw them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gen_core.data.avatars.labels import CHOICES, MEASURES, THOUSANDTHS
from gen_core.families.judge import Judge
from gen_core.family import Losses, register
from gen_core.nets.classifier import marked


@dataclass(frozen=True)
class AvatarJudgeConfig:
    channels: int = 3
    widths: tuple[int, ...] = (32, 64, 128, 192)


@register
class AvatarJudge(Judge):
    """The features of `Judge`, and an answer for each attribute."""

    name = "avatar-judge"
    Config = AvatarJudgeConfig

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

    def figures(self, out: Tensor, label: Tensor) -> dict[str, float]:
        """The share of right answers, of all choices and of each; how far the measures are off."""
        logits, numbers = self.answers(out)
        _, right = marked(logits, label[:, : len(CHOICES)])
        shares = {name: float(share) for name, share in right.items()}
        off = _off(numbers, label).abs().mean(0)
        return (
            {"accuracy": sum(shares.values()) / len(shares)}
            | {f"right.{name}": share for name, share in shares.items()}
            | {f"off.{name}": float(value) for name, value in zip(MEASURES, off, strict=True)}
        )


def _off(numbers: Tensor, label: Tensor) -> Tensor:
    """By how much the measures (B, len(MEASURES)) differ from those in `labels.facts`."""
    return numbers - label[:, len(CHOICES) :] / THOUSANDTHS
