"""A training of the adversarial lab, live: the plane with samples, the discriminator's verdict on
it, and curves, all on a timeline that grows while the run goes on.

`Lab(elem_id=...)` is the component; a handler yields `LabValue`s for it, made of the texts of a
`Film`.
"""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from demos.page.image_io import CardValue
from demos.widgets.card import card
from demos.widgets.plane import FILM, on_plane
from demos.widgets.timeline import PLAYER
from gen_core.lab import Frame
from gen_core.lab.measures import CELLS, LATTICE, SHOWN

ARROWS = 64
"""Samples of which is shown where they are sent."""
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
SCRIPTS = [*PLAYER, "timeline/charts.js", *FILM]
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


def verdict(logit: Tensor, loss: str) -> Tensor:
    """What a discriminator's logits say, from -1 (fake) to 1 (real): 2 sigmoid - 1. Of a loss that
    only compares, against the plane's median and by their spread."""
    if loss in RELATIVE:
        logit = 2 * (logit - logit.median()) / logit.std().clamp(min=1e-6)
    elif loss == "least squares":
        logit = 4 * logit - 2  # which aims at 0 and 1
    return torch.tanh(logit / 2).nan_to_num()
