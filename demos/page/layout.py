"""How a panel is laid out: controls left, result right; on a phone one under the other."""

from __future__ import annotations

import gradio as gr


def controls() -> gr.Column:
    """The narrow left column with knobs and buttons."""
    return gr.Column(scale=1, min_width=260, elem_classes=["controls"])


def results() -> gr.Column:
    """The wide right column with pictures."""
    return gr.Column(scale=3, min_width=320, elem_classes=["results"])


def buttons(run: str) -> tuple[gr.Button, gr.Button]:
    """The primary button and Stop, side by side."""
    with gr.Row(elem_classes=["run-row"]):
        go = gr.Button(run, variant="primary", min_width=140, scale=3)
        stop = gr.Button("Stop", variant="stop", min_width=70, scale=1)
    return go, stop
