"""What a poor camera sees of a picture, y = A x + n, and what filters make of that.

A acts on rows and columns alike, A x = B x B^T, as blurs and means over blocks do. Then the
singular values of A are the products of B's, and whatever is solved with it is solved in the basis
of B's: two small decompositions in place of one with 784 rows.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.knobs import KnobError, shown
from gen_core.sampling import Noise

NOISE = 0.05
"""Standard deviation of a measurement's noise, where pixels go from -1 to 1."""
BLUR = 1.5
"""Standard deviation of the blur, in pixels."""
MEAN, DEVIATION, CORRELATION = -0.43, 0.71, 0.85
"""Of the pixels of Fashion-MNIST, and of two that are neighbours: what the Wiener filter knows of
pictures. The correlation is the one with which it did best on training pictures (`gen_core edit`).
"""


@dataclass(frozen=True)
class Measurement:
    """y = B x B^T + n, n normal with standard deviation `noise`."""

    rows: Tensor
    """B, (m, H) float32: what each row of y takes of the rows of x."""
    noise: float = NOISE
    factor: int = 1
    """How many times smaller y is."""

    def shape(self, channels: int = 1) -> tuple[int, int, int]:
        """Of one y."""
        return channels, len(self.rows), len(self.rows)

    def __call__(self, x: Tensor) -> Tensor:
        """A x: (B, C, H, H) -> (B, C, m, m)"""
        rows = self.rows.to(x)
        return rows @ x @ rows.T

    def transposed(self, y: Tensor) -> Tensor:
        """A^T y: (B, C, m, m) -> (B, C, H, H)"""
        rows = self.rows.to(y)
        return rows.T @ y @ rows

    def taken(self, x: Tensor, noise: Noise) -> Tensor:
        """y: what the camera sees of x (1, C, H, H), with one noise for each of `noise`."""
        y = self(x)
        return y + self.noise * noise.randn(*y.shape[1:]).to(y)


def blur(size: int, width: float = BLUR, noise: float = NOISE) -> Measurement:
    """A Gaussian blur; what would come from beyond the edge comes from the mirrored picture."""
    places = torch.arange(size, dtype=torch.float64)
    reach = math.ceil(4 * width)
    rows = torch.zeros(size, size, dtype=torch.float64)
    for shift in range(-reach, reach + 1):
        there = (places + shift).long() % (2 * size)
        mirrored = torch.minimum(there, 2 * size - 1 - there)
        rows[places.long(), mirrored] += math.exp(-0.5 * (shift / width) ** 2)
    return Measurement((rows / rows.sum(1, keepdim=True)).float(), noise)


def shrink(size: int, factor: int, noise: float = NOISE) -> Measurement:
    """The mean over blocks of factor by factor pixels. Raises KnobError where they do not fit."""
    if factor < 2 or size % factor:
        raise KnobError(f"factor={shown(factor)}: choose one that divides {size}, from 2 on")
    rows = torch.eye(size // factor).repeat_interleave(factor, 1) / factor
    return Measurement(rows, noise, factor)


def bicubic(measurement: Measurement, y: Tensor) -> Tensor:
    """y enlarged by cubic interpolation (Keys 1981), in [-1, 1]; of a blur y itself."""
    size = measurement.rows.shape[1]
    large = F.interpolate(y, (size, size), mode="bicubic", align_corners=False)
    return large.clamp(-1, 1)


def wiener(measurement: Measurement, y: Tensor, correlation: float = CORRELATION) -> Tensor:
    """The best linear estimate of x where pixels of distance d correlate by correlation^d along
    rows and columns (Wiener 1949): m + C A^T (A C A^T + noise^2)^-1 (y - A m), in [-1, 1].

    C = DEVIATION^2 R x R, so all is solved in the basis of B R B^T.
    """
    rows = measurement.rows.to(torch.float64)
    places = torch.arange(rows.shape[1], dtype=torch.float64)
    alike = correlation ** (places[:, None] - places).abs()  # R
    values, basis = torch.linalg.eigh(rows @ alike @ rows.T)
    least = (measurement.noise / DEVIATION) ** 2
    rest = basis.T @ (y.double() - MEAN) @ basis  # A leaves a picture that is all mean as it is
    rest = rest / (torch.outer(values, values) + least)
    back = alike @ rows.T @ basis
    return (MEAN + back @ rest @ back.T).to(y.dtype).clamp(-1, 1)


def psnr(x: Tensor, of: Tensor) -> Tensor:
    """(B, C, H, W) in [-1, 1] each -> (B,) decibels: the peak signal to noise, 10 log10(2^2 / mean
    squared error)."""
    return 10 * torch.log10(4 / (x - of).square().mean((1, 2, 3)).clamp(min=1e-12))
