"""Pictures pixel by pixel: what each pixel was drawn from, and how surprising it was. One goes
through a picture like a timeline, and gives a pixel another grey.

`PixelByPixel(elem_id=...)` is the component; a handler returns a `PixelsValue` for it.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from demos.page.image_io import CardValue
from demos.widgets.card import card
from demos.widgets.timeline import PLAYER


@dataclass(frozen=True)
class PixelsValue(CardValue):
    """Pictures of n pixels each, in raster order. Raises ValueError when lengths do not fit.

    pictures: uint8 (H, W), the pixels that are not drawn yet of any grey
    titles: of the pictures
    standing: how many pixels of each are drawn; n where the pictures are whole
    bits: of each picture (n,) the surprise of its pixels, -log2 p; none until they are whole
    said: of each picture uint8 (n, levels), as `sheet` makes it: what the network said of a pixel
    drawn: the same of what a pixel was drawn from; none where that is what the network said
    changed: of the pixels that a visitor took: (picture, place), both from 0
    provenance: where they were drawn
    live: whether that was just now
    name: the downloaded file's, without its ending
    """

    pictures: Sequence[np.ndarray]
    titles: Sequence[str]
    standing: int
    _: KW_ONLY
    bits: Sequence[Sequence[float]] = ()
    said: Sequence[np.ndarray] = ()
    drawn: Sequence[np.ndarray] = ()
    changed: Sequence[tuple[int, int]] = ()
    provenance: str
    live: bool = True
    name: str = "pixels"

    def __post_init__(self) -> None:
        for name in ("titles", "bits", "said", "drawn"):
            count = len(getattr(self, name))
            if count not in (0, len(self.pictures)):
                raise ValueError(f"{count} {name} for {len(self.pictures)} pictures")

    def to_json(self) -> dict[str, Any]:
        """The bits of a picture as one text, "3.1 0.02": the page wraps every entry of a list in an
        object of its own."""
        rows = [" ".join(f"{value:.3g}" for value in row) for row in self.bits]
        return super().to_json() | {"bits": rows}


def PixelByPixel(
    *,
    elem_id: str,
    label: str,
    value: PixelsValue | dict[str, Any] | None = None,
    empty: str = "Press the button to draw.",
) -> gr.HTML:
    """A gr.HTML that shows a `PixelsValue`; `label` is for screen readers. A grey that is taken for
    a pixel goes to the knob `changes` of the panel that elem_id names, and its button is pressed.
    """
    return card(
        "pixel_by_pixel",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=[*PLAYER, "card/changes.js", "pixel_by_pixel/greys.js"],
        styles=["timeline/player.css"],
    )


def sheet(p: Tensor) -> np.ndarray:
    """Probabilities (n, levels) as a picture for the browser, uint8: the square root, of which even
    the least that counts is seen, from 0 to 255."""
    return (255 * p.sqrt()).round().to(torch.uint8).cpu().numpy()
