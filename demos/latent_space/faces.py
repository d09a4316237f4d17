"""A face to work on: a portrait by its number, a random code, a drawing or an upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from torch import Tensor

from demos.handlers import App
from demos.knobs import Knob, Knobs, raw
from demos.latent_space.models import MOST_PORTRAITS, PORTRAITS, UNSEEN_FROM, code_of, portrait
from demos.picture_files import in_data_url, prepare_colour
from demos.pictures import Lines
from demos.upload import Upload, path_of
from demos.widgets.drawing import DrawingPad
from gen_core import Noise
from gen_core.checks import whole

PORTRAIT, RANDOM, DRAWING, UPLOAD = "A portrait", "A random code", "A drawing", "An upload"


@dataclass(frozen=True)
class Face:
    z: Tensor
    """(1, latent), on the CPU."""
    name: str
    """Ready to read: "portrait 12"."""


def number_knob(name: str, title: str, default: int, **more: Any) -> Knob:
    """A portrait by its number."""
    return Knob(name, title, "seed", default, **more)


def numbered(app: App, number: int) -> Face:
    """Raises KnobError for a number beyond the portraits."""
    number = whole("portrait", number, 0, MOST_PORTRAITS - 1)
    return Face(code_of(app, PORTRAITS, portrait(number)), f"portrait {number}")


class FaceInput:
    """Controls that choose a face. Several on one panel need different prefixes."""

    def __init__(self, app: App, *, title: str, prefix: str, number: int) -> None:
        self.app, self.prefix = app, prefix
        self.knobs = [
            Knob(f"{prefix}source", title, "choice", PORTRAIT,
                 options=[PORTRAIT, RANDOM, DRAWING, UPLOAD]),
            number_knob(f"{prefix}number", "Number", number),
        ]  # fmt: skip
        self.inputs: dict[str, gr.components.Component] = {}
        """What a run needs besides the knobs, by name: the drawing and the upload."""

    def build(self, knobs: Knobs) -> None:
        """Puts the controls on the page; only those of the chosen source are shown."""
        source, number = (knob.name for knob in self.knobs)
        knobs.build(source, number)
        with gr.Column(visible=False, elem_classes=["drawing-column"]) as column:
            drawing = raw(DrawingPad(label="Draw a face", colour=True))
        upload = Upload(label="A picture, up to 4096 pixels a side", visible=False, height=130)
        self.inputs = {f"{self.prefix}drawing": drawing, f"{self.prefix}upload": upload}
        knobs.built[source].change(
            _shown, knobs.built[source], [knobs.built[number], column, upload],
            queue=False, show_progress="hidden", api_visibility="private",
        )  # fmt: skip

    def read(self, drawing: Any, upload: Any, settings: Mapping[str, Any]) -> Face:
        """The chosen face. Raises KnobError with a message for the visitor."""
        source, number = (settings[knob.name] for knob in self.knobs)
        if source == PORTRAIT:
            return numbered(self.app, number)
        if source == RANDOM:
            size = self.app.model(PORTRAITS).config.latent
            return Face(Noise([number]).randn(size), f"the code of seed {number}")
        if source == DRAWING:
            x = prepare_colour(in_data_url(drawing, "drawing"), "drawing")
            return Face(code_of(self.app, PORTRAITS, x), "your drawing")
        x = prepare_colour(path_of(upload))
        return Face(code_of(self.app, PORTRAITS, x), "your upload")

    def code(self, settings: Mapping[str, Any], name: str) -> Lines:
        """Lines that make the same code, `name` (1, latent), from `model`."""
        source, number = (settings[knob.name] for knob in self.knobs)
        if source == PORTRAIT:
            return portrait_code(number, name)
        if source == RANDOM:
            draw = f"Noise([{number}]).randn(model.config.latent).to(model.device)"
            return Lines([("gen_core", "Noise")], [f"{name} = {draw}"])
        return Lines(
            [("demos.picture_files", "prepare_colour")],
            [
                'x = prepare_colour("picture.png")  # your picture, saved under this name',
                f"{name} = model.encode(x.to(model.device))[0]",
            ],
        )


def portrait_code(number: int, name: str) -> Lines:
    """Lines that draw a portrait by its number and encode it as `name`."""
    return Lines(
        [("gen_core.data.avatars", "avatars")],
        [
            f"x = avatars([{UNSEEN_FROM + number}])[0].float() / 127.5 - 1  # one of its own",
            f"{name} = model.encode(x.to(model.device))[0]",
        ],
    )


def _shown(source: str) -> list[Any]:
    visible = (source in (PORTRAIT, RANDOM), source == DRAWING, source == UPLOAD)
    return [gr.update(visible=shown) for shown in visible]
