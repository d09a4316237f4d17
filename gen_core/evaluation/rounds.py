"""Timing by rounds: what is compared runs in turn, so that whatever else the machine does falls on
both sides alike; the figures are medians over the rounds."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from gen_core.progress import Progress, Report, ignore

WARM_UP = 2
"""Rounds that are run and not counted."""


def interleaved(
    jobs: dict[str, Callable[[], Any]],
    rounds: int,
    progress: Report = ignore,
    stage: str = "rounds",
) -> dict[str, list[float]]:
    """Seconds of every job in every round. Each job must end with its result on the CPU."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for index in range(WARM_UP + rounds):
        # Every other round runs backwards: no job always profits from a cache the last one filled.
        for name, job in list(jobs.items())[:: 1 if index % 2 else -1]:
            started = time.perf_counter()
            job()
            if index >= WARM_UP:
                seconds[name].append(time.perf_counter() - started)
        progress(Progress(stage, index + 1, WARM_UP + rounds, "rounds"))
    return seconds


def ratio(above: list[float], below: list[float]) -> float:
    """The median over the rounds of one job's seconds over another's, to three decimals."""
    return round(statistics.median(a / b for a, b in zip(above, below, strict=True)), 3)
