"""The same noise on several roads to the same data: small planes side by side on one clock, and
curves of what few steps are worth.

`Roads(elem_id=...)` is the component; a handler yields `RoadsValue`s for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from demos.page.image_io import CardValue, Value, in_base64
from demos.widgets.card import card
from demos.widgets.plane import FILM, on_plane
from demos.widgets.timeline import PLAYER

REACH = 2.5
"""The planes are drawn from -REACH to REACH."""
GRID = 13
"""Arrows of a field, on a side of the plane."""
FAST = 2.0
"""A speed at which an arrow has three quarters of its greatest length."""


@dataclass(frozen=True)
class RoadValue(Value):
    """One of the roads; all figures are None until they are measured.

    title: its name
    note: what is particular about it
    points: where all points are at each time, as `places_text` says; "" before there are any
    arrows: the field at each time, as `arrows_text` says; "" where it is that of the next road
    exact: the same of a perfect network; "" where there is none to compare with
    waits: what is still missing, in words
    evaluations: of the network, for each point
    straightness: 0 where one step does; None also for a road with fresh noise
    wasserstein: distance between the ends and the data
    error: mean distance between the ends and those of 200 fine steps; None also for fresh noise
    """

    title: str
    note: str
    points: str = ""
    arrows: str = ""
    exact: str = ""
    waits: str = ""
    evaluations: int | None = None
    straightness: float | None = None
    wasserstein: float | None = None
    error: float | None = None


@dataclass(frozen=True)
class RoadsValue(CardValue):
    """Roads, or how far the networks have come that will lead there.

    roads: side by side, in this order
    times: of the key frames, from 0 (noise) to 1 (data); [1] while the networks train
    real: points of the data, as `places_text` says
    start: the points of noise where all roads begin
    stage: what goes on, while the networks train
    curves: charts as `timeline/charts.js` draws them; none until they are measured
    chosen: the point of the curves that stands for the visitor's own steps
    verdict: what was measured, in a sentence; "" until it is
    run: by which the server knows the fields; "" where it does not
    provenance: where it was computed
    live: whether that was just now
    name: the downloaded file's, without its ending
    """

    roads: Sequence[RoadValue]
    times: Sequence[float]
    real: str
    start: str
    _: KW_ONLY
    stage: str = ""
    curves: Sequence[dict[str, Any]] = ()
    chosen: int = 0
    verdict: str = ""
    run: str = ""
    provenance: str
    live: bool = True
    name: str = "roads"


def Roads(
    *,
    elem_id: str,
    label: str,
    value: RoadsValue | dict[str, Any] | None = None,
    empty: str = "Press Go.",
    asked: Sequence[Callable] = (),
) -> gr.HTML:
    """A gr.HTML that shows a `RoadsValue`; `label` is for screen readers, `asked` what it may ask
    the server besides files."""
    return card(
        "roads",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=[*PLAYER, "timeline/charts.js", *FILM, "roads/road_plane.js"],
        styles=["timeline/player.css", "timeline/charts.css"],
        asked=asked,
    )


def places_text(x: Tensor) -> str:
    """Places (..., 2) as uint16, see `on_plane`."""
    return in_base64(on_plane(x))


def arrows_text(velocities: Tensor) -> str:
    """(frames, GRID * GRID, 2) of any size as int8, 127 for the fastest."""
    speed = velocities.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    arrows = 127 * (speed / FAST).tanh() * velocities / speed
    return in_base64(arrows.nan_to_num().round().to(torch.int8).numpy())
