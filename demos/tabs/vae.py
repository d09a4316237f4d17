"""The VAE's tab: samples, the code in your hands, reconstructions, walks from code to code."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

import demos.vae
from demos.cache import Example, Keep, example
from demos.explain import code_panel, explanation
from demos.figures import grid, pixels, png_data_url
from demos.handlers import App
from demos.knobs import ALL_CLASSES, FASHION, Knob, Knobs
from demos.layout import buttons, controls, results
from demos.pictures import PictureInput, result_of, sampled_pictures, seeds_from
from demos.tab import Tab
from demos.texts.vae import EXPLANATION, PANELS
from demos.vae import lines
from demos.vae.interpolate import timeline, walks
from demos.vae.reconstruct import Reconstruction, reconstruct, table
from demos.widgets.latent_sliders import CodeKnob, drawn_code
from demos.widgets.timeline import Timeline
from demos.working import Working
from gen_core import Noise, final, interpolation
from gen_core.devices import device_title
from gen_core.families.vae import VAE, VAEConfig
from gen_core.recipes import RECIPES

SIZES = {
    name: RECIPES[name].config.get("latent", VAEConfig().latent)
    for name in ("vae-fashion", "vae-fashion-2d")
}
"""Latent numbers of each model."""
MODEL = Knob("model", "Model", "choice", "vae-fashion", options=list(SIZES))
COUNT, START_SEED, RANDOM = 24, 3, "A random code"
STYLE = Path(demos.vae.__file__).with_name("reconstruct.css")


def build(app: App) -> None:
    explanation(EXPLANATION)
    with gr.Tabs(elem_classes=["panels"]) as panels:
        app.panels["vae"] = panels
        for panel, title, fill in (
            ("samples", "Samples", _samples),
            ("latent", "Latent sliders", _latent),
            ("reconstruct", "Reconstruct", _reconstruct),
            ("interpolate", "Interpolate", _interpolate),
        ):
            with gr.Tab(title, id=panel):
                gr.Markdown(PANELS[panel])
                fill(app)


def _note(kept: Example | None, otherwise: str = "Press the button.") -> str:
    return kept.note if kept else otherwise


# --- samples from the prior ---------------------------------------------------------------------


def _samples(app: App) -> None:
    knobs = app.add(Knobs("vae", "samples", [
        Knob("temperature", "Temperature", "number", 1.0, 0, 2,
             info="Width of the prior: 0 is its mean, 1 is what was trained."),
        Knob("count", "Pictures", "whole", COUNT, 1, 64),
        MODEL,
        Knob("seed", "Seed", "seed", 0),
    ]))  # fmt: skip
    kept = example("vae-samples")
    with gr.Row():
        with controls():
            go, stop = buttons("Draw new pictures")
            knobs.build()
        with results():
            picture = gr.Image(
                grid(kept.value, 8) if kept else None, label="Samples", format="png",
                interactive=False, buttons=["download", "fullscreen"], elem_classes=["pixelated"],
                elem_id="vae-samples",
            )  # fmt: skip
            note = gr.Markdown(_note(kept), elem_id="vae-samples-note")
    draw = functools.partial(_draw, app)
    app.on(go.click, draw, knobs, [picture, note], api_name="vae_samples", stop=stop)
    code_panel(knobs, lines.samples, VAE.sample)


def _draw(
    app: App, *, temperature: float, count: int, model: str, seed: int
) -> tuple[np.ndarray, str]:
    """The grid, and how long it took."""
    vae, seeds = app.model(model), seeds_from(seed, count)
    started = time.perf_counter()
    x = final(vae.sample(Noise(seeds), temperature=temperature))
    ms = 1000 * (time.perf_counter() - started)
    took = f"{count} pictures in {ms:.0f} ms, {ms / count:.1f} ms each"
    return grid(x, min(count, 8)), f"live, {device_title(app.device)}: {took}"


def _example_samples(app: App) -> np.ndarray:
    return pixels(final(app.model("vae-fashion").sample(Noise(range(COUNT)))))


# --- the code in your hands ---------------------------------------------------------------------


def _latent(app: App) -> None:
    start, kept = (
        str(drawn_code("vae-fashion", START_SEED, SIZES["vae-fashion"])),
        example("vae-latent"),
    )
    knob = CodeKnob(
        "code", "Latent sliders", "code", start, app=app, sizes=SIZES,
        first_picture=png_data_url(kept.value) if kept else "", first_note=_note(kept, ""),
    )  # fmt: skip
    knobs = app.add(Knobs("vae", "latent", [knob]))
    knobs.build()
    code_panel(knobs, lines.latent, VAE.decode)


@torch.inference_mode()
def _example_latent(app: App) -> np.ndarray:
    code = drawn_code("vae-fashion", START_SEED, SIZES["vae-fashion"])
    vae = app.model(code.model)
    return pixels(vae.decode(torch.tensor([code.z], device=vae.device)))[0]


# --- reconstruction -----------------------------------------------------------------------------


def _reconstruct(app: App) -> None:
    source = PictureInput(app, "vae", "reconstruct", label=ALL_CLASSES, classes=True)
    knobs = app.add(Knobs("vae", "reconstruct", [
        *source.knobs,
        MODEL,
        Knob("count", "Pictures", "whole", 5, 1, 8, info="A drawing or an upload is one."),
    ]))  # fmt: skip
    kept = example("vae-reconstruct")
    shown = table(Reconstruction(**kept.value), kept.note) if kept else "Press the button."
    with gr.Row():
        with controls():
            go, stop = buttons("Reconstruct")
            source.build(knobs)
            knobs.build()
        with results():
            style = STYLE.read_text(encoding="utf-8")
            result = gr.HTML(
                shown, css_template=style, apply_default_css=False, elem_id="vae-reconstruct"
            )

    def run(drawing: Any, upload: Any, **settings: Any) -> Iterator[Working | str]:
        count, seed = settings["count"], settings["seed"]
        pictures = yield from source.read(drawing, upload, settings, count)
        vae = app.model(settings["model"])
        yield table(reconstruct(vae, pictures, seed), f"live, {device_title(app.device)}")

    app.on(
        go.click, run, knobs, result, inputs=source.inputs, api_name="vae_reconstruct", stop=stop
    )
    code_panel(knobs, functools.partial(lines.reconstruct, source), VAE.bound)


def _example_reconstruct(app: App) -> dict[str, Any]:
    sampling = sampled_pictures(app, "flow-fashion", 0, 5)
    return asdict(reconstruct(app.model("vae-fashion"), result_of(sampling), 0))


# --- interpolation ------------------------------------------------------------------------------


def _interpolate(app: App) -> None:
    start = functools.partial(PictureInput, app, "vae", "interpolate", other=RANDOM)
    ends = [
        start(title="From", prefix="from_", label=FASHION[9]),
        start(title="To", prefix="to_", label=FASHION[0], seed=1),
    ]
    knobs = app.add(Knobs("vae", "interpolate", [
        *ends[0].knobs, *ends[1].knobs,
        MODEL,
        Knob("count", "Pictures on the way", "whole", 25, 2, 60),
    ]))  # fmt: skip
    kept = example("vae-interpolate")
    with gr.Row():
        with controls():
            go, stop = buttons("Walk")
            for end in ends:
                end.build(knobs)
            knobs.build()
        with results():
            line = Timeline(
                elem_id="vae-timeline", label="Walk through latent space",
                value=timeline(kept.value, _random_ends(0, 1), kept.note, False) if kept else None,
            )  # fmt: skip

    def run(
        from_drawing: Any, from_upload: Any, to_drawing: Any, to_upload: Any, **settings: Any
    ) -> Iterator[Any]:
        vae = app.model(settings["model"])
        first = yield from _end(vae, ends[0], (from_drawing, from_upload), settings)
        second = yield from _end(vae, ends[1], (to_drawing, to_upload), settings)
        walked = walks(vae, first[0], second[0], settings["count"])
        yield timeline(walked, (first[1], second[1]), device_title(app.device), True)

    inputs = [*ends[0].inputs, *ends[1].inputs]
    app.on(go.click, run, knobs, line, inputs=inputs, api_name="vae_interpolate", stop=stop)
    code_panel(knobs, functools.partial(lines.interpolate, ends, RANDOM), interpolation.spherical)


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


def _example_interpolate(app: App) -> dict[str, Any]:
    vae = app.model("vae-fashion")
    z_a, z_b = Noise([0, 1]).randn(vae.config.latent).to(vae.device)
    return walks(vae, z_a, z_b, 25)


TAB = Tab("vae", "VAE", order=20, build=build)
CACHED = [
    Keep("vae-samples", _example_samples, ("vae-fashion",), tuple(range(COUNT))),
    Keep("vae-latent", _example_latent, ("vae-fashion",), (START_SEED,)),
    Keep("vae-reconstruct", _example_reconstruct, ("vae-fashion", "flow-fashion"), tuple(range(5))),
    Keep("vae-interpolate", _example_interpolate, ("vae-fashion",), (0, 1)),
]
