"""What cards share that show points of the plane: how places and frames travel.

`plane/film.js` reads what a `Film` tells, and plays it.
"""

import time
from typing import Any

import numpy as np
from torch import Tensor

from demos.page.image_io import in_base64

SPAN = 4.0
"""Places are sent from -SPAN to SPAN; what is beyond stands there, outside of what is drawn."""
MOST_TOGETHER, LONGEST = 30, 1.0
"""Frames, and seconds, after which those that wait make a message."""
FILM = ("plane/places.js", "plane/film.js")
"""Scripts, after those of `demos.widgets.timeline.PLAYER`."""


class Film:
    """Frames of a run, in texts: a list that only grows, of which Gradio sends what is new."""

    def __init__(self) -> None:
        self.chunks: list[str] = []
        self._waiting: list[bytes] = []
        self._since = 0.0

    def add(self, record: np.ndarray) -> None:
        """A record, of a dtype that is the same for all."""
        self._waiting.append(record.tobytes())

    @property
    def due(self) -> bool:
        """Whether so many wait, or for so long, that they should be told."""
        late = time.monotonic() - self._since > LONGEST
        return bool(self._waiting) and (late or len(self._waiting) >= MOST_TOGETHER)

    def told(self) -> list[str]:
        """All texts, those that waited as one more."""
        if self._waiting:
            self.chunks.append(in_base64(b"".join(self._waiting)))
        self._waiting, self._since = [], time.monotonic()
        return [*self.chunks]


def layout_of(record: np.dtype) -> list[list[Any]]:
    """[name, type, offset, count] of each field, and of the whole ["", "", size, 0]."""
    parts = [(name, *record.fields[name]) for name in record.names]
    fields = [
        [name, part.base.str[1:], offset, int(np.prod(part.shape, initial=1))]
        for name, part, offset in parts
    ]
    return [*fields, ["", "", record.itemsize, 0]]


def on_plane(x: Tensor, kind: type[np.unsignedinteger] = np.uint16) -> np.ndarray:
    """Places as whole numbers of that kind, in the order of x: -SPAN is 0, SPAN the largest; NaN is
    far away."""
    share = x.nan_to_num(SPAN).clamp(-SPAN, SPAN) / (2 * SPAN) + 0.5
    return (np.iinfo(kind).max * share).round().numpy().astype(kind)
