"""Noise schedules and the solvers that walk them: ancestral, DDIM, DPM-Solver++, Euler, Heun.

Every solver is a generator of Frames and sees the network only through a small function:
`predict(x_t, t) -> Prediction` for diffusion, `velocity(x, t) -> Tensor` for flow matching.
Names as in the papers: x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps, t = T .. 0,
sigma_t = sqrt(1 - alpha_bar_t) / sqrt(alpha_bar_t), and "s" is the next, less noisy time.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gen_core.devices import constant
from gen_core.knobs import Knob, Number
from gen_core.sampling import Frame, Noise

MAX_STEPS = 1000


class Prediction(NamedTuple):
    """What the network believes of a noisy x_t: two views of one answer."""

    x0: Tensor
    eps: Tensor


Predict = Callable[[Tensor, float], Prediction]
Velocity = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Solver:
    """A solver as a family offers it."""

    run: Callable[..., Iterator[Frame]]
    """run(predict, x, schedule, steps, noise, its own knobs) for diffusion, run(velocity, x, steps)
    for flow matching."""
    label: str
    """As a visitor reads it."""
    knobs: tuple[Knob, ...] = ()
    """What this one takes and others do not."""

    def __call__(self, *arguments: Any, **settings: Any) -> Iterator[Frame]:
        """`run`, with its own knobs of all settings: the others are for other solvers."""
        own = {knob.name: settings[knob.name] for knob in self.knobs if knob.name in settings}
        return self.run(*arguments, **own)


@dataclass(frozen=True)
class NoiseSchedule:
    """alpha_bar[t] for t = 0 .. T: the share of signal left, 1 at t = 0 and almost 0 at T."""

    alpha_bar: np.ndarray

    @classmethod
    def linear(cls, total: int = 1000, first: float = 1e-4, last: float = 0.02) -> "NoiseSchedule":
        """beta rises in a straight line (Ho et al. 2020, section 4)."""
        beta = np.linspace(first, last, total)
        return cls(np.concatenate([[1.0], np.cumprod(1 - beta)]))

    @property
    def total(self) -> int:
        return len(self.alpha_bar) - 1

    @functools.cached_property
    def sigmas(self) -> np.ndarray:
        """Noise to signal for t = 0 .. T."""
        return np.sqrt((1 - self.alpha_bar) / self.alpha_bar)

    @functools.cached_property
    def _log_sigmas(self) -> np.ndarray:
        """For t = 1 .. T."""
        return np.log(self.sigmas[1:])

    @functools.cached_property
    def _table(self) -> tuple[float, ...]:
        """alpha_bar as `constant` takes it."""
        return tuple(self.alpha_bar.tolist())

    def sigma(self, t: float) -> float:
        """Noise to signal at t; between whole t, log sigma is interpolated. t = 0 gives 0."""
        if t <= 0:
            return 0.0
        return float(np.exp(np.interp(t, np.arange(1, self.total + 1), self._log_sigmas)))

    def time(self, sigma: float) -> float:
        """The t whose noise to signal is sigma: the inverse of `sigma`."""
        if sigma <= 0:
            return 0.0
        return float(np.interp(math.log(sigma), self._log_sigmas, np.arange(1, self.total + 1)))

    def scales_at(self, t: float) -> tuple[float, float]:
        """(sqrt(alpha_bar), sqrt(1 - alpha_bar)) at t."""
        signal = 1 / math.sqrt(1 + self.sigma(t) ** 2)
        return signal, self.sigma(t) * signal

    def scales(self, t: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """The same for whole t (B,), shaped to multiply x (B, ...)."""
        alpha_bar = constant(self._table, torch.float32, x.device)[t]
        alpha_bar = alpha_bar.reshape(-1, *[1] * (x.dim() - 1))
        return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()

    def add_noise(self, x_0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """x_t in closed form for whole t (B,): Ho et al. 2020, eq. 4."""
        signal, spread = self.scales(t, x_0)
        return signal * x_0 + spread * eps

    def even_times(self, steps: int) -> list[int]:
        """T .. 0 in `steps` even strides ("trailing" spacing, Lin et al. 2024, table 2)."""
        # Cut, because rounding errors give `arange` one number more for some steps (61, 103, ...).
        strides = np.arange(self.total, 0, -self.total / steps)[:steps]
        return [int(t) for t in np.round(strides)] + [0]

    def karras_sigmas(self, steps: int, rho: float = 7.0) -> list[float]:
        """Noise levels that spend most steps near the data (Karras et al. 2022, eq. 5)."""
        highest, lowest = self.sigma(self.total), self.sigma(1)
        ramp = np.linspace(0, 1, steps)
        roots = highest ** (1 / rho) + ramp * (lowest ** (1 / rho) - highest ** (1 / rho))
        return [float(s) for s in roots**rho] + [0.0]


def ddpm(
    predict: Predict, x: Tensor, schedule: NoiseSchedule, steps: int, noise: Noise
) -> Iterator[Frame]:
    """Ancestral sampling (Ho et al. 2020, algorithm 2), with strides (Nichol & Dhariwal 2021)."""
    times = schedule.even_times(steps)
    for k, (t, s) in enumerate(zip(times, times[1:], strict=False)):
        guess = predict(x, t)
        yield Frame(k, steps, t, x, guess.x0, guess.eps)
        ab_t, ab_s = schedule.alpha_bar[t], schedule.alpha_bar[s]
        alpha = ab_t / ab_s  # signal kept between s and t
        # Eq. 7: the mean of q(x_s | x_t, x_0), here with the guess of x_0.
        to_x0 = math.sqrt(ab_s) * (1 - alpha) / (1 - ab_t)
        to_xt = math.sqrt(alpha) * (1 - ab_s) / (1 - ab_t)
        x = to_x0 * guess.x0 + to_xt * x
        if s > 0:
            spread = math.sqrt((1 - ab_s) / (1 - ab_t) * (1 - alpha))
            x = x + spread * noise.randn(*x.shape[1:]).to(x.device)
    yield Frame(steps, steps, 0.0, x)


def ddim(
    predict: Predict, x: Tensor, schedule: NoiseSchedule, steps: int, noise: Noise, eta: float = 0.0
) -> Iterator[Frame]:
    """Song et al. 2021, "Denoising Diffusion Implicit Models", eq. 12; eta = 0 draws no noise."""
    times = schedule.even_times(steps)
    for k, (t, s) in enumerate(zip(times, times[1:], strict=False)):
        guess = predict(x, t)
        yield Frame(k, steps, t, x, guess.x0, guess.eps)
        ab_t, ab_s = schedule.alpha_bar[t], schedule.alpha_bar[s]
        fresh = eta * math.sqrt((1 - ab_s) / (1 - ab_t)) * math.sqrt(1 - ab_t / ab_s)  # eq. 16
        x = math.sqrt(ab_s) * guess.x0 + math.sqrt(1 - ab_s - fresh**2) * guess.eps
        if fresh > 0:
            x = x + fresh * noise.randn(*x.shape[1:]).to(x.device)
    yield Frame(steps, steps, 0.0, x)


def dpm_solver_2m(
    predict: Predict, x: Tensor, schedule: NoiseSchedule, steps: int, noise: Noise
) -> Iterator[Frame]:
    """DPM-Solver++(2M): Lu et al. 2022, "DPM-Solver++", algorithm 2; both ends are of order 1.

    The clock is lambda = log(signal / spread), in which the exact solution is an exponential
    integral of x0; the second order comes from the previous step's x0 and costs nothing.
    """
    times = schedule.even_times(steps)
    previous, last_stride = None, 0.0
    for k, (t, s) in enumerate(zip(times, times[1:], strict=False)):
        guess = predict(x, t)
        yield Frame(k, steps, t, x, guess.x0, guess.eps)
        (signal_t, spread_t), (signal_s, spread_s) = schedule.scales_at(t), schedule.scales_at(s)
        if s == 0:
            x = guess.x0  # lambda is infinite: the integral ends at x0
            break
        stride = math.log(signal_s / spread_s) - math.log(signal_t / spread_t)
        target = guess.x0
        if previous is not None:
            target = target + stride / (2 * last_stride) * (target - previous)
        x = (spread_s / spread_t) * x - signal_s * math.expm1(-stride) * target
        previous, last_stride = guess.x0, stride
    yield Frame(steps, steps, 0.0, x)


def euler(
    predict: Predict, x: Tensor, schedule: NoiseSchedule, steps: int, noise: Noise
) -> Iterator[Frame]:
    """Euler's method on the probability-flow ODE dx/dsigma = eps (Karras et al. 2022, eq. 1)."""
    yield from _in_sigma(predict, x, schedule, steps, second_order=False)


def heun(
    predict: Predict, x: Tensor, schedule: NoiseSchedule, steps: int, noise: Noise
) -> Iterator[Frame]:
    """Heun's method: a second look at the end of each step (Karras et al. 2022, algorithm 1)."""
    yield from _in_sigma(predict, x, schedule, steps, second_order=True)


def _in_sigma(
    predict: Predict, x: Tensor, schedule: NoiseSchedule, steps: int, second_order: bool
) -> Iterator[Frame]:
    """Both walk z = x_t / sqrt(alpha_bar) = x_0 + sigma eps, as Karras et al. 2022 scale it."""
    sigmas = schedule.karras_sigmas(steps)
    z = x * math.sqrt(1 + sigmas[0] ** 2)
    for k, (now, after) in enumerate(zip(sigmas, sigmas[1:], strict=False)):
        t, x = schedule.time(now), z / math.sqrt(1 + now**2)
        guess = predict(x, t)
        yield Frame(k, steps, t, x, guess.x0, guess.eps)
        slope, arrived = guess.eps, z + (after - now) * guess.eps
        if second_order and after > 0:
            there = predict(arrived / math.sqrt(1 + after**2), schedule.time(after))
            slope = (guess.eps + there.eps) / 2
        z = z + (after - now) * slope
    yield Frame(steps, steps, 0.0, z)


ETA = Number(
    "eta", 0.0, 0, 1, advanced=True, info="With DDIM: 0 adds no fresh noise, 1 as much as DDPM"
)
DIFFUSION_SOLVERS = {
    "ddpm": Solver(ddpm, "DDPM"),
    "ddim": Solver(ddim, "DDIM", (ETA,)),
    "dpm++2m": Solver(dpm_solver_2m, "DPM-Solver++(2M)"),
    "euler": Solver(euler, "Euler"),
    "heun": Solver(heun, "Heun"),
}


@dataclass(frozen=True)
class RungeKutta:
    """An explicit method as its table (Butcher 1964): slope i is taken at t + nodes[i] dt, at what
    `rows[i]` of the slopes before lead to, and `weights` of all slopes make the step."""

    nodes: tuple[float, ...]
    rows: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]

    def slopes(self, velocity: Velocity, x: Tensor, t: Tensor, dt: float, first: Tensor) -> Tensor:
        """(stages, *x.shape); `first` is velocity(x, t)."""
        found = [first]
        for node, row in zip(self.nodes[1:], self.rows[1:], strict=True):
            found.append(velocity(x + dt * combined(row, found), t + node * dt))
        return torch.stack(found)


def combined(weights: Sequence[float], slopes: Sequence[Tensor] | Tensor) -> Tensor:
    """The slopes' weighted sum, those without weight left out."""
    parts = [w * slope for w, slope in zip(weights, slopes, strict=True) if w]
    return functools.reduce(torch.add, parts)


EULER = RungeKutta((0,), ((),), (1,))
MIDPOINT = RungeKutta((0, 1 / 2), ((), (1 / 2,)), (0, 1))
HEUN = RungeKutta((0, 1), ((), (1,)), (1 / 2, 1 / 2))


def flow_euler(velocity: Velocity, x: Tensor, steps: int) -> Iterator[Frame]:
    """x <- x + dt v(x, t), t from 0 (noise) to 1 (data)."""
    yield from along_flow(velocity, x, steps, EULER)


def flow_midpoint(velocity: Velocity, x: Tensor, steps: int) -> Iterator[Frame]:
    """The slope half way decides: two evaluations a step, second order."""
    yield from along_flow(velocity, x, steps, MIDPOINT)


def flow_heun(velocity: Velocity, x: Tensor, steps: int) -> Iterator[Frame]:
    """The mean of the slopes at both ends: two evaluations a step, second order."""
    yield from along_flow(velocity, x, steps, HEUN)


def along_flow(velocity: Velocity, x: Tensor, steps: int, method: RungeKutta) -> Iterator[Frame]:
    """Even steps of a method from t = 0 to 1."""
    dt = 1 / steps
    for k in range(steps):
        t = torch.full((len(x),), k * dt, dtype=x.dtype, device=x.device)
        v = velocity(x, t)
        yield Frame(k, steps, k * dt, x, x0=x + (1 - k * dt) * v, out=v)
        x = x + dt * combined(method.weights, method.slopes(velocity, x, t, dt, v))
    yield Frame(steps, steps, 1.0, x)


FLOW_SOLVERS = {
    "euler": Solver(flow_euler, "Euler"),
    "midpoint": Solver(flow_midpoint, "Midpoint"),
    "heun": Solver(flow_heun, "Heun"),
}
