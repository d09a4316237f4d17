"""The GAN: samples, the discriminator's verdict, a walk through latent space, mode collapse."""

from __future__ import annotations

import gradio as gr

from demos.gan import collapse, critic, samples, walk
from demos.handlers import App
from demos.tab import Tab

ID = samples.TAB
CACHED = [samples.PANEL.keep(), critic.keep(), walk.PANEL.keep(), collapse.PANEL.keep()]


def build(app: App) -> None:
    """The tab's four panels."""
    with gr.Tabs(elem_classes=["panels"], overflow_behavior="wrap") as panels:
        app.panels[ID] = panels
        with gr.Tab(samples.PANEL.title, id=samples.PANEL.id):
            samples.PANEL.build(app)
        with gr.Tab(critic.TITLE, id=critic.PANEL_ID):
            critic.build(app)
        with gr.Tab(walk.PANEL.title, id=walk.PANEL.id):
            walk.PANEL.build(app)
        with gr.Tab(collapse.PANEL.title, id=collapse.PANEL.id):
            collapse.PANEL.build(app)


TAB = Tab(ID, "GAN", order=30, build=build)
