"""The VAE's Latent sliders panel: the code in your hands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from demos.page.figures import pixels
from demos.page.handlers import App
from demos.page.panel import Panel
from demos.tabs.vae import lines
from demos.tabs.vae.models import DEFAULT, SIZES, TAB
from demos.tabs.vae.texts import LATENT
from demos.widgets.latent_sliders import Code, CodeKnob, drawn_code
from gen_core.families.vae import VAE

TITLE = "Latent sliders"
START_SEED = 3


def start() -> Code:
    """Where the sliders stand when the page opens."""
    return drawn_code(DEFAULT, START_SEED, SIZES[DEFAULT])


@torch.inference_mode()
def picture(app: App, *, code: Code) -> Iterator[np.ndarray]:
    """Yields what the code decodes to, uint8 (H, W)."""
    vae = app.model(code.model)
    yield pixels(vae.decode(torch.tensor([code.z], device=vae.device)))[0]


PANEL = Panel(
    tab=TAB,
    id="latent",
    title=TITLE,
    text=LATENT,
    knobs=[
        CodeKnob("code", TITLE, "code", str(start()), example=f"{TAB}-latent", sizes=SIZES),
    ],
    run=picture,
    code=lines.latent,
    calls=VAE.decode,
    models=(DEFAULT,),
    seeds=(START_SEED,),
)
