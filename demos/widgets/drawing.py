"""A pad to draw on: white on black, like the pictures of Fashion-MNIST."""

from __future__ import annotations

from typing import Any

import gradio as gr

from demos.widgets.card import read


def DrawingPad(*, label: str = "Drawing", **options: Any) -> gr.HTML:
    """A gr.HTML whose value is the drawing as a PNG data URL, None while it is empty.

    `options` go to gr.HTML (visible, elem_id, ...).
    """
    return gr.HTML(
        value=None,
        label=label,
        html_template=read("drawing.html"),
        css_template=read("drawing.css"),
        js_on_load=read("drawing.js"),
        apply_default_css=False,
        **options,
    )
