"""The game between generator and discriminator, step by step, in many runs at once.

What is random in step k of a run comes from (its seed, k) alone, so that a run is the same whether
it is played alone or beside others, and a state is two players and a number.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gen_core.data.planes import load_plane
from gen_core.knobs import choice, whole
from gen_core.lab.networks import Discriminator
from gen_core.lab.settings import OTHERS, Settings
from gen_core.nets.adversarial_losses import LOSSES, between, off_unit_slope, squared_slope
from gen_core.nets.stacked import MLP, Learner, adam, initial_learner, noise_of, uniform
from gen_core.sampling import MAX_SEED

NO_DETACH = ("no detach", "no detach, not zeroed")
TURNS = ("both", "discriminator", "generator")
MOST_RUNS = 100
BEGINNING, DATA_SET, DATA_SHOWN, FIXED = 12, 13, 14, 15
"""Streams of noise for first weights, for a finite data set and for what frames take; those below
are of a step's turns."""


class State(NamedTuple):
    """A moment of a game. Nothing in it is ever changed, so keeping it costs no copy, and a game
    whose `state` it becomes again goes on from there as it did."""

    step: int
    generator: Learner
    discriminator: Learner
    directions: Tensor | None
    """Of spectral normalisation."""
    losses: tuple[Tensor, Tensor]
    """(runs,) of the discriminator, of the generator: NaN before the first step."""


class Batch(NamedTuple):
    """What one step of the discriminator sees, for all runs."""

    z: Tensor
    """(runs, batch, latent)"""
    real: Tensor
    """(runs, batch, 2)"""
    share: Tensor
    """(runs, batch / packing, 1) in [0, 1), for the gradient penalty"""
    blur: tuple[Tensor | float, Tensor | float]
    """(runs, batch, 2) twice, or 0: what input noise adds to real and fake"""


class Game:
    """Runs of one game that differ in their seeds alone.

    Raises KnobError for more than 100 runs or for seeds out of range.
    """

    def __init__(self, settings: Settings, seeds: Sequence[int]) -> None:
        whole("the number of runs", len(seeds), 1, MOST_RUNS)
        self.seeds = [whole("seed", seed, 0, MAX_SEED) for seed in seeds]
        self.settings = s = settings
        self.plane = load_plane(s.data, s.points)
        hidden = [s.width] * s.depth
        self.generator = MLP([s.latent, *hidden, 2])
        group = _divisor(s.judged, OTHERS) if s.minibatch_discrimination else 0
        self.discriminator = Discriminator(2 * s.packing, s.width, s.depth, group)
        self.loss = LOSSES[s.loss]
        self.data = self.plane_points(DATA_SET, s.data_size) if s.data_size else None
        self.state = self._beginning()

    def _beginning(self) -> State:
        sizes = self.generator.size, self.discriminator.size, sum(self.discriminator.outputs)
        first, second, third = self.noise(0, BEGINNING, sum(sizes)).split(sizes, dim=1)
        directions = None
        if self.settings.spectral_norm:
            directions = self.discriminator.initial_directions(third)
        players = (
            initial_learner(network.initial(uniform(normal)))
            for network, normal in ((self.generator, first), (self.discriminator, second))
        )
        unknown = torch.full((len(self.seeds),), torch.nan)
        return State(0, *players, directions, (unknown, unknown))

    # --- what is random ---------------------------------------------------------------------------

    def noise(self, step: int, stream: int, count: int) -> Tensor:
        """(runs, count) standard normal, which depend on each run's seed, on step and stream."""
        return noise_of(self.seeds, step, stream, count)

    def plane_points(self, stream: int, count: int) -> Tensor:
        """(runs, count, 2) of the density itself, at step 0."""
        place, noise = self.noise(0, stream, 3 * count).unflatten(1, (count, 3)).split((1, 2), 2)
        return self.plane.points(uniform(place[..., 0]), noise)

    def _batch(self, part: int) -> Batch:
        s = self.settings
        sizes = s.latent, 1, 2, 1, 2 * bool(s.input_noise), 2 * bool(s.input_noise)
        rows = self.noise(self.state.step + 1, part, s.batch * sum(sizes))
        z, place, noise, share, *blur = rows.unflatten(1, (s.batch, -1)).split(sizes, dim=2)
        where = uniform(place[..., 0])
        if self.data is None:
            real = self.plane.points(where, noise)
        else:
            chosen = (where * s.data_size).long().clamp(max=s.data_size - 1)
            real = self.data.gather(1, chosen[..., None].expand(-1, -1, 2))
        blur = tuple(self._blur() * b for b in blur) if s.input_noise else (0.0, 0.0)
        return Batch(z, real, uniform(share[:, : s.judged]), blur)

    def _blur(self) -> float:
        """The standard deviation of the input noise at this step: it falls to 0 in a line."""
        s = self.settings
        left = 1 - self.state.step / s.noise_steps if s.noise_steps else 1.0
        return s.input_noise * max(0.0, left)

    # --- a step -----------------------------------------------------------------------------------

    def step(self, who: str = "both") -> State:
        """One step of the game, or of one player while the other stands still."""
        choice("who", who, TURNS)
        s, before = self.settings, self.state
        batch, leak = self._batch(0), 0.0
        if who != "generator":
            for turn in range(s.discriminator_steps):
                batch = self._batch(turn) if turn else batch
                leak = leak + self._discriminator_turn(batch)
        if who != "discriminator":
            simultaneous = s.mistake == "simultaneous"
            rival = before.discriminator if simultaneous else self.state.discriminator
            self._generator_turn(batch, rival, leak)
        self.state = self.state._replace(step=before.step + 1)
        return self.state

    def _discriminator_turn(self, batch: Batch) -> Tensor | float:
        """Moves the discriminator. Returns what of its loss is left in the generator's gradient."""
        s, state = self.settings, self.state
        if s.spectral_norm:
            directions = self.discriminator.power_iteration(
                state.discriminator.weights, state.directions
            )
            self.state = state = state._replace(directions=directions)
        mine, theirs = _leaf(state.discriminator.weights), _leaf(state.generator.weights)
        with torch.set_grad_enabled(s.mistake in NO_DETACH):
            fake = self.generator(theirs, batch.z)
        if s.mistake == "both descend the generator's loss":
            loss = self._generator_loss(mine, batch, fake)
        else:
            loss = self._discriminator_loss(mine, batch, fake)
        reached = [mine, theirs] if s.mistake in NO_DETACH else [mine]
        gradient, *leak = torch.autograd.grad(loss.sum(), reached)
        moved = self._moved(state.discriminator, gradient)
        self.state = state._replace(discriminator=moved, losses=(loss.detach(), state.losses[1]))
        return leak[0] if s.mistake == "no detach, not zeroed" else 0.0

    def _generator_turn(self, batch: Batch, rival: Learner, leak: Tensor | float) -> None:
        """Moves the generator against a discriminator, with what is left in its gradient."""
        s, state = self.settings, self.state
        mine = _leaf(state.generator.weights)
        fake = self.generator(mine, batch.z)
        weights = self._foreseen(batch, fake, rival) if s.unrolled else rival.weights
        if s.mistake == "both descend the discriminator's loss":
            loss = self._discriminator_loss(weights, batch, fake)
        else:
            loss = self._generator_loss(weights, batch, fake)
        (gradient,) = torch.autograd.grad(loss.sum(), mine)
        moved = adam(state.generator, gradient + leak, s.lr_generator, self.betas)
        self.state = state._replace(generator=moved, losses=(state.losses[0], loss.detach()))

    def _foreseen(self, batch: Batch, fake: Tensor, rival: Learner) -> Tensor:
        """The discriminator's weights after some steps against this batch, as a function of the
        forgeries: unrolled (Metz et al. 2017, "Unrolled Generative Adversarial Networks", eq. 4).
        The generator sees how the discriminator would answer it: its gradient goes through all
        those steps, Adam's included."""
        s, rival = self.settings, rival._replace(weights=_leaf(rival.weights))
        for _ in range(s.unrolled):
            loss = self._discriminator_loss(rival.weights, batch, fake)
            (gradient,) = torch.autograd.grad(loss.sum(), rival.weights, create_graph=True)
            rival = self._moved(rival, gradient)
        return rival.weights

    def _moved(self, discriminator: Learner, gradient: Tensor) -> Learner:
        """The discriminator after a step, clipped (Arjovsky et al. 2017, algorithm 1)."""
        s = self.settings
        moved = adam(discriminator, gradient, s.lr_discriminator, self.betas)
        if not s.clip:
            return moved
        return moved._replace(weights=moved.weights.clamp(-s.clip, s.clip))

    # --- what the players descend -----------------------------------------------------------------

    def _discriminator_loss(self, weights: Tensor, batch: Batch, fake: Tensor) -> Tensor:
        """(runs,) its loss and the penalties on its slope"""
        s = self.settings
        real, fake = self._packed(batch.real + batch.blur[0]), self._packed(fake + batch.blur[1])
        x = _traced(torch.cat([real, fake], dim=1))
        logit = self._logit(weights, x)
        loss = self.loss.discriminator(*logit.chunk(2, dim=1))
        if s.r1 or s.r2:
            at_real, at_fake = squared_slope(logit, x).chunk(2, dim=1)
            loss = loss + s.r1 / 2 * at_real.mean(1) + s.r2 / 2 * at_fake.mean(1)
        if s.gradient_penalty:
            middle = _traced(between(real, fake, batch.share))
            slope = off_unit_slope(self._logit(weights, middle), middle)
            loss = loss + s.gradient_penalty * slope.mean(1)
        return loss

    def _generator_loss(self, weights: Tensor, batch: Batch, fake: Tensor) -> Tensor:
        """(runs,)"""
        logit, real = self._logit(weights, self._packed(fake + batch.blur[1])), None
        if self.loss.paired:
            real = self._logit(weights, self._packed(batch.real + batch.blur[0]))
        return self.loss.generator(logit, real)

    def _logit(self, weights: Tensor, x: Tensor) -> Tensor:
        return self.discriminator(weights, x, self.state.directions)

    def _packed(self, x: Tensor) -> Tensor:
        """(runs, batch, 2) -> (runs, batch / packing, 2 packing): what is judged at once (Lin et
        al. 2018, "PacGAN", section 3)."""
        return x.unflatten(1, (-1, self.settings.packing)).flatten(2)

    @property
    def betas(self) -> tuple[float, float]:
        return self.settings.momentum, self.settings.beta2


def _leaf(weights: Tensor) -> Tensor:
    """The same numbers, for a gradient to end at."""
    return weights.detach().requires_grad_()


def _traced(x: Tensor) -> Tensor:
    """The same points, by which a slope can be taken."""
    return x if x.requires_grad else x.requires_grad_()


def _divisor(number: int, most: int) -> int:
    """The largest divisor that is no more than `most`."""
    return max(d for d in range(1, most + 1) if number % d == 0)
