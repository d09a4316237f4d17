"""What every widget is built from: a gr.HTML with its own script and style, in a card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

HERE = Path(__file__).parent


def read(*names: str) -> str:
    """The files of this folder, joined: Gradio gives a component one script and one style."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)


def card(
    kind: str,
    *,
    elem_id: str,
    label: str,
    value: dict[str, Any] | None,
    empty: str,
    scripts: tuple[str, ...] = (),
    styles: tuple[str, ...] = (),
    **options: Any,
) -> gr.HTML:
    """A card whose `<kind>.js` shows its value with the help of card.js, styled by `<kind>.css`.

    label: its name for screen readers; empty: what it says before it has a value; scripts,
    styles: further files, before its own; `options` go to gr.HTML.
    """
    return gr.HTML(
        value=value,
        label=label,
        elem_id=elem_id,
        html_template=read("card.html"),
        css_template=read("card.css", *styles, f"{kind}.css"),
        js_on_load=read("png_text.js", "card.js", *scripts, f"{kind}.js"),
        apply_default_css=False,
        kind=kind.replace("_", "-"),  # the name of its CSS class
        empty=empty,
        **options,
    )
