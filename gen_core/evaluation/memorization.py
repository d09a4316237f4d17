"""Is a picture a copy? The training portraits nearest to it, and how near real new ones come.

A distance alone says nothing: where pictures are alike, all are near. So it is held against what
pictures that nobody copied come to (Meehan, Chaudhuri & Dasgupta 2020, "A Non-Parametric Test to
Detect Data-Copying in Generative Models": distances to the training set, of generated pictures
against those of held-out ones).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from gen_core.classifiers.images import ImageClassifier
from gen_core.data.avatars import avatars
from gen_core.data.splits import AVATARS
from gen_core.evaluation.reference import PREFIX, TrainingIndex, classified
from gen_core.knobs import KnobError
from gen_core.training.checkpoint import CheckpointError

CANDIDATES = 48
"""Training portraits that are compared pixel by pixel: the nearest by features."""
FRESH = AVATARS["fresh"]
CLEARLY = 2 / 3
"""A copy is nearer than this share of the least distance among fresh portraits: chance makes one
picture in so many the nearest, but hardly by a third."""


@dataclass(frozen=True)
class Neighbour:
    """A training portrait beside some picture."""

    index: int
    """Its place in the training set."""
    picture: Tensor
    """(3, H, W) uint8"""
    difference: float
    """0 to 1: mean over all colour values, as a share of their range."""


@dataclass(frozen=True)
class Yardstick:
    """How near the nearest training portrait is to each of some that no data set contains."""

    fresh: Sequence[float]

    @property
    def least(self) -> float:
        return min(self.fresh)

    @property
    def limit(self) -> float:
        """What is nearer than this is a copy."""
        return CLEARLY * self.least

    def says(self, difference: float) -> Literal["copy", "near", "new"]:
        """Of a picture whose nearest training portrait differs by so much. "near": nearer than all
        fresh ones, but not clearly."""
        if difference < self.limit:
            return "copy"
        return "near" if difference < self.least else "new"


def candidates(classifier: ImageClassifier, x: Tensor) -> Iterator[Neighbour]:
    """The training portraits whose features are nearest to those of x (1, 3, N, N) in [-1, 1],
    one after the other, as each is drawn again from its seed.

    Raises KnobError for another shape, or a size that portraits do not have; CheckpointError where
    the classifier has not been evaluated.
    """
    if x.ndim != 4 or x.shape[:2] != (1, 3) or x.shape[2] != x.shape[3]:
        raise KnobError(
            f"a picture of shape {(*x.shape,)}: takes one in colour and square, (1, 3, N, N)"
        )
    if f"{PREFIX}codes" not in classifier.extra:
        raise CheckpointError(
            "judge-avatars does not know where the training portraits lie: run "
            "`python -m gen_core evaluate judge-avatars --write`"
        )
    features = classified(classifier, [x]).features
    for index in TrainingIndex.kept(classifier.extra).nearest(features, CANDIDATES)[0].tolist():
        pictures, _ = avatars([AVATARS["train"][index]], x.shape[-1])
        off = (pictures.float() / 127.5 - 1 - x.cpu()).abs().mean() / 2
        yield Neighbour(index, pictures[0], float(off))


def nearest(classifier: ImageClassifier, x: Tensor, count: int = 1) -> list[Neighbour]:
    """The `count` candidates that differ least from x, the nearest first. Raises as above."""
    return sorted(candidates(classifier, x), key=lambda neighbour: neighbour.difference)[:count]


def measured(classifier: ImageClassifier, seeds: Sequence[int] = FRESH) -> Iterator[float]:
    """What a `Yardstick` is made of: the least difference for each fresh portrait, in their order.

    Half a second each: drawing the candidates takes its time.
    """
    for seed in seeds:
        yield nearest(classifier, fresh(seed))[0].difference


def fresh(seed: int, size: int = 64) -> Tensor:
    """(1, 3, size, size) in [-1, 1]: the portrait of that seed."""
    return avatars([seed], size)[0].float() / 127.5 - 1
