"""The directions along which codes vary most, found without any label."""

from __future__ import annotations

import torch
from torch import Tensor


def principal_axes(codes: Tensor) -> tuple[Tensor, Tensor]:
    """codes (N, D) -> the principal components (D, D), unit rows, the widest first, and the
    standard deviation along each (D,) (Pearson 1901)."""
    centred = (codes - codes.mean(0)).double()
    _, singular, axes = torch.linalg.svd(centred, full_matrices=False)
    return axes.float(), (singular / len(codes) ** 0.5).float()
