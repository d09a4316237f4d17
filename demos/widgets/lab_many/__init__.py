"""The same games of the lab from many seeds, as small pictures that train together.

`LabMany(elem_id=...)` is the component; a handler yields `LabManyValue`s for it.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import gradio as gr
import numpy as np
from torch import Tensor

from demos.page.image_io import CardValue
from demos.widgets.card import card
from demos.widgets.lab import SCRIPTS, STYLES
from demos.widgets.plane import on_plane
from gen_core.lab.measures import Modes

POINTS = 64
"""Samples of each run that are shown."""


@dataclass(frozen=True)
class LabManyValue(CardValue):
    """Runs of one game, or of two side by side, as far as they have come.

    titles: of the games
    seeds: of the runs, the same for each game
    chunks: what a `Film` has told
    layout: of a record in it
    total: steps of the whole run
    modes: of the data of each game; 0 for a set without modes
    centres: of each game's modes, or some of its data, as text, uint8
    counts: of each game, how its runs have ended, in words; none while they have not
    outcomes: of each game, a word for each run: "all", "part", "collapsed", "stray", or "" for a
        set without modes; none while they have not ended
    verdict: the count, in a sentence; "" while they have not ended
    foretold: what a visitor had predicted, beside it
    look: what to look for; "" where nothing is known of these settings
    provenance: where they were trained
    live: whether that was just now
    name: the downloaded file's, without its ending
    """

    titles: Sequence[str]
    seeds: Sequence[int]
    chunks: Sequence[str]
    layout: Sequence[Sequence[Any]]
    total: int
    modes: Sequence[int]
    centres: Sequence[str]
    _: KW_ONLY
    counts: Sequence[str] = ()
    outcomes: Sequence[Sequence[str]] = ()
    verdict: str = ""
    foretold: str = ""
    look: str = ""
    provenance: str
    live: bool = True
    name: str = "lab-many"


def LabMany(
    *,
    elem_id: str,
    label: str,
    value: LabManyValue | dict[str, Any] | None = None,
    empty: str = "Press Train.",
) -> gr.HTML:
    """A gr.HTML that shows a `LabManyValue`; `label` is for screen readers."""
    return card(
        "lab_many",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=SCRIPTS,
        styles=STYLES,
    )


def record_type(runs: int) -> np.dtype:
    """A frame of so many runs as it travels."""
    return np.dtype(
        [
            ("step", "<f4"),
            ("covered", "u1", runs),
            ("on_modes", "u1", runs),
            ("divergence", "u1", runs),
            ("samples", "u1", (runs, POINTS, 2)),
        ]
    )


def record_of(step: int, samples: Tensor, divergence: Tensor, modes: Modes) -> np.ndarray:
    """samples (runs, N, 2), divergence (runs,), modes of (runs,). Shares are sent in percent."""
    row = np.zeros((), record_type(len(samples)))
    row["step"] = step
    row["covered"] = modes.covered.numpy()
    row["on_modes"] = (100 * modes.on_modes).floor().numpy()
    row["divergence"] = (100 * divergence).round().numpy()
    row["samples"] = on_plane(samples[:, :POINTS], np.uint8)
    return row
