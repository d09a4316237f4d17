"""The GAN: mode collapse, a lab to train in, visitors as discriminators and the network's verdict,
samples, a walk, and portraits by style."""

from demos.page.tab import Tab
from demos.tabs.gan import collapse, discriminator, lab, lab_many, portraits, real_or_fake, samples

TAB = Tab(
    samples.TAB,
    "GAN",
    order=30,
    panels=[
        collapse.PANEL,
        lab.PANEL,
        lab_many.PANEL,
        real_or_fake.PANEL,
        discriminator.PANEL,
        samples.PANEL,
        samples.WALK_PANEL,
        portraits.PANEL,
        portraits.STYLES_PANEL,
    ],
)
