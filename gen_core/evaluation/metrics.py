"""Metrics as pure functions of tensors: features, probabilities or logits in, numbers out.

They run on the CPU in float64, whatever device and precision their input has, so a figure does
not depend on the machine. What the features mean is the caller's business: here they come from a
classifier of our own, so the distance is not comparable with a published FID.
"""

from __future__ import annotations

import torch
from torch import Tensor

ALIVE = 0.01
"""A class is alive when it makes up at least this share of the samples."""
ROUNDING = 1e-12
"""Of squared sizes in float64: what differs by less is equal."""
CHUNK = 1000
"""Rows whose distances to all others are in memory at once: 80 MB against 10,000 others."""


def class_shares(logits: Tensor) -> Tensor:
    """(N, K) logits or probabilities -> (K,) float64 shares of the samples; they sum to 1."""
    winners = _rows("logits", logits).argmax(1)
    return torch.bincount(winners, minlength=logits.shape[1]).double() / len(winners)


def classes_alive(shares: Tensor, least: float = ALIVE) -> int:
    """(K,) shares -> how many classes reach `least`, 0 to K."""
    if shares.dim() != 1 or not len(shares) or not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"shares of shape {tuple(shares.shape)}: give (K,), each from 0 to 1")
    return int((shares >= least).sum())


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """(N, K) logits, (N,) classes wanted -> the share that the classifier agrees with, 0 to 1."""
    winners, labels = _rows("logits", logits).argmax(1), torch.as_tensor(labels).cpu()
    if labels.shape != winners.shape:
        raise ValueError(
            f"labels of shape {tuple(labels.shape)}: give ({len(winners)},), one for each row of "
            "logits"
        )
    return float((winners == labels).double().mean())


def inception_score(probabilities: Tensor) -> float:
    """exp E_x KL(p(y|x) || p(y)) (Salimans et al. 2016, section 4).

    probabilities: (N, K), rows sum to 1. From 1 (all alike, or never sure) to K (always sure,
    every class equally often).
    """
    p = _rows("probabilities", probabilities)
    if (p < 0).any() or ((p.sum(1) - 1).abs() > 1e-3).any():
        raise ValueError("probabilities must be (N, K) with rows that sum to 1: apply a softmax")
    divergence = torch.special.xlogy(p, p) - torch.special.xlogy(p, p.mean(0))
    return float(divergence.sum(1).mean().exp())


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """(N, D) -> mean (D,) and unbiased covariance (D, D), float64. Needs N >= 2."""
    rows = _rows("features", features, 2)
    return rows.mean(0), torch.cov(rows.T).reshape(rows.shape[1], rows.shape[1])


def frechet_from_moments(
    mean_a: Tensor, covariance_a: Tensor, mean_b: Tensor, covariance_b: Tensor
) -> float:
    """|m_a - m_b|^2 + Tr(C_a + C_b - 2 (C_a C_b)^(1/2)) >= 0 (Dowson & Landau 1982, eq. 4).

    C_a C_b has the eigenvalues of the symmetric C_a^(1/2) C_b C_a^(1/2), so no general matrix
    square root is needed and nothing complex can appear. Both are positive semidefinite.
    """
    width = len(mean_a) if mean_a.dim() else 0
    for name, value, shape in (
        ("mean_a", mean_a, (width,)),
        ("mean_b", mean_b, (width,)),
        ("covariance_a", covariance_a, (width, width)),
        ("covariance_b", covariance_b, (width, width)),
    ):
        if value.shape != shape or not width:
            raise ValueError(
                f"{name} of shape {tuple(value.shape)}: give {shape}, for mean_a has "
                f"{tuple(mean_a.shape)}"
            )
        if not value.isfinite().all():
            raise ValueError(f"{name} holds NaN or infinity: look at what it was computed from")
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
    a, b = _rows("features_a", features_a, 2), _rows("features_b", features_b, 2)
    _alike(features_a=a, features_b=b)
    return frechet_from_moments(*moments(a), *moments(b))


def extrapolated_frechet(fake: Tensor, real: Tensor, *, sizes: int = 15, seed: int = 0) -> float:
    """(N, D), (M, D) -> the distance that infinitely many samples would have. Needs N >= 4 D.

    The bias of N samples is very nearly proportional to 1 / N, so a line through the distances of
    `sizes` subsets is read off at 1 / N = 0 (Chong & Forsyth 2020, "Effectively Unbiased FID and
    Inception Score and Where to Find Them", section 3). The bias of the M real ones stays; chance
    may bring it a little below 0.
    """
    fake, real = _rows("fake", fake), _rows("real", real, 2)
    _alike(fake=fake, real=real)
    against, (count, width) = moments(real), fake.shape
    if count < 4 * width:
        raise ValueError(f"fake of shape {(count, width)}: give (N, D) with N >= {4 * width}")
    if sizes < 2:
        raise ValueError(f"sizes={sizes}: choose 2 or more, for a line needs two points")
    rng = torch.Generator().manual_seed(seed)
    # With fewer rows than two for each feature, the bias is no longer proportional.
    counts = torch.linspace(max(count / 5, 2 * width), count, sizes).round().double()
    subsets = (fake[torch.randperm(count, generator=rng)[: int(n)]] for n in counts)
    distances = [frechet_from_moments(*moments(subset), *against) for subset in subsets]
    line = torch.stack([torch.ones_like(counts), 1 / counts], dim=1)
    return float(torch.linalg.lstsq(line, torch.tensor(distances).double()[:, None]).solution[0])


def kernel_distance(fake: Tensor, real: Tensor) -> float:
    """(N, D), (M, D) -> squared maximum mean discrepancy with the kernel (x . y / D + 1)^3, by its
    unbiased estimator (Binkowski et al. 2018, "Demystifying MMD GANs", section 4: KID).

    About 0 for equal distributions whatever N and M are, so it may fall below. Needs N, M >= 2.
    """
    fake, real = _rows("fake", fake, 2), _rows("real", real, 2)
    _alike(fake=fake, real=real)

    def kernel_sum(a: Tensor, b: Tensor) -> Tensor:
        width = a.shape[1]
        return sum((rows @ b.T / width + 1).pow(3).sum() for rows in a.split(CHUNK))

    def within(a: Tensor) -> Tensor:
        """The mean over all pairs of two."""
        itself = (a.square().sum(1) / a.shape[1] + 1).pow(3).sum()
        return (kernel_sum(a, a) - itself) / (len(a) * (len(a) - 1))

    across = kernel_sum(fake, real) / (len(fake) * len(real))
    return float(within(fake) + within(real) - 2 * across)


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """(N, D), (M, D) features -> precision and recall, each 0 to 1.

    Precision is the share of `fake` inside the manifold of `real`, recall the reverse
    (Kynkäänniemi et al. 2019, eq. 1 and 2, k = 3).
    """
    real, fake = _rows("real", real), _rows("fake", fake)
    _alike(real=real, fake=fake)
    return share_inside(fake, real, k), share_inside(real, fake, k)


def density_coverage(real: Tensor, fake: Tensor, k: int = 5) -> tuple[float, float]:
    """(N, D), (M, D) features -> density, 0 or more, and coverage, 0 to 1.

    Around each of `real` lies a ball that reaches to its k-th nearest neighbour. Density is in how
    many balls one of `fake` lies on average, over k: about 1 for equal distributions, and unlike
    precision hardly moved by an outlier with a ball of its own. Coverage is the share of balls with
    one of `fake` in them (Naeem et al. 2020, eq. 4 and 5, k = 5). Needs N > k.
    """
    real, fake = _rows("real", real), _rows("fake", fake)
    _alike(real=real, fake=fake)
    reach, inside = _reach("real", real, k), torch.zeros(len(real), dtype=torch.long)
    for rows in fake.split(CHUNK):
        inside += (_squared(rows, real) <= reach).sum(0)
    return float(inside.sum()) / (k * len(fake)), float((inside > 0).double().mean())


def share_inside(points: Tensor, support: Tensor, k: int = 3) -> float:
    """The share of `points` (N, D) inside the manifold of `support` (M, D), 0 to 1.

    The manifold is a union of balls, one around each supporting point, that reach to its k-th
    nearest neighbour. Needs M > k. Memory does not grow with N.
    """
    points, support = _rows("points", points), _rows("support", support)
    _alike(points=points, support=support)
    reach = _reach("support", support, k)
    inside = [(_squared(rows, support) <= reach).any(1) for rows in points.split(CHUNK)]
    return float(torch.cat(inside).double().mean())


def _reach(name: str, support: Tensor, k: int) -> Tensor:
    """(M, D) -> (M,) squared distance to the k-th nearest other point."""
    if not isinstance(k, int) or not 1 <= k < len(support):
        most = len(support) - 1
        raise ValueError(f"k={k}: choose 1 to {most}, one less than {name} has rows")
    # The nearest point of each is itself, hence k + 1.
    return torch.cat([_squared(r, support).kthvalue(k + 1).values for r in support.split(CHUNK)])


def _squared(a: Tensor, b: Tensor) -> Tensor:
    """(N, D), (M, D) -> (N, M) squared distances, by |a|^2 - 2 a.b + |b|^2: one matrix product.
    What rounding leaves between equal rows is 0."""
    middle = b.mean(0)  # far from the origin, the difference of the squares would be all rounding
    a, b = a - middle, b - middle
    size = a.square().sum(1)[:, None] + b.square().sum(1)
    apart = size - 2 * a @ b.T
    return torch.where(apart > ROUNDING * size, apart, 0.0)


def _alike(**sets: Tensor) -> None:
    """Raises ValueError for two sets of rows that have not as many columns."""
    (one, a), (other, b) = sets.items()
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"{one} has {a.shape[1]} columns, {other} has {b.shape[1]}: give features of the same "
            "classifier"
        )


def _rows(name: str, values: Tensor, least: int = 1) -> Tensor:
    """(N, D) float64 on the CPU; raises ValueError for another shape, fewer rows than `least`, or
    one with NaN or infinity in it."""
    if values.dim() != 2 or len(values) < least or not values.shape[1]:
        raise ValueError(f"{name} of shape {tuple(values.shape)}: give (N, D) with N >= {least}")
    rows = values.detach().cpu().double()
    broken = (~rows.isfinite()).any(1).nonzero()
    if len(broken):
        raise ValueError(
            f"{name}: {len(broken)} of {len(rows)} rows hold NaN or infinity, the first is row "
            f"{int(broken[0])}; look at what drew it"
        )
    return rows
