"""The VAE: the code in your hands, reconstructions, walks from code to code, samples."""

from demos.page.tab import Tab
from demos.tabs.latent_space.models import TAB as LAB
from demos.tabs.vae import interpolate, reconstruct, samples
from demos.tabs.vae.texts import INVITATION

TAB = Tab(
    samples.TAB,
    "VAE",
    order=20,
    panels=[samples.SLIDERS_PANEL, reconstruct.PANEL, interpolate.PANEL, samples.PANEL],
    onward=(LAB, INVITATION),
)
