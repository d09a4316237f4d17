"""What can be said of pictures without asking a network: how much they differ, how sharp they are.

Diversity is the mean of 1 minus the correlation of the pixels of two pictures. Correlation takes no
notice of brightness and contrast, so that colours which burn out do not pass for variety, as they
would in a distance of pixels.

Sharpness is the variance of the Laplacian, which answers to edges and not to areas: a usual measure
of focus (Pech-Pacheco et al. 2000, *Diatom autofocusing in brightfield microscopy*).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.data.images import LUMA

LAPLACIAN = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))


def diversity(x: Tensor) -> float:
    """Mean over all pairs of pictures (B, ...) of 1 minus the correlation of their pixels: 0 where
    all are the same but for brightness and contrast, 1 where they have nothing to do with each
    other."""
    flat = x.flatten(1)
    return mean_distance(F.normalize(flat - flat.mean(1, keepdim=True), dim=1))


def mean_distance(vectors: Tensor) -> float:
    """Mean over all pairs of (B, D) vectors of length 1 of 1 minus their cosine."""
    return float(F.pdist(vectors.float().cpu()).square().mean() / 2)


def laplacian_variance(x: Tensor) -> Tensor:
    """x (B, 3, H, W) in [-1, 1] -> (B,): of the luminance from 0 to 255, without the border."""
    weights = torch.tensor(LUMA, device=x.device).view(1, 3, 1, 1)
    luminance = ((x + 1) * 127.5 * weights).sum(1, keepdim=True)
    kernel = torch.tensor(LAPLACIAN, device=x.device).view(1, 1, 3, 3)
    return F.conv2d(luminance, kernel).flatten(1).var(1, unbiased=False)
