"""One generation: its noise, its frames, what they cost, and the pictures at its end.

>>> from gen_core import load
>>> from gen_core.sampling import cost_of
>>> cost = cost_of(load("flow-fashion"), seeds=range(16), label=8, steps=20)
>>> print(f"{cost.milliseconds:.1f} ms and {cost.evaluations:g} evaluations a picture")
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gen_core.engine import device_clock
from gen_core.knobs import KnobError, whole

if TYPE_CHECKING:
    from gen_core.family import Family

MAX_SEED = 2**32 - 1


# --- noise ----------------------------------------------------------------------------------------


class Noise:
    """Normal and uniform noise, one CPU generator per seed: a sample depends on its seed alone.

    Row i is drawn from generator i alone: the same seed gives the same numbers in any batch and,
    because they are drawn on the CPU, for any device. Drawing moves the generators on; make a new
    Noise to start again. Seeds are whole numbers from 0 to 2**32 - 1.
    """

    def __init__(self, seeds: Iterable[int]) -> None:
        self.seeds = [whole("seed", s, 0, MAX_SEED) for s in seeds]
        self.generators = [torch.Generator().manual_seed(s) for s in self.seeds]

    def __len__(self) -> int:
        return len(self.seeds)

    def randn(self, *event: int) -> Tensor:
        """(B, *event) float32 from N(0, 1), on the CPU."""
        return torch.stack([torch.randn(event, generator=g) for g in self.generators])

    def rand(self, *event: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """(B, *event) from [0, 1), all alike, on the CPU."""
        return torch.stack([torch.rand(event, generator=g, dtype=dtype) for g in self.generators])


def seeds_from(seed: int, count: int, name: str = "seed") -> range:
    """`count` seeds in a row; raises KnobError, in the knob's name, where there are no more."""
    if seed + count - 1 > MAX_SEED:
        raise KnobError(f"{name}={seed}: choose 0 to {MAX_SEED - count + 1}, so that all have one")
    return range(seed, seed + count)


# --- frames ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """One moment of a generation.

    The last frame's x is the sample, (B, *event). A family that works in another space, such as
    that of latents, has its states there until then: their x is shaped like the prior, as are x0
    and out where the network knows that space alone.
    """

    step: int
    """0 .. total"""
    total: int
    level: float
    """The family's own clock: t, sigma, token index."""
    x: Tensor
    """(B, *event) the state, or a latent before the last frame."""
    x0: Tensor | None = None
    """The guess of the clean sample, made from this x, (B, *event) or a latent; None on the last
    frame, and where a family makes none."""
    out: Tensor | None = None
    """What the network said of this x; None on the last frame. Noise, velocity or a picture, shaped
    like x0; or logits, (B, kinds) of the next token or pixel, or (B, length, vocabulary) of all."""
    evaluations: int = 0
    """How often the network was asked about each sample so far; guidance asks twice."""


def final(frames: Iterator[Frame]) -> Tensor:
    """The last frame's x, (B, *event) on the CPU: pictures float32, tokens int64."""
    last = None
    for last in frames:  # noqa: B007 - run the generation to its end
        pass
    if last is None:
        raise ValueError("no frames: the generation ended before it began")
    return _ordinary(last.x)


def record(frames: Iterator[Frame], keep: int = 32) -> list[Frame]:
    """At most `keep` frames spread evenly over the generation, first and last always among them.

    Tensors are on the CPU, float32 or whole numbers. Memory is bounded by `keep`, not by the
    number of steps.
    """
    if keep < 2:
        raise ValueError(f"keep={keep}: choose 2 or more, the first and the last frame")
    kept = []
    for frame in frames:
        # Frame s is kept when it is the first one at or past one of `keep` even marks.
        marks = frame.step * (keep - 1)
        if frame.total < keep or marks % frame.total < keep - 1 or frame.step == frame.total:
            kept.append(_on_cpu(frame))
    return kept


def _on_cpu(frame: Frame) -> Frame:
    values = {part.name: getattr(frame, part.name) for part in fields(frame)}
    return replace(frame, **{k: _ordinary(v) for k, v in values.items() if isinstance(v, Tensor)})


def _ordinary(value: Tensor) -> Tensor:
    """On the CPU, whole numbers as they are, the rest float32; and a copy: what inference mode made
    refuses changes and gradients."""
    value = value.detach()
    return (value.float() if value.is_floating_point() else value).cpu().clone()


def pixels(x: Tensor) -> np.ndarray:
    """Images in [-1, 1], (B, 1 or 3, H, W), as uint8 (B, H, W) or (B, H, W, 3); beyond, clipped."""
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(f"images of shape {tuple(x.shape)}: takes (B, 1, H, W) or (B, 3, H, W)")
    levels = ((x.detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round().byte()
    return levels[:, 0].numpy() if x.shape[1] == 1 else levels.permute(0, 2, 3, 1).numpy()


def in_range(levels: np.ndarray) -> Tensor:
    """The way back: 0 to 255, (B, H, W, 3), as (B, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(levels).permute(0, 3, 1, 2).float() / 127.5 - 1


# --- cost -----------------------------------------------------------------------------------------


def cost_of(model: "Family", seeds: Sequence[int], **knobs: Any) -> "Meter":
    """Samples once for each seed, after a short run that is not counted.

    knobs: what the family's `sample` takes. Raises KnobError, as `sample` does.
    """
    meter = Meter(model, seeds, **knobs)
    meter.warm_up()
    for _ in meter.frames():
        continue
    return meter


class Meter:
    """Measures a generation while somebody watches it: neither the watcher's own time counts nor
    that of others who share an engine.

    `seconds`, the time for all pictures together, and `evaluations` grow while `frames` runs.
    """

    def __init__(self, model: "Family", seeds: Sequence[int], **knobs: Any) -> None:
        self.model, self.seeds, self.knobs = model, list(seeds), knobs
        self.seconds = 0.0
        self._last: Frame | None = None

    @property
    def evaluations(self) -> int:
        """Network evaluations a picture, so far: guidance asks twice at each step, Heun's solver
        too."""
        return self._last.evaluations if self._last else 0

    @property
    def milliseconds(self) -> float:
        """Wall time a picture, in a batch of all."""
        return 1000 * self.seconds / len(self.seeds)

    @property
    def x(self) -> Tensor:
        """(B, *event) on the CPU, as `final` gives it: what was drawn so far."""
        return final(iter([self._last] if self._last else []))

    def warm_up(self) -> None:
        """What a device does only once for a batch of this size (choosing kernels, allocating
        memory), by the shortest run there is: for times that are compared, or published."""
        stepwise = any(knob.name == "steps" for knob in self.model.every_knob)
        shortest = {**self.knobs, "steps": 1} if stepwise else self.knobs
        final(self.model.sample(Noise(self.seeds), **shortest))
        wait_for(self.model.device)

    def frames(self) -> Iterator[Frame]:
        """The frames of `model.sample`, each one timed."""
        frames = self.model.sample(Noise(self.seeds), **self.knobs)
        while True:
            started = device_clock()
            frame = next(frames, None)
            wait_for(self.model.device)
            self.seconds += device_clock() - started
            if frame is None:
                return
            self._last = frame
            yield frame


def wait_for(device: torch.device) -> None:
    """Until the device has done what it was given: a GPU works on after a call returns."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
