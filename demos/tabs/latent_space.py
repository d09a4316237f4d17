"""The latent-space lab: what a VAE of portraits has made of fifty thousand faces."""

from __future__ import annotations

from typing import Any

from demos.handlers import App
from demos.latent_space import between, mix, models, odd, sliders
from demos.latent_space import map as map_panel
from demos.panel import Entry, panel_tabs
from demos.tab import Tab

ID = models.TAB
CACHED = [sliders.keep(), map_panel.keep(), between.keep(), mix.PANEL.keep(), odd.keep()]


def build(app: App) -> None:
    """The tab's panels."""
    first, last = (sliders, map_panel, between), (odd,)
    panel_tabs(app, ID, [*map(_entry, first), mix.PANEL.entry, *map(_entry, last)])


def _entry(panel: Any) -> Entry:
    return panel.TITLE, panel.PANEL_ID, panel.build


TAB = Tab(ID, "Latent space", order=25, build=build, needs=f"{models.PORTRAITS}.safetensors")
