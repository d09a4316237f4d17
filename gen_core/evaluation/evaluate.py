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
from gen_core.evaluation.reference import (
    Reference,
    classified,
    floor,
    measured_classifier,
    rounded,
)
from gen_core.family import Family, Picture
from gen_core.knobs import check_all, whole
from gen_core.progress import Progress, Report, ignore
from gen_core.sampling import Noise, final
from gen_core.training import checkpoint

SAMPLES = 10_000
COMPLETE = 2_000
"""Fewer samples are for a glance: nothing is measured then that draws samples of its own."""
LEFT_OUT = "left_out"
"""Of a result: what was not measured, and why."""


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

    samples: 100 to 100000, drawn with the seeds seed, seed + 1, ..., conditions balanced; fewer
    than `COMPLETE` are a glance, and what was not measured stands under "left_out" with the reason;
    knobs: what the family's `sample` takes, over those that its figures were published with.
    `write` puts the result into the checkpoint's card; `inception` adds the standard FID, which
    needs torch-fidelity and the test pictures. Memory is bounded by `batch` and the features.

    Raises CheckpointError, KnobError, and for a classifier or the standard FID MissingData and
    MissingInception.
    """
    samples, batch = whole("samples", samples, 100, 100_000), whole("batch", batch, 1, 10_000)
    model = checkpoint.load(name, device, folder)
    started, extra = time.perf_counter(), {}
    if isinstance(model, Family):
        check_all(model.every_knob, knobs, name)
        settings = model.published | knobs
        result = {"samples": samples, "seed": seed, "knobs": settings}
        evaluation = Evaluation(
            _reference(model, device, folder), samples, batch, seed, data_root, progress, settings
        )
        if inception:  # first, because it fails at once where something is missing
            result["fid_inception_v3"] = evaluation.standard_fid(model, settings)
        if evaluation.reference:
            result |= evaluation.against_real(model, settings)
        left_out = result.pop(LEFT_OUT, {})
        result |= rounded(model.extra_metrics(evaluation))
        if left_out := left_out | result.pop(LEFT_OUT, {}):
            result[LEFT_OUT] = left_out
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

    @property
    def complete(self) -> bool:
        """Whether what draws samples of its own is measured too."""
        return self.samples >= COMPLETE

    def at_a_glance(self, what: str) -> dict[str, Any]:
        """The result of what is not measured then."""
        return {LEFT_OUT: {what: f"draws samples of its own: take {COMPLETE:,} samples or more"}}

    def against_real(self, model: Family, knobs: dict[str, Any]) -> dict[str, Any]:
        """The metrics that every family of pictures has."""
        reference, classifier = self.reference, self.reference.classifier
        batches = draw(model, self.samples, self.batch, self.seed, knobs)
        fake = classified(classifier, batches, self.samples, self.progress)
        pair, real_first = (fake.features, reference.features), (reference.features, fake.features)
        precision, recall = metrics.precision_recall(*real_first)
        density, coverage = metrics.density_coverage(*real_first)
        result = {
            "frechet": metrics.frechet_distance(*pair),
            "floor": floor(reference.floors, self.samples),
            "kernel_distance": metrics.kernel_distance(*pair),
            "precision": precision,
            "recall": recall,
            "density": density,
            "coverage": coverage,
            **classifier.census(fake.logits),
            "judge_accuracy": reference.accuracy,
        }
        left_out = {}
        if result["floor"] is None:
            known = ", ".join(f"{int(n):,}" for n in reference.floors.get("draws", ())) or "none"
            left_out["floor"] = f"measured for these numbers of samples: {known}"
        if self.samples < (least := 4 * fake.features.shape[1]):
            left_out["extrapolated_frechet"] = f"needs {least} samples"
        else:
            result["extrapolated_frechet"] = metrics.extrapolated_frechet(*pair)
        asked = model.condition.balanced(range(self.samples))
        if asked is not None:
            result |= classifier.agreement(fake.logits, torch.as_tensor(asked))
        return rounded(result) | ({LEFT_OUT: left_out} if left_out else {})

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
        had = {knob.name for knob in model.every_knob}
        knobs = {name: value for name, value in KNOBS.items() if name in had}
        return compositionality(model, self.reference.classifier, progress=self.progress, **knobs)

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
