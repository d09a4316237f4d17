"""A training of the adversarial lab, live: the plane with samples, the discriminator's verdict on
it, and curves, all on a timeline that grows while the run goes on.

`Lab(elem_id=...)` is the component; a handler yields `LabValue`s for it, made of the texts of a
`Film`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from demos.page.image_io import CardValue, in_base64
from demos.widgets.card import card
from demos.widgets.timeline import PLAYER
from gen_core.lab import Frame
from gen_core.lab.measures import CELLS, LATTICE, SHOWN

SPAN = 4.0
"""Places are sent from -SPAN to SPAN; what is beyond stands there, outside of what is drawn."""
ARROWS = 64
"""Samples of which is shown where they are sent."""
MOST_TOGETHER, LONGEST = 30, 1.0
"""Frames, and seconds, after which those that wait make a message."""
RELATIVE = ("wasserstein", "relativistic")
"""Losses for which only differences between logits mean anything."""
RECORD = np.dtype(
    [
        ("step", "<f4"),
        ("losses", "<f4", 2),
        ("divergence", "<f4"),
        ("wasserstein", "<f4"),
        ("covered", "<f4"),
        ("on_modes", "<f4"),
        ("samples", "<u2", (SHOWN, 2)),
        ("lattice", "<u2", (LATTICE, LATTICE, 2)),
        ("field", "u1", (CELLS, CELLS)),
        ("pull", "i1", (ARROWS, 2)),
    ]
)
"""A frame of one run as it travels. NaN, a loss before the first step, is no JSON, but is a float.
"""
SCRIPTS = [*PLAYER, "timeline/charts.js", "lab/film.js"]
STYLES = ["timeline/player.css", "timeline/charts.css"]


@dataclass(frozen=True)
class LabValue(CardValue):
    """A run as far as it has come.

    chunks: what a `Film` has told
    layout: of a record in it, as `layout_of` says
    real: points of the data, as `in_base64(on_plane(...))`
    total: steps of the whole run
    modes: of the data; 0 for a set without modes
    look: what to look for; "" where nothing is known of these settings
    changed: settings that differ from the defaults, in words
    verdict: how it has ended; "" while it has not
    turns: by which the server knows the run's last state; "" while there is none
    provenance: where it was trained
    live: whether that was just now
    name: the downloaded file's, without its ending
    """

    chunks: Sequence[str]
    layout: Sequence[Sequence[Any]]
    real: str
    total: int
    modes: int
    _: KW_ONLY
    look: str = ""
    changed: str = ""
    verdict: str = ""
    turns: str = ""
    provenance: str
    live: bool = True
    name: str = "lab"


def Lab(
    *,
    elem_id: str,
    label: str,
    value: LabValue | dict[str, Any] | None = None,
    empty: str = "Press Train.",
    asked: Sequence[Callable] = (),
) -> gr.HTML:
    """A gr.HTML that shows a `LabValue`; `label` is for screen readers, `asked` what it may ask the
    server besides files."""
    return card(
        "lab",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=[*SCRIPTS, "lab/plane.js"],
        styles=STYLES,
        asked=asked,
    )


# --- frames as they travel ------------------------------------------------------------------------


class Film:
    """Frames of a run, in texts: a list that only grows, of which Gradio sends what is new."""

    def __init__(self) -> None:
        self.chunks: list[str] = []
        self._waiting: list[bytes] = []
        self._since = 0.0

    def add(self, record: np.ndarray) -> None:
        """A record, of a dtype that is the same for all."""
        self._waiting.append(record.tobytes())

    @property
    def due(self) -> bool:
        """Whether so many wait, or for so long, that they should be told."""
        late = time.monotonic() - self._since > LONGEST
        return bool(self._waiting) and (late or len(self._waiting) >= MOST_TOGETHER)

    def told(self) -> list[str]:
        """All texts, those that waited as one more."""
        if self._waiting:
            self.chunks.append(in_base64(b"".join(self._waiting)))
        self._waiting, self._since = [], time.monotonic()
        return [*self.chunks]


def layout_of(record: np.dtype) -> list[list[Any]]:
    """[name, type, offset, count] of each field, and of the whole ["", "", size, 0]."""
    parts = [(name, *record.fields[name]) for name in record.names]
    fields = [
        [name, part.base.str[1:], offset, int(np.prod(part.shape, initial=1))]
        for name, part, offset in parts
    ]
    return [*fields, ["", "", record.itemsize, 0]]


def record_of(frame: Frame, loss: str) -> np.ndarray:
    """The frame of the first run, with a discriminator of that loss."""
    modes = frame.modes
    row = np.zeros((), RECORD)
    row["step"] = frame.step
    row["losses"] = [float(loss[0]) for loss in frame.losses]
    row["divergence"], row["wasserstein"] = float(frame.divergence[0]), float(frame.wasserstein[0])
    if modes is not None:
        row["covered"], row["on_modes"] = int(modes.covered[0]), float(modes.on_modes[0])
    row["samples"], row["lattice"] = on_plane(frame.samples[0]), on_plane(frame.lattice[0])
    row["field"] = (127.5 + 127.5 * verdict(frame.field[0], loss)).round().numpy()
    pull = frame.pull[0, :ARROWS].nan_to_num()
    length = pull.norm(dim=1, keepdim=True).clamp(min=1e-12)
    row["pull"] = (127 * length.tanh() * pull / length).round().numpy()
    return row


def on_plane(x: Tensor, kind: type[np.unsignedinteger] = np.uint16) -> np.ndarray:
    """Places as whole numbers of that kind, in the order of x: -SPAN is 0, SPAN the largest; NaN is
    far away."""
    share = x.nan_to_num(SPAN).clamp(-SPAN, SPAN) / (2 * SPAN) + 0.5
    return (np.iinfo(kind).max * share).round().numpy().astype(kind)


def verdict(logit: Tensor, loss: str) -> Tensor:
    """What a discriminator's logits say, from -1 (fake) to 1 (real): 2 sigmoid - 1. Of a loss that
    only compares, against the plane's median and by their spread."""
    if loss in RELATIVE:
        logit = 2 * (logit - logit.median()) / logit.std().clamp(min=1e-6)
    elif loss == "least squares":
        logit = 4 * logit - 2  # which aims at 0 and 1
    return torch.tanh(logit / 2).nan_to_num()
