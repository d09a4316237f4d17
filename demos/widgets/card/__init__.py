"""What every widget is built from: a gr.HTML with its own script and style, in a card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

WIDGETS = Path(__file__).parent.parent


def read(*names: str | Path) -> str:
    """Files of demos/widgets, or any by its whole path, joined: Gradio gives a component one script
    and one style."""
    return "\n".join((WIDGETS / name).read_text(encoding="utf-8") for name in names)


def card(
    kind: str,
    *,
    elem_id: str,
    label: str,
    value: dict[str, Any] | None,
    empty: str,
    scripts: tuple[str, ...] = (),
    styles: tuple[str | Path, ...] = (),
    **options: Any,
) -> gr.HTML:
    """A card whose `<kind>/<kind>.js` shows its value with the help of card.js, styled by the
    CSS file beside it.

    label: its name for screen readers; empty: what it says before it has a value; scripts,
    styles: further files, before its own; `options` go to gr.HTML.
    """
    return gr.HTML(
        value=value,
        label=label,
        elem_id=elem_id,
        html_template=read("card/card.html"),
        css_template=read("card/card.css", *styles, f"{kind}/{kind}.css"),
        js_on_load=read("card/png_text.js", "card/card.js", *scripts, f"{kind}/{kind}.js"),
        apply_default_css=False,
        kind=kind.replace("_", "-"),  # the name of its CSS class
        empty=empty,
        **options,
    )
