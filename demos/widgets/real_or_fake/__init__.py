"""Real or fake? Pictures to be told apart one after the other, then the truth, beside what a
network said of the same ones.

`RealOrFake(elem_id=...)` is the component; a handler yields a `RealOrFakeValue` for it. The browser
keeps what was guessed during this visit.
"""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import gradio as gr
import numpy as np

from demos.page.image_io import CardValue, in_base64
from demos.widgets.card import card


@dataclass(frozen=True)
class RealOrFakeValue(CardValue):
    """One round.

    pictures: uint8 (H, W) each
    sealed: the truth, as `sealed` makes it
    classes: names of what pictures show
    opponent: who drew those that are not real, by name
    against: the same as a visitor reads it
    seed: by which a round is known among those against one opponent
    provenance: where the pictures come from
    live: whether that was just now
    name: the downloaded file's, without its ending
    """

    pictures: Sequence[np.ndarray]
    sealed: str
    classes: Sequence[str]
    opponent: str
    against: str
    seed: int
    _: KW_ONLY
    provenance: str
    live: bool = True
    name: str = "real-or-fake"


def RealOrFake(
    *,
    elem_id: str,
    label: str,
    value: RealOrFakeValue | dict[str, Any] | None = None,
    empty: str,
    asked: Sequence[Callable],
) -> gr.HTML:
    """A gr.HTML that shows a `RealOrFakeValue`; `label` is for screen readers, `asked` what it may
    ask the server besides files: `tally`."""
    return card("real_or_fake", elem_id=elem_id, label=label, value=value, empty=empty, asked=asked)


def sealed(real: Sequence[bool], chances: Sequence[float], classes: Sequence[int]) -> str:
    """The truth of each picture in a form that nobody reads at a glance: whether it is real, how
    likely the network calls that, the number of what it shows (-1: nobody knows)."""
    rows = np.stack([np.asarray(part, np.float32) for part in (real, chances, classes)], axis=1)
    return in_base64(rows)
