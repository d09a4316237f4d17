"""Paths between two latent codes."""

import torch
from torch import Tensor


def straight(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """a, b (latent,), t (N,) in [0, 1] -> (N, latent): points on the line from a to b."""
    t = t[:, None].to(a)
    return (1 - t) * a + t * b


def spherical(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """a, b (latent,), t (N,) in [0, 1] -> (N, latent): points on the arc from a to b.

    Shoemake 1985, "Animating rotation with quaternion curves", section 3.3; for latent codes White
    2016, "Sampling Generative Networks", section 2.1. A straight line between two draws from a
    Gaussian of many dimensions passes closer to its centre than draws ever lie; the arc does not.
    Where no arc is defined (a code at the centre, or two in line with it), the straight line.
    """
    cosine = torch.nn.functional.cosine_similarity(a, b, dim=0).clamp(-1, 1)
    angle = torch.acos(cosine)
    if angle.sin() < 1e-4 or min(a.norm(), b.norm()) < 1e-6:
        return straight(a, b, t)
    t = t[:, None].to(a)
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


def four_corners(corners: Tensor, side: int) -> Tensor:
    """corners (4, latent): top left, top right, bottom left, bottom right -> (side, side, latent),
    every place a mixture of the four (bilinear)."""
    t = torch.linspace(0, 1, side).to(corners)[:, None]
    top, bottom = ((1 - t) * left + t * right for left, right in corners.unflatten(0, (2, 2)))
    return (1 - t[:, None]) * top + t[:, None] * bottom
