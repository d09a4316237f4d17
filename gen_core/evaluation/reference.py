"""Real pictures as a classifier sees them: what samples are measured against, and where every
training picture lies among its features, small enough to ship."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gen_core.classifiers.images import ImageClassifier
from gen_core.data import ImageSet, load_data
from gen_core.evaluation import metrics
from gen_core.progress import Progress, Report, ignore
from gen_core.training import checkpoint

AXES = 48
"""Principal axes kept: of the portraits' features, more than nine tenths of the variance."""
PREFIX = "training."
FLOOR_SAMPLES = (1_000, 2_000, 5_000, 6_000, 10_000)
"""For which numbers of samples the floor is measured."""
FLOOR_DRAWS = 5


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
    floors: Mapping[str, Any]
    """As `measured_floors` returns them; empty where they have not been measured."""
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
        floors = classifier.card.get("floors", {})
        return cls(classifier, features, floors, figures["accuracy"])


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
    """Accuracy, and what of real pictures others are measured against."""
    test = load_data(classifier.card["data"], "test", data_root)
    seen = _seen(classifier, test, "test pictures", progress)
    extra = {"features.test": seen.features.half()}  # half precision keeps the file small
    if classifier.indexes:
        train = load_data(classifier.card["data"], "train", data_root)
        features = _seen(classifier, train, "training pictures", progress).features
        extra |= TrainingIndex.of(features).tensors()
    result = {
        "samples": len(test),
        **classifier.agreement(seen.logits, test.labels),
        **classifier.census(seen.logits),
    }
    return rounded(result), extra


def _seen(classifier: ImageClassifier, data: ImageSet, stage: str, progress: Report) -> Classified:
    batches = map(data.pictures, torch.arange(len(data)).split(250))
    return classified(classifier, batches, len(data), progress, stage)


def measured_floors(
    classifier: ImageClassifier, data_root: str | None, progress: Report = ignore
) -> dict[str, Any]:
    """Fréchet distance of N real training pictures from the test pictures, what a perfect model
    would reach with N samples: {"references": how many test pictures, "draws": {N: one distance
    for each of `FLOOR_DRAWS` draws}}.

    Classes are balanced, attributes are as drawn. Raises MissingData, and CheckpointError where
    the classifier has not been evaluated.
    """
    train = load_data(classifier.card["data"], "train", data_root)
    features = _seen(classifier, train, "training pictures", progress).features.half()
    if "features.test" not in classifier.extra:
        raise checkpoint.CheckpointError("evaluate the classifier itself with --write first")
    real, draws = metrics.moments(classifier.extra["features.test"]), {}
    for count in sorted({*FLOOR_SAMPLES, len(classifier.extra["features.test"])}):
        if count <= len(train):
            chosen = (_drawn(train.labels, count, seed) for seed in range(FLOOR_DRAWS))
            moments = (metrics.moments(features[rows]) for rows in chosen)
            draws[str(count)] = [metrics.frechet_from_moments(*m, *real) for m in moments]
    return {"references": len(classifier.extra["features.test"]), "draws": rounded(draws)}


def _drawn(labels: Tensor, count: int, seed: int) -> Tensor:
    """(count,) indices without repetition, of each class equally many, if labels are classes."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    if labels.ndim > 1:
        return order[:count]
    shuffled = labels[order]
    places = [(shuffled == c).nonzero()[:, 0] for c in labels.unique()]
    each = -(-count // len(places))
    return order[torch.stack([place[:each] for place in places], dim=1).flatten()[:count]]


def floor(floors: Mapping[str, Any], samples: int) -> float | None:
    """The median for so many samples; None where it has not been measured for their number."""
    draws = floors.get("draws", {}).get(str(samples))
    return statistics.median(draws) if draws else None


def floor_of(card: Mapping[str, Any], folder: Path | str | None = None) -> float | None:
    """What a perfect model would reach with as many samples as a checkpoint was measured with; None
    where that is not known. card: the checkpoint's."""
    judge = f"judge-{card.get('data')}"
    if judge not in checkpoint.available(folder):
        return None
    floors = checkpoint.card(judge, folder).get("floors", {})
    return floor(floors, card.get("metrics", {}).get("samples", 0))


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
