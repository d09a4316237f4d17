"""Knobs: what can be asked of a sampler, declared once by its family, and the checks of values.

A message says what it got and what it takes: ``steps=0: choose a whole number from 1 to 1000``.

Validation, command-line flags, the page's controls, links, printed code, file metadata, benchmarks
and the contract tests are all read from these declarations.
"""

import contextlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any


class KnobError(ValueError):
    """A knob was set to something it does not take. The message is fit for a visitor."""


def shown(value: Any) -> str:
    """A value as a message quotes it: short."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of 5,000 digits; lists in lists in lists
        return f"a very long {type(value).__name__}"
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
        return whole(self.name, value, self.low, self.high)

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
        return number(self.name, value, self.low, self.high)

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
        return choice(self.name, value, list(self.options))

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
            raise KnobError(f"{self.name}={shown(value)}: choose true or false")
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
        return text(self.name, value, self.longest)

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
            raise KnobError(f"{self.name}={shown(value)}: give {self.takes}")
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
            raise KnobError(f"{name}={shown(value)}: the knobs of {owner} are {names}")
    return {
        name: knob.check(values[name]) if name in values else knob.default
        for name, knob in declared.items()
    }


def knob_field(knob: Knob) -> Any:
    """A field of a dataclass of settings, which has the knob's default."""
    return field(default=knob.default, metadata={"knob": knob})


def knobs_of(settings: type) -> tuple[Knob, ...]:
    """The knobs of a dataclass of settings, in their order."""
    return tuple(part.metadata["knob"] for part in fields(settings) if "knob" in part.metadata)


def with_defaults(knobs: Iterable[Knob], defaults: Mapping[str, Any]) -> tuple[Knob, ...]:
    """The same knobs, with other defaults for those that are named."""
    return tuple(
        replace(knob, default=defaults[knob.name]) if knob.name in defaults else knob
        for knob in knobs
    )


# --- configs --------------------------------------------------------------------------------------

WHOLES, NUMBERS = (1, 4096), (0.0, 1e6)
"""The range of a whole number, and of any other, of which a config says nothing else."""
MOST_LEVELS = 12


def check_config(config: Any) -> None:
    """Raises KnobError for a field whose value is not of its default's type, or out of range."""
    for part in fields(config):
        value = getattr(config, part.name)
        if is_dataclass(value):
            check_config(value)
        elif isinstance(part.default, tuple):
            _check_tuple(part.name, value, part.default, part.metadata)
        else:
            _check(part.name, value, part.default, part.metadata)


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
        low, high = meta.get("bounds", WHOLES)
        if not isinstance(value, int):  # 28.0 would do as a knob, but is no size of a tensor
            raise KnobError(f"{name}={shown(value)}: choose a whole number from {low} to {high}")
        whole(name, value, low, high)
        if value % (multiple := meta.get("multiple", 1)):
            raise KnobError(f"{name}={shown(value)}: choose a multiple of {multiple}")
    elif isinstance(default, float):
        number(name, value, *meta.get("bounds", NUMBERS))
    elif isinstance(default, str) and "options" in meta:
        choice(name, value, list(meta["options"]))
