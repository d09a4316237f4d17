"""Measures a checkpoint: samples from it, and compares them with real pictures.

The features are those of our own classifier (`judge-<data>`), which carries the features of the
real pictures with it, so no data set is needed here. Figures are comparable with each other, not
with a published FID.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gen_core import checkpoint, metrics
from gen_core.checks import KnobError, whole
from gen_core.composing import ASKED_WITH, composing
from gen_core.conditions import Attributes
from gen_core.data import MissingData, load_data
from gen_core.devices import device_title, fast_math
from gen_core.families.gan import GAN
from gen_core.families.guided import GuidedFamily
from gen_core.families.judge import Judge
from gen_core.families.vae import VAE
from gen_core.family import Family, final
from gen_core.noise import Noise
from gen_core.reference import Progress, Reference, judged, measure_judge, rounded

SAMPLES = 10_000
SNAPSHOT_SAMPLES = 2_000
"""Samples per snapshot of a training run: enough to see a collapse, quick for twenty of them."""
PUBLISHED = {"steps": 50, "guidance_scale": 1.2}
"""What the published figures use where a family has these knobs; the rest are its defaults."""


def evaluate(
    name: str, *, samples: int = SAMPLES, batch: int = 250, seed: int = 0, device: str = "auto",
    data_root: str | None = None, folder: Path | str | None = None, write: bool = False,
    inception: bool = False, progress: Progress = lambda stage, done, total: None, **knobs: Any,
) -> dict[str, Any]:  # fmt: skip
    """The metrics of a checkpoint by name, as a dict of plain values fit for JSON.

    samples: 100 to 100000, drawn with the seeds seed, seed + 1, ..., classes in turn; knobs: what
    the family's `sample` takes, over the defaults in `PUBLISHED`. `write` puts the result into the
    checkpoint's card; `inception` adds the standard FID, which needs torch-fidelity and the test
    pictures. Memory is bounded by `batch` and the features. Raises CheckpointError,
    KnobError, and for a classifier or the standard FID MissingData and MissingInception.
    """
    samples, batch = whole("samples", samples, 100, 100_000), whole("batch", batch, 1, 10_000)
    model = checkpoint.load(name, device, folder)
    started, extra = time.perf_counter(), {}
    if isinstance(model, Judge):
        result, extra = measure_judge(model, data_root, progress)
    else:
        reference = Reference.of(model.card["data"], device, folder)
        knobs = {k: v for k, v in PUBLISHED.items() if k in takes(model)} | known(
            model, name, knobs
        )
        result = {"samples": samples, "seed": seed, "knobs": knobs}
        if inception:  # first, because it fails at once where something is missing
            result["fid_inception_v3"] = _standard_fid(
                model, samples, batch, seed, knobs, data_root, progress
            )
        result |= _compare(model, reference, samples, batch, seed, knobs, progress)
    if isinstance(model, VAE):
        result |= _reconstruct(model, data_root, progress)
    if isinstance(model, GAN) and model.snapshots:
        result["snapshots"] = _through_training(model, reference, batch, seed, progress)
    if isinstance(model, GuidedFamily) and isinstance(model.condition, Attributes):
        result["composing"] = rounded(composing(
            model, reference.judge, **ASKED_WITH,
            told=lambda done, total: progress("combinations", done, total),
        ))  # fmt: skip
    result["seconds"] = round(time.perf_counter() - started, 1)
    result["hardware"] = device_title(model.device)
    if write:
        checkpoint.amend(name, result, extra, folder)
    return result


def takes(model: Family) -> list[str]:
    """The knobs of the family's `sample`; none for a classifier, which draws nothing."""
    if isinstance(model, Judge):
        return []
    return [k for k in inspect.signature(model.sample).parameters if k != "noise"]


def known(model: Family, name: str, knobs: dict[str, Any]) -> dict[str, Any]:
    """The knobs themselves; raises KnobError for one that the family does not take."""
    for knob, value in knobs.items():
        if knob not in takes(model):
            options = ", ".join(takes(model)) or "none: it draws no pictures"
            raise KnobError(f"{knob}={value!r}: the knobs of {name} are {options}")
    return knobs


def draw(
    model: Family, samples: int, batch: int, seed: int, knobs: dict[str, Any]
) -> Iterator[Tensor]:
    """Batches of (B, C, H, W); sample i has the seed seed + i, and is asked for what has its turn
    (see `Family.in_turn`)."""
    for first in range(0, samples, batch):
        indices = range(first, min(first + batch, samples))
        label = model.in_turn(indices)
        asked = knobs if label is None else knobs | {"label": label}
        yield final(model.sample(Noise(seed + i for i in indices), **asked))


def _compare(
    model: Family, reference: Reference, samples: int, batch: int, seed: int,
    knobs: dict[str, Any], progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """The metrics that every generative family has."""
    batches = draw(model, samples, batch, seed, knobs)
    fake = judged(reference.judge, batches, lambda n: progress("samples", n, samples))
    precision, recall = metrics.precision_recall(reference.features, fake.features)
    judge = reference.judge
    result = {
        "frechet": metrics.frechet_distance(fake.features, reference.features),
        "floor": reference.floor,
        "precision": precision,
        "recall": recall,
        **judge.census(fake.logits),
        "judge_accuracy": reference.accuracy,
    }
    asked = model.in_turn(range(samples))
    if asked is not None:
        result |= judge.agreement(fake.logits, torch.as_tensor(asked))
    return rounded(result)


def _standard_fid(
    model: Family, samples: int, batch: int, seed: int, knobs: dict[str, Any],
    data_root: str | None, progress: Progress,
) -> float:  # fmt: skip
    """The published FID, against the test pictures."""
    test = load_data(model.card["data"], "test", data_root)

    def counted(stage: str, batches: Iterable[Tensor], total: int) -> Iterator[Tensor]:
        done = 0
        for x in batches:
            yield x
            done += len(x)
            progress(stage, done, total)

    real = map(test.pictures, torch.arange(len(test)).split(batch))
    fake = draw(model, samples, batch, seed, knobs)
    return metrics.frechet_distance(
        metrics.inception_features(counted("InceptionV3, test", real, len(test)), model.device),
        metrics.inception_features(counted("InceptionV3, samples", fake, samples), model.device),
    )


@torch.inference_mode()
def _reconstruct(model: VAE, data_root: str | None, progress: Progress) -> dict[str, Any]:
    """How well the test pictures come back: where the data set is on this machine."""
    try:
        test = load_data(model.card["data"], "test", data_root, download=False)
    except MissingData as error:
        return {"skipped": {"reconstruction": str(error)}}
    rng = torch.Generator(model.device).manual_seed(0)
    squares, distortion, rate = 0.0, 0.0, 0.0
    for rows in torch.arange(len(test)).split(250):
        x = test.pictures(rows).to(model.device)
        with fast_math(model.device):
            again = model.decode(model.encode(x)[0])
            parts = model.bound(x, rng)
        squares += float((x - again).square().flatten(1).mean(1).sum())
        distortion += float(parts[0].sum())
        rate += float(parts[1].sum())
        progress("test pictures", int(rows[-1]) + 1, len(test))
    return rounded({
        "reconstruction_error": squares / len(test),  # mean square of a pixel in [-1, 1]
        "elbo": -(distortion + rate) / len(test),  # nats a picture, as its two parts
        "distortion": distortion / len(test),
        "rate": rate / len(test),
    })  # fmt: skip


def _through_training(
    model: GAN, reference: Reference, batch: int, seed: int, progress: Progress
) -> list[dict[str, Any]]:
    """What the generator could do at each snapshot of its training, from fewer samples."""
    history, total = [], SNAPSHOT_SAMPLES * len(model.snapshots)
    for index, step in enumerate(model.snapshots):
        before = index * SNAPSHOT_SAMPLES

        def told(done: int, before: int = before) -> None:
            progress("snapshots", before + done, total)

        batches = draw(model.at_snapshot(step), SNAPSHOT_SAMPLES, batch, seed, {})
        fake = judged(reference.judge, batches, told)
        history.append(rounded({
            "step": step, "samples": SNAPSHOT_SAMPLES,
            "frechet": metrics.frechet_distance(fake.features, reference.features),
            "recall": metrics.share_inside(reference.features, fake.features),
            **reference.judge.census(fake.logits),
        }))  # fmt: skip
    return history
