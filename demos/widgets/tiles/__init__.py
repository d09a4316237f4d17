"""Pictures one after the other, each with its name and, where there is one, its score.

`Tiles(elem_id=...)` is the component; `tiles_value` makes what a handler returns for it. Scores are
probabilities: above the pictures they all stand on one line, whose middle is 50%.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from demos.page.figures import png_data_url
from demos.widgets.card import card


@dataclass(frozen=True)
class Tile:
    picture: np.ndarray | None
    """uint8 (H, W) or (H, W, 3), shown enlarged without smoothing; None: a card of words alone."""
    title: str
    """Stands under the picture: "Sneaker"."""
    note: str = ""
    """Under the title, quieter: "seed 3"."""
    score: float | None = None
    """A probability: shown in percent, and as a bar from the middle."""
    aside: str = ""
    """Beside the score, quieter: "−0.14"."""
    framed: bool = False
    """Set apart from the others by its frame."""


@dataclass(frozen=True)
class Scale:
    """What the scores mean, for the line above the pictures, which has 50% in its middle."""

    low: str
    """Where scores below 50% lie: "looks generated"."""
    high: str
    """Where those above lie."""
    plain: str
    """What the tiles without a frame are: "generated"."""
    framed: str = ""
    """What those with a frame are; "" where there are none."""
    figures: str = ""
    """What score and aside are, for the key."""


def Tiles(
    *,
    elem_id: str,
    label: str,
    value: dict[str, Any] | None = None,
    empty: str = "Press the button to see pictures.",
) -> gr.HTML:
    """A gr.HTML that shows what `tiles_value` returns; `label` is for screen readers."""
    return card("tiles", elem_id=elem_id, label=label, value=value, empty=empty)


def tiles_value(
    tiles: Sequence[Tile],
    *,
    provenance: str,
    headline: str = "",
    scale: Scale | None = None,
    live: bool = True,
    name: str = "pictures",
) -> dict[str, Any]:
    """The tiles, in their order, as plain JSON.

    Args:
        headline: what is to be seen, above the pictures.
        scale: what the scores mean; needed where tiles have one.
        provenance, live: where the pictures come from, and whether that was just now.
        name: the downloaded file's name, without its ending.

    Raises ValueError for a score beyond 0 to 1, or one without a scale.
    """
    scores = [tile.score for tile in tiles if tile.score is not None]
    if not all(0 <= score <= 1 for score in scores):
        raise ValueError(f"scores from {min(scores)} to {max(scores)}: they go from 0 to 1")
    if scores and scale is None:
        raise ValueError("scores without a scale: say what they mean")
    return {
        "tiles": [
            {
                "picture": None if tile.picture is None else png_data_url(tile.picture),
                "title": tile.title,
                "note": tile.note,
                "score": tile.score,
                "aside": tile.aside,
                "framed": tile.framed,
            }
            for tile in tiles
        ],
        "headline": headline,
        "scale": scale and vars(scale),
        "provenance": provenance,
        "live": live,
        "name": name,
    }
