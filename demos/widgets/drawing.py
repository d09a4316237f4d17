"""A pad to draw on: white on black, like the pictures of Fashion-MNIST."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

HERE = Path(__file__).parent


def DrawingPad(*, label: str = "Drawing", **options: Any) -> gr.HTML:
    """A gr.HTML whose value is the drawing as a PNG data URL, None while it is empty.

    `options` go to gr.HTML (visible, elem_id, ...).
    """
    return gr.HTML(
        value=None,
        label=label,
        html_template=(HERE / "drawing.html").read_text(encoding="utf-8"),
        css_template=(HERE / "drawing.css").read_text(encoding="utf-8"),
        js_on_load=(HERE / "drawing.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        **options,
    )
