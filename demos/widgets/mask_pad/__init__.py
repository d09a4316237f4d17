"""A picture, and a mask that is painted over it by hand."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
from torch import Tensor

from demos.page.controls import Knob
from demos.page.image_io import PREFIX, Value, as_json
from demos.page.picture_files import COLOUR_SIDE, mask_url, prepare_mask
from demos.widgets.card import read

STACK = "mask-stack"
"""The class of a column in which the pad lies over the picture; shell.css says how."""
FRAME = '<figure class="masked-picture"><img hidden><figcaption></figcaption></figure>'


def MaskedPicture(*, value: Value | dict[str, str] | None) -> gr.HTML:
    """A gr.HTML that shows a `MaskedPictureValue`, as large as the pad above it."""
    return gr.HTML(
        value=as_json(value),
        html_template=FRAME,
        css_template=read("mask_pad/mask_pad.css"),
        js_on_load=read("mask_pad/masked_picture.js"),
        apply_default_css=False,
    )


@dataclass(frozen=True)
class MaskedPictureValue(Value):
    """The picture that lies under the mask.

    picture: uint8 (H, W, 3); "" for none
    note: what it shows, or why there is none
    """

    picture: np.ndarray | str
    note: str


@dataclass(frozen=True)
class MaskKnob(Knob):
    """A knob whose component is the pad: the mask travels in links and into the lines shown.

    Its value is a PNG data URL, white where it is painted; "" for nothing.
    """

    side: int = COLOUR_SIDE
    """Of the picture that lies beneath."""

    def component(self) -> gr.components.Component:
        return gr.HTML(
            value=self.default,
            label=self.label,
            html_template=read("mask_pad/mask_pad.html"),
            css_template=read("card/pad.css"),
            js_on_load=read("card/pad.js", "mask_pad/mask_pad.js"),
            apply_default_css=False,
        )

    def check(self, value: Any) -> Tensor | None:
        """(1, 1, side, side): 1 where to redraw; None where nothing is marked."""
        return prepare_mask(value, self.side)

    def from_text(self, text: str) -> str:
        return mask_url(self.check(text))


def in_pieces(url: str, length: int = 76) -> list[str]:
    """A mask's long URL as lines of Python that make it."""
    cuts = [0, *range(len(PREFIX), len(url), length), len(url)]
    return [f'    "{url[a:b]}"' for a, b in zip(cuts, cuts[1:], strict=False)]
