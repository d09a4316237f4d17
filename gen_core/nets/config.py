"""Fields of configs, what networks are built from, with the ranges that they take."""

import dataclasses
from typing import Any


def setting(default: Any, low: float | None = None, high: float | None = None, **more: Any) -> Any:
    """A field of a config that takes numbers from low to high, each a `multiple` of a number; a
    tuple's entries do, of which there are as many as the tuple `entries` says, least and most; or
    a text that is one of `options`."""
    bounds = {} if low is None else {"bounds": (low, high)}
    return dataclasses.field(default=default, metadata=bounds | more)


@dataclasses.dataclass(frozen=True)
class GreyPictures:
    """What a network that says pixels one by one is told of its pictures."""

    size: int = setting(28, 1, 256)
    levels: int = setting(256, 2, 256)
    """Of grey, from black to white, that a pixel may have."""
    classes: int = setting(10, 0, 100_000)
    """Labels are 0 .. classes - 1; the label `classes` means "no label"."""
