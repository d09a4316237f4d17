"""Two-dimensional sets whose density is known, so that whatever a model learns can be checked.

`ring` and `grid` are Gaussian mixtures: at every noise level their score and their best denoiser
have closed forms, which serve as a perfect network in tests and as the truth in pictures.
"""

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from gen_core.knobs import choice


class Toy(Protocol):
    """A distribution over the plane, most of it within [-2.5, 2.5] squared."""

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """(n, 2) float32"""

    def log_density(self, x: Tensor) -> Tensor:
        """(N, 2) -> (N,) float64, -inf where nothing can be"""


class GaussianMixture:
    """Round Gaussians around `means` (K, D), all with standard deviation `std`.

    `weights` (K,) say how likely each is and sum to 1; left out, all are equally likely.

    Noise level sigma means z = x + sigma eps with x from the mixture: a mixture again, with
    std^2 + sigma^2 for std^2. A diffusion's x_t is such a z, scaled: z = x_t / sqrt(alpha_bar).
    """

    def __init__(self, means: Tensor, std: float, weights: Tensor | None = None) -> None:
        self.means, self.std = means.double(), std
        even = torch.full((len(means),), 1 / len(means), dtype=torch.float64)
        self.weights = even if weights is None else weights.double()

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """(n, D) float32"""
        chosen = self.weights.multinomial(n, replacement=True, generator=rng)
        centres = self.means[chosen]
        return (centres + self.std * torch.randn(centres.shape, generator=rng)).float()

    def log_density(self, z: Tensor, sigma: float = 0.0) -> Tensor:
        """(N, D) -> (N,) float64: log of the density of x + sigma eps"""
        variance = self.std**2 + sigma**2
        constant = self.means.shape[1] / 2 * math.log(2 * math.pi * variance)
        return self._exponents(z, 1.0, variance).logsumexp(1) - constant

    def guess(self, x_t: Tensor, signal: float, spread: float) -> tuple[Tensor, Tensor]:
        """(..., D) -> E[x | x_t] and E[eps | x_t], (..., D) each, on x_t = signal x + spread eps.

        What a perfect network would answer, at every level: neither divides by signal or spread.
        """
        variance = (signal * self.std) ** 2 + spread**2
        blend = self._blend(x_t, signal, variance)
        # Each Gaussian's answer is linear in its mean, so the blend of the means will do.
        away = (x_t - signal * blend) / variance
        x, eps = blend + signal * self.std**2 * away, spread * away
        return x.to(x_t.dtype), eps.to(x_t.dtype)

    def denoise(self, z: Tensor, sigma: float) -> Tensor:
        """(N, D) -> (N, D) E[x | x + sigma eps = z], the least-squares guess of x."""
        return self.guess(z, 1.0, sigma)[0]

    def score(self, z: Tensor, sigma: float = 0.0) -> Tensor:
        """(N, D) -> (N, D) the gradient of `log_density`."""
        variance = self.std**2 + sigma**2
        return ((self._blend(z, 1.0, variance) - z) / variance).to(z.dtype)

    def velocity(self, x_t: Tensor, t: float) -> Tensor:
        """(N, D), t in [0, 1] -> (N, D) E[x_1 - x_0 | x_t] on x_t = (1 - t) x_0 + t x_1.

        x_0 is standard normal noise, x_1 from the mixture: the perfect flow-matching network.
        """
        x_1, x_0 = self.guess(x_t, t, 1 - t)
        return x_1 - x_0

    def _exponents(self, x: Tensor, scale: float, variance: float) -> Tensor:
        """(..., K) log of weight and Gaussian around scale * means, less what all K share"""
        away = torch.cdist(x.double(), scale * self.means).square()
        return self.weights.log() - away / (2 * variance)

    def _blend(self, x: Tensor, scale: float, variance: float) -> Tensor:
        """(..., D) float64: the means, weighted by how likely x came from each."""
        return self._exponents(x, scale, variance).softmax(-1) @ self.means


class Curve:
    """A curve, smeared by a Gaussian: `place` takes uniform numbers (...) in [0, 1) to points
    (..., 2), and is smooth on each of `pieces` equal parts.

    Its integral has no closed form: `log_density` takes Gauss-Legendre quadrature on each part.
    """

    NODES = 96

    def __init__(self, place: Callable[[Tensor], Tensor], pieces: int, std: float) -> None:
        at, weight = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(self.NODES))
        first = torch.arange(pieces, dtype=torch.float64)[:, None]
        nodes = place(((first + (at + 1) / 2) / pieces).flatten())
        weights = weight.repeat(pieces) / (2 * pieces)
        self.place, self.std = place, std
        self._smeared = GaussianMixture(nodes, std, weights)

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """(n, 2) float32"""
        place = self.place(torch.rand(n, generator=rng))
        return place + self.std * torch.randn(n, 2, generator=rng)

    def log_density(self, x: Tensor) -> Tensor:
        """(N, 2) -> (N,) float64"""
        return self._smeared.log_density(x)

    def guess(self, x_t: Tensor, signal: float, spread: float) -> tuple[Tensor, Tensor]:
        """As a mixture's, by the same quadrature."""
        return self._smeared.guess(x_t, signal, spread)


class TwoMoons(Curve):
    """Two interleaved half circles, as in scikit-learn's `make_moons`, smeared by a Gaussian. They
    are centred on the origin together. The density's error is below 1e-9 where it is above 1e-6."""

    def __init__(self, std: float = 0.1) -> None:
        super().__init__(self._arcs, 2, std)

    @staticmethod
    def _arcs(uniform: Tensor) -> Tensor:
        angle = 2 * math.pi * (uniform % 0.5)
        x, y = angle.cos() - 0.5, angle.sin() - 0.25
        lower = uniform >= 0.5
        return torch.stack([torch.where(lower, -x, x), torch.where(lower, -y, y)], dim=-1)


class Checkerboard:
    """Uniform on every second cell of a 4 x 4 board over [-2, 2] squared: the density is 1/8."""

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """(n, 2) float32"""
        cell = torch.randint(8, (n,), generator=rng)
        row = cell // 2
        column = 2 * (cell % 2) + row % 2
        return torch.stack([column, row], dim=1) - 2 + torch.rand(n, 2, generator=rng)

    def log_density(self, x: Tensor) -> Tensor:
        """(N, 2) -> (N,) float64, -inf off the dark cells"""
        cell = x.floor().long()
        on = (cell.sum(1) % 2 == 0) & (x.abs() < 2).all(1)
        return torch.where(on, -math.log(8), -math.inf).double()


def ring(count: int = 8, radius: float = 2.0, std: float = 0.1) -> GaussianMixture:
    """`count` Gaussians, evenly around a circle."""
    angle = torch.arange(count, dtype=torch.float64) * 2 * math.pi / count
    return GaussianMixture(radius * torch.stack([angle.cos(), angle.sin()], dim=1), std)


def grid(side: int = 5, std: float = 0.05) -> GaussianMixture:
    """`side` x `side` Gaussians on a square from -2 to 2."""
    line = torch.linspace(-2, 2, side, dtype=torch.float64)
    return GaussianMixture(torch.cartesian_prod(line, line), std)


def spiral(turns: float = 1.5, radius: float = 2.0, std: float = 0.08) -> Curve:
    """An Archimedean spiral that begins a quarter turn from its centre: nearly as many points on
    each piece of its length."""
    first, last = math.pi / 2, 2 * math.pi * turns

    def place(uniform: Tensor) -> Tensor:
        angle = (first**2 + uniform * (last**2 - first**2)).sqrt()
        out = radius / last * angle
        return torch.stack([out * angle.cos(), out * angle.sin()], dim=-1)

    return Curve(place, 4, std)  # one piece would do with four times the nodes


TOYS: dict[str, Callable[[], Toy]] = {
    "ring": ring,
    "moons": TwoMoons,
    "checkerboard": Checkerboard,
    "grid": grid,
    "spiral": spiral,
}


def load_toy(name: str) -> Toy:
    """A toy by name: "ring", "moons", "checkerboard", "grid" or "spiral"."""
    return TOYS[choice("toy", name, list(TOYS))]()
