"""A classifier of portraits: which attributes are seen? Measures the models that draw them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.data.avatars.labels import CHOICES, MEASURES, THOUSANDTHS, UNSEEN
from gen_core.families.judge import Judge, JudgeConfig
from gen_core.family import Losses, register


@dataclass(frozen=True)
class AvatarJudgeConfig(JudgeConfig):
    channels: int = 3
    widths: tuple[int, ...] = (32, 64, 128, 192)
    classes: int = sum(len(values) for values in CHOICES.values()) + len(MEASURES)
    """Outputs: the logits of all values of all choices, then the measures."""


@register
class AvatarJudge(Judge):
    """The features of `Judge`, and an answer for each attribute."""

    name = "avatar-judge"
    Config = AvatarJudgeConfig

    def answers(self, out: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """What `forward` gives, (B, outputs) -> logits by choice, each (B, values), and the
        measures (B, len(MEASURES)), each in its attribute's own range"""
        sizes = [len(values) for values in CHOICES.values()]
        *logits, numbers = out.float().split([*sizes, len(MEASURES)], dim=1)
        return dict(zip(CHOICES, logits, strict=True)), numbers

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """x (B, 3, H, W), label as `labels.facts` gives it; what is hidden is not asked."""
        logits, numbers = self.answers(self(x))
        expected = label[:, : len(CHOICES)].T
        losses, right, seen = [], 0.0, 0.0
        for values, answer in zip(logits.values(), expected, strict=True):
            shown = (answer != UNSEEN).float().sum()
            error = F.cross_entropy(values, answer, ignore_index=UNSEEN, reduction="sum")
            losses.append(error / shown.clamp(min=1))
            right, seen = right + (values.argmax(1) == answer).float().sum(), seen + shown
        off = numbers - label[:, len(CHOICES) :] / THOUSANDTHS
        squares = off.square().mean()
        loss = torch.stack(losses).sum() + 10 * squares
        return {"loss": loss, "accuracy": right / seen, "off": squares.sqrt()}
