"""How a long run says where it is, and how it can be stopped between two steps."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from gen_core import Frame, record


@dataclass(frozen=True)
class Working:
    """Yielded by a handler that has nothing to show yet: `step` of `total` is done.

    A total of 0: nobody knows how much there is to do.
    """

    step: int
    total: int
    doing: str = "Step"
    unit: str = "steps"


@dataclass
class Recording:
    """What `watch` kept of a generation."""

    frames: list[Frame] = field(default_factory=list)
    """On the CPU, float32, the first and the last among them."""
    seconds: float = 0.0
    """Time the sampler took, without waiting for other visitors."""
    steps: int = 0

    @property
    def ms_per_step(self) -> float:
        return 1000 * self.seconds / max(1, self.steps)


def watch(
    frames: Iterator[Frame], keep: int = 32, doing: str = "Step"
) -> Generator[Working, None, Recording]:
    """Records a generation as `gen_core.record` does, with progress, and so that Stop works.

    In a handler: ``recording = yield from watch(model.sample(Noise(seeds), steps=200))``.
    """
    recording = Recording()
    while True:
        started = time.perf_counter()
        frame = next(frames, None)
        recording.seconds += time.perf_counter() - started
        if frame is None:
            return recording
        recording.frames += record(iter([frame]), keep)
        recording.steps = frame.total
        yield Working(frame.step, frame.total, doing)
