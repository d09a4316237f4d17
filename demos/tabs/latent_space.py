"""The latent-space lab: what a VAE of portraits has made of fifty thousand faces."""

from __future__ import annotations

from demos.latent_space import between, kl, map, mix, models, odd, sliders
from demos.tab import Tab

TAB = Tab(
    models.TAB, "Latent space", order=25,
    panels=[sliders.PANEL, map.PANEL, between.PANEL, mix.PANEL, kl.PANEL, odd.PANEL],
    needs=f"{models.PORTRAITS}.safetensors",
)  # fmt: skip
