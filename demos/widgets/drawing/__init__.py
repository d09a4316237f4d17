"""Pads to draw on: in grey, like the pictures of Fashion-MNIST, or in colour."""

import gradio as gr

from demos.widgets.card import read


def DrawingPad(*, label: str, colour: bool = False) -> gr.HTML:
    """A gr.HTML whose value is the drawing as a PNG data URL, None while it is empty.

    colour: a palette on white paper instead of white and grey on black.
    """
    return gr.HTML(
        value=None,
        label=label,
        html_template=read("drawing/drawing_colour.html" if colour else "drawing/drawing.html"),
        css_template=read("card/pad.css"),
        js_on_load=read("card/pad.js", "drawing/drawing.js"),
        apply_default_css=False,
    )
