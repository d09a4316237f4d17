"""Roads from one noise: the same starting points along a field, by several methods, on one clock.

`road(Exact(ring(), "cosine"), start, "heun", 20)` has every point at every time, what that cost,
and `distance` and `straightness` judge it.
"""

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np
import torch
from torch import Tensor

from gen_core.knobs import KnobError, choice, number, whole
from gen_core.paths.fields import Field
from gen_core.sampling import Noise
from gen_core.solvers import (
    EULER,
    HEUN,
    MAX_STEPS,
    NoiseSchedule,
    Prediction,
    RungeKutta,
    Velocity,
    along_flow,
    combined,
    ddpm,
)

RK4 = RungeKutta(
    nodes=(0, 1 / 2, 1 / 2, 1),
    rows=((), (1 / 2,), (0, 1 / 2), (0, 0, 1)),
    weights=(1 / 6, 1 / 3, 1 / 3, 1 / 6),
)
DORMAND_PRINCE = RungeKutta(
    nodes=(0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1),
    rows=(
        (),
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
        (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    ),
    weights=(35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0),
)
"""Of order 5 (Dormand & Prince 1980, table 2). The last slope is taken where the step ends: it is
the next step's first."""
FOURTH = (5179 / 57600, 0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40)
"""Weights of order 4 for the same slopes: how far both ends differ estimates the error."""
FIFTH = RungeKutta(*(part[:6] for part in astuple(DORMAND_PRINCE)))
"""Its step without that last slope, which serves the estimate alone."""
ODE = {"euler": EULER, "heun": HEUN, "rk4": RK4, "dopri5": FIFTH}
SDE = ("ancestral", "euler-maruyama")
ADAPTIVE = "dopri5-adaptive"
METHODS = (*ODE, ADAPTIVE, *SDE)
"""Even steps by a table; steps as long as a tolerance allows; steps with fresh noise in them."""
FINE = 200
"""Steps of the reference."""


@dataclass(frozen=True)
class Road:
    """Where points were, and when."""

    times: Tensor
    """(K + 1,) float64, from 0 (noise) to 1 (data)"""
    points: Tensor
    """(K + 1, N, 2)"""
    evaluations: int
    """How often the field was asked about each point."""
    estimates: Tensor | None = None
    """(K,) float64: the largest error of a point in each step, as Dormand-Prince estimates it."""

    @property
    def end(self) -> Tensor:
        """(N, 2)"""
        return self.points[-1]


@torch.no_grad()
def road(
    field: Field,
    start: Tensor,
    method: str = "heun",
    steps: int = 20,
    *,
    noise: Noise | None = None,
    tolerance: float = 1e-5,
) -> Road:
    """From start (N, 2), standard normal, through the field to data.

    `steps` is for all methods but the adaptive one, `tolerance` for that alone; `noise`, with a
    seed for each point, for those with fresh noise. Raises KnobError for values out of range.
    """
    choice("method", method, METHODS)
    whole("steps", steps, 1, MAX_STEPS)
    before, estimates = field.evaluations, None
    if method == ADAPTIVE:
        found = [*adaptive(field, start, number("tolerance", tolerance, 1e-12, 0.1))]
        times, points, estimates = zip(*found, strict=True)
        estimates = torch.tensor(estimates[1:], dtype=torch.float64)
    elif method in ODE:
        frames = along_flow(_velocity(field), start, steps, ODE[method])
        times, points = zip(*((frame.level, frame.x) for frame in frames), strict=True)
    else:
        walk = {"ancestral": ancestral, "euler-maruyama": euler_maruyama}[method]
        times, points = zip(*walk(field, start, steps, _noise(field, start, noise)), strict=True)
    clock = torch.tensor(times, dtype=torch.float64)
    return Road(clock, torch.stack(points), field.evaluations - before, estimates)


def _velocity(field: Field) -> Velocity:
    """As the solvers of flow matching ask: at one time, told once for each point."""
    return lambda x, t: field.velocity(x, float(t[0]))


def _noise(field: Field, start: Tensor, noise: Noise | None) -> Noise:
    if field.path == "straight":
        raise KnobError("path='straight': it begins with noise alone; choose cosine or linear")
    if noise is None or len(noise) != len(start):
        raise KnobError(f"noise: give one with {len(start)} seeds, one for each point")
    return noise


# --- a step as long as it may be ------------------------------------------------------------------


def adaptive(field: Field, x: Tensor, tolerance: float) -> Iterator[tuple[float, Tensor, float]]:
    """Dormand-Prince 5(4): times, points and the error of the step that led there, as estimated.
    A step is taken again, shorter, where the error exceeds the tolerance (Hairer et al. 1993,
    "Solving Ordinary Differential Equations I", section II.4)."""
    velocity, t, dt, slope = _velocity(field), 0.0, 0.05, field.velocity(x, 0.0)
    yield t, x, 0.0
    while t < 1:
        dt = min(dt, 1 - t)
        slopes = DORMAND_PRINCE.slopes(velocity, x, x.new_full((1,), t), dt, slope)
        there = x + dt * combined(DORMAND_PRINCE.weights, slopes)
        differ = [a - b for a, b in zip(DORMAND_PRINCE.weights, FOURTH, strict=True)]
        error = float((dt * combined(differ, slopes)).norm(dim=-1).max())
        if not math.isfinite(error):
            raise KnobError(f"the field is not finite at t={t:.4g}: no step is short enough")
        floor = 1e-6  # below it rounding, not the step, makes the error
        if error <= tolerance or dt <= floor:
            t = 1.0 if dt == 1 - t else t + dt
            x, slope = there, slopes[-1]
            yield t, x, error
        dt = max(floor, dt * min(5.0, max(0.2, 0.9 * (tolerance / max(error, 1e-300)) ** 0.2)))


# --- roads with fresh noise -----------------------------------------------------------------------


def schedule_of(field: Field, total: int = MAX_STEPS) -> NoiseSchedule:
    """Its path as the picture families' solvers take it, t = total .. 0 against our 0 .. 1."""
    signal = field.level(torch.linspace(1, 0, total + 1, dtype=torch.float64)).signal.numpy()
    return NoiseSchedule(np.concatenate([[1.0], signal[1:] ** 2]))


def ancestral(field: Field, x: Tensor, steps: int, noise: Noise) -> Iterator[tuple[float, Tensor]]:
    """The picture families' `ddpm`; its last step ends at the guess of the data."""
    schedule = schedule_of(field)

    def predict(x: Tensor, level: float) -> Prediction:
        return field.guess(x, 1 - level / schedule.total)

    for frame in ddpm(predict, x, schedule, steps, noise):
        yield 1 - frame.level / schedule.total, frame.x


def euler_maruyama(
    field: Field, x: Tensor, steps: int, noise: Noise
) -> Iterator[tuple[float, Tensor]]:
    """dx = (velocity + g^2 / 2 score) dt + g dW: the noise that is added is what the score takes
    away, so that at each time the points are spread as along the ODE (Song et al. 2021, eq. 6 and
    13). g is that of the process that makes noise of data. The last step adds none."""
    dt = 1 / steps
    for k in range(steps):
        yield k * dt, x
        at, guess = field.level(k * dt), field.guess(x, k * dt)
        squared = 2 * at.spread * (at.spread * at.signal_slope / at.signal - at.spread_slope)
        velocity = at.signal_slope * guess.x0 + at.spread_slope * guess.eps
        x = x + dt * (velocity - squared / (2 * at.spread) * guess.eps)
        if k < steps - 1:
            x = x + math.sqrt(dt * float(squared)) * noise.randn(*x.shape[1:]).to(x.dtype)
    yield 1.0, x


# --- what roads are judged by ---------------------------------------------------------------------


def reference(field: Field, start: Tensor) -> Tensor:
    """(N, 2) where the ODE leads, as nearly as 200 steps of order 4 tell."""
    return road(field, start, "rk4", FINE).end


def distance(ends: Tensor, others: Tensor) -> float:
    """The mean distance between where points end and where they should, (N, 2) each."""
    return float((ends - others).norm(dim=-1).mean())


@torch.no_grad()
def straightness(field: Field, start: Tensor, steps: int = 50) -> float:
    """S = the integral over t of E |(Z_1 - Z_0) - dZ_t/dt|^2 along the field's own roads: 0 where
    one Euler step leads to the end (S(Z) of Liu et al. 2023, "Flow Straight and Fast")."""
    way = road(field, start, "rk4", steps)
    beeline = way.end - way.points[0]
    bends = [
        (beeline - field.velocity(x, float(t))).square().sum(-1).mean()
        for t, x in zip(way.times, way.points, strict=True)
    ]
    return float(torch.trapezoid(torch.stack(bends).double(), way.times))
