"""The first part once more: its decoder learns to read what the denoiser leaves.

The autoencoder has only ever decoded latents of real pictures. The denoiser's are a little wrong
everywhere, and a decoder that has not met such errors turns them into blotches.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.families.text_to_image.autoencoder import Autoencoder, AutoencoderConfig, difference
from gen_core.family import Losses, Phase, register


@dataclass(frozen=True)
class DecoderConfig(AutoencoderConfig):
    critic_width: int = 32
    adversarial: float = 0.2
    """Weight of fooling the critic: its slope is then about a quarter of the difference's."""


@register
class Decoder(Autoencoder):
    """An autoencoder whose encoder stands still, and a critic of its pictures' patches.

    Of what is uncertain, the difference alone would want the mean, which is blurred; a critic that
    knows real pictures wants a likely one (Rombach et al. 2022, appendix G).
    """

    name = "text-to-image/decoder"
    Config = DecoderConfig

    def __init__(self, config: DecoderConfig | None = None) -> None:
        super().__init__(config)
        self.critic = patch_critic(self.config.critic_width)
        for still in (self.net.encoder, self.net.quant_conv):
            still.requires_grad_(False)

    @classmethod
    def tiny(cls) -> DecoderConfig:
        return DecoderConfig(widths=(16, 16, 32), critic_width=4)

    def phases(self) -> list[Phase]:
        decoder = [*self.net.post_quant_conv.parameters(), *self.net.decoder.parameters()]
        how = {"lr": 3e-4, "betas": (0.5, 0.99), "weight_decay": 0.01}
        return [
            Phase("critic", list(self.critic.parameters()), self.critic_loss, **how),
            Phase("decode", decoder, self.loss, **how),
        ]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """The difference to x (B, 3, 64, 64), decoded from label (B, 4, 16, 16), and -log D."""
        out = self.net.decode(label).sample.float()
        fooled = F.softplus(-self.critic(out).float()).mean()
        pixels, edges = difference(out, x)
        loss = pixels + edges + self.config.adversarial * fooled
        return {"loss": loss, "pixels": pixels, "fooled": fooled}

    def critic_loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """-log D(x) - log(1 - D(x')), Goodfellow et al. 2014, eq. 1, of each patch."""
        with torch.no_grad():
            out = self.net.decode(label).sample.float()
        real, fake = self.critic(x).float(), self.critic(out).float()
        caught = ((real > 0).float().mean() + (fake < 0).float().mean()) / 2
        return {"loss": F.softplus(-real).mean() + F.softplus(fake).mean(), "accuracy": caught}


def patch_critic(width: int) -> nn.Sequential:
    """(B, 3, H, W) -> (B, 1, H / 8, W / 8) logits, each of a patch (Isola et al. 2017, 3.2.2)."""
    layers: list[nn.Module] = []
    for inside, outside in ((3, width), (width, 2 * width), (2 * width, 4 * width)):
        layers += [nn.Conv2d(inside, outside, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(4 * width, 1, 3, padding=1))
