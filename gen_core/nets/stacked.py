"""What training many small networks at once needs: one matrix holds the weights of all runs.

A network here is a shape without weights: it is called with the weights (runs, size), a row for
each run, and its layers are batched matrix products. Nothing is changed in place, so a state may
be kept by keeping its tensors. What is random in a step of a run comes from (its seed, the step)
alone, so that a run is the same whether it is played alone or beside others.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

STREAMS = 16
"""Independent sources of noise of one step."""


class MLP:
    """A multilayer perceptron: x (runs, B, inputs) -> (runs, B, outputs)."""

    def __init__(
        self, sizes: Sequence[int], activation: Callable[[Tensor], Tensor] = F.relu
    ) -> None:
        self.sizes, self.activation = tuple(sizes), activation
        self.shapes = [
            shape for a, b in zip(sizes, sizes[1:], strict=False) for shape in ((a, b), (1, b))
        ]

    @property
    def size(self) -> int:
        """Weights of one run."""
        return sum(a * b for a, b in self.shapes)

    def initial(self, uniform: Tensor) -> Tensor:
        """uniform (runs, size) in [0, 1) -> weights, each within 1 / sqrt(inputs of its layer), as
        `torch.nn.Linear` begins."""
        inputs = [a for a, _ in self.shapes[::2] for _ in range(2)]
        bounds = [
            torch.full((a * b,), 1 / math.sqrt(n))
            for (a, b), n in zip(self.shapes, inputs, strict=True)
        ]
        return (2 * uniform - 1) * torch.cat(bounds)

    def parts(self, weights: Tensor) -> list[Tensor]:
        """(runs, size) -> in turn matrices (runs, in, out) and biases (runs, 1, out)"""
        rows = weights.split([a * b for a, b in self.shapes], dim=1)
        return [row.unflatten(1, shape) for row, shape in zip(rows, self.shapes, strict=True)]

    def hidden(self, parts: Sequence[Tensor], x: Tensor) -> Tensor:
        """x after all layers but the last: (runs, B, width)"""
        for matrix, bias in zip(parts[0:-2:2], parts[1:-2:2], strict=True):
            x = self.activation(torch.baddbmm(bias, x, matrix))
        return x

    def __call__(self, weights: Tensor, x: Tensor) -> Tensor:
        parts = self.parts(weights)
        return torch.baddbmm(parts[-1], self.hidden(parts, x), parts[-2])


# --- Adam -----------------------------------------------------------------------------------------


class Learner(NamedTuple):
    """The weights of a network in all runs, and Adam's memory of their gradients."""

    weights: Tensor
    """(runs, size)"""
    mean: Tensor
    square: Tensor
    updates: int = 0


def initial_learner(weights: Tensor) -> Learner:
    """A learner that has not moved yet."""
    return Learner(weights, torch.zeros_like(weights), torch.zeros_like(weights))


def adam(
    learner: Learner, gradient: Tensor, lr: float | Tensor, betas: tuple[float, float]
) -> Learner:
    """One step of Adam (Kingma & Ba 2015, algorithm 1), which can be differentiated."""
    n = learner.updates + 1
    mean = learner.mean.lerp(gradient, 1 - betas[0])
    square = learner.square.lerp(gradient.square(), 1 - betas[1])
    # The root has no slope at 0, where the weights of a dead unit are.
    root = (square / (1 - betas[1] ** n)).clamp(min=1e-20).sqrt()
    weights = learner.weights - lr / (1 - betas[0] ** n) * mean / (root + 1e-8)
    return Learner(weights, mean, square, n)


# --- what is random -------------------------------------------------------------------------------


def noise_of(seeds: Sequence[int], step: int, stream: int, count: int) -> Tensor:
    """(runs, count) standard normal, which depend on each run's seed, on step and stream."""
    rng, rows = torch.Generator(), torch.empty(len(seeds), count)
    for seed, row in zip(seeds, rows, strict=True):
        number = (seed * 1_000_003 + step) * STREAMS + stream
        # PyTorch heeds 32 bits of a seed: what is above them shall count, too.
        rng.manual_seed((number ^ (number >> 32) * 0x9E3779B1) & 0xFFFFFFFF)
        torch.randn(count, generator=rng, out=row)
    return rows


def uniform(normal: Tensor) -> Tensor:
    """Standard normal -> uniform in [0, 1)"""
    return torch.special.ndtr(normal).clamp(max=1 - 2**-24)
