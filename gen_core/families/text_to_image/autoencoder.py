"""The first part: pictures (3, 64, 64) to latents (4, 16, 16) and back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.families.text_to_image.part import Part
from gen_core.family import Losses, Phase, register


@dataclass(frozen=True)
class AutoencoderConfig:
    widths: tuple[int, ...] = (16, 48, 96)
    kl: float = 1e-6
    """Weight of the KL divergence: just enough to keep the latents' scale in hand."""


@register
class Autoencoder(Part):
    name = "text-to-image/autoencoder"
    Config = AutoencoderConfig

    def __init__(self, config: AutoencoderConfig | None = None) -> None:
        from diffusers import AutoencoderKL  # heavy

        super().__init__(config)
        widths = self.config.widths
        self.net = AutoencoderKL(
            sample_size=64,
            latent_channels=4,
            block_out_channels=widths,
            layers_per_block=1,
            down_block_types=("DownEncoderBlock2D",) * len(widths),
            up_block_types=("UpDecoderBlock2D",) * len(widths),
            norm_num_groups=4,
            mid_block_add_attention=False,
        )
        # Starts with little noise in the latents: from as much as signal it learns far slower.
        torch.nn.init.constant_(self.net.quant_conv.bias[4:], -5.0)

    @classmethod
    def tiny(cls) -> AutoencoderConfig:
        return cls.Config(widths=(16, 16, 32))

    def phases(self) -> list[Phase]:
        return [Phase("compress", list(self.parameters()), self.loss, lr=1e-3)]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """The difference between x and what comes back, and a little of the KL divergence."""
        posterior = self.net.encode(x).latent_dist
        noise = torch.randn(posterior.mean.shape, generator=rng, device=x.device)
        out = self.net.decode(posterior.mean + posterior.std * noise).sample.float()
        pixels, edges = difference(out, x)
        kl = posterior.kl().mean()
        return {"loss": pixels + edges + self.config.kl * kl, "pixels": pixels, "kl": kl}


def difference(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """| x - x' | of pixels, and of the steps between neighbours, which keeps edges sharp."""
    edges = sum(F.l1_loss(one.diff(dim=d), other.diff(dim=d)) for d in (2, 3))
    return F.l1_loss(one, other), edges
