"""A generation that says how far it is, and can be stopped between two steps."""

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gen_core import Frame, record
from gen_core.progress import Progress

T = TypeVar("T")


@dataclass
class Recording:
    """What `watch` kept of a generation."""

    frames: list[Frame] = field(default_factory=list)
    """On the CPU, float32, the first and the last among them."""
    seconds: float = 0.0
    """Time the sampler took, without waiting for other visitors."""


def watch(
    frames: Iterator[Frame], keep: int = 32, stage: str = "Step"
) -> Generator[Progress, None, Recording]:
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
        yield Progress(stage, frame.step, frame.total)


def result_of(run: Generator[Any, None, T]) -> T:
    """What a generator returns at its end, for those who need no progress on the way."""
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value
