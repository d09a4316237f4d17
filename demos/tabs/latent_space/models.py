"""What the panels of the Latent space tab share: models, what these know, and the choice of a face:
a portrait by its number, a random code, a drawing or an upload."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from demos.page.controls import Knob
from demos.page.handlers import App
from demos.page.image_input import RANDOM, Shown, Source, titled
from demos.page.script import random_code
from gen_core import Noise
from gen_core.data.avatars import avatars
from gen_core.data.splits import AVATARS
from gen_core.knobs import whole
from gen_core.latent.atlas import Atlas

TAB = "latent-space"
PORTRAITS = "vae-avatars"
FLAT = "vae-fashion-2d"
UNSEEN_FROM = AVATARS["test"].start
"""Portrait number n is drawn from this seed on: training showed the first 50,000 seeds."""
MOST_PORTRAITS = 1_000_000
PORTRAIT, DRAWING, UPLOAD = "A portrait", Source.drawing, Source.upload


@functools.lru_cache(maxsize=4)
def atlas(app: App, name: str) -> Atlas:
    """What a model's checkpoint knows of its latent space."""
    return Atlas.kept(app.model(name).extra)


@functools.lru_cache(maxsize=64)
def portrait(number: int) -> Tensor:
    """(1, 3, 64, 64) in [-1, 1]: a portrait drawn by a program, which training did not show."""
    images, _ = avatars([UNSEEN_FROM + number])
    return images.float() / 127.5 - 1


@functools.lru_cache(maxsize=64)
def code_of_portrait(app: App, number: int) -> Tensor:
    """The mean code (1, latent), on the CPU, of the portrait of that number."""
    return code_of(app, PORTRAITS, portrait(number))


@torch.inference_mode()
def code_of(app: App, name: str, x: Tensor) -> Tensor:
    """The mean codes (B, latent), on the CPU, of pictures (B, C, H, W)."""
    model = app.model(name)
    return model.encode(x.to(model.device))[0].cpu()


@dataclass(frozen=True)
class Face:
    z: Tensor
    """(1, latent), on the CPU."""
    name: str
    """Ready to read: "portrait 12"."""


def numbered(app: App, number: int) -> Face:
    """Raises KnobError for a number beyond the portraits."""
    number = whole("portrait", number, 0, MOST_PORTRAITS - 1)
    return Face(code_of_portrait(app, number), f"portrait {number}")


class FaceInput(Source):
    """Controls that choose a face."""

    def __init__(self, app: App, *, title: str, prefix: str, which: str, number: int) -> None:
        options = [PORTRAIT, RANDOM, DRAWING, UPLOAD]
        knobs = [
            Knob(f"{prefix}source", title, "choice", PORTRAIT, options=options),
            Knob(f"{prefix}number", titled(which, "Number"), "seed", number),
        ]
        super().__init__(app, knobs, prefix, which)

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

    def code(self, settings: Mapping[str, Any], name: str) -> list[str]:
        """Lines that make the same code, `name` (1, latent), from `model`."""
        source, number = self.values(settings)
        if source == PORTRAIT:
            return portrait_code(number, name)
        if source == RANDOM:
            return random_code(name, number)
        return [*self.brought_code("x"), f"{name} = model.encode(x.to(model.device))[0]"]


def portrait_code(number: int, name: str) -> list[str]:
    """Lines that draw a portrait by its number and encode it as `name`."""
    return [
        f"x = avatars([{UNSEEN_FROM + number}])[0].float() / 127.5 - 1  # one of its own",
        f"{name} = model.encode(x.to(model.device))[0]",
    ]
