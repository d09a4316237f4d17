"""A classifier of portraits: which attributes are seen? Measures the models that draw them."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from gen_core.classifiers.images import ImageClassifier
from gen_core.data import SCHEMAS, Schema
from gen_core.evaluation import metrics
from gen_core.family import Losses, register
from gen_core.nets.attributes import AttributeHead
from gen_core.nets.config import setting

TENTHS = 10
"""In so many equal parts of its range each continuous attribute is counted."""


@dataclass(frozen=True)
class AttributeClassifierConfig:
    channels: int = setting(3, 1, 64)
    widths: tuple[int, ...] = (24, 64, 96, 128)
    schema: str = setting("avatars", options=SCHEMAS)
    """The data set whose attributes it sees."""


@register
class AttributeClassifier(ImageClassifier):
    """The features of `ImageClassifier`, and an answer for each attribute."""

    name = "avatar-judge"
    Config = AttributeClassifierConfig
    small: ClassVar = {"widths": (16, 32, 32)}
    indexes = True

    def __init__(self, config: AttributeClassifierConfig | None = None) -> None:
        super().__init__(config)
        self.answers = AttributeHead(self.schema.sizes, len(self.schema.continuous))

    @property
    def schema(self) -> Schema:
        return SCHEMAS[self.config.schema]

    @property
    def outputs(self) -> int:
        return sum(self.schema.sizes.values()) + len(self.schema.continuous)

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """x (B, 3, H, W), label rows of labels; what is hidden is not asked."""
        found = self.answers.loss(self(x), label)
        off = found.error.square().mean().sqrt()
        return {"loss": found.total, "accuracy": found.accuracy, "off": off}

    def agreement(self, out: Tensor, label: Tensor) -> dict[str, Any]:
        """The share of right answers, of all categorical attributes and of each; how far the
        continuous ones are off. What the label does not tell is not asked."""
        found = self.answers.loss(out.cpu(), label.cpu())
        return {
            "accuracy": float(found.accuracy),
            "right": {name: float(share) for name, share in found.right.items()},
            "off": dict(
                zip(self.schema.continuous, found.error.abs().mean(0).tolist(), strict=True)
            ),
        }

    def census(self, out: Tensor) -> dict[str, Any]:
        """By categorical attribute the share of pictures with each value; of each continuous one,
        how many in each of the `TENTHS` of its range."""
        logits, numbers = self.answers(out.cpu())
        spread = {}
        for (name, bounds), values in zip(self.schema.continuous.items(), numbers.T, strict=True):
            counts = torch.histc(values.clamp(*bounds), TENTHS, *bounds)
            spread[name] = (counts / len(values)).tolist()
        shares = {name: metrics.class_shares(each).tolist() for name, each in logits.items()}
        return {"shares": shares, "spread": spread}
