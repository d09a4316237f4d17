"""Text to image: a small Stable Diffusion of our own, live."""

from __future__ import annotations

from demos.tab import Tab
from demos.text_to_image import (
    bigger,
    change,
    fit,
    generate,
    inside,
    made_here,
    start,
    two,
)  # fmt: skip

TAB = Tab(
    generate.ID, "Text to image", order=60,
    panels=[
        generate.PANEL, inside.PANEL, change.PANEL, two.PANEL, start.PANEL, fit.PANEL,
        bigger.PANEL, made_here.PANEL,
    ],
    needs=f"{generate.MODEL}/clip",
)  # fmt: skip
