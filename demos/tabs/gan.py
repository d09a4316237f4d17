"""The GAN: samples, the discriminator's verdict, a walk, mode collapse, and portraits by style."""

from __future__ import annotations

from demos.gan import collapse, critic, portraits, samples, walk
from demos.handlers import App
from demos.panel import panel_tabs
from demos.tab import Tab

ID = samples.TAB
CACHED = [
    samples.PANEL.keep(), critic.keep(), walk.PANEL.keep(), collapse.PANEL.keep(),
    portraits.PANEL.keep(), portraits.STYLES_PANEL.keep(),
]  # fmt: skip


def build(app: App) -> None:
    """The tab's panels; those of portraits only where their generator is."""
    styled = [portraits.PANEL.entry, portraits.STYLES_PANEL.entry] if portraits.PANEL.here else []
    panel_tabs(
        app,
        ID,
        [
            samples.PANEL.entry,
            (critic.TITLE, critic.PANEL_ID, critic.build),
            walk.PANEL.entry,
            collapse.PANEL.entry,
            *styled,
        ],
    )


TAB = Tab(ID, "GAN", order=30, build=build)
