"""Points of the plane as short texts, as links and scripts carry them: three characters each."""

from collections.abc import Iterable

from gen_core.data.planes import EDGE, MOST_POINTS
from gen_core.knobs import KnobError, shown

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""Of base 64, all of which stand in a link as they are."""
LAST, BITS = 510, 9
"""Coordinates are cut into the levels 0 (at -EDGE) to LAST (at EDGE); 0 is one of them."""


def write_points(points: Iterable[tuple[float, float]]) -> str:
    """Points within -3..3, each to the nearest of 511 levels: (0, 0) is "f7_"."""
    return "".join(_digits(_level(x) << BITS | _level(y)) for x, y in points)


def read_points(text: str, name: str = "points") -> tuple[tuple[float, float], ...]:
    """The points that `write_points` wrote, at most 1,000. Raises KnobError for another text."""
    if len(text) > 3 * MOST_POINTS:
        raise KnobError(f"{name} holds {len(text) / 3:,.0f} points: draw at most {MOST_POINTS:,}")
    numbers = [_number(text[k : k + 3]) for k in range(0, len(text), 3)]
    found = [divmod(number, 1 << BITS) for number in numbers]
    if not all(0 <= level <= LAST for point in found for level in point):
        raise KnobError(
            f"{name}={shown(text)}: draw them, or write three of A-Z a-z 0-9 - _ for each, such as "
            f"{write_points([(0.0, 0.0)])} for (0, 0)"
        )
    return tuple((_place(x), _place(y)) for x, y in found)


def _number(digits: str) -> int:
    """What three digits write; -1 for anything else."""
    values = [DIGITS.find(digit) for digit in digits]
    if len(values) < 3 or min(values) < 0:
        return -1
    a, b, c = values
    return a << 12 | b << 6 | c


def _level(v: float) -> int:
    return round((v / EDGE + 1) / 2 * LAST)


def _place(level: int) -> float:
    return round((2 * level / LAST - 1) * EDGE, 4)


def _digits(number: int) -> str:
    return "".join(DIGITS[number >> shift & 63] for shift in (12, 6, 0))
