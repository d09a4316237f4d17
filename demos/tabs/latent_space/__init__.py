"""The latent space: what a VAE of portraits has made of fifty thousand faces."""

from demos.page.tab import Tab
from demos.tabs.latent_space import anomaly, kl, map, mix, models, sliders

TAB = Tab(
    models.TAB,
    "Latent space",
    order=25,
    panels=[sliders.PANEL, map.PANEL, mix.BETWEEN_PANEL, mix.PANEL, kl.PANEL, anomaly.PANEL],
    needs=f"{models.PORTRAITS}.safetensors",
)
