"""The formula of the Inception Score, for any classifier's probabilities."""

from __future__ import annotations

import torch
from torch import Tensor


def inception_score(probabilities: Tensor) -> float:
    """exp E_x KL(p(y|x) || p(y)) (Salimans et al. 2016, section 4).

    probabilities: (N, K), rows sum to 1. From 1 (all alike, or never sure) to K (always sure,
    every class equally often).
    """
    p = probabilities.detach().cpu().double()
    if p.dim() != 2 or (p < 0).any() or ((p.sum(1) - 1).abs() > 1e-3).any():
        raise ValueError("probabilities must be (N, K) with rows that sum to 1: apply a softmax")
    divergence = torch.special.xlogy(p, p) - torch.special.xlogy(p, p.mean(0))
    return float(divergence.sum(1).mean().exp())
