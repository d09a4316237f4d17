"""The GAN: samples, the discriminator's verdict, a walk, mode collapse, and portraits by style."""

from __future__ import annotations

from demos.gan import collapse, critic, portraits, samples, walk
from demos.tab import Tab

TAB = Tab(
    samples.TAB, "GAN", order=30,
    panels=[
        samples.PANEL, critic.PANEL, walk.PANEL, collapse.PANEL, portraits.PANEL,
        portraits.STYLES_PANEL,
    ],
)  # fmt: skip
