"""Style-based GAN: the latent code steers every layer of the generator, coarse to fine.

Karras et al. 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks",
with the modulated convolutions of Karras et al. 2020. The game is played in pairs, as in Huang et
al. 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN": what the discriminator says
of a forgery counts beside what it says of a real picture.

And the generator is conditional. The discriminator learns to name what real pictures show
(Odena et al. 2017, "Conditional Image Synthesis with Auxiliary Classifier GANs"), and the game is
played for every answer too: which of two turbans is the real one? A generator that need only be
understood, as in that paper, finds signs that mean "round glasses" and are none; what forgeries
do to the classifier must count (Hou et al. 2022, "Conditional GANs with Auxiliary Discriminative
Classifier"). And in each pair both pictures show what was asked for, so a forgery shall look alike
to each layer of the discriminator (Wang et al. 2018, "High-Resolution Image Synthesis and Semantic
Manipulation with Conditional GANs").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.conditions import CompleteAttributes
from gen_core.data import SCHEMAS
from gen_core.families.gan import GAN
from gen_core.family import Losses, register
from gen_core.nets.adversarial_losses import relativistic
from gen_core.nets.attributes import IGNORE_INDEX, AttributeHead
from gen_core.nets.config import setting
from gen_core.nets.style import Look, StyleDiscriminator, StyleGenerator
from gen_core.sampling import Noise

MIXED = 0.25
"""Share of training pictures whose layers follow two codes and two labels, so that layers do not
rely on each other (Karras et al. 2019, section 3.1: style mixing)."""
TYPICAL = 2000
"""Codes that the mean style is the mean of."""


@dataclass(frozen=True)
class StyleGANConfig:
    channels: int = setting(3, 1, 64)
    size: int = setting(64, 1, 1024)
    latent: int = 128
    mapping: int = setting(3, 1, 64)
    """Layers from z to w."""
    widths: tuple[int, ...] = (192, 160, 128, 64, 32)
    """Of the generator, from 4 by 4 up to full resolution."""
    discriminator_widths: tuple[int, ...] = (64, 96, 128, 192)
    """Of the discriminator, from half the resolution down to 4 by 4."""
    classes: int = setting(0, 0, 0)
    """It is asked for attributes, not for a class."""
    schema: str = setting("avatars", options=SCHEMAS)
    """The data set that has these attributes."""
    aux_weight: float = 0.3
    """Weight of naming what a picture shows beside the game."""
    feature_matching_weight: float = 12.0
    """Weight of looking like the real portrait of the same label to the discriminator's layers."""
    r1: float = 0.1
    """Gamma, the weight of both penalties; 0: none. At 1 the discriminator stays too smooth to
    tell one nose from another, and then nobody can teach the generator."""
    lr_generator: float = setting(1e-3, 0, 1)
    """Held by `feature_matching_weight`; without, at half the rate, what it had learned was lost in
    a hundred steps."""
    lr_discriminator: float = setting(6e-4, 0, 1)
    momentum: float = setting(0.5, 0, 0.9999)
    """Without, the generator's steps are so uneven that the discriminator always finds it out."""
    discriminator_every: int = 2
    """Learning half as often it still tells nearly every pair apart."""


@register
class StyleGAN(GAN):
    name = "style-gan"
    Config = StyleGANConfig

    absent: ClassVar = {}
    renamed: ClassVar = GAN.renamed | {
        "critic_widths": "discriminator_widths",
        "shown": "aux_weight",
        "matched": "feature_matching_weight",
        "wish": "label",
        "colours": "to_rgb",
        "grain": "noise_strength",
    }

    def build(self) -> None:
        c, schema = self.config, SCHEMAS[self.config.schema]
        for name, doubled in (("widths", 1), ("discriminator_widths", 0)):
            levels = len(getattr(c, name))
            if c.size != (size := 4 * 2 ** (levels - doubled)):
                raise ValueError(f"size={c.size}: {levels} {name} reach from 4 to {size} pixels")
        sizes, numbers = tuple(schema.sizes.values()), len(schema.continuous)
        self.generator = StyleGenerator(c.channels, c.widths, c.latent, c.mapping, sizes, numbers)
        head = AttributeHead(schema.sizes, numbers)
        self.discriminator = StyleDiscriminator(c.channels, c.size, c.discriminator_widths, head)

    @classmethod
    def condition_of(cls, config: StyleGANConfig) -> CompleteAttributes:
        return CompleteAttributes(SCHEMAS[config.schema])

    @classmethod
    def tiny(cls) -> StyleGANConfig:
        return StyleGANConfig(
            size=16, widths=(16, 16, 16), discriminator_widths=(16, 16), latent=8, mapping=2
        )

    def discriminator_loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """The game, and what x shows."""
        with torch.no_grad():
            fake = self.fakes(label, rng)
        real, forged = self.discriminator.look(x), self.discriminator.look(fake)
        named = self.discriminator.head.loss(real.said, label)
        return {
            "loss": self._game(real, forged, label) + self.config.aux_weight * named.total,
            "accuracy": (real.logit > forged.logit).float().mean(),
            "right": named.accuracy,
        }

    def generator_loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """The game with the parts exchanged, the continuous attributes, of which none is real or
        forged, and how unlike the pairs look. Where two labels were mixed, nobody can say what was
        asked for."""
        with torch.no_grad():
            real = self.discriminator.look(x)
        fake, whole = self.mixed_fakes(label, rng)
        forged = self.discriminator.look(fake)
        one = _unmixed(len(x))
        named = self.discriminator.head.loss(forged.said[one], label[one])
        game = self._game(forged, real, label.where(whole[:, None], IGNORE_INDEX))
        unlike = _unlike(forged.maps, real.maps, one)
        c = self.config
        loss = game + c.aux_weight * named.continuous + c.feature_matching_weight * unlike
        return {"loss": loss, "unlike": unlike, "right": named.accuracy}

    def penalty(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Tensor:
        """R1 and R2: the slope at real pictures and at forgeries (Huang et al. 2024, section
        2.2)."""
        with torch.no_grad():
            fake = self.fakes(label, rng).float()
        return self.config.r1 / 2 * (self.slope(x, label) + self.slope(fake, label))

    def fakes(self, label: Tensor, rng: torch.Generator) -> Tensor:
        return self.mixed_fakes(label, rng)[0]

    def mixed_fakes(self, label: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures for training as they are asked for, and which of them, (B,) bool, follow one
        code and one label in all layers; the others turn to their neighbour's at some layer."""
        count, layers = len(label), self.generator.layers
        w = self.generator.style(self._latent(count, rng), label)
        turn = torch.randint(1, layers, (count,), generator=rng, device=self.device)
        whole = torch.arange(count, device=self.device) >= _unmixed(count).start
        late = torch.arange(layers, device=self.device) >= turn.where(~whole, layers)[:, None]
        w = torch.where(late[..., None], w.roll(1, 0)[:, None], w[:, None])
        return self.generator.synthesize(w, self._maps(count, rng), bounded=False), whole

    def _maps(self, count: int, rng: torch.Generator) -> list[Tensor]:
        shapes = [(count, 1, side, side) for side in self.generator.sides]
        return [torch.randn(shape, generator=rng, device=self.device) for shape in shapes]

    @torch.inference_mode()
    def calibrate(self, x: Tensor, label: Tensor) -> None:
        """Measures the mean style of all who may be asked for: what truncation pulls towards."""
        z = Noise(range(TYPICAL)).randn(self.config.latent).to(self.device)
        label = self.wanted(None, range(TYPICAL))
        self.generator.mean_style[0] = self.generator.style(z, label).mean(0)

    def wanted(self, label: Any, seeds: Sequence[int]) -> Tensor:
        """What `sample` draws for seeds: as `CompleteAttributes.complete`, on this device."""
        return self.condition.complete(label, seeds).to(self.device)

    @torch.inference_mode()
    def judge(self, x: Tensor, label: Any = None) -> Tensor:
        """The discriminator's logits (B,) for x (B, C, H, W), with a label (as `Attributes.encode`
        takes it) for x as pictures of that. It was trained on pairs: of two pictures the one with
        more looks more real; the numbers alone mean nothing."""
        rows = None if label is None else self._label(label, len(x))
        return self.discriminator(x.to(self.device), rows).float()

    def styles(self, z: Tensor, label: Tensor, truncation_psi: float = 1.0) -> Tensor:
        """z (B, latent), label as `wanted` gives it -> w (B, latent), pulled towards the mean style
        by truncation_psi."""
        mean = self.generator.mean_style
        return mean + truncation_psi * (self.generator.style(z, label) - mean)

    def noise_maps(self, noise: Noise) -> Sequence[Sequence[Tensor]]:
        """A map for each layer."""
        sides = self.generator.sides
        return ([noise.randn(1, side, side).to(self.device) for side in sides],)

    def _game(self, mine: Look, yours: Look, label: Tensor) -> Tensor:
        """-log sigmoid(mine - yours), Huang et al. 2024, section 2.1: mine shall look more real
        than yours, as a whole and, on average over all categorical attributes, in what the label
        tells; what is hidden counts as a draw."""
        logits_of = self.discriminator.head.logits_of
        told, answered = (logits_of(look.said, label).flatten() for look in (mine, yours))
        return relativistic(mine.logit, yours.logit) + relativistic(told, answered)


def _unmixed(count: int) -> slice:
    """Of so many pictures made for training those that follow one code and one label: all but the
    first. A mask of them would do, but to index by one the host must wait for the GPU."""
    return slice(int(MIXED * count), None)


def _unlike(mine: Sequence[Tensor], yours: Sequence[Tensor], which: slice) -> Tensor:
    """The mean distance of maps, Wang et al. 2018, eq. 4, of the pictures that `which` names. Each
    layer's in units of its own mean, so that all of them count alike."""
    parts = [
        F.l1_loss(a[which].float(), b[which].float()) / b[which].float().abs().mean()
        for a, b in zip(mine, yours, strict=True)
    ]
    return torch.stack(parts).mean()
