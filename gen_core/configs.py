"""Configs, what networks are built from: their fields with the ranges they take, and the check.

A message says what it got and what it takes: ``size=0: choose a whole number from 1 to 1024``.
"""

import dataclasses
from collections.abc import Collection
from typing import Any

from gen_core.knobs import KnobError, choice, number, shown, whole

WHOLE, NUMBER = (1, 4096), (0.0, 1e6)
"""The range of a whole number, and of any other, of which a config says nothing else."""
MOST_LEVELS = 12


def setting(default: Any, low: float | None = None, high: float | None = None, **more: Any) -> Any:
    """A field of a config that takes numbers from low to high, each a `multiple` of a number; a
    tuple's entries do, of which there are as many as the tuple `entries` says, least and most; or
    a text that is one of `options`."""
    bounds = {} if low is None else {"bounds": (low, high)}
    return dataclasses.field(default=default, metadata=bounds | more)


def check_config(config: Any) -> None:
    """Raises KnobError for a field whose value is not of its default's type, or out of range."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            check_config(value)
        elif isinstance(field.default, tuple):
            _check_tuple(field.name, value, field.default, field.metadata)
        else:
            _check(field.name, value, field.default, field.metadata)


def _check_tuple(name: str, values: Any, default: tuple, meta: Any) -> None:
    least, most = meta.get("entries", (1 if default else 0, MOST_LEVELS))
    if not isinstance(values, tuple) or not least <= len(values) <= most:
        count = least if least == most else f"{least} to {most}"
        raise KnobError(f"{name}={shown(values)}: takes a tuple of {count} whole numbers")
    for value in values:
        _check(f"{name}={shown(values)}, of which one", value, 1, meta)


def _check(name: str, value: Any, default: Any, meta: Any) -> None:
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise KnobError(f"{name}={shown(value)}: choose True or False")
    elif isinstance(default, int):
        low, high = meta.get("bounds", WHOLE)
        if not isinstance(value, int):  # 28.0 would do as a knob, but is no size of a tensor
            raise KnobError(f"{name}={shown(value)}: choose a whole number from {low} to {high}")
        whole(name, value, low, high)
        if value % (multiple := meta.get("multiple", 1)):
            raise KnobError(f"{name}={shown(value)}: choose a multiple of {multiple}")
    elif isinstance(default, float):
        number(name, value, *meta.get("bounds", NUMBER))
    elif isinstance(default, str) and "options" in meta:
        options: Collection[str] = meta["options"]
        choice(name, value, list(options))
