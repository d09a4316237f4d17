"""The third part: takes noise away from latents, told by words what should appear."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gen_core.families.text_to_image.part import Part
from gen_core.family import Losses, Phase, register

SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.02,
    "prediction_type": "v_prediction",
    "timestep_spacing": "trailing",
    "steps_offset": 1,
}
"""Stable Diffusion's, with more noise at its end: a small picture shows through less noise, and
here the colour of the whole background must be decided by the words, not by what shows through."""


@dataclass(frozen=True)
class DenoiserConfig:
    widths: tuple[int, ...] = (64, 128, 256)
    """At 16, 8 and 4 latent pixels. With (96, 192, 320) a step takes 1.8 times as long."""
    words: int = 192
    """Width of a token's encoding."""


@register
class Denoiser(Part):
    name = "text-to-image/denoiser"
    Config = DenoiserConfig

    def __init__(self, config: DenoiserConfig | None = None) -> None:
        from diffusers import DDPMScheduler, UNet2DConditionModel  # heavy
        from diffusers.models.attention_processor import AttnProcessor

        super().__init__(config)
        c = self.config
        self.net = UNet2DConditionModel(
            sample_size=16,
            in_channels=4,
            out_channels=4,
            layers_per_block=1,
            block_out_channels=c.widths,
            attention_head_dim=tuple(w // 32 for w in c.widths),
            cross_attention_dim=c.words,
            # The words steer every layer, as the time does (as in DeepFloyd IF): with attention
            # to them alone, nothing had taken shape after 130,000 pictures.
            addition_embed_type="text",
            addition_embed_type_num_heads=c.words // 32,
            resnet_time_scale_shift="scale_shift",
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        )
        self.net.set_attn_processor(AttnProcessor())  # trains a quarter faster on a CPU
        self.schedule = DDPMScheduler(**SCHEDULE)

    @classmethod
    def tiny(cls) -> DenoiserConfig:
        return DenoiserConfig(widths=(32, 32, 64), words=32)

    def phases(self) -> list[Phase]:
        return [Phase("denoise", list(self.parameters()), self.loss, lr=1e-3, weight_decay=0.01)]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """E || v(x_t, t, words) - v ||^2, Salimans & Ho 2022, appendix D.

        x (B, 4, 16, 16) latents of about unit size, label (B, 32, width) the encoded captions.
        """
        # Noisy ones more often, with a density that rises like t: there the words decide.
        share = torch.rand(len(x), generator=rng, device=x.device).sqrt()
        t = (1000 * share).long().clamp(max=999)
        eps = torch.randn(x.shape, generator=rng, device=x.device)
        x_t = self.schedule.add_noise(x, eps, t)
        predicted = self.net(x_t, t, label.to(x.dtype)).sample.float()
        error = (predicted - self.schedule.get_velocity(x, eps, t)).square().mean((1, 2, 3))
        late = t >= 500
        return {"loss": error.mean(), "coarse": _mean(error, late), "fine": _mean(error, ~late)}

    def guess(self, x: Tensor, t: Tensor, eps: Tensor, words: Tensor) -> Tensor:
        """What the network takes latents x (B, 4, 16, 16) for, once they are mixed with eps at
        steps t (B,) and it is told words (B, 32, width)."""
        x_t = self.schedule.add_noise(x, eps, t)
        v = self.net(x_t, t, words).sample.float()
        return clean(x_t, v, self.schedule.alphas_cumprod.to(x.device)[t].view(-1, 1, 1, 1))


def _mean(error: Tensor, which: Tensor) -> Tensor:
    """Of errors (B,), where `which`, (B,) bool, says so: as indexing by it, for which the host
    would have to wait."""
    return error.where(which, 0).sum() / which.sum()


def clean(x: Tensor, v: Tensor, alpha_bar: Tensor) -> Tensor:
    """The guess of x_0: sqrt(alpha_bar) x_t - sqrt(1 - alpha_bar) v, Salimans & Ho 2022, 4."""
    return alpha_bar.sqrt() * x - (1 - alpha_bar).sqrt() * v
