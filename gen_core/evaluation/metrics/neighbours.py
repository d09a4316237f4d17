"""Precision and recall: how many samples look real, and how much of the real set is reached."""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 1000
"""Rows whose distances to all others are in memory at once: 80 MB against 10,000 others."""


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """(N, D), (M, D) features -> precision and recall, each 0 to 1.

    Precision is the share of `fake` inside the manifold of `real`, recall the reverse
    (Kynkäänniemi et al. 2019, eq. 1 and 2, k = 3).
    """
    return share_inside(fake, real, k), share_inside(real, fake, k)


def share_inside(points: Tensor, support: Tensor, k: int = 3) -> float:
    """The share of `points` (N, D) inside the manifold of `support` (M, D), 0 to 1.

    The manifold is a union of balls, one around each supporting point, that reach to its k-th
    nearest neighbour. Needs M > k. Memory does not grow with N.
    """
    if not 1 <= k < len(support):
        raise ValueError(f"k={k}: choose 1 to {len(support) - 1}, one less than the points given")
    points, support = points.detach().cpu().double(), support.detach().cpu().double()
    reach = _reach(support, k)
    inside = [(_squared(rows, support) <= reach).any(1) for rows in points.split(CHUNK)]
    return float(torch.cat(inside).double().mean())


def _reach(support: Tensor, k: int) -> Tensor:
    """(M, D) -> (M,) squared distance to the k-th nearest other point."""
    # The nearest point of each is itself, hence k + 1.
    return torch.cat([_squared(r, support).kthvalue(k + 1).values for r in support.split(CHUNK)])


def _squared(a: Tensor, b: Tensor) -> Tensor:
    """(N, D), (M, D) -> (N, M) squared distances, by |a|^2 - 2 a.b + |b|^2: one matrix product."""
    return a.square().sum(1)[:, None] - 2 * a @ b.T + b.square().sum(1)
