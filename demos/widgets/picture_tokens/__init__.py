"""Pictures token by token: which tokens, what each stands for in the codebook, and the picture that
those so far decode to. One goes through a picture like a timeline, and puts another token in.

`TokenPictures(elem_id=...)` is the component; a handler returns a `TokenPicturesValue` for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
import numpy as np

from demos.page.image_io import jpeg_data_url
from demos.widgets.card import card
from demos.widgets.raster import RASTER, RASTER_STYLE, RasterValue
from gen_core.data.images import grid

FRAMES_ACROSS, CODES_ACROSS = 16, 32
"""Pictures in a row of a film, and of the codebook: picture_tokens.js counts on it."""
FILM_BYTES = 150_000


@dataclass(frozen=True, kw_only=True)
class TokenPicturesValue(RasterValue):
    """Pictures of n tokens each. Raises ValueError when lengths do not fit.

    tokens: of each picture those that stand
    columns: how many tokens are in a row
    codebook: of each code uint8 (h, w, 3), what it stands for
    candidates: of each picture, of each of its tokens, the likeliest there, as `candidates` in
        `token_text` has them; none until the pictures are whole
    films: of each picture uint8 (k, H, W, 3): what its first tokens decode to
    every: how many tokens come between two of these
    """

    tokens: Sequence[Sequence[int]]
    columns: int
    codebook: np.ndarray
    candidates: Sequence[Sequence[Sequence[Sequence[int]]]] = ()
    films: Sequence[np.ndarray] = ()
    every: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check("tokens", "candidates", "films")

    def to_json(self) -> dict[str, Any]:
        """With texts for lists of numbers, tokens "12 480", candidates "12 9950 9990,7 50 10;...":
        the page wraps every entry of a list in an object of its own. Films are one picture each."""
        book = grid(self.codebook, CODES_ACROSS, scale=1, gap=0)
        plain = replace(self, tokens=(), candidates=(), films=(), codebook=book)
        films = [grid(film, FRAMES_ACROSS, scale=1, gap=0) for film in self.films]
        return RasterValue.to_json(plain) | {
            "tokens": [numbers(row) for row in self.tokens],
            "candidates": [
                ";".join(",".join(map(numbers, place)) for place in places)
                for places in self.candidates
            ],
            "films": [jpeg_data_url(film, FILM_BYTES) for film in films],
        }


def numbers(row: Sequence[int]) -> str:
    """ "12 480" """
    return " ".join(map(str, row))


def TokenPictures(
    *,
    elem_id: str,
    label: str,
    decode: Callable,
    value: TokenPicturesValue | dict[str, Any] | None = None,
    empty: str = "Press the button to draw.",
) -> gr.HTML:
    """A gr.HTML that shows a `TokenPicturesValue`; `label` is for screen readers. A token that is
    taken goes to the knob `changes` of the panel that elem_id names, and its button is pressed.

    decode: a server function named "decode", of the tokens of a picture as text.
    """
    return card(
        "picture_tokens",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=[*RASTER, "token_text/candidates.js", "picture_tokens/codebook.js"],
        styles=[*RASTER_STYLE, "token_text/candidates.css"],
        asked=[decode],
    )
