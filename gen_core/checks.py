"""One validator for every knob, whoever turns it: Python, the command line, the page or its API.

A message says what it got and what it takes: ``steps=0: choose a whole number from 1 to 1000``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


class KnobError(ValueError):
    """A knob was set to something it does not take. The message is fit for a visitor."""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def number(name: str, value: Any, low: float, high: float, kind: str = "a number") -> float:
    """`value` as a float in [low, high]; raises KnobError for anything else, NaN included."""
    takes = f"choose {kind} from {low:g} to {high:g}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise KnobError(f"{name}={_shown(value)}: {takes}")
    if not math.isfinite(value) or not low <= value <= high:
        raise KnobError(f"{name}={_shown(value)}: {takes}")
    return float(value)


def whole(name: str, value: Any, low: int, high: int) -> int:
    """`value` as an int in [low, high]; 20.0 passes, 2.5, "20" and None do not."""
    checked = number(name, value, low, high, kind="a whole number")
    if checked != int(checked):
        raise KnobError(f"{name}={_shown(value)}: choose a whole number from {low} to {high}")
    return int(value)


def choice(name: str, value: Any, options: Sequence[str]) -> str:
    """`value` if it is one of `options`."""
    if not isinstance(value, str) or value not in options:
        raise KnobError(f"{name}={_shown(value)}: choose one of {', '.join(options)}")
    return value


def labels(value: Any, count: int, classes: int) -> list[int]:
    """One class for all, or one per sample, as `count` ints in 0 .. classes - 1."""
    if not isinstance(value, (str, bytes)) and hasattr(value, "__len__"):
        if len(value) != count:
            raise KnobError(f"label has {len(value)} entries: give one, or one per sample ({count})")
        return [whole("label", int(v) if hasattr(v, "item") else v, 0, classes - 1) for v in value]
    return [whole("label", value, 0, classes - 1)] * count
