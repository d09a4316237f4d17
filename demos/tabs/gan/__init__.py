"""The GAN: samples, the discriminator's verdict, a walk, mode collapse, and portraits by style."""

from demos.page.tab import Tab
from demos.tabs.gan import collapse, discriminator, portraits, samples

TAB = Tab(
    samples.TAB,
    "GAN",
    order=30,
    panels=[
        samples.PANEL,
        discriminator.PANEL,
        samples.WALK_PANEL,
        collapse.PANEL,
        portraits.PANEL,
        portraits.STYLES_PANEL,
    ],
)
