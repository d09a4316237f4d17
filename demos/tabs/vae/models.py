"""What the VAE's panels share: the two models, and the tab's name."""

from __future__ import annotations

from demos.page.controls import Knob
from gen_core.families.vae import VAEConfig
from gen_core.training.recipes import RECIPES

TAB = "vae"
SIZES = {
    name: RECIPES[name].config.get("latent", VAEConfig().latent)
    for name in ("vae-fashion", "vae-fashion-2d")
}
"""Latent numbers of each model."""
DEFAULT = "vae-fashion"
MODEL = Knob(
    "model",
    "Model",
    "choice",
    DEFAULT,
    options=list(SIZES),
    info="A code of 16 numbers, or (2d) of only 2",
)
