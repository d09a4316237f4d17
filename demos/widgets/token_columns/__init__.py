"""Texts side by side, token by token: how much each surprises the network, and what stood there
before."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import gradio as gr

from demos.page.image_io import CardValue, Value
from demos.widgets.card import card
from demos.widgets.token_text import TOKENS, TOKENS_STYLE


@dataclass(frozen=True)
class Column(Value):
    """One text.

    title, note: what stands above it
    tokens: what each writes
    begun: how many of them were given
    bits: the surprise of each
    again: whether it repeats what stood there
    figures: names and values, below
    """

    title: str
    note: str
    _: KW_ONLY
    tokens: Sequence[str]
    begun: int
    bits: Sequence[float]
    again: Sequence[bool]
    figures: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class TokenColumnsValue(CardValue):
    """The texts, so far or whole."""

    columns: Sequence[Column]
    _: KW_ONLY
    corner: str = ""
    provenance: str = ""
    live: bool = True
    name: str = "texts"


def TokenColumns(
    *,
    elem_id: str,
    label: str,
    value: TokenColumnsValue | dict[str, Any] | None = None,
    empty: str = "Press the button to write.",
) -> gr.HTML:
    """A gr.HTML that shows a `TokenColumnsValue`."""
    return card(
        "token_columns",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=TOKENS,
        styles=TOKENS_STYLE,
    )
