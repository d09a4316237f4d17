"""The VAE's Samples and Latent sliders panels: codes from the prior, and one to change by hand."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from demos.page.controls import Knob, control_of
from demos.page.handlers import App
from demos.page.panel import Panel
from demos.page.script import drawing, script
from demos.tabs.vae.texts import LATENT, SAMPLES
from demos.widgets.latent_sliders import Code, CodeKnob, drawn_code
from demos.widgets.tiles import Tiles, TilesValue, sample_tiles
from gen_core.families.vae import VAE, VAEConfig
from gen_core.sampling import pixels, seeds_from
from gen_core.training.recipes import RECIPES

TAB, DEFAULT = "vae", "vae-fashion"
SIZES = {
    name: RECIPES[name].config.get("latent", VAEConfig().latent)
    for name in (DEFAULT, "vae-fashion-2d")
}
"""Latent numbers of each model."""
NAMES = {f"{size} numbers": name for name, size in SIZES.items()}
MODEL = Knob(
    "model",
    "Model",
    "choice",
    next(iter(NAMES)),
    options=list(NAMES),
    info="The size of its latent code",
    names=NAMES,
)
SLIDERS = "Latent sliders"
START_SEED = 3


def draw(
    app: App, *, model: str, temperature: float, count: int, seed: int
) -> Iterator[TilesValue]:
    """Yields the pictures, as tiles."""
    yield sample_tiles(
        app.model(model),
        seeds_from(seed, count),
        headline=meaning(temperature),
        file=f"{model}-{seed}",
        temperature=temperature,
    )


def meaning(temperature: float) -> str:
    """What a temperature does to the pictures, in a line."""
    if temperature == 0:
        return (
            "Temperature 0: every code is all zeros, the prior's mean, so every picture is the same"
        )
    if temperature == 1:
        return "Temperature 1: random codes, spread as widely as the prior"
    if temperature < 1:
        return (
            f"Temperature {temperature:g}: closer to the average code, so more ordinary and more "
            "alike"
        )
    return f"Temperature {temperature:g}: further out than training went, so stranger"


@torch.inference_mode()
def decode(app: App, *, code: Code) -> Iterator[np.ndarray]:
    """Yields what the code decodes to, uint8 (H, W)."""
    vae = app.model(code.model)
    yield pixels(vae.decode(torch.tensor([code.z], device=vae.device)))[0]


def sliders_code(knobs: Mapping[str, Any]) -> str:
    code = knobs["code"]
    return script(
        f'model = load("{code.model}")',
        f"z = torch.tensor([[{', '.join(f'{value:g}' for value in code.z)}]], device=model.device)",
        "x = model.decode(z)  # (1, 1, 28, 28) in [-1, 1]",
        "print(model.order)  # latent numbers, the one that changes the picture most first",
    )


PANEL = Panel(
    tab=TAB,
    id="samples",
    title="Samples",
    button="Draw new pictures",
    text=SAMPLES,
    knobs=[
        MODEL,
        control_of(VAE, "temperature"),
        Knob("seed", "Seed", "seed", 0, fresh=True),
        Knob("count", "Pictures", "whole", 30, 1, 64, advanced=True),
    ],
    run=draw,
    code=drawing(DEFAULT, shape="1, 28, 28"),
    calls=VAE.frames,
    screen=Tiles,
    shows="Pictures by the decoder",
    models=(DEFAULT,),
    live=("temperature",),
)
SLIDERS_PANEL = Panel(
    tab=TAB,
    id="latent",
    title=SLIDERS,
    text=LATENT,
    knobs=[
        CodeKnob(
            "code",
            SLIDERS,
            "code",
            str(drawn_code(DEFAULT, START_SEED, SIZES[DEFAULT])),
            example=f"{TAB}-latent",
            sizes=SIZES,
        ),
    ],
    run=decode,
    code=sliders_code,
    calls=VAE.decode,
    models=(DEFAULT,),
    trained=tuple(SIZES),
    seeds=(START_SEED,),
)
