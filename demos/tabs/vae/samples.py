"""The VAE's Samples panel: codes drawn from the prior, decoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from demos.page.controls import Knob, control_of
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Panel
from demos.page.sample_tiles import one_pass
from demos.tabs.vae import lines
from demos.tabs.vae.models import DEFAULT, MODEL, TAB
from demos.tabs.vae.texts import SAMPLES
from demos.widgets.tiles import Tiles
from gen_core.families.vae import VAE


def draw(
    app: App, *, model: str, temperature: float, count: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Yields the pictures, as `tiles_value` gives them."""
    yield one_pass(
        app.model(model),
        seeds_from(seed, count),
        headline=meaning(temperature),
        file=f"{model}-{seed}",
        temperature=temperature,
    )


def meaning(temperature: float) -> str:
    """What a temperature does to the pictures, in a line."""
    if temperature == 0:
        return "Temperature 0: every code is the prior's mean, whatever its seed"
    if temperature == 1:
        return "Temperature 1: codes as wide as the prior that training aimed at"
    if temperature < 1:
        return f"Temperature {temperature:g}: nearer to the mean, so safer and more alike"
    return f"Temperature {temperature:g}: further out than training went, so stranger"


PANEL = Panel(
    tab=TAB,
    id="samples",
    title="Samples",
    button="Draw new pictures",
    text=SAMPLES,
    knobs=[
        MODEL,
        control_of(VAE, "temperature"),
        Knob("seed", "Seed", "seed", 0),
        Knob("count", "Pictures", "whole", 30, 1, 64, advanced=True),
    ],
    run=draw,
    code=lines.samples,
    calls=VAE.frames,
    screen=Tiles,
    shows="Pictures by the decoder",
    models=(DEFAULT,),
    live=("temperature",),
)
