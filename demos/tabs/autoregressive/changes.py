"""Tokens or pixels that a visitor took in place of those drawn, as the text of a knob."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from demos.page.controls import Knob
from gen_core.family import UNDRAWN
from gen_core.knobs import KnobError

SHOWN = 40
"""Characters of a wrong text that a message repeats."""
LONGEST = 2000
"""Characters of such a text."""


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
class PictureChanges(Changes):
    """Its text is "2/417:255": of the second picture the 417th pixel is as bright as can be, or the
    417th token is number 255. Checked it is (2, 417, 255)."""

    ONE: ClassVar[re.Pattern] = re.compile(r"(\d{1,2})/(\d{1,5}):(\d{1,5})")
    HOW: ClassVar[str] = 'write "2/117:255", picture 2, place 117, value 255'


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


def rows_of(
    changes: tuple[tuple[int, int, int], ...],
    shape: tuple[int, int],
    kinds: int,
    words: tuple[str, str] = ("token", "number"),
) -> Tensor:
    """Rows of tokens (pictures, length), `UNDRAWN` where none was taken. words: what a token is,
    and what of it is taken. Raises KnobError for what does not exist."""
    rows = torch.full(shape, UNDRAWN)
    pictures, places = shape
    for picture, place, kind in changes:
        for name, value, low, high in (
            ("picture", picture, 1, pictures),
            (words[0], place, 1, places),
            (words[1], kind, 0, kinds - 1),
        ):
            if not low <= value <= high:
                raise KnobError(
                    f"changes={picture}/{place}:{kind}: choose a {name} from {low} to {high}, or "
                    f"leave it out"
                )
        rows[picture - 1, place - 1] = kind
    return rows
