"""The VAE's Interpolate panel: from one code to another, straight and on the arc."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from demos.cache import Keep, example
from demos.explain import code_panel, explanation
from demos.figures import pixels
from demos.handlers import App
from demos.knobs import FASHION, Knob, Knobs
from demos.layout import buttons, controls, results
from demos.pictures import PictureInput
from demos.texts.vae import INTERPOLATE
from demos.vae import lines
from demos.vae.models import DEFAULT, MODEL, TAB
from demos.widgets.timeline import Timeline, timeline_from_images
from gen_core import Noise
from gen_core.devices import device_title
from gen_core.families.vae import VAE
from gen_core.interpolation import spherical, straight

PANEL_ID, TITLE = "interpolate", "Interpolate"
NAME = f"{TAB}-{PANEL_ID}"
RANDOM = "A random code"
COUNT = Knob("count", "Pictures on the way", "whole", 25, 2, 60, advanced=True)
PATHS = {"Straight": straight, "Spherical": spherical}


@torch.inference_mode()
def walks(model: Any, z_a: Tensor, z_b: Tensor, count: int) -> dict[str, Any]:
    """`count` pictures on each path from code z_a to z_b (latent,): arrays and plain values."""
    t = torch.linspace(0, 1, count, device=z_a.device)
    started = time.perf_counter()
    codes = {title: path(z_a, z_b, t) for title, path in PATHS.items()}
    pictures = {title: pixels(model.decode(z)) for title, z in codes.items()}
    seconds = time.perf_counter() - started
    return {
        "t": [round(v, 4) for v in t.tolist()],
        "pictures": pictures,
        "lengths": {k: [round(v, 4) for v in z.norm(dim=1).tolist()] for k, z in codes.items()},
        "ms_per_step": round(1000 * seconds / count, 2),
    }


def timeline(
    walked: dict[str, Any],
    ends: tuple[str, str],
    note: str,
    live: bool,
    name: str = "vae-interpolation",
) -> dict[str, Any]:
    """What `walks` gave as the timeline's value, with the distance from the centre as a chart."""
    t = walked["t"]
    chart = {
        "title": "Distance of the code from the centre",
        "x_label": "t",
        "y_label": "length of z",
        "series": [
            {"name": title, "points": [list(point) for point in zip(t, lengths, strict=True)]}
            for title, lengths in walked["lengths"].items()
        ],
        "at": t,
    }
    return timeline_from_images(
        {title: _frames(pictures) for title, pictures in walked["pictures"].items()},
        [f"t = {value:.2f}" for value in t],
        steps=range(1, len(t) + 1),
        step_word="picture",
        ms_per_step=walked["ms_per_step"],
        provenance=note,
        live=live,
        name=name,
        alt=f"from {ends[0]} to {ends[1]}",
        curves=[chart],
        notes=[f"{ends[0]} → {ends[1]}"] * len(t),
        autoplay=live,
    )


def _frames(pictures: np.ndarray) -> list[np.ndarray]:
    """uint8 (N, H, W) -> N pictures (1, H, W), one sample each."""
    return list(np.asarray(pictures)[:, None])


def build(app: App) -> None:
    """The panel, inside its gr.Tab."""
    explanation(INTERPOLATE)
    start = functools.partial(PictureInput, app, TAB, PANEL_ID, other=RANDOM)
    ends = [
        start(title="From", prefix="from_", label=FASHION[9]),
        start(title="To", prefix="to_", label=FASHION[0], seed=1),
    ]
    knobs = app.add(Knobs(TAB, PANEL_ID, [MODEL, *ends[0].knobs, *ends[1].knobs, COUNT]))
    kept = example(NAME)
    with gr.Row():
        with controls():
            knobs.build(MODEL.name)
            go, stop = buttons("Walk")
            for end in ends:
                end.build(knobs)
            knobs.build()
        with results():
            line = Timeline(
                elem_id=NAME, label="Walk through latent space", empty="Press Walk.",
                value=timeline(kept.value, _random_ends(0, 1), kept.note, False) if kept else None,
            )  # fmt: skip

    def run(
        from_drawing: Any, from_upload: Any, to_drawing: Any, to_upload: Any, **settings: Any
    ) -> Iterator[Any]:
        vae = app.model(settings["model"])
        first = yield from _end(vae, ends[0], (from_drawing, from_upload), settings)
        second = yield from _end(vae, ends[1], (to_drawing, to_upload), settings)
        walked = walks(vae, first[0], second[0], settings["count"])
        yield timeline(walked, (first[1], second[1]), device_title(vae.device), True)

    app.on(
        go.click, run, knobs, line, inputs=ends[0].inputs | ends[1].inputs,
        api_name="vae_interpolate", stop=stop, show_progress="minimal",
    )  # fmt: skip
    code_panel(knobs, functools.partial(lines.interpolate, ends, RANDOM), spherical)


def _end(vae: VAE, end: PictureInput, brought: Any, settings: dict[str, Any]) -> Any:
    """One end of a walk: its code (latent,), and what it is."""
    source, seed = (settings[f"{end.prefix}{name}"] for name in ("source", "seed"))
    if source == RANDOM:
        return Noise([seed]).randn(vae.config.latent)[0].to(vae.device), f"the code of seed {seed}"
    pictures = yield from end.read(*brought, settings)
    return _mean(vae, pictures.x), pictures.names[0] or pictures.origin


@torch.inference_mode()
def _mean(vae: VAE, x: Tensor) -> Tensor:
    return vae.encode(x.to(vae.device))[0][0]


def _random_ends(first: int, second: int) -> tuple[str, str]:
    return f"the code of seed {first}", f"the code of seed {second}"


def keep() -> Keep:
    """The example for the page's first moment, from a random code to another."""

    def make(app: App) -> dict[str, Any]:
        vae = app.model(DEFAULT)
        z_a, z_b = Noise([0, 1]).randn(vae.config.latent).to(vae.device)
        return walks(vae, z_a, z_b, COUNT.default)

    return Keep(NAME, make, (DEFAULT,), (0, 1))
