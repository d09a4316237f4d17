"""Real pictures as a classifier sees them: what samples are measured against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gen_core.classifiers.images import ImageClassifier
from gen_core.data import load_data
from gen_core.evaluation import metrics
from gen_core.evaluation.training_index import NearestTraining
from gen_core.progress import Progress, Report, ignore
from gen_core.training import checkpoint


class Judged(NamedTuple):
    """What the classifier says of N pictures."""

    features: Tensor
    """(N, D) float32"""
    logits: Tensor
    """(N, K) float32"""


@dataclass(frozen=True)
class Reference:
    """A classifier, and what its checkpoint knows of real pictures."""

    judge: ImageClassifier
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
        judge = checkpoint.load(name, device, folder)
        if "features.test" not in judge.extra:
            raise checkpoint.CheckpointError(
                f"{name} carries no features of real pictures: "
                f"run `python -m gen_core evaluate {name} --write`, which needs the data set"
            )
        measured = judge.card["metrics"]
        features = judge.extra["features.test"].float()
        return cls(judge, features, measured["floor"], measured["accuracy"])


@torch.inference_mode()
def judged(
    judge: ImageClassifier,
    batches: Iterable[Tensor],
    total: int = 0,
    report: Report = ignore,
    stage: str = "samples",
) -> Judged:
    """Runs the classifier over `total` pictures in float32, so that a figure means the same
    anywhere."""
    features, done = [], 0
    for x in batches:
        features.append(judge.features(x.to(judge.device)))
        done += len(x)
        report(Progress(stage, done, total, "pictures"))
    together = torch.cat(features)
    return Judged(together.cpu(), judge.head(together).cpu())


def measure_judge(
    judge: ImageClassifier, data_root: str | None, report: Report
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Accuracy and floor, and what of real pictures others are measured against."""
    test = load_data(judge.card["data"], "test", data_root)
    train = load_data(judge.card["data"], "train", data_root)
    seen = {}
    for split, data in (("test", test), ("train", train)):
        count = len(data) if judge.indexes else min(len(data), len(test))
        batches = map(data.pictures, torch.arange(count).split(250))
        seen[split] = judged(judge, batches, count, report, f"{split} pictures")
    # Half precision keeps the file small; the floor is measured on what the file will hold.
    features = {split: said.features.half() for split, said in seen.items()}
    extra = {"features.test": features["test"]}
    if judge.indexes:
        extra |= NearestTraining.of(seen["train"].features).tensors()
    result = {
        "samples": len(test),
        "floor": metrics.frechet_distance(features["train"][: len(test)], features["test"]),
        **judge.agreement(seen["test"].logits, test.labels),
        **judge.census(seen["test"].logits),
    }
    return rounded(result), extra


def rounded(value: Any) -> Any:
    """The same with five significant figures in each float."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value
