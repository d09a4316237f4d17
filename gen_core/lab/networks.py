"""The discriminator of the lab, for many runs at once, and what it may be helped by."""

import functools

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.nets.stacked import MLP

KERNELS, KERNEL_SIZE = 4, 4
"""Of minibatch discrimination: numbers it adds to what is known of a sample, and the dimensions in
which each measures distance (B and C in Salimans et al. 2016, section 3.2)."""
LEAKY = functools.partial(F.leaky_relu, negative_slope=0.2)


class Discriminator(MLP):
    """Logits (runs, B) of samples or packs x (runs, B, inputs).

    With `group` it sees how close each sample is to the others of its group, so many in a row:
    minibatch discrimination (Salimans et al. 2016, section 3.2), there against the whole batch.
    """

    def __init__(self, inputs: int, width: int, depth: int, group: int = 0) -> None:
        super().__init__([inputs, *[width] * depth, 1], LEAKY)
        self.group = group
        if group:
            self.shapes[-2] = (width + KERNELS, 1)
            self.shapes.append((width, KERNELS * KERNEL_SIZE))
            self.shapes.append((1, 0))  # no bias: distances do not see it

    def __call__(
        self,
        weights: Tensor,
        x: Tensor,
        directions: Tensor | None = None,
        among: Tensor | None = None,
    ) -> Tensor:
        """`directions` turn spectral normalisation on; `among` (runs, others, inputs) compares
        every x with those, and not with its group."""
        parts = self.parts(weights)
        if directions is not None:
            parts[::2] = self._normalised(parts[::2], directions)
        if not self.group:
            return torch.baddbmm(parts[-1], self.hidden(parts, x), parts[-2])[..., 0]
        *parts, kernel, _ = parts
        features = self.hidden(parts, x)
        others = None if among is None else self.hidden(parts, among) @ kernel
        close = minibatch_features(features @ kernel, others, self.group)
        features = torch.cat([features, close], dim=-1)
        return torch.baddbmm(parts[-1], features, parts[-2])[..., 0]

    # --- spectral normalisation -------------------------------------------------------------------

    def initial_directions(self, normal: Tensor) -> Tensor:
        """normal (runs, outputs of all layers) -> a unit vector for each layer, all in a row."""
        return torch.cat([F.normalize(d, dim=1) for d in self._split(normal)], dim=1)

    @property
    def outputs(self) -> list[int]:
        return [b for _, b in self.shapes[::2]]

    def _split(self, directions: Tensor) -> tuple[Tensor, ...]:
        return directions.split(self.outputs, dim=1)

    @torch.no_grad()
    def power_iteration(self, weights: Tensor, directions: Tensor) -> Tensor:
        """One step of the power iteration for each layer and run (Miyato et al. 2018, "Spectral
        Normalization for Generative Adversarial Networks", algorithm 1)."""
        turned = []
        for matrix, u in zip(self.parts(weights)[::2], self._split(directions), strict=True):
            v = F.normalize(matrix @ u[..., None], dim=1)
            turned.append(F.normalize(matrix.mT @ v, dim=1)[..., 0])
        return torch.cat(turned, dim=1)

    def _normalised(self, matrices: list[Tensor], directions: Tensor) -> list[Tensor]:
        """Each matrix over its largest singular value, |W u|. At that u the gradient of |W u| is
        v u', as in the paper, where v is held too."""
        pairs = zip(matrices, self._split(directions), strict=True)
        return [w / (w @ u[..., None]).norm(dim=1, keepdim=True).clamp(min=1e-8) for w, u in pairs]


def minibatch_features(mine: Tensor, others: Tensor | None, group: int) -> Tensor:
    """sum_j exp(-|M_i - M_j|_1) for each kernel: (runs, B, kernels * size) -> (runs, B, kernels).

    j runs over the others of i's group, or over all of `others`.
    """
    itself = others is None
    mine, others = (  # (runs, groups, size, kernels, samples)
        m.unflatten(2, (KERNELS, KERNEL_SIZE)).unflatten(1, (-1, count)).permute(0, 1, 4, 3, 2)
        for m, count in (
            (mine, group if itself else mine.shape[1]),
            (mine if itself else others, group if itself else others.shape[1]),
        )
    )
    apart = sum(
        (mine[:, :, c, :, :, None] - others[:, :, c, :, None]).abs() for c in range(KERNEL_SIZE)
    )
    close = (-apart).exp().sum(-1) - float(itself)  # exp(0), its closeness to itself
    return close.mT.flatten(1, 2)
