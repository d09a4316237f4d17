"""A face to work on: a portrait by its number, a random code, a drawing or an upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from torch import Tensor

from demos.page.controls import Knob
from demos.page.handlers import App
from demos.page.source import Lines, Shown, Source
from demos.tabs.latent_space.models import MOST_PORTRAITS, PORTRAITS, UNSEEN_FROM, code_of, portrait
from gen_core import Noise
from gen_core.checks import whole

PORTRAIT, RANDOM, DRAWING, UPLOAD = "A portrait", "A random code", Source.drawing, Source.upload


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


class FaceInput(Source):
    """Controls that choose a face."""

    def __init__(self, app: App, *, title: str, prefix: str, number: int) -> None:
        options = [PORTRAIT, RANDOM, DRAWING, UPLOAD]
        knobs = [
            Knob(f"{prefix}source", title, "choice", PORTRAIT, options=options),
            number_knob(f"{prefix}number", "Number", number),
        ]
        super().__init__(app, knobs, prefix)

    def shown_with(self, *knobs: gr.components.Component) -> Shown:
        return {knobs[0]: lambda choice: choice in (PORTRAIT, RANDOM)}

    def read(self, drawing: Any, upload: Any, settings: Mapping[str, Any]) -> Face:
        """The chosen face. Raises KnobError with a message for the visitor."""
        if own := self.brought(drawing, upload, settings):
            return Face(code_of(self.app, PORTRAITS, own.x), own.origin)
        source, number = self.values(settings)
        if source == PORTRAIT:
            return numbered(self.app, number)
        size = self.app.model(PORTRAITS).config.latent
        return Face(Noise([number]).randn(size), f"the code of seed {number}")

    def code(self, settings: Mapping[str, Any], name: str) -> Lines:
        """Lines that make the same code, `name` (1, latent), from `model`."""
        source, number = self.values(settings)
        if source == PORTRAIT:
            return portrait_code(number, name)
        if source == RANDOM:
            draw = f"Noise([{number}]).randn(model.config.latent).to(model.device)"
            return Lines([("gen_core", "Noise")], [f"{name} = {draw}"])
        own = self.brought_code("x")
        return Lines(own.needs, [*own.body, f"{name} = model.encode(x.to(model.device))[0]"])


def portrait_code(number: int, name: str) -> Lines:
    """Lines that draw a portrait by its number and encode it as `name`."""
    return Lines(
        [("gen_core.data.avatars", "avatars")],
        [
            f"x = avatars([{UNSEEN_FROM + number}])[0].float() / 127.5 - 1  # one of its own",
            f"{name} = model.encode(x.to(model.device))[0]",
        ],
    )
