"""Streams that break in the middle, and go on from there: what was shown is left out."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from gen_core.progress import Progress

log = logging.getLogger("noise-to-data")

ATTEMPTS = 4
"""How often a stream is begun, until its failure is told."""


class Place:
    """Where a run is, as far as its progress tells."""

    def __init__(self) -> None:
        self._stage, self._chapter, self._done, self._pieces = "", 0, -1, 0

    def move(self, progress: Progress) -> None:
        if progress.stage != self._stage or progress.done < self._done:
            self._chapter += 1
        self._stage, self._done, self._pieces = progress.stage, progress.done, 0

    def of_next(self) -> tuple[int, int, int]:
        """That of the next piece; later ones are greater."""
        self._pieces += 1
        return self._chapter, self._done, self._pieces


def replayed(
    begin: Callable[[], Iterator[Any]], broken: type[Exception], attempts: int = ATTEMPTS
) -> Iterator[Any]:
    """What begin() yields, which is begun again from the start where it raises `broken`.

    A run that is begun again has the same seeds, and so the same pictures: its pieces are left out
    up to the place of the last one that was shown, but for its end. Raises the last `broken`.
    """
    shown = (0, -1, 0)
    for attempt in range(1, attempts + 1):
        place, left_out = Place(), []
        try:
            for piece in begin():
                if isinstance(piece, Progress):
                    if piece.total:
                        place.move(piece)
                    yield piece
                elif (now := place.of_next()) > shown:
                    shown, left_out = now, []
                    yield piece
                else:
                    left_out = [piece]
        except broken as error:
            log.warning("a run broke off, attempt %d: %s", attempt, type(error).__name__)
            if attempt == attempts:
                raise
        else:
            yield from left_out
            return
