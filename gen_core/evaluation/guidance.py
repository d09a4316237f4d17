"""What guidance trades: how well pictures fit their words against how much they differ; and whether
a negative prompt sharpens.

Fit is the CLIP score, and beside it the share of pictures in which `SceneClassifier`, trained
apart, sees the right thing: guidance may please one of them and not the other.

Diversity and sharpness are those of `evaluation.pictures`; beside the first stands the distance of
the vectors of the encoder that measures the fit: among these, pictures that come nearer to their
words must come nearer to each other.
"""

import itertools
import statistics
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gen_core.classifiers.emoji import SceneClassifier
from gen_core.evaluation.pictures import diversity, laplacian_variance, mean_distance
from gen_core.evaluation.prompt_accuracy import BACKGROUNDS, Asked, answers, drawn, prompts
from gen_core.families.text_to_image import TextToImage
from gen_core.families.text_to_image.clip_score import ClipScorer
from gen_core.knobs import whole
from gen_core.progress import Progress, Report, ignore

GUIDANCE = (1.0, 3.0, 7.5, 15.0, 30.0)
KNOBS = {"steps": 20, "solver": "dpm++2m"}
SHARPNESS_GUIDANCE = 3.0
BATCH = 40
FLAT = 1e-6
"""Below every variance that a picture with an edge has: keeps logarithms finite."""
Figures = dict[str, Any]


def tradeoff(
    model: TextToImage,
    scorer: ClipScorer,
    classifier: SceneClassifier,
    *,
    count: int = 40,
    seeds: int = 8,
    progress: Report = ignore,
    **knobs: Any,
) -> Figures:
    """Fit and diversity at each of `GUIDANCE`, from `count` prompts with the same `seeds` seeds.

    {"points": [...], and how they were measured}; a point has "guidance", "score", "recognised",
    "diversity", "vector_distance", "clipped" (the share of pixel values at the end of the range)
    and, of score and diversity, the standard error over prompts. Raises KnobError.
    """
    asked, seeds, knobs = single_things(count), whole("seeds", seeds, 2, 64), KNOBS | knobs
    each = [a for a in asked for _ in range(seeds)]
    of_each, batch = [*range(seeds)] * len(asked), seeds * max(1, BATCH // seeds)
    points = []
    for scale in GUIDANCE:
        by_prompt: dict[str, list[float]] = {}
        for some, x in drawn(model, each, of_each, batch, guidance_scale=scale, **knobs):
            for name, values in _means(x, some, seeds, scorer, classifier).items():
                by_prompt.setdefault(name, []).extend(values)
            done = len(points) * len(each) + len(by_prompt["score"]) * seeds
            progress(Progress("pictures", done, len(GUIDANCE) * len(each), "pictures"))
        point = {name: round(statistics.fmean(v), 4) for name, v in by_prompt.items()}
        for name in ("score", "diversity"):
            point[f"{name}_error"] = standard_error(by_prompt[name])
        points.append({"guidance": scale, **point})
    how = {"prompts": len(asked), "seeds": seeds, "pictures": len(each), **knobs}
    return {"points": points, **how}


def single_things(count: int) -> list[Asked]:
    """The first `count` prompts for one thing in its own colours, as training could have shown it.

    Raises KnobError for more than there are, 100.
    """
    alone = (a for a in prompts() if not a.held_out and a.scene.tints == ("",))
    return list(itertools.islice(alone, whole("prompts", count, 2, BACKGROUNDS)))


@torch.inference_mode()
def _means(
    x: Tensor, asked: Sequence[Asked], seeds: int, scorer: ClipScorer, classifier: SceneClassifier
) -> dict[str, list[float]]:
    """By prompt, of pictures x, `seeds` of each prompt one after the other."""
    right = answers(classifier, x.to(classifier.device), [a.scene for a in asked])
    by_picture = {
        "score": scorer.score(x, [a.prompt for a in asked]),
        "recognised": torch.tensor([float(r["concept"]) for r in right]),
        "clipped": (x.abs() >= 1).float().mean((1, 2, 3)).cpu(),
    }
    means = {name: v.view(-1, seeds).mean(1).tolist() for name, v in by_picture.items()}
    vectors = scorer.of_pictures(x).split(seeds)
    means["diversity"] = [diversity(own) for own in x.split(seeds)]
    means["vector_distance"] = [mean_distance(own) for own in vectors]
    return means


def standard_error(values: Sequence[float]) -> float:
    """Of the mean of independent values, to four decimals."""
    return round(statistics.stdev(values) / len(values) ** 0.5, 4)


def sharpness(
    model: TextToImage,
    negative_prompt: str = "blurry",
    *,
    pictures: int = 200,
    progress: Report = ignore,
    **knobs: Any,
) -> Figures:
    """What the negative prompt does to sharpness, in pairs of the same prompt and the same seed.

    {"ratio": geometric mean over pairs of sharpness with it to without it, "ratio_error": its
    standard error, "sharper": share of pairs that became sharper, "before" and "after": the
    means, and how they were measured}. Seeds are 0 to pictures - 1. Raises KnobError.
    """
    pictures = whole("pictures", pictures, 2, 10_000)
    knobs = KNOBS | {"guidance_scale": SHARPNESS_GUIDANCE} | knobs
    asked = list(itertools.islice(itertools.cycle(single_things(BACKGROUNDS)), pictures))
    without, given = (
        drawn(model, asked, range(pictures), BATCH, negative_prompt=negative, **knobs)
        for negative in ("", negative_prompt)
    )
    pairs = []
    for (_, plain), (_, steered) in zip(without, given, strict=True):
        pairs.append(torch.stack([laplacian_variance(plain), laplacian_variance(steered)]))
        progress(Progress("pictures", min(BATCH * len(pairs), pictures), pictures, "pictures"))
    how = {"negative_prompt": negative_prompt, "pictures": pictures, **knobs}
    return compared(*torch.cat(pairs, dim=1)) | how


def compared(before: Tensor, after: Tensor) -> dict[str, float]:
    """Two sharpnesses of each picture (B,), in figures."""
    gain = after.clamp(min=FLAT).log() - before.clamp(min=FLAT).log()
    ratio = float(gain.mean().exp())
    return {
        "ratio": round(ratio, 4),
        "ratio_error": round(ratio * standard_error(gain.tolist()), 4),
        "sharper": round(float((after > before).float().mean()), 4),
        "before": round(float(before.mean()), 1),
        "after": round(float(after.mean()), 1),
    }
