"""A text, each token shaded by how surprising it is: pointing at one tells what was likelier.

`Surprise(elem_id=...)` is the component; a handler returns a `SurpriseValue` for it.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import chain
from typing import Any

import gradio as gr

from demos.page.image_io import CardValue, Value
from demos.widgets.card import card
from demos.widgets.token_text import POINTED, POINTED_STYLE


@dataclass(frozen=True)
class Figure(Value):
    """A number about the whole text, and what it is."""

    value: str
    name: str


@dataclass(frozen=True)
class SurpriseValue(CardValue):
    """A text of n tokens. Raises ValueError when lengths do not fit together.

    pieces: what the tokens below write, each kind once
    tokens: (n,) places in `pieces`: the text
    bits: (n,) the surprise of each, from 0 up
    instead: (n, k) places in `pieces`: what was likeliest there besides, the likeliest first
    shares: (n, k) and how likely that was, 0 to 1
    caption: stands below the text
    provenance: where it was computed
    live: whether that was just now
    name: the downloaded file's, without its ending
    """

    pieces: Sequence[str]
    tokens: Sequence[int]
    bits: Sequence[float]
    instead: Sequence[Sequence[int]]
    shares: Sequence[Sequence[float]]
    figures: Sequence[Figure]
    _: KW_ONLY
    caption: str = ""
    provenance: str
    live: bool = True
    name: str = "surprise"

    def to_json(self) -> dict[str, Any]:
        """The rows of numbers as a text each, "3 1 4": the page wraps every entry of a list in an
        object of its own, which of 20,000 tokens takes it a minute."""
        told = super().to_json()
        rows = {"instead": chain(*self.instead), "shares": chain(*self.shares)}
        rows |= {"tokens": self.tokens, "bits": self.bits}
        return told | {name: " ".join(map(str, row)) for name, row in rows.items()}

    def __post_init__(self) -> None:
        for name in ("bits", "instead", "shares"):
            if len(getattr(self, name)) != len(self.tokens):
                raise ValueError(
                    f"{name} has {len(getattr(self, name))} entries for {len(self.tokens)} tokens"
                )


def Surprise(
    *,
    elem_id: str,
    label: str,
    value: SurpriseValue | dict | None = None,
    empty: str = "Press the button.",
) -> gr.HTML:
    """A gr.HTML that shows a `SurpriseValue`; `label` is for screen readers."""
    return card(
        "surprise",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=POINTED,
        styles=POINTED_STYLE,
    )
