"""How many bits a picture costs under a model, and where in the picture they go.

A model that says how likely a picture is gives it a code of -log2 p(x) bits (Shannon 1948): common
pictures are short, rare ones long. A pixel as it is takes 8.
"""

import io
import math
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from gen_core.families.pixels import PixelFamily
from gen_core.families.vae import VAE
from gen_core.sampling import pixels

REGIONS = ("background", "edges", "inside")
BLACK, CONTRAST = -0.97, 0.5
"""In [-1, 1]: up to where a pixel counts as black, and from which difference among its neighbours
on it counts as an edge."""
SAMPLES = 32
"""Codes of a picture over which the bound of a VAE is taken."""


@dataclass(frozen=True)
class CodeLength:
    """by_pixel: (H, W) bits; shared: bits that belong to no pixel, a VAE's for its code."""

    by_pixel: Tensor
    shared: float = 0.0

    @property
    def per_pixel(self) -> float:
        """All bits, over all pixels."""
        return (float(self.by_pixel.sum()) + self.shared) / self.by_pixel.numel()

    def of_regions(self, x: Tensor) -> dict[str, float]:
        """Bits in each of `REGIONS` of the picture x (1, H, W)."""
        which = regions(x)
        return {
            name: float(self.by_pixel[which == number].sum()) for number, name in enumerate(REGIONS)
        }


@torch.inference_mode()
def code_length(
    model: PixelFamily | VAE, x: Tensor, rng: torch.Generator | None = None
) -> CodeLength:
    """Of one picture x (1, H, W) in [-1, 1], of which each pixel is taken for the nearest of 256
    levels: exact for a model that writes pixels, an upper bound for a VAE. rng: a VAE's noise, on
    its device."""
    x = ((x.to(model.device) + 1) * 127.5).round() / 127.5 - 1
    if isinstance(model, PixelFamily):
        return CodeLength(-model.pixel_log_probs(x[None])[0].cpu() / math.log(2))
    return _bound(model, x, rng)


def _bound(model: VAE, x: Tensor, rng: torch.Generator | None) -> CodeLength:
    """A VAE's density is of real numbers. The probability of a level is its integral over the
    level's width, of which the density at a random place within, times the width, is a lower bound
    in the mean of logarithms (Theis et al. 2016, section 3.1)."""
    width = 2 / 255
    rows = x.expand(SAMPLES, *x.shape)
    within = torch.rand(rows.shape, generator=rng, device=x.device) - 0.5
    distortion, rate = model.bound_by_pixel(rows + width * within, rng)
    nats = distortion.mean((0, 1)) - math.log(width)
    return CodeLength(nats.cpu() / math.log(2), float(rate.mean()) / math.log(2))


def png_bits(x: Tensor) -> int:
    """Bits of the picture x (1, H, W) in [-1, 1] as a PNG file, as small as it gets."""
    buffer = io.BytesIO()
    Image.fromarray(pixels(x[None])[0]).save(buffer, "PNG", optimize=True)
    return 8 * buffer.tell()


def regions(x: Tensor) -> Tensor:
    """Of each pixel of a picture x (1, H, W) in [-1, 1], which of `REGIONS` it belongs to, (H, W)
    int64: black among black, much unlike its neighbours, or neither."""
    around = F.pad(x.cpu()[None], (1, 1, 1, 1), mode="replicate")
    brightest = F.max_pool2d(around, 3, 1)[0, 0]
    darkest = -F.max_pool2d(-around, 3, 1)[0, 0]
    edge = (brightest - darkest > CONTRAST).long()
    inside = 2 * (brightest > BLACK).long() * (1 - edge)
    return edge + inside
