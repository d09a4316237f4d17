"""How long work says where it is, to whoever watches: the command line or the page."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from tqdm import tqdm


@dataclass(frozen=True)
class Progress:
    """`done` of `total` units of a stage. A total of 0: nobody knows how much there is to do."""

    stage: str
    done: int = 0
    total: int = 0
    unit: str = "steps"


T = TypeVar("T")
Report = Callable[[Progress], None]
"""Is given progress as it is made; what it raises ends the work."""


def ignore(progress: Progress) -> None:
    """A `Report` for those who do not watch."""


class Bars:
    """A `Report` that draws a progress bar per stage, on stderr, so that stdout holds nothing but
    the result. Used in `with`, which closes the last one."""

    def __init__(self) -> None:
        self._stage, self._bar = "", None

    def __call__(self, progress: Progress) -> None:
        if progress.stage != self._stage or progress.done < self._bar.n:
            self._close()
            self._stage = progress.stage
            self._bar = tqdm(desc=progress.stage, total=progress.total, unit=f" {progress.unit}")
        self._bar.update(progress.done - self._bar.n)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def result_of(run: Generator[Any, None, T]) -> T:
    """What a generator returns at its end, for those who need no progress on the way."""
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value
