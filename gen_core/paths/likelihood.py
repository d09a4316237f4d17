"""How likely points are under a field: along the probability-flow ODE a density thins out as the
points move apart.

log p(x_1) = log N(x_0) - the integral over t of the divergence of the velocity, on the road that
leads to x_1 (Chen et al. 2018, "Neural Ordinary Differential Equations", eq. 8; Song et al. 2021,
section 4.3).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gen_core.knobs import KnobError, whole
from gen_core.paths.fields import Field
from gen_core.paths.roads import RK4
from gen_core.solvers import MAX_STEPS, along_flow

Divergence = Callable[[Tensor, Tensor], Tensor]
"""velocity and the x (N, 2) it was taken at -> (N,)"""


def exact_trace(velocity: Tensor, x: Tensor) -> Tensor:
    """The sum of dv_i / dx_i: a gradient for each dimension, of which there are two here."""
    slopes = [
        torch.autograd.grad(velocity[:, i].sum(), x, retain_graph=True)[0][:, i]
        for i in range(x.shape[1])
    ]
    return torch.stack(slopes).sum(0)


def hutchinson(probes: Tensor) -> Divergence:
    """One gradient whatever the dimension: e . (dv/dx) e with probes e (N, 2) whose covariance is
    1. Right in the mean over e (Grathwohl et al. 2019, "FFJORD", section 3.1)."""

    def trace(velocity: Tensor, x: Tensor) -> Tensor:
        (slope,) = torch.autograd.grad((velocity * probes).sum(), x, retain_graph=True)
        return (slope * probes).sum(1)

    return trace


def signs(count: int, rng: torch.Generator) -> Tensor:
    """(count, 2) of -1 and 1, the probes with the least variance."""
    return torch.randint(2, (count, 2), generator=rng).double() * 2 - 1


def log_likelihood(
    field: Field, x: Tensor, steps: int = 50, trace: Divergence = exact_trace
) -> Tensor:
    """x (N, 2) -> (N,) float64, in nats, by RK4 from data back to noise.

    On the paths of diffusion, which end with a little noise, it is the density of data with that
    noise. Raises KnobError for x of another shape.
    """
    if x.dim() != 2 or x.shape[1] != 2 or not len(x):
        raise KnobError(f"x of shape {tuple(x.shape)}: give points, (N, 2)")
    whole("steps", steps, 1, MAX_STEPS)

    def backwards(state: Tensor, s: Tensor) -> Tensor:
        """How the points, and the integral beside them, change as s = 1 - t grows."""
        with torch.enable_grad():
            at = state[:, :2].detach().requires_grad_()
            velocity = field.velocity(at, 1 - float(s[0]))
            diverges = trace(velocity, at)
        return torch.cat([-velocity.detach(), diverges[:, None]], dim=1)

    state = torch.cat([x.double(), x.new_zeros(len(x), 1).double()], dim=1)
    *_, last = along_flow(backwards, state, steps, RK4)
    noise, integral = last.x[:, :2], last.x[:, 2]
    return -noise.square().sum(1) / 2 - math.log(2 * math.pi) - integral
