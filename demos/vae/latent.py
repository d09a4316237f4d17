"""The VAE's Latent sliders panel: the code in your hands."""

from __future__ import annotations

import numpy as np
import torch

from demos.cache import Keep, example
from demos.explain import code_panel, explanation
from demos.figures import pixels, png_data_url
from demos.handlers import App
from demos.knobs import Knobs
from demos.texts.vae import LATENT
from demos.vae import lines
from demos.vae.models import DEFAULT, SIZES, TAB
from demos.widgets.latent_sliders import Code, CodeKnob, drawn_code
from gen_core.families.vae import VAE

PANEL_ID, TITLE = "latent", "Latent sliders"
NAME = f"{TAB}-{PANEL_ID}"
START_SEED = 3


def start() -> Code:
    """Where the sliders stand when the page opens."""
    return drawn_code(DEFAULT, START_SEED, SIZES[DEFAULT])


def build(app: App) -> None:
    """The panel, inside its gr.Tab."""
    explanation(LATENT)
    kept = example(NAME)
    knob = CodeKnob(
        "code", TITLE, "code", str(start()), app=app, sizes=SIZES,
        first_picture=png_data_url(kept.value) if kept else "",
        first_note=kept.note if kept else "",
    )  # fmt: skip
    knobs = app.add(Knobs(TAB, PANEL_ID, [knob]))
    knobs.build()
    code_panel(knobs, lines.latent, VAE.decode)


@torch.inference_mode()
def first_picture(app: App) -> np.ndarray:
    """uint8 (H, W): what the code decodes to that the sliders start from."""
    vae = app.model(DEFAULT)
    return pixels(vae.decode(torch.tensor([start().z], device=vae.device)))[0]


def keep() -> Keep:
    return Keep(NAME, first_picture, (DEFAULT,), (START_SEED,))
