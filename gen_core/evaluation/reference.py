"""Real pictures as a classifier sees them: what samples are measured against, and where every
training picture lies among its features, small enough to ship."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gen_core.classifiers.images import ImageClassifier
from gen_core.data import load_data
from gen_core.evaluation import metrics
from gen_core.progress import Progress, Report, ignore
from gen_core.training import checkpoint

AXES = 48
"""Principal axes kept: of the portraits' features, more than nine tenths of the variance."""
PREFIX = "training."


class Classified(NamedTuple):
    """What the classifier says of N pictures."""

    features: Tensor
    """(N, D) float32"""
    logits: Tensor
    """(N, K) float32"""


@dataclass(frozen=True)
class Reference:
    """A classifier, and what its checkpoint knows of real pictures."""

    classifier: ImageClassifier
    features: Tensor
    """(10000, D) float32, of the test pictures"""
    floor: float
    """Fréchet distance of as many training pictures: what a perfect model would reach."""
    accuracy: float
    """Of the classifier, on the test pictures."""

    @classmethod
    def of(cls, data: str, device: str = "auto", folder: Path | str | None = None) -> Reference:
        """Raises CheckpointError where the classifier is missing or has not been evaluated."""
        name = f"judge-{data}"
        classifier = checkpoint.load(name, device, folder)
        if "features.test" not in classifier.extra:
            raise checkpoint.CheckpointError(
                f"{name} carries no features of real pictures: "
                f"run `python -m gen_core evaluate {name} --write`, which needs the data set"
            )
        features, figures = classifier.extra["features.test"].float(), classifier.card["metrics"]
        return cls(classifier, features, figures["floor"], figures["accuracy"])


@torch.inference_mode()
def classified(
    classifier: ImageClassifier,
    batches: Iterable[Tensor],
    total: int = 0,
    progress: Report = ignore,
    stage: str = "samples",
) -> Classified:
    """Runs the classifier over `total` pictures in float32, so that a figure means the same
    anywhere."""
    features, done = [], 0
    for x in batches:
        features.append(classifier.features(x.to(classifier.device)))
        done += len(x)
        progress(Progress(stage, done, total, "pictures"))
    together = torch.cat(features)
    return Classified(together.cpu(), classifier.head(together).cpu())


def measured_classifier(
    classifier: ImageClassifier, data_root: str | None, progress: Report
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Accuracy and floor, and what of real pictures others are measured against."""
    test = load_data(classifier.card["data"], "test", data_root)
    train = load_data(classifier.card["data"], "train", data_root)
    seen = {}
    for split, data in (("test", test), ("train", train)):
        count = len(data) if classifier.indexes else min(len(data), len(test))
        batches = map(data.pictures, torch.arange(count).split(250))
        seen[split] = classified(classifier, batches, count, progress, f"{split} pictures")
    # Half precision keeps the file small; the floor is measured on what the file will hold.
    features = {split: said.features.half() for split, said in seen.items()}
    extra = {"features.test": features["test"]}
    if classifier.indexes:
        extra |= TrainingIndex.of(seen["train"].features).tensors()
    result = {
        "samples": len(test),
        "floor": metrics.frechet_distance(features["train"][: len(test)], features["test"]),
        **classifier.agreement(seen["test"].logits, test.labels),
        **classifier.census(seen["test"].logits),
    }
    return rounded(result), extra


def rounded(value: Any) -> Any:
    """The same with five significant figures in each float."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


@dataclass(frozen=True)
class TrainingIndex:
    """Answers "is it a copy?" without the training set: the features of all its pictures, on their
    principal axes and in bytes. Where pictures are drawn from seeds, the nearest can be drawn."""

    codes: Tensor
    """(N, K) int8: training picture i on the principal axes, in units of `unit`."""
    axes: Tensor
    """(K, D) float16, orthonormal rows."""
    centre: Tensor
    """(D,) float16"""
    unit: Tensor
    """() float32"""

    @classmethod
    def of(cls, features: Tensor) -> TrainingIndex:
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
    def kept(cls, extra: dict[str, Any]) -> TrainingIndex:
        """From what a checkpoint kept."""
        return cls(**{field.name: extra[PREFIX + field.name].cpu() for field in fields(cls)})

    def nearest(self, features: Tensor, count: int) -> Tensor:
        """(B, D) -> (B, count) int64: the training pictures whose features are nearest."""
        places = (features.cpu().float() - self.centre.float()) @ self.axes.float().T
        distances = torch.cdist(places / self.unit, self.codes.float())
        return distances.topk(count, largest=False).indices
