"""What guidance trades: how well pictures fit their words against how much they differ.

Fit is the CLIP score, and beside it the share of pictures in which `SceneClassifier`, trained apart,
sees the right thing: guidance may please one judge and not the other.

Diversity is how much pictures of one prompt from different seeds differ: the mean of 1 minus the
correlation of their pixels. Correlation takes no notice of brightness and contrast, so that colours
which burn out do not pass for variety, as they would in a distance of pixels; and it asks no
network, while among vectors of the encoder that measures the fit, pictures that come nearer to
their words must come nearer to each other. The distance of these vectors is measured too.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.checks import whole
from gen_core.classifiers.emoji import SceneClassifier
from gen_core.evaluation.prompt_accuracy import BACKGROUNDS, Asked, answers, prompts
from gen_core.families.text_to_image.clip_score import ClipScorer
from gen_core.family import final
from gen_core.noise import Noise
from gen_core.progress import Progress, Report, ignore

if TYPE_CHECKING:
    from gen_core.families.text_to_image import TextToImage

GUIDANCE = (1.0, 3.0, 7.5, 15.0, 30.0)
KNOBS = {"steps": 20, "solver": "dpm++2m"}
BATCH = 40
Figures = dict[str, Any]


def curve(
    model: TextToImage,
    matcher: ClipScorer,
    judge: SceneClassifier,
    *,
    count: int = 40,
    seeds: int = 8,
    report: Report = ignore,
    **knobs: Any,
) -> Figures:
    """Fit and diversity at each of `GUIDANCE`, from `count` prompts with the same `seeds` seeds.

    {"points": [...], and how they were measured}; a point has "guidance", "score", "recognised",
    "diversity", "vector_distance", "clipped" (the share of pixel values at the end of the range)
    and, of score and diversity, the standard error over prompts. Raises KnobError.
    """
    asked, seeds, knobs = single_things(count), whole("seeds", seeds, 2, 64), KNOBS | knobs
    each, points = len(asked) * seeds, []
    for guidance in GUIDANCE:
        by_prompt: dict[str, list[float]] = {}
        for some, x in _drawn(model, asked, seeds, guidance_scale=guidance, **knobs):
            for name, values in _figures(x, some, seeds, matcher, judge).items():
                by_prompt.setdefault(name, []).extend(values)
            done = len(points) * each + len(by_prompt["score"]) * seeds
            report(Progress("pictures", done, len(GUIDANCE) * each, "pictures"))
        points.append({"guidance": guidance, **_summed_up(by_prompt)})
    return {"points": points, "prompts": len(asked), "seeds": seeds, "pictures": each, **knobs}


def single_things(count: int) -> list[Asked]:
    """The first `count` prompts for one thing in its own colours, as training could have shown it.

    Raises KnobError for more than there are, 100.
    """
    alone = (a for a in prompts() if not a.held_out and a.scene.tints == ("",))
    return list(itertools.islice(alone, whole("prompts", count, 2, BACKGROUNDS)))


def _drawn(
    model: TextToImage, asked: Sequence[Asked], seeds: int, **knobs: Any
) -> Iterator[tuple[Sequence[Asked], Tensor]]:
    """Some of the prompts, and their pictures, `seeds` of each prompt one after the other."""
    size = max(1, BATCH // seeds)
    for some in (asked[k : k + size] for k in range(0, len(asked), size)):
        words = [a.prompt for a in some for _ in range(seeds)]
        noise = Noise([*range(seeds)] * len(some))
        yield some, final(model.sample(noise, prompt=words, **knobs))


@torch.inference_mode()
def _figures(
    x: Tensor, asked: Sequence[Asked], seeds: int, matcher: ClipScorer, judge: SceneClassifier
) -> dict[str, list[float]]:
    """Means by prompt."""
    each = [a for a in asked for _ in range(seeds)]
    right = answers(judge, x.to(judge.device), [a.scene for a in each])
    by_picture = {
        "score": matcher.score(x, [a.prompt for a in each]),
        "recognised": torch.tensor([float(r["concept"]) for r in right]),
        "clipped": (x.abs() >= 1).float().mean((1, 2, 3)).cpu(),
    }
    means = {name: v.view(-1, seeds).mean(1).tolist() for name, v in by_picture.items()}
    vectors = matcher.of_pictures(x).split(seeds)
    means["diversity"] = [diversity(own) for own in x.split(seeds)]
    means["vector_distance"] = [mean_distance(own) for own in vectors]
    return means


def _summed_up(by_prompt: dict[str, list[float]]) -> dict[str, float]:
    means = {name: round(statistics.fmean(v), 4) for name, v in by_prompt.items()}
    errors = {f"{name}_error": standard_error(by_prompt[name]) for name in ("score", "diversity")}
    return means | errors


def diversity(x: Tensor) -> float:
    """Mean over all pairs of pictures (B, ...) of 1 minus the correlation of their pixels: 0 where
    all are the same but for brightness and contrast, 1 where they have nothing to do with each
    other."""
    flat = x.flatten(1)
    return mean_distance(F.normalize(flat - flat.mean(1, keepdim=True), dim=1))


def mean_distance(vectors: Tensor) -> float:
    """Mean over all pairs of (B, D) vectors of length 1 of 1 minus their cosine."""
    return float(F.pdist(vectors.float().cpu()).square().mean() / 2)


def standard_error(values: Sequence[float]) -> float:
    """Of the mean of independent values, to four decimals."""
    return round(statistics.stdev(values) / len(values) ** 0.5, 4)
