"""A classifier of portraits: which attributes are seen? Measures the models that draw them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.data.avatars.labels import CHOICES, MEASURES, THOUSANDTHS, UNSEEN
from gen_core.families.judge import Judge
from gen_core.family import Losses, register


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
        out = self(x)
        logits, numbers = self.answers(out)
        losses = []
        for values, answer in zip(logits.values(), label[:, : len(CHOICES)].T, strict=True):
            error = F.cross_entropy(values, answer, ignore_index=UNSEEN, reduction="sum")
            losses.append(error / (answer != UNSEEN).float().sum().clamp(min=1))
        squares = (numbers - label[:, len(CHOICES) :] / THOUSANDTHS).square().mean()
        return {"loss": torch.stack(losses).sum() + 10 * squares, "off": squares.sqrt(),
                "accuracy": torch.stack([*self.right(out, label).values()]).mean()}  # fmt: skip

    def right(self, out: Tensor, label: Tensor) -> dict[str, Tensor]:
        """By choice, the share of right answers among those that the pictures show."""
        logits, _ = self.answers(out)
        shares = {}
        for (name, values), answer in zip(logits.items(), label[:, : len(CHOICES)].T, strict=True):
            shown = (answer != UNSEEN).float().sum().clamp(min=1)
            shares[name] = (values.argmax(1) == answer).float().sum() / shown
        return shares

    def figures(self, out: Tensor, label: Tensor) -> dict[str, float]:
        """The share of right answers, of all choices and of each; how far the measures are off."""
        shares = {name: float(share) for name, share in self.right(out, label).items()}
        off = (self.answers(out)[1] - label[:, len(CHOICES) :] / THOUSANDTHS).abs().mean(0)
        return (
            {"accuracy": sum(shares.values()) / len(shares)}
            | {f"right.{name}": share for name, share in shares.items()}
            | {f"off.{name}": float(value) for name, value in zip(MEASURES, off, strict=True)}
        )
