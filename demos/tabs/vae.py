"""The VAE: samples, the code in your hands, reconstructions, walks from code to code."""

from __future__ import annotations

import gradio as gr

from demos.handlers import App
from demos.tab import Tab
from demos.vae import interpolate, latent, reconstruct, samples
from demos.vae.models import TAB as ID

CACHED = [samples.PANEL.keep(), latent.keep(), reconstruct.keep(), interpolate.keep()]


def build(app: App) -> None:
    """The tab's four panels."""
    with gr.Tabs(elem_classes=["panels"], overflow_behavior="wrap") as panels:
        app.panels[ID] = panels
        with gr.Tab(samples.PANEL.title, id=samples.PANEL.id):
            samples.PANEL.build(app)
        for panel in (latent, reconstruct, interpolate):
            with gr.Tab(panel.TITLE, id=panel.PANEL_ID):
                panel.build(app)


TAB = Tab(ID, "VAE", order=20, build=build)
