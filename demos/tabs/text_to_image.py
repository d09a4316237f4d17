"""Text to image: a small Stable Diffusion of our own, live."""

from __future__ import annotations

from demos.handlers import App
from demos.panel import panel_tabs
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
    others = [(module.TITLE, module.PANEL_ID, module.build) for module in (bigger, made_here)]
    panel_tabs(app, ID, [*(panel.entry for panel in PANELS), *others])


TAB = Tab(ID, "Text to image", order=60, build=build, needs=f"{generate.MODEL}/clip")
