"""The Fréchet distance between two clouds of features, each taken for a Gaussian."""

from __future__ import annotations

import torch
from torch import Tensor


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """(N, D) -> mean (D,) and unbiased covariance (D, D), float64. Needs N >= 2."""
    if features.dim() != 2 or len(features) < 2:
        raise ValueError(f"features of shape {tuple(features.shape)}: give (N, D) with N >= 2")
    rows = features.detach().cpu().double()
    return rows.mean(0), torch.cov(rows.T).reshape(rows.shape[1], rows.shape[1])


def frechet_from_moments(
    mean_a: Tensor, covariance_a: Tensor, mean_b: Tensor, covariance_b: Tensor
) -> float:
    """|m_a - m_b|^2 + Tr(C_a + C_b - 2 (C_a C_b)^(1/2)) >= 0 (Dowson & Landau 1982, eq. 4).

    C_a C_b has the eigenvalues of the symmetric C_a^(1/2) C_b C_a^(1/2), so no general matrix
    square root is needed and nothing complex can appear.
    """
    values, vectors = torch.linalg.eigh(covariance_a)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    shared = torch.linalg.eigvalsh(root @ covariance_b @ root).clamp(min=0).sqrt().sum()
    apart = (mean_a - mean_b).square().sum()
    distance = apart + covariance_a.trace() + covariance_b.trace() - 2 * shared
    return max(0.0, float(distance))


def frechet_distance(features_a: Tensor, features_b: Tensor) -> float:
    """(N, D), (M, D) -> distance >= 0, smaller is closer (Heusel et al. 2017, eq. 6).

    It is biased upwards for few samples: compare only figures with the same N and M.
    """
    return frechet_from_moments(*moments(features_a), *moments(features_b))
