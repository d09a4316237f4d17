"""The latent-space lab: what a VAE of portraits has made of fifty thousand faces."""

from __future__ import annotations

from typing import Any

from demos.handlers import App
from demos.latent_space import between, kl, kl_models, mix, models, odd, sliders
from demos.latent_space import map as map_panel
from demos.panel import Entry, panel_tabs
from demos.tab import Tab

ID = models.TAB
PANELS = (sliders, map_panel, between, mix.PANEL, kl, odd)
CACHED = [panel.keep() for panel in PANELS]


def build(app: App) -> None:
    """The tab's panels; the one that compares models only where there are two."""
    comparing = len(kl_models.here()) > 1
    panel_tabs(app, ID, [_entry(panel) for panel in PANELS if panel is not kl or comparing])


def _entry(panel: Any) -> Entry:
    return panel.entry if panel is mix.PANEL else (panel.TITLE, panel.PANEL_ID, panel.build)


TAB = Tab(ID, "Latent space", order=25, build=build, needs=f"{models.PORTRAITS}.safetensors")
