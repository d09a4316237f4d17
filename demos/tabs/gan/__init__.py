"""The GAN: mode collapse, the discriminator's verdict, samples, a walk, and portraits by style."""

from demos.page.tab import Tab
from demos.tabs.gan import collapse, discriminator, portraits, samples

TAB = Tab(
    samples.TAB,
    "GAN",
    order=30,
    panels=[
        collapse.PANEL,
        discriminator.PANEL,
        samples.PANEL,
        samples.WALK_PANEL,
        portraits.PANEL,
        portraits.STYLES_PANEL,
    ],
)
