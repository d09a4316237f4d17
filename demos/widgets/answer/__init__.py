"""What a language model answers, token by token like a `TokenText`, or as a plain text where nobody
tells of its tokens; above it what was asked, below it, folded away, what the model read."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demos.widgets.card import card
from demos.widgets.token_text import VIEW, VIEW_STYLE, TokenTextValue


@dataclass(frozen=True, kw_only=True)
class AnswerValue(TokenTextValue):
    """The answer so far, or whole. Where `plain` says why there are no tokens, `tokens` are pieces
    of text, and bits and candidates are empty.

    asked: what the visitor wrote
    read: what the model read, or its server was sent; "" while the answer grows
    about: says which of both it is
    """

    asked: str
    read: str = ""
    about: str = ""
    plain: str = ""


def Answer(
    *,
    elem_id: str,
    label: str,
    value: AnswerValue | dict[str, Any] | None = None,
    empty: str = "Press the button to write.",
) -> gr.HTML:
    """A gr.HTML that shows an `AnswerValue`."""
    return card(
        "answer",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=VIEW,
        styles=VIEW_STYLE,
    )
