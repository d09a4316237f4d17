"""What sampling costs: wall time, and how often the network ran.

>>> from gen_core import load
>>> from gen_core.evaluation.cost import cost_of
>>> cost = cost_of(load("flow-fashion"), seeds=range(16), label=8, steps=20)
>>> print(f"{cost.milliseconds:.1f} ms and {cost.evaluations:g} evaluations a picture")
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from gen_core.family import Family, Frame, final
from gen_core.noise import Noise


def cost_of(model: Family, seeds: Sequence[int], **knobs: Any) -> Meter:
    """Samples once for each seed, after a short run that is not counted.

    knobs: what the family's `sample` takes. Raises KnobError, as `sample` does.
    """
    meter = Meter(model, seeds, **knobs)
    meter.warm_up()
    for _ in meter.frames():
        continue
    return meter


class Meter:
    """Measures a generation while somebody watches it: the watcher's own time does not count.

    `seconds`, the wall time for all pictures together, and `evaluations` grow while `frames` runs.
    """

    def __init__(self, model: Family, seeds: Sequence[int], **knobs: Any) -> None:
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
        """(B, C, H, W) float32 in [-1, 1], on the CPU: what was drawn so far."""
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
            started = time.perf_counter()
            frame = next(frames, None)
            wait_for(self.model.device)
            self.seconds += time.perf_counter() - started
            if frame is None:
                return
            self._last = frame
            yield frame


def published(model: Family) -> dict[str, Any]:
    """The knobs that the metrics in the checkpoint were measured with, or would be."""
    return dict(model.measured_with) | model.card.get("metrics", {}).get("knobs", {})


def wait_for(device: torch.device) -> None:
    """Until the device has done what it was given: a GPU works on after a call returns."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
