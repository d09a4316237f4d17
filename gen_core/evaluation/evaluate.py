"""Measures a checkpoint: samples from it, and compares them with real pictures.

The features are those of our own classifier (`judge-<data>`), which carries the features of the
real pictures with it, so no data set is needed here. Figures are comparable with each other, not
with a published FID.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gen_core.data import LOADERS, DataSet, load_data
from gen_core.devices import device_title
from gen_core.evaluation import metrics
from gen_core.evaluation.compositionality import KNOBS, compositionality
from gen_core.evaluation.inception import inception_features
from gen_core.evaluation.reference import Reference, classified, measured_classifier, rounded
from gen_core.family import Family, Picture
from gen_core.knobs import check_all, whole
from gen_core.progress import Progress, Report, ignore
from gen_core.sampling import Noise, final
from gen_core.training import checkpoint

SAMPLES = 10_000


def evaluate(
    name: str,
    *,
    samples: int = SAMPLES,
    batch: int = 250,
    seed: int = 0,
    device: str = "auto",
    data_root: str | None = None,
    folder: Path | str | None = None,
    write: bool = False,
    inception: bool = False,
    progress: Report = ignore,
    **knobs: Any,
) -> dict[str, Any]:
    """The metrics of a checkpoint by name, as a dict of plain values fit for JSON.

    samples: 100 to 100000, drawn with the seeds seed, seed + 1, ..., conditions balanced; knobs:
    what the family's `sample` takes, over those in its `measured_with`. `write` puts the result
    into the checkpoint's card; `inception` adds the standard FID, which needs torch-fidelity and
    the test pictures. Memory is bounded by `batch` and the features. Raises CheckpointError,
    KnobError, and for a classifier or the standard FID MissingData and MissingInception.
    """
    samples, batch = whole("samples", samples, 100, 100_000), whole("batch", batch, 1, 10_000)
    model = checkpoint.load(name, device, folder)
    started, extra = time.perf_counter(), {}
    if isinstance(model, Family):
        check_all(model.every_knob, knobs, name)
        settings = dict(model.measured_with) | knobs
        result = {"samples": samples, "seed": seed, "knobs": settings}
        evaluation = Evaluation(
            _reference(model, device, folder), samples, batch, seed, data_root, progress, settings
        )
        if inception:  # first, because it fails at once where something is missing
            result["fid_inception_v3"] = evaluation.standard_fid(model, settings)
        if evaluation.reference:
            result |= evaluation.against_real(model, settings)
        result |= rounded(model.extra_metrics(evaluation))
    else:
        result, extra = measured_classifier(model, data_root, progress)
    result["seconds"] = round(time.perf_counter() - started, 1)
    result["date"] = today()
    result["hardware"] = device_title(model.device)
    if write:
        checkpoint.amend(name, result, extra, folder)
    return result


def today() -> str:
    """YYYY-MM-DD, as cards tell when something was measured."""
    return datetime.now(UTC).date().isoformat()


def _reference(model: Family, device: str, folder: Path | str | None) -> Reference | None:
    """Real pictures to compare with; None where something else is drawn, and where the data are no
    set of pictures but scenes without end."""
    if not isinstance(model.event, Picture) or model.card["data"] not in LOADERS:
        return None
    return Reference.of(model.card["data"], device, folder)


def draw(
    model: Family, samples: int, batch: int, seed: int, knobs: dict[str, Any]
) -> Iterator[Tensor]:
    """Batches of (B, *event); sample i has the seed seed + i, and what is asked for is balanced
    over all samples."""
    for first in range(0, samples, batch):
        indices = range(first, min(first + batch, samples))
        yield final(
            model.sample(Noise(seed + i for i in indices), **knobs | model.balanced(indices))
        )


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of a model, for its family's `extra_metrics` too."""

    reference: Reference | None
    """Real pictures as the classifier sees them; None where no pictures are drawn."""
    samples: int
    batch: int
    seed: int
    data_root: str | None
    progress: Report
    knobs: dict[str, Any] = field(default_factory=dict)
    """What is drawn with, where these are not the defaults."""

    def against_real(self, model: Family, knobs: dict[str, Any]) -> dict[str, Any]:
        """The metrics that every family of pictures has."""
        reference, classifier = self.reference, self.reference.classifier
        batches = draw(model, self.samples, self.batch, self.seed, knobs)
        fake = classified(classifier, batches, self.samples, self.progress)
        precision, recall = metrics.precision_recall(reference.features, fake.features)
        result = {
            "frechet": metrics.frechet_distance(fake.features, reference.features),
            "floor": reference.floor,
            "precision": precision,
            "recall": recall,
            **classifier.census(fake.logits),
            "judge_accuracy": reference.accuracy,
        }
        asked = model.condition.balanced(range(self.samples))
        if asked is not None:
            result |= classifier.agreement(fake.logits, torch.as_tensor(asked))
        return rounded(result)

    def compared(self, model: Family, samples: int) -> dict[str, Any]:
        """A quick comparison with real pictures, from few samples at the defaults."""
        batches = draw(model, samples, self.batch, self.seed, {})
        fake = classified(self.reference.classifier, batches, samples, self.progress)
        return {
            "frechet": metrics.frechet_distance(fake.features, self.reference.features),
            "recall": metrics.share_inside(self.reference.features, fake.features),
            **self.reference.classifier.census(fake.logits),
        }

    def compositionality(self, model: Family) -> dict[str, Any]:
        """How often the model draws attributes together that training never showed together."""
        return compositionality(model, self.reference.classifier, progress=self.progress, **KNOBS)

    def test_set(self, model: Family) -> DataSet:
        """The test samples of the model's data set. Raises MissingData."""
        return load_data(model.card["data"], "test", self.data_root, download=False)

    def standard_fid(self, model: Family, knobs: dict[str, Any]) -> float:
        """The published FID, against the test pictures."""
        test = load_data(model.card["data"], "test", self.data_root)

        def counted(stage: str, batches: Iterable[Tensor], total: int) -> Iterator[Tensor]:
            done = 0
            for x in batches:
                yield x
                done += len(x)
                self.progress(Progress(stage, done, total, "pictures"))

        real = map(test.pictures, torch.arange(len(test)).split(self.batch))
        fake = draw(model, self.samples, self.batch, self.seed, knobs)
        real = counted("InceptionV3, test", real, len(test))
        fake = counted("InceptionV3, samples", fake, self.samples)
        features = [inception_features(batches, model.device) for batches in (real, fake)]
        return metrics.frechet_distance(*features)
