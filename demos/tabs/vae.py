"""The VAE: samples, the code in your hands, reconstructions, walks from code to code."""

from __future__ import annotations

from demos.latent_space.models import TAB as LAB
from demos.tab import Tab
from demos.texts.vae import INVITATION
from demos.vae import interpolate, latent, reconstruct, samples
from demos.vae.models import TAB as ID

TAB = Tab(
    ID, "VAE", order=20,
    panels=[samples.PANEL, latent.PANEL, reconstruct.PANEL, interpolate.PANEL],
    onward=(LAB, INVITATION),
)  # fmt: skip
