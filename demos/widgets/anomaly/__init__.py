"""A picture, what a model makes of it, and whether that is odd: scores against a threshold.

`Anomaly(elem_id=...)` is the component; a handler returns an `AnomalyValue` for it. The threshold
moves in the browser: the value holds every score that it is compared with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from demos.page.image_io import CardValue, Value
from demos.widgets.card import card


@dataclass(frozen=True)
class Score(Value):
    """How a score is called and written.

    name: in a sentence, after "its": "error"
    axis: what stands under its axis, with its unit
    unit: right after the figure
    """

    name: str
    axis: str
    factor: float = 1.0
    digits: int = 0
    unit: str = ""


@dataclass(frozen=True)
class Picture(Value):
    """One of those side by side.

    alt: what it shows, for those who do not see it
    src: uint8 (H, W, 3)
    """

    title: str
    alt: str
    src: np.ndarray


@dataclass(frozen=True, kw_only=True)
class AnomalyValue(CardValue):
    """The pictures, and every score that the threshold is compared with.

    own: the picture's scores
    measured: as `gen_core.latent.anomaly.measure` returns it
    examples: a picture of each kind of odd ones, uint8 (H, W, 3)
    score: the one that counts at first
    allowed: false alarms, in percent, that set the threshold
    measured_on: what the scores were measured on, in a sentence
    """

    pictures: Sequence[Picture]
    own: Mapping[str, float]
    measured: Mapping[str, Any]
    scores: Mapping[str, Score]
    examples: Mapping[str, np.ndarray]
    score: str
    allowed: float
    measured_on: str
    provenance: str
    name: str
    live: bool = True


def Anomaly(
    *, elem_id: str, label: str, value: AnomalyValue | dict[str, Any] | None, empty: str
) -> gr.HTML:
    """A gr.HTML that shows an `AnomalyValue`; `label` is for screen readers."""
    return card(
        "anomaly",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=("timeline/charts.js", "anomaly/charts.js"),
        styles=("anomaly/charts.css",),
    )
