"""Restoring a picture from a poor measurement of it, with a model that knows pictures alone.

By Bayes' rule the score of what the camera may have seen adds to that of the model:
grad log p(x_t | y) = grad log p(x_t) + grad log p(y | x_t), and the second needs what the first
says of x_0. Chung et al. 2023 ("Diffusion Posterior Sampling", eq. 10) take the guess of x_0 for
the whole truth; Song et al. 2023 ("Pseudoinverse-Guided Diffusion Models", eq. 7) also how unsure
it is, by a number for each t; Rozet et al. 2024 ("Learning Diffusion Priors from Observations by
Expectation Maximization", eq. 13 to 15) by the covariance that the network implies. So it is done
here: with the covariance, few steps do, and no strength is left to be tuned.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from gen_core.editing.given import checked_measurement
from gen_core.editing.measurements import Measurement
from gen_core.editing.path import Path, ancestral, path_of, walk
from gen_core.editing.redrawing import clipped
from gen_core.engine import aside
from gen_core.families.guided import GuidedFamily
from gen_core.sampling import Frame, Noise
from gen_core.solvers import Predict, Prediction

START = 0.99
"""Of the way to noise, where nothing of the picture is left either: at its very end the covariance
would be a division by a signal of zero."""
ROUNDS = 3
"""Of conjugate gradients at each step: each goes once backwards through the network."""


def restore(
    model: GuidedFamily,
    noise: Noise,
    *,
    measurement: Measurement,
    y: Tensor,
    label: int | None = None,
    guidance_scale: float = 1.0,
    steps: int = 25,
    rounds: int = ROUNDS,
) -> Iterator[Frame]:
    """Pictures that the model finds likely and of which the camera would have seen y: draws from
    p(x | y), as far as the network's own uncertainty is right.

    y: (1, C, m, m), or one for each that is drawn. Raises KnobError for another shape, and NaN.
    """
    y = checked_measurement(y, measurement.shape(model.event.channels)).to(model.device)
    path = path_of(model, len(noise), label, guidance_scale)
    path = replace(path, guess=informed(path, measurement, y, rounds))
    x = noise.randn(*model.event.shape).to(model.device)

    def step(path: Path, x: Tensor, guess: Prediction, t: float, s: float) -> Tensor:
        return ancestral(path, guess, t, s, noise)

    for frame in walk(path, x, path.levels(steps, START), step):
        yield clipped(frame)


def informed(path: Path, measurement: Measurement, y: Tensor, rounds: int) -> Predict:
    """What to guess of x_t once y is known: E[x_0 | x_t, y] for x_0 normal around the network's
    guess m, with the covariance V = spread^2 / signal dm/dx_t that Tweedie's formula gives it:
    m + V A^T (noise^2 + A V A^T)^-1 (y - A m) (Rozet et al. 2024, eq. 13 and 15)."""

    def guess(x: Tensor, t: float) -> Prediction:
        signal, spread = path.scales(t)
        with torch.inference_mode(False), torch.enable_grad():
            x_t = x.clone().requires_grad_()
            mean = path.guess(x_t, t).x0

            def varies(v: Tensor) -> Tensor:
                """V v, by one way back through the network: V is symmetric, its transpose V."""
                with aside():  # each way is as long as a pass, and engines share none of these
                    pass
                (slope,) = torch.autograd.grad(mean, x_t, v, retain_graph=True)
                return spread**2 / signal * slope

            gain = _gained(varies, measurement, y - measurement(mean.detach()), rounds)
        x_0 = mean.detach() + gain
        return Prediction(x_0, (x - signal * x_0) / spread)

    return guess


def _gained(
    varies: Callable[[Tensor], Tensor], measurement: Measurement, rest: Tensor, rounds: int
) -> Tensor:
    """V A^T (noise^2 + A V A^T)^-1 rest, by conjugate gradients (Hestenes & Stiefel 1952): few
    rounds find what matters most, and leave alone what V knows least."""
    gain, direction = 0.0, rest
    length = _dot(rest, rest)
    for _ in range(rounds):
        moved = varies(measurement.transposed(direction))
        image = measurement.noise**2 * direction + measurement(moved)
        curved = _dot(direction, image)
        # A network's V is only nearly a covariance: where it is not, it has nothing to say.
        stride = torch.where(curved > 0, length / curved.clamp(min=1e-12), 0.0)
        gain = gain + stride * moved
        rest = rest - stride * image
        length, before = _dot(rest, rest), length
        direction = rest + length / before.clamp(min=1e-12) * direction
    return gain


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """(B, ...) each -> (B, 1, 1, 1)"""
    return (a * b).sum((1, 2, 3), keepdim=True)
