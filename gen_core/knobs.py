"""Knobs: what can be asked of a sampler, declared once by its family.

Validation, command-line flags, the page's controls, links, printed code, file metadata, benchmarks
and the contract tests are all read from these declarations.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gen_core import checks
from gen_core.checks import KnobError

NO_NUMBERS: tuple[Any, ...] = (math.nan, None, "2", [], {}, True)
"""What no numeric knob takes."""


@dataclass(frozen=True)
class Knob:
    """One setting of a sampler. `check` is the only judge of its values, whoever sets them."""

    name: str
    """As `sample` takes it."""
    default: Any
    label: str = field(default="", kw_only=True)
    """As a visitor reads it."""
    info: str = field(default="", kw_only=True)
    """What it does, in a line."""
    advanced: bool = field(default=False, kw_only=True)
    """Whether a newcomer can do without it."""

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ").capitalize()

    @property
    def takes(self) -> str:
        """The values it takes, in words: "a whole number from 1 to 1000"."""
        raise NotImplementedError

    def check(self, value: Any) -> Any:
        """The value in its own type. Raises KnobError, which names the value and the range."""
        raise NotImplementedError

    def parse(self, text: str) -> Any:
        """The value that a link or a command line writes as text. Raises KnobError."""
        return self.check(as_number(text))

    def bad_values(self) -> Sequence[Any]:
        """Values that `check` refuses."""
        raise NotImplementedError

    def examples(self) -> Sequence[Any]:
        """Values at the ends of what `check` takes."""
        return [self.default]


@dataclass(frozen=True)
class Whole(Knob):
    """A whole number."""

    low: int = 0
    high: int = 1

    @property
    def takes(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def check(self, value: Any) -> int:
        return checks.whole(self.name, value, self.low, self.high)

    def bad_values(self) -> Sequence[Any]:
        return [self.low - 1, self.high + 1, self.low + 0.5, math.inf, 10**400, *NO_NUMBERS]

    def examples(self) -> Sequence[int]:
        return [self.low, self.high]


@dataclass(frozen=True)
class Number(Knob):
    """A number; step is that of its slider."""

    low: float = 0.0
    high: float = 1.0
    step: float = field(default=0.05, kw_only=True)

    @property
    def takes(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def check(self, value: Any) -> float:
        return checks.number(self.name, value, self.low, self.high)

    def bad_values(self) -> Sequence[Any]:
        return [self.low - 0.1, self.high + 0.1, math.inf, *NO_NUMBERS]

    def examples(self) -> Sequence[float]:
        return [self.low, self.high]


@dataclass(frozen=True)
class Choice(Knob):
    """One of several names; options may map them to what they stand for."""

    options: Sequence[str] | Mapping[str, Any] = ()

    @property
    def takes(self) -> str:
        return f"one of {', '.join(self.options)}"

    def check(self, value: Any) -> str:
        return checks.choice(self.name, value, list(self.options))

    def parse(self, text: str) -> str:
        return self.check(text)

    def bad_values(self) -> Sequence[Any]:
        return ["".join(self.options) + "?", None, 3, [*self.options][:1]]

    def examples(self) -> Sequence[str]:
        return list(self.options)


@dataclass(frozen=True)
class Flag(Knob):
    """True or false."""

    @property
    def takes(self) -> str:
        return "true or false"

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise KnobError(f"{self.name}={value!r}: choose true or false")
        return value

    def parse(self, text: str) -> bool:
        return self.check({"true": True, "false": False}.get(text, text))

    def bad_values(self) -> Sequence[Any]:
        return [None, 1, "true", []]

    def examples(self) -> Sequence[bool]:
        return [False, True]


@dataclass(frozen=True)
class Text(Knob):
    """Words, of at most `longest` characters."""

    longest: int = 2000

    @property
    def takes(self) -> str:
        return f"text of at most {self.longest} characters"

    def check(self, value: Any) -> str:
        return checks.text(self.name, value, self.longest)

    def parse(self, text: str) -> str:
        return self.check(text)

    def bad_values(self) -> Sequence[Any]:
        return [None, 3, ["a"], "a" * (self.longest + 1)]


@dataclass(frozen=True)
class Instance(Knob):
    """An object of one class, or None: what only a program can give."""

    kind: type = object

    @property
    def takes(self) -> str:
        return f"a {self.kind.__name__}, or None"

    def check(self, value: Any) -> Any:
        if value is not None and not isinstance(value, self.kind):
            raise KnobError(f"{self.name}={checks.shown(value)}: give {self.takes}")
        return value

    def bad_values(self) -> Sequence[Any]:
        return [3, "none", []]


def as_number(text: str) -> int | float | str:
    """A text as the number it writes, or as it is where it writes none."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def check_all(knobs: Iterable[Knob], values: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Each knob's value, checked: the one that is given, or else its default.

    Raises KnobError for a bad value and for a name that none of the knobs has.
    """
    declared = {knob.name: knob for knob in knobs}
    for name, value in values.items():
        if name not in declared:
            names = ", ".join(declared) or "none"
            raise KnobError(f"{name}={checks.shown(value)}: the knobs of {owner} are {names}")
    return {
        name: knob.check(values[name]) if name in values else knob.default
        for name, knob in declared.items()
    }


def with_defaults(knobs: Iterable[Knob], defaults: Mapping[str, Any]) -> tuple[Knob, ...]:
    """The same knobs, with other defaults for those that are named."""
    return tuple(
        replace(knob, default=defaults[knob.name]) if knob.name in defaults else knob
        for knob in knobs
    )
