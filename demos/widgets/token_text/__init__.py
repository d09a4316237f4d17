"""A text token by token: what the network said of each, what it was drawn from, and where the
network looked. One goes through it like a timeline, and takes another token by pressing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from demos.page.image_io import CardValue, Value
from demos.widgets.card import card
from demos.widgets.timeline import PLAYER
from gen_core.families.token_sampler import probabilities

MOST = 10
"""Candidates of a token that are shown."""
WHOLE = 10_000
"""A probability of 1: the browser is told whole numbers, which are short."""
LEVELS = 15
"""Of attention, from none to all: a line is not thicker than that."""


@dataclass(frozen=True)
class Attention(Value):
    """sheet: uint8 (layers * n, heads * n); what head h of layer l looked at when the i-th token
    was said is row i of the n x n pixels at (h * n, l * n): what comes before a text, then the
    tokens before. The square root, from 0 to 255."""

    layers: int
    heads: int
    sheet: np.ndarray


@dataclass(frozen=True, kw_only=True)
class TokenTextValue(CardValue):
    """The text so far, or whole.

    tokens: what each writes; kinds: which they are
    begun: how many of them were given
    changed: places, in the text, of those that a visitor took
    bits: the surprise of each, -log2 p
    candidates: of a token, by its place, the likeliest there, [kind, p, what it was drawn from],
        both probabilities in ten-thousandths; of the last token alone while the text grows. No list
        of lists: where lists within one become shorter, Gradio's messages leave out others
    written: what these kinds write
    whole: whether it has ended
    caption: stands under the text
    """

    tokens: Sequence[str]
    kinds: Sequence[int]
    begun: int
    changed: Sequence[int] = ()
    bits: Sequence[float]
    candidates: Mapping[str, Sequence[Sequence[int]]]
    written: Mapping[str, str]
    attention: Attention | None = None
    whole: bool = True
    caption: str = ""
    provenance: str = ""
    live: bool = True
    name: str = "text"


def TokenText(
    *,
    elem_id: str,
    label: str,
    value: TokenTextValue | dict[str, Any] | None = None,
    empty: str = "Press the button to write.",
) -> gr.HTML:
    """A gr.HTML that shows a `TokenTextValue`. A candidate that is pressed goes to the knob
    `changes` of the panel that elem_id names, and its button is pressed."""
    return card(
        "token_text",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=VIEW,
        styles=["timeline/player.css", *TOKENS_STYLE, "token_text/candidates.css"],
    )


TOKENS, TOKENS_STYLE = ("token_text/tokens.js",), ("token_text/tokens.css",)
"""What other widgets need that show the tokens of a text."""
VIEW = (
    *PLAYER,
    *TOKENS,
    "card/changes.js",
    "token_text/candidates.js",
    "token_text/attention.js",
    "token_text/view.js",
)
VIEW_STYLE = (
    "timeline/player.css",
    *TOKENS_STYLE,
    "token_text/candidates.css",
    "token_text/token_text.css",
)
"""The same, where one goes through them."""
POINTED = (*TOKENS, "token_text/pointed.js")
POINTED_STYLE = (*TOKENS_STYLE, "token_text/pointed.css")
"""The same, where one of them is chosen."""


def candidates(logits: Tensor, kinds: Sequence[int], **choosing: Any) -> list[list[list[int]]]:
    """Of each place, as `TokenTextValue` has them: the `MOST` likeliest kinds, and the one that
    stands there. logits (n, vocabulary); choosing: what `probabilities` takes."""
    said, drawn = probabilities(logits), probabilities(logits, **choosing)
    likeliest = said.topk(min(MOST, said.shape[-1])).indices
    return [
        [
            [kind, round(WHOLE * float(p[kind])), round(WHOLE * float(q[kind]))]
            for kind in dict.fromkeys([*best.tolist(), own])
        ]
        for best, own, p, q in zip(likeliest, kinds, said, drawn, strict=True)
    ]


def attention_value(weights: Tensor) -> Attention:
    """weights (layers, heads, n, n) from 0 to 1."""
    layers, heads = weights.shape[:2]
    levels = (LEVELS * weights.float().sqrt()).round() * (255 // LEVELS)
    sheet = levels.to(torch.uint8).permute(0, 2, 1, 3).flatten(2).flatten(0, 1)
    return Attention(layers, heads, sheet.cpu().numpy())
