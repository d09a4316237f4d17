"""Text to image: a small Stable Diffusion of our own, live."""

from __future__ import annotations

import gradio as gr

from demos.handlers import App
from demos.tab import Tab
from demos.text_to_image import (
    bigger,
    change,
    fit,
    generate,
    inside,
    made_here,
    search,
    start,
    two,
)  # fmt: skip

ID = generate.ID
PANELS = (generate.PANEL, inside.PANEL, change.PANEL, two.PANEL, start.PANEL, fit.PANEL)
CACHED = [*(panel.keep() for panel in PANELS), search.keep()]


def build(app: App) -> None:
    """The tab's panels."""
    with gr.Tabs(elem_classes=["panels"], overflow_behavior="wrap") as panels:
        app.panels[ID] = panels
        for panel in PANELS:
            with gr.Tab(panel.title, id=panel.id):
                panel.build(app)
        for panel in (bigger, made_here):
            with gr.Tab(panel.TITLE, id=panel.PANEL_ID):
                panel.build(app)


TAB = Tab(ID, "Text to image", order=60, build=build, needs=generate.MODEL)
