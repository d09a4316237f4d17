"""Tokens that a visitor took in place of those that were drawn, as the text of a knob."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demos.page.controls import Knob
from gen_core.knobs import KnobError

ONE = re.compile(r"(\d{1,5}):(\d{1,5})")
HOW = 'write "17:325 40:12", the 17th token that is written and then the 40th, and which they are'
SHOWN = 40
"""Characters of a wrong text that a message repeats."""


@dataclass(frozen=True)
class Changes(Knob):
    """Its text is "17:325 40:12": the 17th token that is written is number 325 of the model's
    tokens, the 40th number 12. Checked it is {17: 325, 40: 12} as pairs, in order."""

    def check(self, value: Any) -> tuple[tuple[int, int], ...]:
        """Raises KnobError."""
        text = self.rule.check(value)
        found = [ONE.fullmatch(part) for part in text.split()]
        if not all(found):
            wrong = next(part for part, fits in zip(text.split(), found, strict=True) if not fits)
            raise KnobError(f"{self.name}={wrong[:SHOWN]!r}: {HOW}")
        pairs = [(int(pair[1]), int(pair[2])) for pair in found]
        places = [place for place, _ in pairs]
        if places != sorted(set(places)):
            raise KnobError(f"{self.name}={text[:SHOWN]!r}: name each place once, in order")
        return tuple(pairs)

    def from_text(self, text: str) -> str:
        """What a link holds, checked. Raises KnobError."""
        self.check(text)
        return text


def fitting(
    changes: tuple[tuple[int, int], ...], tokens: int, vocabulary: int
) -> Mapping[int, int]:
    """By place. Raises KnobError for one that a text of so many tokens has not, and for a token
    that the model does not know."""
    for place, kind in changes:
        if not 1 <= place <= tokens:
            raise KnobError(
                f"changes={place}:{kind}: {tokens} tokens are written, choose a place from 1 to "
                f"{tokens}, or leave it out"
            )
        if kind >= vocabulary:
            raise KnobError(
                f"changes={place}:{kind}: this model's tokens have numbers from 0 to "
                f"{vocabulary - 1}: choose one of them, or leave it out"
            )
    return dict(changes)
