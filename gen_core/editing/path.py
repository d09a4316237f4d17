"""The path between noise and pictures that a trained model knows, and steps along it.

Diffusion and flow matching mix a picture with noise alike, x_t = signal_t x_0 + spread_t eps, and
both networks say at any t what x_0 and eps are. An edit needs no more of them than that. Here "t"
is the family's own clock and "s" the time that comes next, on the way to the picture or back.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gen_core.families.diffusion import Diffusion
from gen_core.families.flow import Flow
from gen_core.families.guided import GUIDANCE, STEPS, GuidedFamily, GuidedNetwork
from gen_core.knobs import KnobError, Number, shown
from gen_core.sampling import Frame, Noise
from gen_core.solvers import Predict, Prediction

STRENGTH = Number(
    "strength", 0.6, 0.05, 1, info="How far towards noise: 1 forgets the picture, little keeps it"
)
FIRST = 1
"""The least noisy t that diffusion's network has seen."""


@dataclass(frozen=True)
class Path:
    """What a model says of pictures with noise, asked for one class or for none."""

    guess: Predict
    """(x_t, t) -> what is picture and what is noise in it."""
    scales: Callable[[float], tuple[float, float]]
    """t -> (signal, spread)."""
    ends: tuple[float, float]
    """The t of pure noise, and that of a picture."""
    network: GuidedNetwork

    def levels(self, steps: int, start: float = 1.0) -> list[float]:
        """`steps` even strides to the picture, from where `start`, 0 to 1, of the way to noise is
        gone. Raises KnobError."""
        steps, start = STEPS.check(steps), STRENGTH.check(start)
        noisy, clean = self.ends
        return [clean + start * (noisy - clean) * (1 - k / steps) for k in range(steps + 1)]

    def mixed(self, x_0: Tensor, eps: Tensor, t: float) -> Tensor:
        """x_t in closed form."""
        signal, spread = self.scales(t)
        return signal * x_0 + spread * eps

    def between(self, t: float, s: float) -> tuple[float, float]:
        """(what is left at the noisier t of x_s, the spread that was added since): x_t given x_s,
        Ho et al. 2020, eq. 2, for several of their steps at once."""
        (signal_t, spread_t), (signal_s, spread_s) = self.scales(t), self.scales(s)
        kept = signal_t / signal_s
        return kept, math.sqrt(max(spread_t**2 - (kept * spread_s) ** 2, 0))


def path_of(
    model: GuidedFamily, count: int, label: int | Sequence[int] | None, guidance_scale: float
) -> Path:
    """The path of a model for `count` pictures; label: a class, or one for each; None: any.

    Raises KnobError for a label or guidance that the model does not take, and for a model of
    another family.
    """
    if not isinstance(model, Diffusion | Flow):
        raise KnobError(f"model={shown(model.name)}: editing takes a diffusion or a flow model")
    rows = None if label is None else model.condition.encode(label, count).to(model.device)
    network = model.guided(rows, count, GUIDANCE.check(guidance_scale))
    if isinstance(model, Diffusion):
        predict = model.denoiser(network)

        def denoised(x: Tensor, t: float) -> Prediction:
            return predict(x, max(t, FIRST))

        return Path(denoised, model.schedule.scales_at, (model.schedule.total, 0.0), network)

    def unmixed(x: Tensor, t: float) -> Prediction:
        velocity = network(x, torch.full((len(x),), t, device=x.device))
        return Prediction(x0=x + (1 - t) * velocity, eps=x - t * velocity)

    return Path(unmixed, lambda t: (t, 1 - t), (0.0, 1.0), network)


def ahead(path: Path, x: Tensor, guess: Prediction, t: float, s: float) -> Tensor:
    """x_s by one step of first order, to either side: DDIM without fresh noise (Song et al. 2021,
    eq. 12), which for flow matching is Euler's.

    Of the two answers the one that is exact where x_t nearly is the other decides.
    """
    signal, spread = path.scales(t)
    if signal > spread:  # z = x / signal moves by eps times the change of spread / signal
        return path.mixed((x - spread * guess.eps) / signal, guess.eps, s)
    return path.mixed(guess.x0, (x - signal * guess.x0) / spread, s)


def ahead_twice(path: Path, x: Tensor, guess: Prediction, t: float, s: float) -> Tensor:
    """x_s by Heun's method, which looks a second time where the first step leads; of order 2. The
    picture itself has nothing to say: the step that arrives there is of first order."""
    arrived = ahead(path, x, guess, t, s)
    if path.scales(s)[1] == 0:
        return arrived
    there = path.guess(arrived, s)
    mean = Prediction(*((a + b) / 2 for a, b in zip(guess, there, strict=True)))
    return ahead(path, x, mean, t, s)


def ancestral(
    path: Path, guess: Prediction, t: float, s: float, noise: Noise, eta: float = 1.0
) -> Tensor:
    """x_s on the way to the picture with as much fresh noise as DDPM, times eta (Song et al. 2021,
    eq. 12 and 16)."""
    _, added = path.between(t, s)
    (_, spread_t), (signal, spread) = path.scales(t), path.scales(s)
    fresh = eta * added * spread / spread_t
    x = signal * guess.x0 + math.sqrt(max(spread**2 - fresh**2, 0)) * guess.eps
    return x + fresh * noise.randn(*x.shape[1:]).to(x.device) if fresh else x


Step = Callable[[Path, Tensor, Prediction, float, float], Tensor]
"""step(path, x_t, what is guessed of it, t, s) -> x_s"""


def walk(
    path: Path, x: Tensor, levels: Sequence[float], step: Step = ahead, done: int = 0, more: int = 0
) -> Iterator[Frame]:
    """Frames from level to level, the last one without a guess; x as it is, not clipped.

    done, more: steps before these and after them, which the frames count too.
    """
    last = len(levels) - 1
    total = done + last + more
    for k, (t, s) in enumerate(itertools.pairwise(levels)):
        guess = path.guess(x, t)
        yield Frame(done + k, total, t, x, guess.x0, guess.eps, path.network.evaluations)
        x = step(path, x, guess, t, s)
    yield Frame(done + last, total, levels[-1], x, evaluations=path.network.evaluations)
