"""Text to image: a small Stable Diffusion of our own, live."""

from demos.page.tab import Tab
from demos.tabs.text_to_image import (
    bigger,
    compare,
    fit,
    generate,
    provenance_check,
    seeds,
    start,
)

TAB = Tab(
    generate.ID,
    "Text to image",
    order=60,
    panels=[
        generate.PANEL,
        seeds.PANEL,
        generate.INSIDE_PANEL,
        compare.CHANGE_PANEL,
        compare.TWO_PANEL,
        start.PANEL,
        fit.PANEL,
        bigger.PANEL,
        provenance_check.PANEL,
    ],
    needs=f"{generate.MODEL}/clip",
)
