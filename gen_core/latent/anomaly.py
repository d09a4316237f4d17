"""Anomaly detection: how anomalous a picture is to a VAE, and how well that can be relied on.

A model that knows portraits draws a portrait again and fails at anything else; the size of the
failure is a score (An & Cho 2015, "Variational Autoencoder based Anomaly Detection using
Reconstruction Probability"). What thresholds make of scores follows Fawcett 2006, "An introduction
to ROC analysis". Nalisnick et al. 2019, "Do Deep Generative Models Know What They Don't Know?",
show where such scores fail: at whatever is simpler than the data.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gen_core.data.avatars import avatars
from gen_core.data.splits import UNTOUCHED
from gen_core.families.vae import VAE
from gen_core.knobs import number, whole
from gen_core.latent.corruptions import KINDS, Corruption, corrupt
from gen_core.progress import Progress, result_of

ERROR, BOUND = "error", "bound"
SCORES = (ERROR, BOUND)
DIGITS = {ERROR: 5, BOUND: 0}
"""After the point, of a score that is kept."""
MOST = len(UNTOUCHED) // 2
BATCH = 50

Numbers = Tensor | Sequence[float]


@torch.inference_mode()
def examine(model: VAE, x: Tensor, seed: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
    """x (B, C, H, W) in [-1, 1] -> what the model makes of it, (B, C, H, W), and its scores (B,),
    higher where it is more anomalous; all on the CPU.

    "error": root mean square error of a pixel, as a share of its range, of the picture decoded from
    the code's mean. "bound": nats, distortion and rate together, which -log p(x) is at most (Kingma
    & Welling 2014, eq. 3), with one draw of the code from `seed`.
    """
    x = x.to(model.device)
    again = model.decode(model.encode(x)[0])
    error = ((again - x) / 2).square().flatten(1).mean(1).sqrt()
    distortion, rate = model.bound(x, torch.Generator(model.device).manual_seed(seed))
    return again.cpu(), {ERROR: error.cpu(), BOUND: (distortion + rate).cpu()}


def roc(normal: Numbers, anomalous: Numbers) -> tuple[Tensor, Tensor]:
    """Scores (N,) and (M,) -> shares of false alarms and of hits, each (K,), from 0 to 1, as the
    threshold goes down past every score there is (Fawcett 2006, algorithm 1).

    Raises ValueError for scores that are missing or not finite.
    """
    normal, anomalous = _ascending(normal, "normal"), _ascending(anomalous, "anomalous")
    limits = torch.cat([normal, anomalous]).unique().flip(0)
    alarms, hits = ((1 - torch.searchsorted(s, limits) / len(s)) for s in (normal, anomalous))
    start = torch.zeros(1, dtype=torch.float64)
    return torch.cat([start, alarms]), torch.cat([start, hits])


def area(normal: Numbers, anomalous: Numbers) -> float:
    """How likely an anomalous picture scores higher than a normal one; a tie counts half. It is the
    area under the curve (Fawcett 2006, section 8, after Mann & Whitney 1947): 0.5 is guessing."""
    normal, anomalous = _ascending(normal, "normal"), _ascending(anomalous, "anomalous")
    below = torch.searchsorted(normal, anomalous)
    not_above = torch.searchsorted(normal, anomalous, right=True)
    return float((below + not_above).sum() / (2 * len(normal) * len(anomalous)))


def threshold(normal: Numbers, allowed: float) -> float:
    """The lowest score above which at most the share `allowed`, 0 to 1, of normal ones lie."""
    share = number("allowed", allowed, 0, 1)
    scores = _ascending(normal, "normal")
    above = min(int(share * len(scores) + 1e-9), len(scores) - 1)
    return float(scores[-1 - above])


def rates(normal: Numbers, anomalous: Numbers, limit: float) -> tuple[float, float]:
    """Shares of false alarms and of misses where what scores above `limit` is called anomalous."""
    normal, anomalous = _ascending(normal, "normal"), _ascending(anomalous, "anomalous")
    return float((normal > limit).double().mean()), float((anomalous <= limit).double().mean())


def _ascending(scores: Numbers, name: str) -> Tensor:
    values = torch.as_tensor(scores, dtype=torch.float64).flatten()
    if not len(values) or not values.isfinite().all():
        raise ValueError(f"{name} scores: takes one finite number or more, got {len(values)}")
    return values.sort().values


def measure(
    model: VAE, count: int = 500, seed: int = 0, more: Mapping[str, Corruption] | None = None
) -> dict[str, Any]:
    """Scores of `count` portraits that training did not show and of as many anomalies, as plain
    values for JSON, and the area under each curve:

        {"count": 500, "seed": 0, "portraits": {score: [...]}, "odd": {kind: {score: [...]}},
         "area": {score: {"all": 0.9, "kinds": {kind: 0.9}}}}

    more: further corruptions, by name. Raises KnobError.
    """
    return result_of(measuring(model, count, seed, more))


def measuring(
    model: VAE, count: int = 500, seed: int = 0, more: Mapping[str, Corruption] | None = None
) -> Generator[Progress, None, dict[str, Any]]:
    """`measure` for those who wait for it: yields how far it is."""
    kinds = {**KINDS, **(more or {})}
    count, done = whole("count", count, len(kinds), MOST), 0
    seed = whole("seed", seed, 0, 2**31)
    size = model.config.size
    portraits: dict[str, list[float]] = {score: [] for score in SCORES}
    for first in range(0, count, BATCH):
        x = _portraits(UNTOUCHED[first : min(first + BATCH, count)], size)
        for score, values in _scores(model, x, seed + first).items():
            portraits[score] += values
        done += len(x)
        yield Progress("Measuring what is normal", done, 2 * count, "pictures")
    odd: dict[str, dict[str, list[float]]] = {}
    for place, (kind, change) in enumerate(kinds.items()):
        x = _portraits(UNTOUCHED[count + place : 2 * count : len(kinds)], size)
        odd[kind] = _scores(model, corrupt(x, change, seed + place), seed)
        done += len(x)
        yield Progress("Measuring what is normal", done, 2 * count, "pictures")
    return {
        "count": count,
        "seed": seed,
        "portraits": portraits,
        "odd": odd,
        "area": {score: _areas(portraits, odd, score) for score in SCORES},
    }


def _portraits(seeds: Sequence[int], size: int) -> Tensor:
    return avatars(seeds, size)[0].float() / 127.5 - 1


def _scores(model: VAE, x: Tensor, seed: int) -> dict[str, list[float]]:
    _, scores = examine(model, x, seed)
    return {name: [round(v, DIGITS[name]) for v in each.tolist()] for name, each in scores.items()}


def _areas(
    portraits: Mapping[str, Any], odd: Mapping[str, Mapping[str, Any]], score: str
) -> dict[str, Any]:
    every = [value for scores in odd.values() for value in scores[score]]
    return {
        "all": round(area(portraits[score], every), 4),
        "kinds": {k: round(area(portraits[score], v[score]), 4) for k, v in odd.items()},
    }
