"""A classifier of portraits: which attributes are seen? Measures the models that draw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gen_core.classifiers.attribute_head import OUTPUTS, answers, marks
from gen_core.classifiers.images import Judge
from gen_core.conditions import LOWEST
from gen_core.data.avatars.labels import MEASURES
from gen_core.evaluation import metrics
from gen_core.family import Losses, register

TENTHS = 10
"""In so many equal parts of its range each measure is counted."""


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

    @classmethod
    def tiny(cls) -> AvatarJudgeConfig:
        return AvatarJudgeConfig(widths=(16, 32, 32))

    @property
    def outputs(self) -> int:
        return OUTPUTS

    def answers(self, out: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """What `forward` gives, (B, outputs) -> as `gen_core.classifiers.attribute_head.answers`"""
        return answers(out)

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """x (B, 3, H, W), label as `labels.facts` gives it; what is hidden is not asked."""
        said = marks(self(x), label)
        off = said.off.square().mean().sqrt()
        return {"loss": said.loss, "accuracy": said.share_right, "off": off}

    def agreement(self, out: Tensor, label: Tensor) -> dict[str, Any]:
        """The share of right answers, of all choices and of each; how far the measures are off.

        What the label does not tell is not asked.
        """
        said = marks(out.cpu(), label.cpu())
        return {
            "accuracy": float(said.share_right),
            "right": {name: float(share) for name, share in said.right.items()},
            "off": dict(zip(MEASURES, said.off.abs().mean(0).tolist(), strict=True)),
        }

    def census(self, out: Tensor) -> dict[str, Any]:
        """By choice the share of pictures with each value; of each measure, how many in each of
        the `TENTHS` of its range."""
        logits, numbers = self.answers(out.cpu())
        ranges = {name: (LOWEST.get(name, -1.0), 1.0) for name in MEASURES}
        clipped = {
            name: column.clamp(*ranges[name])
            for name, column in zip(MEASURES, numbers.T, strict=True)
        }
        return {
            "shares": {name: metrics.class_shares(said).tolist() for name, said in logits.items()},
            "spread": {
                name: (torch.histc(values, TENTHS, *ranges[name]) / len(values)).tolist()
                for name, values in clipped.items()
            },
        }
