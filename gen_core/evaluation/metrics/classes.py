"""What a classifier's answers say of a set of samples: which classes are there, and how often."""

from __future__ import annotations

import torch
from torch import Tensor

ALIVE = 0.01
"""A class is alive when it makes up at least this share of the samples."""


def class_shares(logits: Tensor) -> Tensor:
    """(N, K) logits or probabilities -> (K,) float64 shares of the samples; they sum to 1."""
    if logits.dim() != 2 or len(logits) < 1:
        raise ValueError(f"logits of shape {tuple(logits.shape)}: give (N, K) with N >= 1")
    winners = logits.detach().cpu().argmax(1)
    return torch.bincount(winners, minlength=logits.shape[1]).double() / len(winners)


def classes_alive(shares: Tensor, least: float = ALIVE) -> int:
    """(K,) shares -> how many classes reach `least`, 0 to K."""
    return int((shares >= least).sum())


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """(N, K) logits, (N,) classes wanted -> the share that the classifier agrees with, 0 to 1."""
    return float((logits.detach().cpu().argmax(1) == labels.cpu()).double().mean())
