"""What pictures cost in bits: maps of where the bits go, and for each model a bar of its parts.

`BitStacks(elem_id=...)` is the component; a handler returns a `BitStacksValue` for it.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from demos.page.image_io import CardValue, Value
from demos.widgets.card import card

MOST_BITS = 8.0
"""From which on a pixel of a map is no brighter: what a pixel takes as it is."""
GLOW = torch.tensor([[0.0, 0, 0], [146, 64, 14], [251, 191, 36], [255, 255, 255]])
"""The colours of a map, from none to all."""


@dataclass(frozen=True)
class Stack(Value):
    """What one model, or file format, says of a picture.

    title: who says it: "VAE, at most"
    bits: a pixel, of each of the value's parts
    """

    title: str
    bits: Sequence[float]


@dataclass(frozen=True)
class Picture(Value):
    """A picture with its maps, one each of the value's, and its stacks."""

    title: str
    picture: np.ndarray
    maps: Sequence[np.ndarray]
    stacks: Sequence[Stack]


@dataclass(frozen=True)
class BitStacksValue(CardValue):
    """Pictures below each other. Raises ValueError when lengths do not fit.

    parts: what a stack is made of: "background", "edges"
    maps: what the maps are
    plain: bits of a pixel as it is, a line across all stacks
    caption: stands below
    provenance: where the picture comes from
    live: whether that was just now
    name: the downloaded file's, without its ending
    """

    pictures: Sequence[Picture]
    parts: Sequence[str]
    maps: Sequence[str]
    _: KW_ONLY
    plain: float = MOST_BITS
    caption: str = ""
    provenance: str
    live: bool = True
    name: str = "bits"

    def __post_init__(self) -> None:
        for picture in self.pictures:
            counts = {len(stack.bits) for stack in picture.stacks}
            if counts != {len(self.parts)} or len(picture.maps) != len(self.maps):
                raise ValueError(f"{picture.title!r} has {counts} parts, {len(picture.maps)} maps")


def BitStacks(
    *,
    elem_id: str,
    label: str,
    value: BitStacksValue | dict[str, Any] | None = None,
    empty: str = "Press the button to count bits.",
) -> gr.HTML:
    """A gr.HTML that shows a `BitStacksValue`; `label` is for screen readers."""
    return card("bit_stacks", elem_id=elem_id, label=label, value=value, empty=empty)


def bit_map(bits: Tensor) -> np.ndarray:
    """Bits of each pixel (H, W) as a picture, uint8 (H, W, 3): black for none, the brighter the
    more."""
    place = (bits / MOST_BITS).clamp(0, 1) * (len(GLOW) - 1)
    low = place.long().clamp(max=len(GLOW) - 2)
    share = (place - low)[..., None]
    return ((1 - share) * GLOW[low] + share * GLOW[low + 1]).round().to(torch.uint8).numpy()
