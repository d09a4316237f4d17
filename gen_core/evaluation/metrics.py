"""Metrics as pure functions of tensors: features, probabilities or logits in, numbers out.

They run on the CPU in float64, whatever device and precision their input has, so a figure does
not depend on the machine. What the features mean is the caller's business: here they come from a
classifier of our own, so the distance is not comparable with a published FID.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

ALIVE = 0.01
"""A class is alive when it makes up at least this share of the samples."""
CHUNK = 1000
"""Rows whose distances to all others are in memory at once: 80 MB against 10,000 others."""


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


class MissingInception(OSError):
    """torch-fidelity is not installed or its weights cannot be had. The message says which."""


def inception_features(batches: Iterable[Tensor], device: torch.device | str = "cpu") -> Tensor:
    """Batches of (B, 1 or 3, H, W) in [-1, 1] -> (N, 2048) float32: the features of the published
    FID, from torch-fidelity. Raises MissingInception.

    `frechet_distance` of two such sets is the FID that papers report (for 28 x 28 grey pictures,
    scaled up to the network's 299 x 299, a number of limited meaning).
    """
    extractor = _extractor().to(device)
    features = []
    with torch.inference_mode():
        for x in batches:
            pixels = ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
            features.append(extractor(pixels.expand(-1, 3, -1, -1).to(device))[0].float().cpu())
    return torch.cat(features)


def _extractor() -> torch.nn.Module:
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise MissingInception(
            "the standard FID needs torch-fidelity: `pip install torch-fidelity`"
        ) from error
    try:
        return FeatureExtractorInceptionV3("inception-v3-compat", ["2048"]).eval()
    except OSError as error:  # what urllib raises, offline too
        raise MissingInception(
            f"the standard FID needs the weights of InceptionV3, which torch-fidelity downloads "
            f"once; that failed: {error}"
        ) from error
