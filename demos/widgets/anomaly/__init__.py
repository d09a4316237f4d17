"""A picture, what a model makes of it, and whether that is odd: scores against a threshold.

`Anomaly(elem_id=...)` is the component; `anomaly_value` makes what a handler returns for it. The
threshold moves in the browser: the value holds every score that it is compared with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from demos.page.figures import png_data_url
from demos.widgets.card import card


@dataclass(frozen=True)
class Score:
    """How a score is called and written."""

    name: str
    """In a sentence, after "its": "error"."""
    axis: str
    """What stands under its axis, with its unit."""
    factor: float = 1.0
    digits: int = 0
    unit: str = ""
    """Right after the figure."""


def Anomaly(*, elem_id: str, label: str, value: dict[str, Any] | None, empty: str) -> gr.HTML:
    """A gr.HTML that shows what `anomaly_value` returns; `label` is for screen readers."""
    return card(
        "anomaly",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=("timeline/charts.js", "anomaly/charts.js"),
        styles=("anomaly/charts.css",),
    )


def anomaly_value(
    pictures: Sequence[tuple[str, str, np.ndarray]],
    own: Mapping[str, float],
    measured: Mapping[str, Any],
    scores: Mapping[str, Score],
    *,
    examples: Mapping[str, np.ndarray],
    score: str,
    allowed: float,
    about: str,
    provenance: str,
    name: str,
    live: bool = True,
) -> dict[str, Any]:
    """Everything as plain JSON.

    Args:
        pictures: (title, alternative text, uint8 (H, W, 3)) of each.
        own: the picture's scores.
        measured: as `gen_core.latent.anomaly.measure` returns it.
        examples: a picture of each kind of odd ones, uint8 (H, W, 3).
        score: the one that counts at first.
        allowed: false alarms, in percent, that set the threshold.
        about: what the scores were measured on, in a sentence.
    """
    return {
        "pictures": [
            {"title": title, "alt": alt, "src": png_data_url(pixels)}
            for title, alt, pixels in pictures
        ],
        "own": dict(own),
        "measured": dict(measured),
        "scores": {key: vars(score) for key, score in scores.items()},
        "examples": {kind: png_data_url(pixels) for kind, pixels in examples.items()},
        "score": score,
        "allowed": allowed,
        "measured_on": about,
        "provenance": provenance,
        "name": name,
        "live": live,
    }
