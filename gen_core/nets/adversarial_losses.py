"""What the two players of a GAN descend: losses of logits, and penalties on the discriminator.

A logit is the discriminator's output before any squashing, high for "real". All take logits
(..., B) and give means (...,): of one batch a scalar, of a stack of runs one number for each run,
and, since runs share no weights, the gradient of their sum is each run's own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

# --- losses ---------------------------------------------------------------------------------------


def cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))) for the discriminator, D = sigmoid(logit) (Goodfellow et al.
    2014, eq. 1). At the best discriminator of densities p and q it is 2 log 2 - 2 JSD(p, q)."""
    return F.softplus(-real).mean(-1) + F.softplus(fake).mean(-1)


def saturating(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """log(1 - D(G(z))) for the generator (Goodfellow et al. 2014, eq. 1): minimax. Its gradient
    vanishes where the discriminator is sure of a forgery, when the generator needs it most."""
    return -F.softplus(fake).mean(-1)


def non_saturating(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-log D(G(z)) for the generator (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean(-1)


def hinge(real: Tensor, fake: Tensor) -> Tensor:
    """max(0, 1 - real) + max(0, 1 + fake) for the discriminator (Lim & Ye 2017, "Geometric GAN";
    Miyato et al. 2018, "Spectral Normalization for GANs", eq. 16)."""
    return F.relu(1 - real).mean(-1) + F.relu(1 + fake).mean(-1)


def least_squares(real: Tensor, fake: Tensor) -> Tensor:
    """((real - 1)^2 + fake^2) / 2 for the discriminator (Mao et al. 2017, "Least Squares Generative
    Adversarial Networks", eq. 9)."""
    return ((real - 1).square().mean(-1) + fake.square().mean(-1)) / 2


def least_squares_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """(fake - 1)^2 / 2 (Mao et al. 2017, eq. 9)."""
    return (fake - 1).square().mean(-1) / 2


def wasserstein(real: Tensor, fake: Tensor) -> Tensor:
    """fake - real for the discriminator, there called critic (Arjovsky et al. 2017, "Wasserstein
    GAN", eq. 2). With a slope of at most 1, its least value is minus the distance W1."""
    return fake.mean(-1) - real.mean(-1)


def raise_score(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-fake for the generator (Arjovsky et al. 2017, algorithm 1; with hinge: Miyato et al. 2018,
    eq. 17)."""
    return -fake.mean(-1)


def relativistic(mine: Tensor, yours: Tensor) -> Tensor:
    """-log sigmoid(mine - yours) in pairs: mine shall look more real than yours. The discriminator
    takes (real, fake), the generator (fake, real) (Jolicoeur-Martineau 2018; Huang et al. 2024,
    "The GAN is dead; long live the GAN!", section 2.1)."""
    return F.softplus(yours - mine).mean(-1)


@dataclass(frozen=True)
class AdversarialLoss:
    """A game: what each player descends."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    """Of the logits (real, fake)."""
    generator: Callable[[Tensor, Tensor], Tensor]
    """Of the logits (fake, real)."""
    paired: bool = False
    """Whether the generator's loss needs the logits of real data."""


LOSSES = {
    "minimax": AdversarialLoss(cross_entropy, saturating),
    "non-saturating": AdversarialLoss(cross_entropy, non_saturating),
    "hinge": AdversarialLoss(hinge, raise_score),
    "least squares": AdversarialLoss(least_squares, least_squares_generator),
    "wasserstein": AdversarialLoss(wasserstein, raise_score),
    "relativistic": AdversarialLoss(relativistic, relativistic, paired=True),
}

# --- penalties ------------------------------------------------------------------------------------


def squared_slope(logit: Tensor, x: Tensor) -> Tensor:
    """|| grad D(x) ||^2 for each entry of `logit`, to be trained on.

    logit (..., B) was computed from x (..., B, *event), which requires a gradient. The mean over
    real data, times gamma / 2, is R1 (Mescheder et al. 2018, eq. 9), that over forgeries R2.
    """
    (slope,) = torch.autograd.grad(logit.sum(), x, create_graph=True)
    return slope.square().flatten(logit.dim()).sum(-1)


def off_unit_slope(logit: Tensor, x: Tensor) -> Tensor:
    """(|| grad D(x) || - 1)^2 for each entry of `logit` (..., B), where x are points between real
    data and forgeries; its mean times lambda is the gradient penalty (Gulrajani et al. 2017, eq.
    3)."""
    # The root has no slope at 0, where a network with dead units may well be.
    return (squared_slope(logit, x).clamp(min=1e-12).sqrt() - 1).square()


def between(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Points on the lines from forgeries to real data, at `share` in [0, 1] (Gulrajani et al. 2017,
    algorithm 1): share broadcasts against both."""
    return fake + share * (real - fake)
