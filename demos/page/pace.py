"""The pace of a training that goes on while it is watched: how long it may take, when others have
their turn, and how often the page is told where it is."""

import time
from dataclasses import dataclass

from gen_core.progress import Progress

TURN, TOLD_SECONDS = 0.2, 1.0
"""Seconds of training between two turns for others, and between two messages of where a run is."""
MOST_SECONDS = 300.0
"""That a run may train."""


@dataclass
class Clock:
    """Goes only while a run trains, not while others have their turn."""

    seconds: float = 0.0
    since: float = 0.0
    turn: float = 0.0
    """When others had their last turn, in seconds of training."""

    @property
    def is_up(self) -> bool:
        """Whether the run has trained as long as it may."""
        return self.seconds > MOST_SECONDS

    def gives_a_turn(self) -> bool:
        """Whether it is time for others."""
        due = self.seconds - self.turn >= TURN or not self.turn
        if due:
            self.turn = max(self.seconds, 1e-9)
        return due

    def __enter__(self) -> None:
        self.since = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self.since


@dataclass
class Steps:
    """What is told of a run's steps, once in a while: each message costs the page the more, the
    more frames it holds."""

    total: int
    stage: str = "Step"
    told: Progress | None = None
    since: float = 0.0

    def at(self, step: int) -> Progress:
        now = time.monotonic()
        if self.told is None or now - self.since > TOLD_SECONDS:
            self.told, self.since = Progress(self.stage, step, self.total), now
        return self.told


def ended_early(step: int, steps: int) -> str:
    """What stands before a verdict where time was up; "" where a run came to its end."""
    if step == steps:
        return ""
    minutes = MOST_SECONDS / 60
    return f"Ended at step {step:,} of {steps:,}, after {minutes:.0f} minutes of training. "
