"""The VAE: samples, the code in your hands, reconstructions, walks from code to code."""

from __future__ import annotations

import gradio as gr

from demos.handlers import App
from demos.latent_space.models import TAB as LAB
from demos.panel import panel_tabs
from demos.tab import Tab, discover
from demos.vae import interpolate, latent, reconstruct, samples
from demos.vae.models import TAB as ID

CACHED = [samples.PANEL.keep(), latent.keep(), reconstruct.keep(), interpolate.keep()]

INVITATION = f"""<p class="further">On to portraits: <a href="?tab={LAB}"
  onclick="noiseToData.openTab('{LAB}', 'sliders'); return false">the latent-space lab&nbsp;<span
  aria-hidden="true">→</span></a> has sliders that mean something, a map, and a test for the odd
  one out.</p>"""


def build(app: App) -> None:
    """The tab's four panels, and the way to the lab where it is open."""
    modules = (latent, reconstruct, interpolate)
    panel_tabs(app, ID, [samples.PANEL.entry, *((m.TITLE, m.PANEL_ID, m.build) for m in modules)])
    if LAB in [tab.id for tab in discover()]:
        gr.HTML(INVITATION)


TAB = Tab(ID, "VAE", order=20, build=build)
