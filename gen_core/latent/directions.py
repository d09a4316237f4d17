"""Directions in latent space: by meaning, from labelled pictures, and by variance alone."""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1e-3
"""Share of a trait's variance by which the regression is steadied."""


def by_meaning(codes: Tensor, traits: Tensor, shown: Tensor) -> Tensor:
    """codes (N, D), traits (N, T), where they show (N, T) -> (T, D): how the code changes, on
    average, when one trait goes up by its standard deviation and all others stay.

    Least squares of the codes on all traits at once. The difference of two means, as in Radford et
    al. 2016, section 6.3.2, would take along whatever comes with the trait in the data. Where a
    trait does not show it counts as average.
    """
    count = shown.sum(0).clamp(min=1)
    mean = (traits * shown).sum(0) / count
    away = (traits - mean) * shown
    spread = (away.square().sum(0) / count).sqrt()
    standard = (away / spread).double()
    gram = standard.T @ standard / len(codes)
    gram += RIDGE * torch.eye(len(gram), dtype=gram.dtype)
    centred = (codes - codes.mean(0)).double()
    return torch.linalg.solve(gram, standard.T @ centred / len(codes)).float()


def by_variance(codes: Tensor) -> tuple[Tensor, Tensor]:
    """codes (N, D) -> the principal components (D, D), unit rows, the widest first, and the
    standard deviation along each (D,) (Pearson 1901)."""
    centred = (codes - codes.mean(0)).double()
    _, singular, axes = torch.linalg.svd(centred, full_matrices=False)
    return axes.float(), (singular / len(codes) ** 0.5).float()
