"""Training on points: flow matching and diffusion are one loss, and many runs train at once.

Batches, times and first weights come from (seed, step) alone: a run is the same beside others. A
narrow network rides along in wider matrices with zeros in its place: a unit that neither hears nor
speaks has no gradient, and stays so.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.data.planes import load_plane
from gen_core.knobs import KnobError, whole
from gen_core.nets.stacked import MLP, Learner, adam, initial_learner, noise_of, uniform
from gen_core.paths.fields import Field, level, mixed, told, understood
from gen_core.paths.settings import ALIKE, GROUP, Settings
from gen_core.sampling import MAX_SEED
from gen_core.solvers import Prediction

BETAS = 0.9, 0.99
MOST_RUNS = 100
BATCH, BEGINNING = 0, 1
"""Streams of noise."""


class State(NamedTuple):
    """A moment of a training; the training whose `state` it becomes again goes on from there."""

    step: int
    learner: Learner
    losses: Tensor
    """(runs,) of the last batch: NaN before the first step."""


class Pairs(NamedTuple):
    """Noise, and the point of data that belongs to each: (M, 2) each."""

    noise: Tensor
    data: Tensor


class Training:
    """Runs side by side, a settings and a seed each; one settings will do for many seeds.

    `pairs`, one for each run, are trained on in place of noise and data drawn apart. Raises
    KnobError for more than 100 runs, and for runs that differ in what all must share.
    """

    def __init__(
        self,
        settings: Settings | Sequence[Settings],
        seeds: Sequence[int],
        pairs: Sequence[Pairs] | None = None,
    ) -> None:
        whole("the number of runs", len(seeds), 1, MOST_RUNS)
        self.seeds = [whole("seed", seed, 0, MAX_SEED) for seed in seeds]
        self.settings = [settings] * len(seeds) if isinstance(settings, Settings) else [*settings]
        whole("the number of settings", len(self.settings), len(seeds), len(seeds))
        for name in ALIKE:
            if len(found := {getattr(s, name) for s in self.settings}) > 1:
                raise KnobError(f"{name}={sorted(found)}: runs that train together share one")
        if pairs is not None:
            whole("the number of runs' pairs", len(pairs), len(seeds), len(seeds))
        self.pairs = pairs
        self.plane = load_plane(self.settings[0].data, self.settings[0].points)
        self.network = _network(max(s.width for s in self.settings), self.settings[0].depth)
        weights = torch.cat([self._initial(*run) for run in self._runs()])
        unknown = torch.full((len(seeds),), torch.nan)
        self.state = State(0, initial_learner(weights), unknown)

    def _runs(self) -> list[tuple[Settings, int]]:
        return list(zip(self.settings, self.seeds, strict=True))

    def _initial(self, settings: Settings, seed: int) -> Tensor:
        """(1, size) of the network that is wide enough for all, zero beyond the run's own width."""
        own = _network(settings.width, settings.depth)
        weights = own.initial(uniform(noise_of([seed], 0, BEGINNING, own.size)))
        wide = [
            F.pad(part[0], (0, b - part.shape[2], 0, a - part.shape[1])).flatten()
            for part, (a, b) in zip(own.parts(weights), self.network.shapes, strict=True)
        ]
        return torch.cat(wide)[None]

    # --- a step -----------------------------------------------------------------------------------

    def step(self) -> State:
        """One step of Adam for each run that has not taken all of its own."""
        before = self.state
        weights = before.learner.weights.detach().requires_grad_()
        x, t, target = self._lesson()
        losses = (ask(self.network, weights, x, t) - target).square().mean((1, 2))
        (gradient,) = torch.autograd.grad(losses.sum(), weights)
        learner = adam(before.learner, gradient, self._rates(), BETAS)
        self.state = State(before.step + 1, learner, losses.detach())
        return self.state

    def train(self) -> "Training":
        """All steps of all runs."""
        while self.state.step < max(s.steps for s in self.settings):
            self.step()
        return self

    def _rates(self) -> Tensor:
        """(runs, 1): half a cosine each, from its lr to 0 (Loshchilov & Hutter 2017, eq. 5)."""
        steps = torch.tensor([[s.steps] for s in self.settings])
        done = (self.state.step / steps).clamp(max=1)
        return torch.tensor([[s.lr] for s in self.settings]) * (1 + (torch.pi * done).cos()) / 2

    def _lesson(self) -> tuple[Tensor, Tensor, Tensor]:
        """x_t, t and what the network shall answer: (runs, batch, 2), (runs, batch, 1) and again
        2. With `target` velocity on the straight path the loss is Lipman et al. 2023, eq. 23;
        with noise on the others, Ho et al. 2020, eq. 14."""
        noise, data, t = self._batch()
        lessons = []
        for run, s in enumerate(self.settings):
            at = level(s.path, t[run])
            guess = Prediction(x0=data[run], eps=noise[run])
            x = mixed(guess.x0, guess.eps, at)
            lessons.append((x, told(s.target, guess, at)))
        x, target = (torch.stack(rows) for rows in zip(*lessons, strict=True))
        return x, t, target

    def _batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Noise and data that belong together, (runs, batch, 2) each, and t (runs, batch, 1)."""
        batch = self.settings[0].batch
        rows = noise_of(self.seeds, self.state.step + 1, BATCH, batch * 6).unflatten(1, (batch, 6))
        noise, place, around, time = rows.split((2, 1, 2, 1), dim=2)
        place = uniform(place[..., 0])
        if self.pairs is not None:
            drawn = [_chosen(pair, p) for pair, p in zip(self.pairs, place, strict=True)]
            noise, data = (torch.stack(rows) for rows in zip(*drawn, strict=True))
        else:
            data = self.plane.points(place, around)
            for run, s in enumerate(self.settings):
                if s.pairing == "optimal":
                    data[run] = optimally(noise[run], data[run])
        return noise, data, self._times(uniform(time))

    def _times(self, even: Tensor) -> Tensor:
        """Uniform, but on pairs, which leave nothing to be guessed midway, more at the ends (Lee et
        al. 2024, "Improving the Training of Rectified Flows", section 4): an arcsine law."""
        return even if self.pairs is None else (torch.pi / 2 * even).sin().square()

    def field(self, run: int = 0) -> "Learned":
        """What a run has learned so far."""
        s, weights = self.settings[run], self.state.learner.weights[run : run + 1]
        return Learned(self.network, weights, s.path, s.target)


class Learned(Field):
    """A network on points: weights (1, size) that answer `target`."""

    def __init__(self, network: MLP, weights: Tensor, path: str, target: str) -> None:
        super().__init__(path)
        self.network, self.weights, self.target = network, weights, target

    def _guess(self, x: Tensor, t: float) -> Prediction:
        return understood(self.target, self._asked(x, t), x, self.level(t))

    def velocity(self, x: Tensor, t: float) -> Tensor:
        if self.target != "velocity":
            return super().velocity(x, t)
        self.evaluations += 1
        return self._asked(x, t)

    def _asked(self, x: Tensor, t: float) -> Tensor:
        weights = self.weights.to(x.dtype)
        return ask(self.network, weights, x[None], x.new_full((1, len(x), 1), t))[0]


def _network(width: int, depth: int) -> MLP:
    return MLP([3, *[width] * depth, 2], F.silu)


def ask(network: MLP, weights: Tensor, x: Tensor, t: Tensor) -> Tensor:
    """x (runs, N, 2), t (runs, N, 1) -> (runs, N, 2)"""
    return network(weights, torch.cat([x, 2 * t - 1], dim=2))


def _chosen(pairs: Pairs, place: Tensor) -> Pairs:
    """Those that uniform numbers fall on."""
    count = len(pairs.noise)
    which = (place * count).long().clamp(max=count - 1)
    return Pairs(pairs.noise[which], pairs.data[which])


def optimally(noise: Tensor, data: Tensor) -> Tensor:
    """(N, 2) twice -> data in an order in which it belongs to the noise: in each group of 64 the
    squared distances have the least sum (Tong et al. 2024, "Improving and Generalizing Flow-Based
    Generative Models with Minibatch Optimal Transport")."""
    from scipy.optimize import linear_sum_assignment  # heavy, and an extra of the package

    groups = zip(noise.split(GROUP), data.split(GROUP), strict=True)
    ordered = []
    for mine, theirs in groups:
        cost = torch.cdist(mine, theirs).square().numpy()
        ordered.append(theirs[torch.from_numpy(np.asarray(linear_sum_assignment(cost)[1]))])
    return torch.cat(ordered)
