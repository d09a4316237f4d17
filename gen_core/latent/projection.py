"""Codes in fewer dimensions: principal components, and a map on which neighbours stay neighbours.

The map is t-SNE, exactly, in a page:
van der Maaten & Hinton 2008, "Visualizing Data using t-SNE". Memory and time grow with the square
of the number of points: a few thousand are a minute's work.
"""

import math

import torch
from torch import Tensor

from gen_core.knobs import KnobError

EXAGGERATION, EXAGGERATED = 12.0, 150
"""Attraction at the start, and for how many steps, so that clusters find together."""
BISECTIONS = 40


def principal_axes(codes: Tensor) -> tuple[Tensor, Tensor]:
    """codes (N, D) -> the principal components (D, D), unit rows, the widest first, and the
    standard deviation along each (D,) (Pearson 1901)."""
    centred = (codes - codes.mean(0)).double()
    _, singular, axes = torch.linalg.svd(centred, full_matrices=False)
    return axes.float(), (singular / len(codes) ** 0.5).float()


def tsne(points: Tensor, *, perplexity: float = 30.0, steps: int = 500, seed: int = 0) -> Tensor:
    """points (N, D) -> (N, 2), centred, the same for the same seed.

    perplexity: about how many neighbours each point keeps, less than N / 3.
    """
    if not 1 < perplexity < len(points) / 3:
        raise KnobError(f"perplexity={perplexity}: choose above 1, below {len(points) / 3:.0f}")
    p = affinities(points.float(), perplexity)
    y = principal_plane(points, seed)
    velocity, rate = torch.zeros_like(y), max(len(points) / EXAGGERATION / 4, 50.0)
    for step in range(steps):
        early = step < EXAGGERATED
        gradient = slope(p * EXAGGERATION if early else p, y)
        velocity = (0.5 if early else 0.8) * velocity - rate * gradient
        y = y + velocity
        y = y - y.mean(0)
    return y


def principal_plane(points: Tensor, seed: int) -> Tensor:
    """(N, 2), tiny: the two widest directions, so that the map's whole follows them (Kobak &
    Berens 2019), and a little noise, so that no two points lie on each other."""
    plane = (points - points.mean(0)).float() @ principal_axes(points)[0][:2].T
    noise = torch.randn(plane.shape, generator=torch.Generator().manual_seed(seed))
    return 1e-4 * (plane / plane.std(0)[0] + 0.01 * noise)


def affinities(points: Tensor, perplexity: float) -> Tensor:
    """(N, N) symmetric, sums to 1: how much points are neighbours (eq. 1, and section 3.1)."""
    squared = torch.cdist(points, points).square()
    squared.fill_diagonal_(math.inf)
    low, high = torch.full((len(points),), -30.0), torch.full((len(points),), 30.0)
    nearest = squared.min(1, keepdim=True).values
    for _ in range(BISECTIONS):  # the width of each point's Gaussian, by its logarithm
        middle = (low + high) / 2
        p = _normalised(squared - nearest, middle.exp())
        entropy = -(p * p.clamp(min=1e-12).log()).sum(1)
        narrow = entropy < math.log(perplexity)
        low, high = torch.where(narrow, low, middle), torch.where(narrow, middle, high)
    together = p + p.T
    return together / together.sum()


def _normalised(squared: Tensor, precision: Tensor) -> Tensor:
    weights = (-precision[:, None] * squared).exp()
    return weights / weights.sum(1, keepdim=True)


def slope(p: Tensor, y: Tensor) -> Tensor:
    """(N, 2): the gradient of KL(P || Q) (eq. 5)."""
    near = 1 / (1 + torch.cdist(y, y).square())
    near.fill_diagonal_(0)
    pull = (p - near / near.sum()) * near
    return 4 * (pull.sum(1, keepdim=True) * y - pull @ y)


def divergence(p: Tensor, y: Tensor) -> Tensor:
    """KL(P || Q), what the map makes small (eq. 2 with the Student t of eq. 4)."""
    near = 1 / (1 + torch.cdist(y, y).square())
    near = near - torch.diag_embed(near.diagonal())
    q = near / near.sum()
    return (p * (p.clamp(min=1e-12) / q.clamp(min=1e-12)).log()).sum()
