"""How long work says where it is, to whoever watches: the command line or the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """`done` of `total` units of a stage. A total of 0: nobody knows how much there is to do."""

    stage: str
    done: int = 0
    total: int = 0
    unit: str = "steps"


Report = Callable[[Progress], None]
"""Is given progress as it is made; what it raises ends the work."""


def ignore(progress: Progress) -> None:
    """A `Report` for those who do not watch."""
