"""The VAE: samples, the code in your hands, reconstructions, walks from code to code."""

from __future__ import annotations

from demos.page.tab import Tab
from demos.tabs.latent_space.models import TAB as LAB
from demos.tabs.vae import interpolate, latent, reconstruct, samples
from demos.tabs.vae.models import TAB as ID
from demos.tabs.vae.texts import INVITATION

TAB = Tab(
    ID,
    "VAE",
    order=20,
    panels=[samples.PANEL, latent.PANEL, reconstruct.PANEL, interpolate.PANEL],
    onward=(LAB, INVITATION),
)
