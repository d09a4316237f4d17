"""The attributes of a data set that tells more of a picture than its class."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gen_core.nets.attributes import IGNORE_INDEX, MISSING, SCALE


@dataclass(frozen=True)
class Schema:
    """A row of labels, as `gen_core.nets.attributes` reads it, has a column for each attribute, the
    categorical ones first."""

    categorical: Mapping[str, tuple[str, ...]]
    """The values that each has, in the order of their indices."""
    continuous: Mapping[str, tuple[float, float]]
    """The lowest and the highest value of each."""
    complete: Callable[[Sequence[Mapping[str, Any]], Sequence[int]], Tensor]
    """complete(asked, seeds) -> rows of labels (N, attributes): each row has what is asked of it,
    and all else drawn from its seed as the data has it. None of them is in the data set."""
    example: Mapping[str, Any]
    """Something that can be asked for, to show how."""

    @property
    def names(self) -> list[str]:
        """In the order of the columns."""
        return [*self.categorical, *self.continuous]

    @property
    def sizes(self) -> dict[str, int]:
        """How many values each categorical attribute has."""
        return {name: len(values) for name, values in self.categorical.items()}

    @property
    def null(self) -> list[int]:
        """The row that tells nothing."""
        return [IGNORE_INDEX] * len(self.categorical) + [MISSING] * len(self.continuous)

    @property
    def bounds(self) -> tuple[list[int], list[int]]:
        """The least and the greatest number in each column; `null` may stand there besides."""
        low = [IGNORE_INDEX] * len(self.categorical) + [
            in_row(a) for a, _ in self.continuous.values()
        ]
        high = [size - 1 for size in self.sizes.values()] + [
            in_row(b) for _, b in self.continuous.values()
        ]
        return low, high


def in_row(number: float) -> int:
    """A continuous attribute as it stands in a row."""
    return round(SCALE * number)
