"""Paths from noise to data, and what a network may be asked for on them.

Every model here stands on one path, x_t = signal(t) data + spread(t) noise, from t = 0 (noise) to
1 (data). Flow matching and diffusion differ in the path and in what the network is asked for; each
answer, with x_t itself, tells all others. The field dx/dt = E[dx_t/dt | x_t] moves all noise to
data: it is flow matching's velocity, and diffusion's probability-flow ODE (Albergo et al. 2023,
"Stochastic Interpolants", section 2; Song et al. 2021, "Score-Based Generative Modeling through
SDEs", eq. 13).
"""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from gen_core.knobs import choice
from gen_core.solvers import Prediction

LEAST_SIGNAL, LEAST_SPREAD = 0.0063, 0.01
"""At the ends of diffusion's paths, as in the linear schedule of pictures at t = 1000 and t = 1:
where one of them is 0, not every answer tells all others."""


class Level(NamedTuple):
    """A path at some t: x_t = signal data + spread noise, and how fast both change with t."""

    signal: Tensor
    spread: Tensor
    signal_slope: Tensor
    spread_slope: Tensor


# --- paths ----------------------------------------------------------------------------------------


def straight(t: Tensor) -> Level:
    """Lipman et al. 2023, "Flow Matching for Generative Modeling", eq. 22 with sigma_min = 0."""
    one = torch.ones_like(t)
    return Level(t, 1 - t, one, -one)


def cosine(t: Tensor) -> Level:
    """Variance preserving: a quarter circle at an even pace, nearly to its ends (Salimans & Ho
    2022, "Progressive Distillation for Fast Sampling of Diffusion Models")."""
    first, last = math.asin(LEAST_SIGNAL), math.acos(LEAST_SPREAD)
    pace = last - first
    angle = first + pace * t
    return Level(angle.sin(), angle.cos(), pace * angle.cos(), -pace * angle.sin())


BETA = (0.1, 20.0)
"""Of the linear schedule of pictures, times its 1,000 steps: 1e-4 and 0.02."""


def linear(t: Tensor) -> Level:
    """Variance preserving: the rate beta of the noising rises in a line (Song et al. 2021, eq. 33),
    from s = 1 (noise) to s = 1e-3, the picture families' first step."""
    low, high = BETA
    pace = 1 - 1e-3
    s = 1 - pace * t
    log_signal = -(low * s + (high - low) * s.square() / 2) / 2
    signal, spread = log_signal.exp(), (-torch.expm1(2 * log_signal)).sqrt()
    signal_slope = signal * (low + (high - low) * s) / 2 * pace
    return Level(signal, spread, signal_slope, -signal * signal_slope / spread)


PATHS: dict[str, Callable[[Tensor], Level]] = {
    "straight": straight,
    "cosine": cosine,
    "linear": linear,
}
"""Those that networks learn and solvers walk."""


def shifted(t: Tensor, factor: float = 0.5) -> Level:
    """The cosine path with signal / spread times `factor`: below 1 it spends more time near noise,
    as larger pictures need, whose noise averages out (Hoogeboom et al. 2023, "simple diffusion",
    section 3.1)."""
    at = cosine(t)
    length = (at.spread.square() + (factor * at.signal).square()).sqrt()
    signal, spread = factor * at.signal / length, at.spread / length
    turning = (at.signal_slope / at.spread) * factor / length.square()  # of the angle between them
    return Level(signal, spread, turning * spread, -turning * signal)


STEEPNESS = 3.0
"""The sigmoid schedule is the logistic function from -3 to 3."""


def sigmoid(t: Tensor) -> Level:
    """Variance preserving: the signal's share of the variance rises as a logistic function of t
    (Chen 2023, "On the Importance of Noise Scheduling for Diffusion Models",
    algorithm 1), and nearly to its ends."""
    low, high = (1 / (1 + math.exp(x)) for x in (STEEPNESS, -STEEPNESS))
    least, most = LEAST_SIGNAL**2, 1 - LEAST_SPREAD**2
    logistic = (STEEPNESS * (2 * t - 1)).sigmoid()
    share = least + (most - least) * (logistic - low) / (high - low)
    rise = (most - least) / (high - low) * 2 * STEEPNESS * logistic * (1 - logistic)
    signal, spread = share.sqrt(), (1 - share).sqrt()
    return Level(signal, spread, rise / (2 * signal), -rise / (2 * spread))


SCHEDULES: dict[str, Callable[[Tensor], Level]] = PATHS | {"shifted": shifted, "sigmoid": sigmoid}
"""All that are here. The last two are to be looked at: even steps do not suit their ends, where the
sigmoid's signal begins as steeply as a square root."""
ASKED = {
    "velocity": lambda at: (at.signal_slope, at.spread_slope),
    "noise": lambda at: (0.0, 1.0),
    "data": lambda at: (1.0, 0.0),
    "v": lambda at: (-at.spread, at.signal),
    "score": lambda at: (0.0, -1 / at.spread),
}
"""What can be asked, as its shares of data and noise. velocity: dx_t/dt; noise: Ho et al. 2020,
eq. 12; v: Salimans & Ho 2022, appendix D; score: the gradient of log p(x_t), of one data point,
and in the mean of all (Vincent 2011, "Denoising Score Matching")."""


def level(path: str, t: float | Tensor) -> Level:
    """Of a path by its name, at t in [0, 1]: a number, or a tensor that multiplies points."""
    choice("path", path, list(PATHS))
    return PATHS[path](torch.as_tensor(t, dtype=None if isinstance(t, Tensor) else torch.float64))


def mixed(data: Tensor, noise: Tensor, at: Level) -> Tensor:
    """x_t"""
    return at.signal * data + at.spread * noise


# --- conversions ----------------------------------------------------------------------------------


def told(asked: str, guess: Prediction, at: Level) -> Tensor:
    """A guess of data and noise as what was asked for, one of ASKED."""
    data, noise = ASKED[choice("asked", asked, list(ASKED))](at)
    return data * guess.x0 + noise * guess.eps


def understood(asked: str, answer: Tensor, x: Tensor, at: Level) -> Prediction:
    """An answer at x_t = x as the guess of data and noise: two linear equations for two unknowns.

    "noise" and "score" need a signal that is not 0, "data" a spread.
    """
    data, noise = ASKED[choice("asked", asked, list(ASKED))](at)
    determinant = data * at.spread - noise * at.signal
    x0 = (at.spread * answer - noise * x) / determinant
    return Prediction(x0=x0, eps=(data * x - at.signal * answer) / determinant)


def converted(answer: Tensor, asked: str, wanted: str, x: Tensor, at: Level) -> Tensor:
    """One answer of ASKED at x_t = x as another."""
    return told(wanted, understood(asked, answer, x, at), at)


# --- fields ---------------------------------------------------------------------------------------


class Knowing(Protocol):
    """A set that knows what a perfect network would answer: a mixture or a smeared curve."""

    def guess(self, x_t: Tensor, signal: float, spread: float) -> tuple[Tensor, Tensor]: ...


class Field:
    """What is known of data and noise at each place and time, learned or exact; it counts how
    often it was asked."""

    def __init__(self, path: str) -> None:
        self.path, self.evaluations = choice("path", path, list(PATHS)), 0

    def level(self, t: float) -> Level:
        return level(self.path, t)

    def guess(self, x: Tensor, t: float) -> Prediction:
        """x (N, 2), t in [0, 1] -> data and noise, (N, 2) each"""
        self.evaluations += 1
        return self._guess(x, t)

    def _guess(self, x: Tensor, t: float) -> Prediction:
        raise NotImplementedError

    def answer(self, asked: str, x: Tensor, t: float) -> Tensor:
        """(N, 2) one of ASKED"""
        return told(asked, self.guess(x, t), self.level(t))

    def velocity(self, x: Tensor, t: float) -> Tensor:
        """(N, 2) dx/dt of the flow, the probability-flow ODE"""
        return self.answer("velocity", x, t)


class Exact(Field):
    """The perfect network of a set whose density is known."""

    def __init__(self, toy: Knowing, path: str) -> None:
        super().__init__(path)
        self.toy = toy

    def _guess(self, x: Tensor, t: float) -> Prediction:
        at = self.level(t)
        return Prediction(*self.toy.guess(x, float(at.signal), float(at.spread)))
