"""Does a negative prompt sharpen? The variance of the Laplacian, with it and without.

The Laplacian answers to edges and not to areas; its variance over a picture is a usual measure of
focus (Pech-Pacheco et al. 2000, *Diatom autofocusing in brightfield microscopy*).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.checks import whole
from gen_core.evaluation import tradeoff
from gen_core.evaluation.prompt_accuracy import BACKGROUNDS
from gen_core.evaluation.tradeoff import single_things, standard_error
from gen_core.family import final
from gen_core.noise import Noise
from gen_core.progress import Progress, Report, ignore

if TYPE_CHECKING:
    from gen_core.families.text_to_image import TextToImage

KNOBS = tradeoff.KNOBS | {"guidance_scale": 3.0}
LAPLACIAN = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))
LUMINANCE = (0.299, 0.587, 0.114)
"""Shares of red, green and blue: ITU-R BT.601."""
BATCH = 40
FLAT = 1e-6
"""Below every variance that a picture with an edge has: keeps logarithms finite."""


def laplacian_variance(x: Tensor) -> Tensor:
    """x (B, 3, H, W) in [-1, 1] -> (B,): of the luminance from 0 to 255, without the border."""
    weights = torch.tensor(LUMINANCE, device=x.device).view(1, 3, 1, 1)
    luminance = ((x + 1) * 127.5 * weights).sum(1, keepdim=True)
    kernel = torch.tensor(LAPLACIAN, device=x.device).view(1, 1, 3, 3)
    return F.conv2d(luminance, kernel).flatten(1).var(1, unbiased=False)


def sharpened(
    model: TextToImage,
    negative_prompt: str = "blurry",
    *,
    pictures: int = 200,
    report: Report = ignore,
    **knobs: Any,
) -> dict[str, Any]:
    """What the negative prompt does to sharpness, in pairs of the same prompt and the same seed.

    {"ratio": geometric mean over pairs of sharpness with it to without it, "ratio_error": its
    standard error, "sharper": share of pairs that became sharper, "before" and "after": the
    means, and how they were measured}. Seeds are 0 to pictures - 1. Raises KnobError.
    """
    pictures, knobs = whole("pictures", pictures, 2, 10_000), KNOBS | knobs
    asked, pairs = single_things(BACKGROUNDS), []
    for start in range(0, pictures, BATCH):
        seeds = range(start, min(start + BATCH, pictures))
        words = [asked[seed % len(asked)].prompt for seed in seeds]
        drawn = [
            final(model.sample(Noise(seeds), prompt=words, negative_prompt=negative, **knobs))
            for negative in ("", negative_prompt)
        ]
        pairs.append(torch.stack([laplacian_variance(x) for x in drawn]))
        report(Progress("pictures", seeds.stop, pictures, "pictures"))
    before, after = torch.cat(pairs, dim=1)
    how = {"negative_prompt": negative_prompt, "pictures": pictures, **knobs}
    return compared(before, after) | how


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
