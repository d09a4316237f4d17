"""How far pictures are from any portrait, as a classifier of portraits sees them half way up.

The features that the classifier ends with tell who is on a picture and forget all else: to them,
noise is as near to a portrait as another portrait is. Half way up they still tell how lines and
surfaces look (as in Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a
Perceptual Metric"), which is what goes wrong in a hole of the latent space.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from demos.page.handlers import App
from demos.page.progress import Working
from demos.tabs.latent_space.models import JUDGE, MOST_PORTRAITS, UNSEEN_FROM
from gen_core import available
from gen_core.classifiers.attributes import AttributeClassifier
from gen_core.data.avatars import avatars

COUNT, CHUNK = 300, 20
SEEDS = range(UNSEEN_FROM + MOST_PORTRAITS, UNSEEN_FROM + MOST_PORTRAITS + COUNT)
"""Of portraits that no model was trained on, and that are not on offer."""


@dataclass(frozen=True)
class Crowd:
    """Portraits, and the classifier that looks at them."""

    judge: AttributeClassifier
    features: Tensor
    """(N, D) float32, each column with a mean of 0 and a deviation of 1."""
    mean: Tensor
    deviation: Tensor
    """(D,): what the columns had."""
    usual: float
    """How far a portrait is from the nearest other one, at the median: the unit of `away`."""

    @classmethod
    def of(cls, judge: AttributeClassifier, x: Tensor) -> Crowd:
        """x (N, 3, H, W) in [-1, 1]: the portraits, two or more."""
        seen = half_way(judge, x)
        mean, deviation = seen.mean(0), seen.std(0).clamp(min=1e-6)
        features = (seen - mean) / deviation
        between = torch.cdist(features, features).fill_diagonal_(torch.inf)
        return cls(judge, features, mean, deviation, float(between.amin(1).median()))

    def away(self, x: Tensor) -> list[float]:
        """x (B, 3, H, W) in [-1, 1] -> how far each is from the nearest portrait; 1 is as far as
        portraits usually are from each other."""
        seen = (half_way(self.judge, x) - self.mean) / self.deviation
        return (torch.cdist(seen, self.features).amin(1) / self.usual).tolist()


@torch.inference_mode()
def half_way(judge: AttributeClassifier, x: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, D), on the CPU: the mean over places after half of the judge's layers."""
    layers = judge.body[: len(judge.body) // 2]
    return layers(x.to(judge.device)).float().mean((2, 3)).cpu()


_met: WeakKeyDictionary[App, Crowd] = WeakKeyDictionary()


def meet(app: App) -> Generator[Working, None, Crowd | None]:
    """The portraits of `SEEDS`, drawn once for all visitors; None where there is no judge. A
    generator, for `yield from`: drawing takes its time."""
    if JUDGE not in available():
        return None
    if app not in _met:
        drawn = []
        for first in range(0, COUNT, CHUNK):
            drawn.append(avatars(SEEDS[first : first + CHUNK])[0])
            yield Working(first + CHUNK, COUNT, "Drawing portraits to compare with", "portraits")
        _met[app] = Crowd.of(app.model(JUDGE), torch.cat(drawn).float() / 127.5 - 1)
    return _met[app]
