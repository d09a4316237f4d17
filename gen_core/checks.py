"""One validator for every knob, whoever turns it: Python, the command line, the page or its API.

A message says what it got and what it takes: ``steps=0: choose a whole number from 1 to 1000``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class KnobError(ValueError):
    """A knob was set to something it does not take. The message is fit for a visitor."""


def shown(value: Any) -> str:
    """A value as a message quotes it: short."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _plain(value: Any) -> Any:
    """A number that numpy or torch wraps (one entry, no dimensions) as Python's own."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


def _in_range(value: Any, low: float, high: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return low <= value <= high  # False for NaN


def number(name: str, value: Any, low: float, high: float) -> float:
    """`value` as a float in [low, high]; raises KnobError for anything else, NaN included."""
    plain = _plain(value)
    if not _in_range(plain, low, high):
        raise KnobError(f"{name}={shown(plain)}: choose a number from {low:g} to {high:g}")
    return float(plain)


def whole(name: str, value: Any, low: int, high: int) -> int:
    """`value` as an int in [low, high]; 20.0 passes, 2.5, "20" and None do not."""
    plain = _plain(value)
    if not _in_range(plain, low, high) or plain != int(plain):
        raise KnobError(f"{name}={shown(plain)}: choose a whole number from {low} to {high}")
    return int(plain)


def choice(name: str, value: Any, options: Sequence[str]) -> str:
    """`value` if it is one of `options`."""
    if not isinstance(value, str) or value not in options:
        raise KnobError(f"{name}={shown(value)}: choose one of {', '.join(options)}")
    return value


def text(name: str, value: Any, longest: int) -> str:
    """`value` if it is a string of at most `longest` characters. Half a surrogate pair, which is
    no character and which no tokenizer takes, becomes a question mark."""
    if not isinstance(value, str):
        raise KnobError(f"{name}={shown(value)}: write some text")
    if len(value) > longest:
        raise KnobError(f"{name} has {len(value):,} characters: write at most {longest:,}")
    return value.encode("utf-8", "replace").decode("utf-8")


def labels(value: Any, count: int, classes: int) -> list[int]:
    """One class for all, or one per sample, as `count` ints in 0 .. classes - 1."""
    value = _plain(value)
    if not isinstance(value, (str, bytes)) and hasattr(value, "__len__"):
        if len(value) != count:
            raise KnobError(
                f"label has {len(value)} entries: give one, or one per sample ({count})"
            )
        return [whole("label", v, 0, classes - 1) for v in value]
    return [whole("label", value, 0, classes - 1)] * count
