"""What sampling costs: wall time, and how often the network ran, seen and not calculated.

>>> from gen_core import load
>>> from gen_core.measure import measure
>>> cost = measure(load("flow-fashion"), seeds=range(16), label=8, steps=20)
>>> print(f"{cost.milliseconds:.1f} ms and {cost.evaluations:g} evaluations a picture")
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gen_core.evaluate import PUBLISHED, takes
from gen_core.family import Family, Frame, final
from gen_core.noise import Noise


@dataclass(frozen=True)
class Cost:
    """What one run drew, and what it took."""

    x: Tensor
    """(B, C, H, W) float32 in [-1, 1], on the CPU"""
    seconds: float
    """Wall time of the sampler, for all B pictures together."""
    evaluations: float
    """Network evaluations a picture: guidance asks twice at each step, Heun's solver too."""

    @property
    def milliseconds(self) -> float:
        """Wall time a picture, in a batch of B."""
        return 1000 * self.seconds / len(self.x)


def measure(model: Family, seeds: Sequence[int], **knobs: Any) -> Cost:
    """Samples once for each seed, after a short run that is not counted.

    knobs: what the family's `sample` takes. Raises KnobError, as `sample` does.
    """
    meter = Meter(model, seeds, **knobs)
    meter.warm_up()
    for _ in meter.frames():
        continue
    return meter.cost()


class Meter:
    """Measures a generation while somebody watches it: the watcher's own time does not count.

    `seconds` and `evaluations` grow while `frames` runs; `cost` sums up when it has ended.
    """

    def __init__(self, model: Family, seeds: Sequence[int], **knobs: Any) -> None:
        self.model, self.seeds, self.knobs = model, list(seeds), knobs
        self.seconds = 0.0
        self._rows: Counter[nn.Module] = Counter()
        """Rows that came out of each layer"""
        self._ran: nn.Module | None = None
        self._last: Frame | None = None

    @property
    def evaluations(self) -> float:
        """Network evaluations a picture, so far: the layer that runs last runs once in each."""
        return self._rows[self._ran] / len(self.seeds) if self._ran else 0.0

    def cost(self) -> Cost:
        """What was drawn so far, and what it took."""
        x = final(iter([self._last] if self._last else []))
        return Cost(x, self.seconds, self.evaluations)

    def warm_up(self) -> None:
        """What a device does only once for a batch of this size (choosing kernels, allocating
        memory), by the shortest run there is: for times that are compared, or published."""
        shortest = {**self.knobs, "steps": 1} if "steps" in takes(self.model) else self.knobs
        final(self.model.sample(Noise(self.seeds), **shortest))
        wait_for(self.model.device)

    def frames(self) -> Iterator[Frame]:
        """The frames of `model.sample`, each one timed and its network evaluations counted."""
        layers = [
            m for m in self.model.modules() if not list(m.children()) and list(m.parameters())
        ]
        frames = self.model.sample(Noise(self.seeds), **self.knobs)
        while True:
            # The hooks are there only while the sampler runs: between two frames others may use
            # the same model, and their evaluations are not ours.
            with _hooked(layers, self._count):
                started = time.perf_counter()
                frame = next(frames, None)
                wait_for(self.model.device)
                self.seconds += time.perf_counter() - started
            if frame is None:
                return
            self._last = frame
            yield frame

    def _count(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self._rows[module] += len(output)
        self._ran = module


def published(model: Family) -> dict[str, Any]:
    """The knobs that the metrics in the checkpoint were measured with, or would be."""
    usual = {knob: value for knob, value in PUBLISHED.items() if knob in takes(model)}
    return usual | model.card.get("metrics", {}).get("knobs", {})


def wait_for(device: torch.device) -> None:
    """Until the device has done what it was given: a GPU works on after a call returns."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


@contextlib.contextmanager
def _hooked(modules: list[nn.Module], hook: Callable[..., None]) -> Iterator[None]:
    """`hook` runs after each forward pass of the modules, until the block ends."""
    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
