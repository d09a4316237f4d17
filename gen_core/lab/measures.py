"""How a game stands: what frames show of each run, and how far its samples are from the data."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gen_core.data.planes import EDGE
from gen_core.data.yardstick import Yardstick
from gen_core.lab.game import DATA_SHOWN, FIXED, Game

SHOWN, COUNTED = 256, 2048
"""Samples of a run that a frame shows, and that it is measured by; the first are the same."""
CELLS = 32
"""The field of logits has so many cells a side."""
WITHIN = 3.0
"""Standard deviations within which a sample is on a mode."""
ENOUGH = 0.1
"""A mode is covered when it holds this share of the samples that are due to it."""
LATTICE, REACH = 17, 2.0
"""Lines a side of the lattice of latents, and how far it reaches from the centre."""


class Modes(NamedTuple):
    """(runs,) each"""

    covered: Tensor
    """Modes that hold at least a tenth of their share of the samples."""
    on_modes: Tensor
    """Share of the samples within three standard deviations of some mode."""
    collapsed: Tensor
    """At most half of the modes covered, with at least 80% of the samples on modes."""
    not_converged: Tensor
    """Less than 80% of the samples on modes, NaN included. Such a run is not called collapsed."""


def modes_of(samples: Tensor, modes: Tensor, std: float) -> Modes:
    """samples (runs, N, 2), modes (K, 2), all equally likely and of that standard deviation."""
    count = samples.shape[1]
    apart = torch.cdist(samples, modes.expand(len(samples), -1, -1))
    near = apart <= WITHIN * std  # of two modes at most one: they are six apart
    held = near.sum(1)
    covered = (held >= ENOUGH * count / len(modes)).sum(1)
    on_modes = near.any(2).sum(1) / count
    stray = ~(on_modes >= 0.8)
    return Modes(covered, on_modes, (2 * covered <= len(modes)) & ~stray, stray)


@dataclass(frozen=True)
class Frame:
    """What can be shown of a game at a step; the first dimension is the runs. float32."""

    step: int
    samples: Tensor
    """(runs, SHOWN, 2) from noise that stays the same from frame to frame."""
    field: Tensor
    """(runs, CELLS, CELLS) logits at the cells' centres: first x, then y, from -EDGE to EDGE."""
    pull: Tensor
    """(runs, SHOWN, 2) minus the gradient of the generator's loss: where each sample is sent."""
    lattice: Tensor
    """(runs, LATTICE, LATTICE, 2) images of a lattice in the plane of the first two latents."""
    losses: tuple[Tensor, Tensor]
    """(runs,) of the discriminator and of the generator in the last step."""
    divergence: Tensor
    """(runs,) in bits, from 0 to 1: see `Yardstick`."""
    wasserstein: Tensor
    """(runs,) in units of the plane."""
    modes: Modes | None
    """None for a set without modes."""


class Camera:
    """Makes frames of a game, always with the same noise."""

    def __init__(self, game: Game) -> None:
        self.game, self.yardstick = game, Yardstick(game.plane)
        latent = game.settings.latent
        self.z = game.noise(0, FIXED, COUNTED * latent).unflatten(1, (COUNTED, latent))
        line = torch.linspace(-REACH, REACH, LATTICE)
        self.lattice = torch.zeros(len(game.seeds), LATTICE**2, latent)
        plane = torch.cartesian_prod(line, line)[:, : min(2, latent)]
        self.lattice[..., : plane.shape[1]] = plane
        line = ((torch.arange(CELLS) + 0.5) / CELLS * 2 - 1) * EDGE
        self.cells = torch.cartesian_prod(line, line)
        self.real = game.plane_points(DATA_SHOWN, SHOWN)

    @torch.no_grad()
    def samples(self) -> Tensor:
        """(runs, COUNTED, 2) of the game as it stands now."""
        return self.game.generator(self.game.state.generator.weights, self.z)

    def modes(self, samples: Tensor) -> Modes | None:
        """How they cover the modes; None for a set without modes."""
        plane = self.game.plane
        return None if plane.modes is None else modes_of(samples, plane.modes, plane.std)

    def frame(self) -> Frame:
        """Of the game as it stands now."""
        game, runs, samples = self.game, len(self.game.seeds), self.samples()
        with torch.no_grad():
            lattice = game.generator(game.state.generator.weights, self.lattice)
            field = self._logit(self.cells.expand(runs, -1, -1))
        return Frame(
            step=game.state.step,
            samples=samples[:, :SHOWN],
            field=field.unflatten(1, (CELLS, CELLS)),
            pull=self._pull(samples[:, :SHOWN]),
            lattice=lattice.unflatten(1, (LATTICE, LATTICE)),
            losses=game.state.losses,
            divergence=self.yardstick.divergence(samples).float(),
            wasserstein=self.yardstick.wasserstein(samples),
            modes=self.modes(samples),
        )

    def _logit(self, x: Tensor) -> Tensor:
        """(runs, N, 2) -> (runs, N): what the discriminator says of a pack of nothing but x, or,
        with minibatch discrimination, of x among real data."""
        game, packing = self.game, self.game.settings.packing
        state, among = game.state, None
        if game.discriminator.group:
            among = self.real[:, : game.discriminator.group - 1].repeat(1, 1, packing)
        packs = x.repeat(1, 1, packing)
        return game.discriminator(state.discriminator.weights, packs, state.directions, among)

    def _pull(self, samples: Tensor) -> Tensor:
        """The step that the loss which the generator descends asks of each sample by itself."""
        x, rule = samples.clone().requires_grad_(), self.game.loss
        if self.game.settings.mistake == "both descend the discriminator's loss":
            loss = rule.discriminator(self._logit(self.real), self._logit(x)).sum()
        else:
            real = self._logit(self.real) if rule.paired else None
            loss = rule.generator(self._logit(x), real).sum()
        (gradient,) = torch.autograd.grad(loss, x)
        return -x.shape[1] * gradient  # the loss is their mean
