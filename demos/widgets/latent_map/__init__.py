"""A map of latent space in the browser: encodings as points, and a picture wherever one points.

The widget's value is a path on the map as text, "near:-0.5,0;0.2,0.3": short enough for a link.
The same text with one place goes to the server for every picture. One parser, `parse_path`, checks
them all.
"""

import functools
import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from demos.page.handlers import App
from demos.page.image_io import in_base64, png_data_url
from demos.widgets.live_knob import LiveKnob, LivePicture
from gen_core.knobs import KnobError, Text, as_number, choice, number, shown
from gen_core.latent.atlas import Atlas
from gen_core.training.checkpoint import CheckpointError

MOST_PLACES = 40
MOST_CHARACTERS = 1000
FINE = 10_000
"""Points travel as whole parts of the map's reach, this many."""


@dataclass(frozen=True)
class Path:
    """Places on one of the maps, in order."""

    view: str
    places: tuple[tuple[float, float], ...]

    def __str__(self) -> str:
        return f"{self.view}:{';'.join(f'{x:g},{y:g}' for x, y in self.places)}"


def parse_path(
    text: Any, reaches: Mapping[str, float], least: int = 2, most: int = MOST_PLACES
) -> Path:
    """ "view:x,y;x,y;..." as a Path of `least` to `most` places. Raises KnobError.

    reaches: how far each view goes from its middle, in its own unit.
    """
    name, colon, rest = Text("path", "", longest=MOST_CHARACTERS).check(text).partition(":")
    if not colon:
        raise KnobError(f"path={shown(text)}: write a map, a colon and places, near:0,0;0.5,-0.2")
    view = choice("map", name, list(reaches))
    parts = rest.split(";")
    if not least <= len(parts) <= most:
        wanted = least if least == most else f"{least} to {most}"
        raise KnobError(f"path has {len(parts)} places: choose {wanted}")
    return Path(view, tuple(_place(i + 1, part, reaches[view]) for i, part in enumerate(parts)))


def _place(which: int, text: str, reach: float) -> tuple[float, float]:
    x, comma, y = text.partition(",")
    if not comma:
        raise KnobError(f"place {which}={shown(text)}: write two numbers and a comma between them")
    named = {f"x of place {which}": x, f"y of place {which}": y}
    return tuple(number(name, as_number(part), -reach, reach) for name, part in named.items())


@dataclass(frozen=True)
class Column:
    """What the points can be coloured by."""

    title: str
    marks: Tensor
    """(N,) int: the place of each point's colour in `colours`; below 0 where it does not show."""
    colours: Sequence[str]
    """CSS."""
    names: Sequence[str] = ()
    """What each colour stands for; none for a measure, whose colours are a ramp."""
    ends: tuple[str, str] = ("", "")
    """Of a measure: its lower end in words, and its upper."""
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class View:
    """One map: where the encodings of a model lie on it, and which code a place stands for."""

    title: str
    model: str
    reach: float
    """From the middle to the edge."""
    atlas: Callable[[App, str], Atlas]
    """(app, model) -> what the model's checkpoint knows of its latent space; KeyError: nothing"""
    axes: tuple[str, str]
    """What goes across and what goes up."""
    start: str
    """A path to begin with: "x,y;x,y;..." """
    places: Callable[[Any, Atlas], Tensor]
    """(model, atlas) -> (N, 2)"""
    codes: Callable[[Any, Atlas, Tensor], Tensor]
    """(model, atlas, places (M, 2)) -> (M, latent)"""
    columns: Callable[[Atlas], list[Column]]
    bent: bool = False
    """Whether equally long ways on it can be short and long in latent space."""
    ground: Callable[[Any, float], np.ndarray] | None = None
    """(model, reach) -> uint8 (H, W), what lies under the points."""

    def known(self, app: App) -> Atlas:
        """The atlas of its model. Raises CheckpointError where there is none."""
        try:
            return self.atlas(app, self.model)
        except KeyError as error:
            raise CheckpointError(
                f"the weights of {self.model} hold no map: train or download them anew"
            ) from error

    def codes_at(self, app: App, places: Tensor) -> Tensor:
        """places (M, 2) -> (M, latent), on the model's device"""
        model = app.model(self.model)
        return self.codes(model, self.known(app), places).to(model.device)

    @torch.inference_mode()
    def pictures(self, app: App, places: Tensor) -> Tensor:
        """places (M, 2) -> what they decode to, (M, C, H, W) in [-1, 1]"""
        return app.model(self.model).decode(self.codes_at(app, places))


class Guide:
    """What the map asks the server; each answer is JSON or a `Value`."""

    def __init__(self, app: App, views: Mapping[str, View]) -> None:
        self.app, self.views = app, views
        self.reaches = {name: view.reach for name, view in views.items()}

    def describe(self, name: Any) -> dict[str, Any]:
        """A map's points with all they can be coloured by, and what lies under them."""
        return _description(self.app, self.views[choice("map", name, list(self.views))])

    def decode(self, text: Any) -> LivePicture:
        """What a place, as text, decodes to."""
        path = parse_path(text, self.reaches, least=1, most=1)
        view, places = self.views[path.view], torch.tensor(path.places)
        return LivePicture.of(lambda: view.pictures(self.app, places), {})


@functools.lru_cache(maxsize=8)
def _description(app: App, view: View) -> dict[str, Any]:
    model, about = app.model(view.model), view.known(app)
    places = view.places(model, about) / view.reach
    inside = places.abs().amax(1) <= 1
    columns = view.columns(about)
    fine = (places[inside] * FINE).round()
    marks = torch.stack([column.marks[inside] for column in columns])
    return {
        "reach": view.reach,
        "axes": view.axes,
        "start": view.start,
        "points": in_base64(fine.numpy().astype(np.int16)),
        "beyond": int((~inside).sum()),
        "marks": in_base64(marks.numpy().astype(np.int8)),
        "columns": [
            {
                "title": column.title,
                "colours": column.colours,
                "names": column.names,
                "ends": column.ends,
                "range": (column.low, column.high),
            }
            for column in columns
        ],
        "ground": png_data_url(view.ground(model, view.reach)) if view.ground else "",
    }


@dataclass(frozen=True)
class PathKnob(LiveKnob):
    """A knob whose component is the map: the path travels in links and into the lines shown."""

    views: Mapping[str, View] | None = None

    def component(self) -> gr.components.Component:
        before, guide = self.before(), Guide(self.app, self.views)
        view_buttons = "".join(
            f'<button type="button" data-view="{name}" aria-pressed="false">'
            f"{html.escape(view.title)}</button>"
            for name, view in self.views.items()
        )
        return self.widget(
            "latent_map",
            [guide.describe, guide.decode],
            {
                "FINE": str(FINE),
                "FIRST_NOTE": before.note if before else "",
                "FIRST_PICTURE": png_data_url(before.value["pictures"][0]) if before else "",
            },
            html_baked={"VIEWS": view_buttons},
            scripts=["latent_map/latent_map_points.js"],
        )

    def check(self, value: Any) -> Path:
        return parse_path(value, {name: view.reach for name, view in self.views.items()})
