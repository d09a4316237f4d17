"""Sliders on a VAE's latent code whose picture follows while they move; with two, a pad as well.

The widget's value is the code as text, "vae-fashion-2d:0.5,-1.2": short enough for a link, and
the same text goes to the server for every picture. One parser, `parse_code`, checks them all.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from demos.page.handlers import App
from demos.page.image_io import made_by, png_data_url
from demos.widgets.live_knob import LiveKnob, LivePicture
from gen_core.data.images import grid
from gen_core.knobs import KnobError, as_number, choice, number, shown, whole
from gen_core.sampling import MAX_SEED, Noise

FURTHEST = 6.0
"""The prior reaches this far once in 500 million draws; the sliders themselves end at REACH."""
REACH = 3.0
MAP_SIDE = 15
"""Pictures along each side of the map behind the pad."""


@dataclass(frozen=True)
class Code:
    """A place in a model's latent space."""

    model: str
    z: tuple[float, ...]

    def __str__(self) -> str:
        return f"{self.model}:{','.join(f'{value:g}' for value in self.z)}"


def parse_code(text: Any, sizes: Mapping[str, int]) -> Code:
    """ "model:z,z,..." as a Code. sizes: latent dimensions by model. Raises KnobError."""
    if not isinstance(text, str) or ":" not in text:
        raise KnobError(f"code={shown(text)}: takes a model, a colon and its latent numbers")
    name, _, numbers = text.partition(":")
    model = choice("model", name, list(sizes))
    parts = numbers.split(",")
    if len(parts) != sizes[model]:
        raise KnobError(f"code has {len(parts)} numbers: {model} takes {sizes[model]}")
    entries = [as_number(part) for part in parts]
    return Code(
        model, tuple(number(f"z[{i}]", v, -FURTHEST, FURTHEST) for i, v in enumerate(entries))
    )


def drawn_code(model: str, seed: int, size: int) -> Code:
    """A code from the prior: what this seed gives, to two decimals."""
    z = Noise([seed]).randn(size)[0].clamp(-FURTHEST, FURTHEST)
    return Code(model, tuple(round(value, 2) + 0.0 for value in z.tolist()))


class Decoder:
    """What the widget asks the server; each answer is JSON or a `Value`."""

    def __init__(self, app: App, sizes: Mapping[str, int]) -> None:
        self.app, self.sizes = app, sizes

    def describe(self, name: Any) -> dict[str, Any]:
        """A model's dimensions, the one that changes the picture most first, and a map if two."""
        return _description(self.app, choice("model", name, list(self.sizes)))

    def draw_code(self, request: Any) -> dict[str, str]:
        """{"model", "seed"} -> {"code": drawn from the prior}"""
        if not isinstance(request, dict):
            raise KnobError(f"request={request!r}: takes a model and a seed")
        model = choice("model", request.get("model"), list(self.sizes))
        seed = whole("seed", request.get("seed"), 0, MAX_SEED)
        return {"code": str(drawn_code(model, seed, self.sizes[model]))}

    def decode(self, text: Any) -> LivePicture:
        """What a code, as text, decodes to."""
        code = parse_code(text, self.sizes)
        model, z = self.app.model(code.model), torch.tensor([code.z])
        made = made_by(code.model, {"code": str(code)})
        return LivePicture.of(lambda: _decoded(model, z), made)


@torch.inference_mode()
def _decoded(model: Any, z: Tensor) -> Tensor:
    return model.decode(z.to(model.device))


@functools.lru_cache(maxsize=8)
def _description(app: App, name: str) -> dict[str, Any]:
    model = app.model(name)
    influence = (model.influence / model.influence.max()).tolist()
    described = {
        "model": name,
        "order": model.order,
        "influence": [round(share, 3) for share in influence],
        "reach": REACH,
    }
    if len(influence) == 2:
        described["map"] = png_data_url(plane_picture(model, REACH, MAP_SIDE))
    return described


def plane_picture(model: Any, reach: float, side: int) -> np.ndarray:
    """uint8 (H, W): what a model of two latent numbers decodes on the plane from -reach to reach,
    `side` pictures a side; the stronger number across, the other one up."""
    line = torch.linspace(-reach, reach, side)
    across, up = model.order
    plane = torch.empty(side, side, 2)
    plane[..., across], plane[..., up] = line[None, :], line.flip(0)[:, None]
    return grid(_decoded(model, plane.flatten(0, 1)), side, scale=1, gap=0)


@dataclass(frozen=True)
class CodeKnob(LiveKnob):
    """A knob whose component is the sliders: the code travels in links and into the lines shown."""

    sizes: Mapping[str, int] | None = None

    def component(self) -> gr.components.Component:
        before, decoder = self.before(), Decoder(self.app, self.sizes)
        return self.widget(
            "latent_sliders",
            [decoder.describe, decoder.draw_code, decoder.decode],
            {
                "MODELS": " ".join(f"{name}:{size}" for name, size in self.sizes.items()),
                "FIRST_NOTE": before.note if before else "",
                "FIRST_PICTURE": png_data_url(before.value) if before else "",
            },
        )

    def check(self, value: Any) -> Code:
        return parse_code(value, self.sizes)
