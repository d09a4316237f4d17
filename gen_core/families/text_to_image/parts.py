"""The networks of a small Stable Diffusion, which are trained one after the other.

An autoencoder (pictures to latents and back), a text encoder, a denoiser steered by words, a
decoder that has met the denoiser's errors, and CLIP, which measures the fit and searches.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.families.text_to_image.tokens import LENGTH
from gen_core.family import Losses, Phase, Trainable, register
from gen_core.nets.config import setting

if TYPE_CHECKING:
    from transformers import CLIPTextConfig

    from gen_core.training.recipes import Recipe, Run


LIBRARIES = ("diffusers", "transformers")


class Part(Trainable):
    """A network of the library's, in `net`, and how it is trained."""

    libraries: ClassVar = LIBRARIES
    layout: ClassVar = torch.contiguous_format
    """The libraries' group normalisation trains half again as fast with it on a CPU."""

    @classmethod
    def run(cls, name: str, recipe: "Recipe", folder: Path) -> "Run":
        from gen_core.families.text_to_image.training import PartRun  # heavy

        return PartRun(name, recipe, folder)


@dataclass(frozen=True)
class AutoencoderConfig:
    widths: tuple[int, ...] = setting((16, 48, 96), entries=(3, 3), multiple=4)
    kl: float = 1e-6
    """Weight of the KL divergence: just enough to keep the latents' scale in hand."""


@register
class Autoencoder(Part):
    """The first part: pictures (3, 64, 64) to latents (4, 16, 16) and back."""

    name = "text-to-image/autoencoder"
    Config = AutoencoderConfig
    small: ClassVar = {"widths": (16, 16, 32)}

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


@dataclass(frozen=True)
class TextEncoderConfig:
    vocabulary: int = setting(2512, 3, 1_000_000)
    """Tokens of the tokenizer."""
    width: int = setting(192, multiple=32)
    text_layers: int = setting(4, 1, 100)


@register
class TextEncoder(Part):
    """The second part: a text encoder that steers the denoiser, by saying how what it reads would
    look.

    CLIP's text half begins with its weights. To learn from contrast alone and then steer the
    denoiser, as in Stable Diffusion, takes more data than this: it left as few directions as tell
    captions apart, about twenty of 192.
    """

    name = "text-to-image/words"
    Config = TextEncoderConfig
    small: ClassVar = {"vocabulary": 514, "width": 32, "text_layers": 1}

    def __init__(self, config: TextEncoderConfig | None = None) -> None:
        from transformers import CLIPTextModel  # heavy

        super().__init__(config)
        self.net = CLIPTextModel(text_config(self.config))
        self.net.set_attn_implementation("eager")  # trains half again as fast on a CPU

    def phases(self) -> list[Phase]:
        return [
            Phase(
                "sketch",
                list(self.parameters()),
                self.loss,
                lr=1e-3,
                betas=(0.9, 0.98),
                weight_decay=0.01,
            )
        ]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """How far the encoding after the last word is from the scene's target.

        x (B, width) targets, label (B, 32) tokens. The end marker pads the rest of a caption:
        all of them are encoded alike, so that the denoiser finds it easily.
        """
        encoding = self.net(label).last_hidden_state.float()
        after = (label == self.config.vocabulary - 1).float()
        error = (encoding - x[:, None]).square().mean(2)
        loss = ((error * after).sum(1) / after.sum(1).clamp(min=1)).mean()
        return {"loss": loss, "share": loss.detach() / x.square().mean()}


def text_config(config: TextEncoderConfig) -> "CLIPTextConfig":
    """Of the text half; the two markers are the last two of the vocabulary."""
    from transformers import CLIPTextConfig  # heavy

    end = config.vocabulary - 1
    return CLIPTextConfig(
        **_size(config.width),
        vocab_size=config.vocabulary,
        num_hidden_layers=config.text_layers,
        max_position_embeddings=LENGTH,
        bos_token_id=end - 1,
        eos_token_id=end,
        pad_token_id=end,
    )


def _size(width: int) -> dict[str, int]:
    return {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_attention_heads": width // 32,
    }


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
    widths: tuple[int, ...] = setting((64, 128, 256), entries=(3, 3), multiple=32)
    """At 16, 8 and 4 latent pixels. With (96, 192, 320) a step takes 1.8 times as long."""
    words: int = setting(192, multiple=32)
    """Width of a token's encoding."""


@register
class Denoiser(Part):
    """The third part: takes noise away from latents, conditioned on words."""

    name = "text-to-image/denoiser"
    Config = DenoiserConfig
    small: ClassVar = {"widths": (32, 32, 64), "words": 32}

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
        steps t (B,), conditioned on words (B, 32, width)."""
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


@dataclass(frozen=True)
class DecoderConfig(AutoencoderConfig):
    discriminator_width: int = 32
    adversarial: float = 0.2
    """Weight of fooling the discriminator: its gradient is then about a quarter of the other's."""


@register
class Decoder(Autoencoder):
    """The first part once more, its encoder frozen: the decoder learns to read what the denoiser
    leaves, against a discriminator of its pictures' patches.

    The autoencoder has only ever decoded latents of real pictures. The denoiser's are a little
    wrong everywhere, and a decoder that has not met such errors turns them into blotches. Of what
    is uncertain, the difference alone would want the mean, which is blurred; a discriminator that
    knows real pictures wants a likely one (Rombach et al. 2022, appendix G).
    """

    name = "text-to-image/decoder"
    Config = DecoderConfig
    small: ClassVar = {"widths": (16, 16, 32), "discriminator_width": 4}
    renamed: ClassVar = {"critic": "discriminator", "critic_width": "discriminator_width"}

    def __init__(self, config: DecoderConfig | None = None) -> None:
        super().__init__(config)
        self.discriminator = patch_discriminator(self.config.discriminator_width)
        for still in (self.net.encoder, self.net.quant_conv):
            still.requires_grad_(False)

    def phases(self) -> list[Phase]:
        decoder = [*self.net.post_quant_conv.parameters(), *self.net.decoder.parameters()]
        how = {"lr": 3e-4, "betas": (0.5, 0.99), "weight_decay": 0.01}
        return [
            Phase(
                "discriminator",
                list(self.discriminator.parameters()),
                self.discriminator_loss,
                **how,
            ),
            Phase("decode", decoder, self.loss, **how),
        ]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """The difference to x (B, 3, 64, 64), decoded from label (B, 4, 16, 16), and -log D."""
        out = self.net.decode(label).sample.float()
        fooled = F.softplus(-self.discriminator(out).float()).mean()
        pixels, edges = difference(out, x)
        loss = pixels + edges + self.config.adversarial * fooled
        return {"loss": loss, "pixels": pixels, "fooled": fooled}

    def discriminator_loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """-log D(x) - log(1 - D(x')), Goodfellow et al. 2014, eq. 1, of each patch."""
        with torch.no_grad():
            out = self.net.decode(label).sample.float()
        real, fake = self.discriminator(x).float(), self.discriminator(out).float()
        caught = ((real > 0).float().mean() + (fake < 0).float().mean()) / 2
        return {"loss": F.softplus(-real).mean() + F.softplus(fake).mean(), "accuracy": caught}


def patch_discriminator(width: int) -> nn.Sequential:
    """(B, 3, H, W) -> (B, 1, H / 8, W / 8) logits, each of a patch (Isola et al. 2017, 3.2.2)."""
    layers: list[nn.Module] = []
    for inside, outside in ((3, width), (width, 2 * width), (2 * width, 4 * width)):
        layers += [nn.Conv2d(inside, outside, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(4 * width, 1, 3, padding=1))


@dataclass(frozen=True)
class ClipConfig(TextEncoderConfig):
    vision_layers: int = 6
    shared: int = 128
    """Dimensions of the space that words and pictures share."""


@register
class Clip(Part):
    """Words and pictures in one space (Radford et al. 2021, CLIP), for the CLIP score and search.
    Its text half begins as the text encoder that steers the denoiser."""

    name = "text-to-image/clip"
    Config = ClipConfig
    small: ClassVar = TextEncoder.small | {"vision_layers": 1, "shared": 16}

    def __init__(self, config: ClipConfig | None = None) -> None:
        from transformers import CLIPConfig, CLIPModel  # heavy

        super().__init__(config)
        c = self.config
        text = text_config(c).to_dict()
        vision = _size(c.width) | {
            "image_size": 64,
            "patch_size": 8,
            "num_hidden_layers": c.vision_layers,
        }
        shared = {"projection_dim": c.shared}
        self.net = CLIPModel(
            CLIPConfig(text_config=text | shared, vision_config=vision | shared, **shared)
        )
        self.net.set_attn_implementation("eager")  # trains half again as fast on a CPU

    def phases(self) -> list[Phase]:
        return [
            Phase(
                "match",
                list(self.parameters()),
                self.loss,
                lr=1e-3,
                betas=(0.9, 0.98),
                weight_decay=0.02,
            )
        ]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """Which caption belongs to which picture, asked both ways (Radford et al. 2021, fig. 3).

        x (B, 3, 64, 64) in [-1, 1], label (B, 32) the captions' tokens.
        """
        out = self.net(input_ids=label, pixel_values=x)
        logits, own = out.logits_per_text.float(), torch.arange(len(x), device=x.device)
        loss = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
        return {"loss": loss, "accuracy": (logits.argmax(1) == own).float().mean()}
