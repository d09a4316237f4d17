"""Where every training picture lies among a classifier's features, small enough to ship.

Answers "is it a copy?" without the training set: the features of all its pictures, on their
principal axes and in bytes. Where pictures are drawn from seeds, the nearest can then be drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

AXES = 48
"""Principal axes kept: of the portraits' features, more than nine tenths of the variance."""
PREFIX = "training."


@dataclass(frozen=True)
class NearestTraining:
    codes: Tensor
    """(N, K) int8: training picture i on the principal axes, in units of `unit`."""
    axes: Tensor
    """(K, D) float16, orthonormal rows."""
    centre: Tensor
    """(D,) float16"""
    unit: Tensor
    """() float32"""

    @classmethod
    def of(cls, features: Tensor) -> NearestTraining:
        """From the features (N, D) of the whole training set, in order."""
        centre = features.mean(0)
        _, _, axes = torch.linalg.svd(features - centre, full_matrices=False)
        axes = axes[:AXES]
        places = (features - centre) @ axes.T
        unit = places.abs().max() / 127
        codes = (places / unit).round().to(torch.int8)
        return cls(codes, axes.half(), centre.half(), unit)

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps of it."""
        return {PREFIX + name: value for name, value in vars(self).items()}

    @classmethod
    def kept(cls, extra: dict[str, Any]) -> NearestTraining:
        """From what a checkpoint kept."""
        names = ("codes", "axes", "centre", "unit")
        return cls(*(extra[PREFIX + name].cpu() for name in names))

    def nearest(self, features: Tensor, count: int) -> Tensor:
        """(B, D) -> (B, count) int64: the training pictures whose features are nearest."""
        places = (features.cpu().float() - self.centre.float()) @ self.axes.float().T
        distances = torch.cdist(places / self.unit, self.codes.float())
        return distances.topk(count, largest=False).indices
