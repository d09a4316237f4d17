"""Tokens or pixels that a visitor took in place of those drawn, as the text of a knob."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from demos.page.controls import Knob
from gen_core.knobs import KnobError

SHOWN = 40
"""Characters of a wrong text that a message repeats."""
LONGEST = 2000
"""Characters of such a text."""
MOST_PIXELS = 8
"""Pixels that can be taken at once: behind each, all before it is read again."""


@dataclass(frozen=True)
class Changes(Knob):
    """Its text is "17:325 40:12": the 17th token that is written is number 325 of the model's
    tokens, the 40th number 12. Checked it is (17, 325), (40, 12), in order."""

    ONE: ClassVar[re.Pattern] = re.compile(r"(\d{1,5}):(\d{1,5})")
    HOW: ClassVar[str] = (
        'write "17:325 40:12", the 17th token that is written and then the 40th, and which they are'
    )

    def check(self, value: Any) -> tuple[tuple[int, ...], ...]:
        """Raises KnobError."""
        text = self.rule.check(value)
        found = [self.ONE.fullmatch(part) for part in text.split()]
        if not all(found):
            wrong = next(part for part, fits in zip(text.split(), found, strict=True) if not fits)
            raise KnobError(f"{self.name}={wrong[:SHOWN]!r}: {self.HOW}")
        changes = [tuple(map(int, change.groups())) for change in found]
        places = [change[:-1] for change in changes]
        if places != sorted(set(places)):
            raise KnobError(f"{self.name}={text[:SHOWN]!r}: name each place once, in order")
        return tuple(changes)

    def from_text(self, text: str) -> str:
        """What a link holds, checked. Raises KnobError."""
        self.check(text)
        return text


@dataclass(frozen=True)
class PixelChanges(Changes):
    """Its text is "2/417:255": of the second picture the 417th pixel is as bright as can be.
    Checked it is (2, 417, 255)."""

    ONE: ClassVar[re.Pattern] = re.compile(r"(\d{1,2})/(\d{1,5}):(\d{1,3})")
    HOW: ClassVar[str] = (
        'write "2/417:255", of the second picture the 417th pixel, and which grey it is'
    )


def fitting(
    changes: tuple[tuple[int, int], ...], tokens: int, vocabulary: int
) -> Mapping[int, int]:
    """By place. Raises KnobError for a place beyond the text, and for a token that the model does
    not know."""
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


def fitting_pixels(
    changes: tuple[tuple[int, int, int], ...], pictures: int, pixels: int, levels: int
) -> Mapping[int, Mapping[int, int]]:
    """By pixel, from 1, and then by picture, from 1: the greys. Raises KnobError for a pixel or a
    grey that does not exist, and for more than `MOST_PIXELS`."""
    if len(changes) > MOST_PIXELS:
        raise KnobError(f"changes: {len(changes)} pixels are taken, choose {MOST_PIXELS} at most")
    by_pixel: dict[int, dict[int, int]] = {}
    for picture, pixel, grey in changes:
        for name, value, low, high in (
            ("picture", picture, 1, pictures),
            ("pixel", pixel, 1, pixels),
            ("grey", grey, 0, levels - 1),
        ):
            if not low <= value <= high:
                raise KnobError(
                    f"changes={picture}/{pixel}:{grey}: choose a {name} from {low} to {high}, or "
                    f"leave it out"
                )
        by_pixel.setdefault(pixel, {})[picture] = grey
    return dict(sorted(by_pixel.items()))
