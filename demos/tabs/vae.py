"""The VAE: samples, the code in your hands, reconstructions, walks from code to code."""

from __future__ import annotations

from demos.handlers import App
from demos.panel import panel_tabs
from demos.tab import Tab
from demos.vae import interpolate, latent, reconstruct, samples
from demos.vae.models import TAB as ID

CACHED = [samples.PANEL.keep(), latent.keep(), reconstruct.keep(), interpolate.keep()]


def build(app: App) -> None:
    """The tab's four panels."""
    modules = (latent, reconstruct, interpolate)
    panel_tabs(app, ID, [samples.PANEL.entry, *((m.TITLE, m.PANEL_ID, m.build) for m in modules)])


TAB = Tab(ID, "VAE", order=20, build=build)
