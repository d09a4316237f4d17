"""The GAN: mode collapse, a lab to train in, the discriminator's verdict, samples, a walk, and
portraits by style."""

from demos.page.tab import Tab
from demos.tabs.gan import collapse, discriminator, lab, lab_many, portraits, samples

TAB = Tab(
    samples.TAB,
    "GAN",
    order=30,
    panels=[
        collapse.PANEL,
        lab.PANEL,
        lab_many.PANEL,
        discriminator.PANEL,
        samples.PANEL,
        samples.WALK_PANEL,
        portraits.PANEL,
        portraits.STYLES_PANEL,
    ],
)
