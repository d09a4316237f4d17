"""The GAN: samples, the discriminator's verdict, a walk through latent space, mode collapse."""

from __future__ import annotations

from demos.gan import collapse, critic, samples, walk
from demos.handlers import App
from demos.panel import panel_tabs
from demos.tab import Tab

ID = samples.TAB
CACHED = [samples.PANEL.keep(), critic.keep(), walk.PANEL.keep(), collapse.PANEL.keep()]


def build(app: App) -> None:
    """The tab's four panels."""
    panel_tabs(
        app,
        ID,
        [
            samples.PANEL.entry,
            (critic.TITLE, critic.PANEL_ID, critic.build),
            walk.PANEL.entry,
            collapse.PANEL.entry,
        ],
    )


TAB = Tab(ID, "GAN", order=30, build=build)
