"""What every widget is built from: a gr.HTML with its own script and style, in a card."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from demos.page.image_io import Value, as_json
from demos.widgets.card.export import export_file

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
    value: Value | dict[str, Any] | None,
    empty: str,
    scripts: Sequence[str] = (),
    styles: Sequence[str | Path] = (),
    asked: Sequence[Callable] = (),
) -> gr.HTML:
    """A card whose `<kind>/<kind>.js` shows its value with the help of card.js, styled by the
    CSS file beside it.

    label: its name for screen readers; value: perhaps as the JSON of one that was kept; empty: what
    it says before it has a value; scripts, styles: further files, before its own; asked: what its
    script asks the server, as `App.serve` makes it.
    """
    return gr.HTML(
        value=as_json(value),
        label=label,
        elem_id=elem_id,
        html_template=read("card/card.html"),
        css_template=read("card/card.css", *styles, f"{kind}/{kind}.css"),
        js_on_load=read("card/card.js", *scripts, f"{kind}/{kind}.js"),
        apply_default_css=False,
        server_functions=[export_file, *asked],
        kind=kind.replace("_", "-"),  # the name of its CSS class
        empty=empty,
    )
