"""Style-based GAN: the latent code steers every layer of the generator, coarse to fine.

Karras et al. 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks",
with the modulated convolutions of Karras et al. 2020. The game is played in pairs, as in Huang et
al. 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN": what the discriminator says
of a forgery counts beside what it says of a real picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.checks import number
from gen_core.families.gan import GAN
from gen_core.family import Frame, Losses, register
from gen_core.nets.style import StyleDiscriminator, StyleGenerator
from gen_core.noise import Noise

MIXED = 0.5
"""Share of training pictures whose layers follow two codes, so that layers do not rely on each
other (Karras et al. 2019, section 3.1: style mixing)."""


@dataclass(frozen=True)
class StyleGANConfig:
    channels: int = 3
    size: int = 64
    latent: int = 128
    mapping: int = 3
    """Layers from z to w."""
    widths: tuple[int, ...] = (192, 160, 128, 64, 32)
    """Of the generator, from 4 by 4 up to full resolution."""
    critic_widths: tuple[int, ...] = (64, 96, 128, 192)
    """Of the discriminator, from half the resolution down to 4 by 4."""
    classes: int = 0
    """It draws what it likes."""
    r1: float = 2.0
    """Gamma, the weight of both penalties; 0: none."""
    lr_generator: float = 2.5e-4
    """At 5e-4, against a discriminator at 2e-4, all pictures were white after 250 steps."""
    lr_critic: float = 1e-4
    momentum: float = 0.0
    critic_every: int = 1


@register
class StyleGAN(GAN):
    name = "style-gan"
    Config = StyleGANConfig

    def build(self) -> None:
        c = self.config
        self.generator = StyleGenerator(c.channels, c.widths, c.latent, c.mapping)
        self.critic = StyleDiscriminator(c.channels, c.size, c.critic_widths)

    def critic_loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """-log sigmoid(D(x) - D(G(z))), Huang et al. 2024, section 2.1. A generator that draws no
        turbans leaves these far above all that it draws, and is drawn towards them."""
        label = self._known(label)
        with torch.no_grad():
            fake = self.fakes(label, rng)
        lead = self.critic(x, label).float() - self.critic(fake, label).float()
        return {"loss": F.softplus(-lead).mean(), "accuracy": (lead > 0).float().mean()}

    def generator_loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """The same with the parts exchanged."""
        label = self._known(label)
        with torch.no_grad():
            real_logit = self.critic(x, label).float()
        lead = real_logit - self.critic(self.fakes(label, rng), label).float()
        return {"loss": F.softplus(lead).mean()}

    def penalty(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Tensor:
        """R1 and R2: the slope at real pictures and at forgeries (Huang et al. 2024, section
        2.2)."""
        label = self._known(label)
        with torch.no_grad():
            fake = self.fakes(label, rng).float()
        return self.config.r1 / 2 * (self.slope(x, label) + self.slope(fake, label))

    def fakes(self, label: Tensor, rng: torch.Generator) -> Tensor:
        """Pictures for training, half of them of two codes."""
        count, layers = len(label), self.generator.layers
        first, second = (self.generator.style(self._latent(count, rng)) for _ in range(2))
        turn = torch.randint(1, layers, (count,), generator=rng, device=self.device)
        alone = torch.rand(count, generator=rng, device=self.device) > MIXED
        turn = torch.where(alone, layers, turn)
        late = torch.arange(layers, device=self.device) >= turn[:, None]
        w = torch.where(late[..., None], second[:, None], first[:, None])
        return self.generator.colour(w, self._grain(count, rng))

    def _grain(self, count: int, rng: torch.Generator) -> list[Tensor]:
        shapes = [(count, 1, side, side) for side in self.generator.sides]
        return [torch.randn(shape, generator=rng, device=self.device) for shape in shapes]

    def generate(
        self, z: Tensor, label: Tensor | None = None, truncation_psi: float = 1.0,
        grain: Sequence[Tensor] | None = None,
    ) -> Tensor:  # fmt: skip
        """z (B, latent), grain as `paint` takes it or None for none -> (B, C, H, W) in [-1, 1]"""
        return self.generator.paint(self.styles(z, truncation_psi), grain)

    def styles(self, z: Tensor, truncation_psi: float = 1.0) -> Tensor:
        """z (B, latent) -> w (B, latent), pulled towards the mean style by truncation_psi."""
        mean = self.generator.mean_style
        return mean + truncation_psi * (self.generator.style(z) - mean)

    @torch.inference_mode()
    def sample(self, noise: Noise, *, truncation_psi: float = 1.0) -> Iterator[Frame]:
        """Yields two Frames: the latent (B, latent), then the picture; out is the picture too.

        truncation_psi: 0 (the mean picture) to 2, 1 is what was trained.
        """
        psi = number("truncation_psi", truncation_psi, 0.0, 2.0)
        z = noise.randn(self.config.latent).to(self.device)
        grain = [noise.randn(1, side, side).to(self.device) for side in self.generator.sides]
        x = self.generate(z, None, psi, grain)
        yield Frame(0, 1, 0.0, z, x0=x, out=x)
        yield Frame(1, 1, 1.0, x)
