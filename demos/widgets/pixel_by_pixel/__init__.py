"""Pictures pixel by pixel: what each pixel was drawn from, and how surprising it was. One goes
through a picture like a timeline, and gives a pixel another grey.

`PixelByPixel(elem_id=...)` is the component; a handler returns a `PixelsValue` for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from demos.widgets.card import card
from demos.widgets.raster import RASTER, RASTER_STYLE, RasterValue


@dataclass(frozen=True, kw_only=True)
class PixelsValue(RasterValue):
    """Pictures of n pixels each. Raises ValueError when lengths do not fit.

    said: of each picture uint8 (n, levels), as `sheet` makes it: what the network said of a pixel
    drawn: the same of what a pixel was drawn from; none where that is what the network said
    """

    said: Sequence[np.ndarray] = ()
    drawn: Sequence[np.ndarray] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check("said", "drawn")


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
        scripts=[*RASTER, "pixel_by_pixel/greys.js"],
        styles=RASTER_STYLE,
    )


def sheet(p: Tensor) -> np.ndarray:
    """Probabilities (n, levels) as a picture for the browser, uint8: the square root, of which even
    the least that counts is seen, from 0 to 255."""
    return (255 * p.sqrt()).round().to(torch.uint8).cpu().numpy()
