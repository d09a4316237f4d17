"""Fields of configs, what networks are built from, with the ranges that they take."""

import dataclasses
from typing import Any


def setting(default: Any, low: float | None = None, high: float | None = None, **more: Any) -> Any:
    """A field of a config that takes numbers from low to high, each a `multiple` of a number; a
    tuple's entries do, of which there are as many as the tuple `entries` says, least and most; or
    a text that is one of `options`."""
    bounds = {} if low is None else {"bounds": (low, high)}
    return dataclasses.field(default=default, metadata=bounds | more)
