"""Generative adversarial network: a forger and an inspector train each other.

Goodfellow et al. 2014, with the non-saturating loss, and the gradient penalty R1 of Mescheder
et al. 2018, "Which training methods for GANs do actually converge?", without which it may not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from gen_core.conditions import Classes, Condition, Nothing
from gen_core.family import Clock, Family, Gaussian, Losses, Phase, Picture, register
from gen_core.knobs import KnobError, Number
from gen_core.nets.adversarial import Discriminator, Generator
from gen_core.nets.adversarial_losses import cross_entropy, non_saturating, squared_slope
from gen_core.nets.config import setting
from gen_core.sampling import Frame, Noise

if TYPE_CHECKING:
    from gen_core.evaluation.evaluate import Evaluation


@dataclass(frozen=True)
class GANConfig:
    channels: int = setting(1, 1, 64)
    size: int = setting(28, 1, 1024)
    latent: int = 64
    widths: tuple[int, ...] = setting((64, 48, 24), 2, 4096)
    """Of the generator, at a quarter, half and full resolution."""
    discriminator_width: int = 48
    classes: int = setting(0, 0, 100_000)
    """0: unconditional."""
    projection: str = "sum"
    """How the discriminator puts label and features together: see there."""
    r1: float = 0.1
    """Gamma, the weight of the penalty on the discriminator's slope; 0: none."""
    lr_generator: float = setting(5e-4, 0, 1)
    lr_discriminator: float = setting(5e-4, 0, 1)
    """At 1e-3 a discriminator with the penalty loses its footing now and then, or for good."""
    momentum: float = setting(0.0, 0, 0.9999)
    discriminator_every: int = 1
    """The discriminator learns in each so-many-th step only; 1 is the fair game."""


SNAPSHOT_SAMPLES = 2_000
"""Samples per snapshot of a training run: enough to see a collapse, quick for twenty of them."""
R1_EVERY = 8
"""The penalty joins one update of the discriminator in eight."""


@register
class GAN(Family):
    name = "gan"
    Config = GANConfig
    networks = ("generator.style", "generator.synthesize", "discriminator")
    knobs = (
        Number(
            "truncation_psi",
            1.0,
            0,
            2,
            label="Truncation ψ",
            info="0 is the average of the class, 1 as trained, more exaggerates",
        ),
    )
    clock = Clock("latent to picture")
    absent: ClassVar = {"projection": "mean"}
    renamed: ClassVar = {
        "critic": "discriminator",
        "critic_width": "discriminator_width",
        "critic_every": "discriminator_every",
        "lr_critic": "lr_discriminator",
    }

    def __init__(self, config: GANConfig | None = None) -> None:
        super().__init__(config)
        self.event = Picture(self.config.channels, self.config.size, self.config.size)
        self.prior = Gaussian((self.config.latent,))
        self.build()

    @classmethod
    def condition_of(cls, config: GANConfig) -> Condition:
        return Classes(config.classes, default=0) if config.classes else Nothing()

    @classmethod
    def tiny(cls) -> GANConfig:
        return GANConfig(widths=(32, 16, 16), latent=8, discriminator_width=8, classes=10)

    def build(self) -> None:
        """The two players."""
        c = self.config
        self.generator = Generator(c.channels, c.size, c.widths, c.latent, c.classes)
        self.discriminator = Discriminator(
            c.channels, c.size, c.discriminator_width, c.classes, c.projection
        )

    def phases(self) -> list[Phase]:
        c, betas = self.config, (self.config.momentum, 0.99)
        generator = list(self.generator.parameters())
        return [
            Phase(
                "discriminator",
                list(self.discriminator.parameters()),
                self.discriminator_loss,
                c.lr_discriminator,
                betas,
                every=c.discriminator_every,
                penalty=self.penalty if c.r1 else None,
                penalty_every=R1_EVERY,
            ),
            Phase("generator", generator, self.generator_loss, c.lr_generator, betas),
        ]

    def discriminator_loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """-log D(x) - log(1 - D(G(z))), Goodfellow et al. 2014, eq. 1."""
        label = self._known(label)
        with torch.no_grad():
            fake = self.fakes(label, rng)
        real_logit = self.discriminator(x, label).float()
        fake_logit = self.discriminator(fake, label).float()
        loss = cross_entropy(real_logit, fake_logit)
        caught = ((real_logit > 0).float().mean() + (fake_logit < 0).float().mean()) / 2
        return {"loss": loss, "accuracy": caught}

    def generator_loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """-log D(G(z)): the non-saturating loss, Goodfellow et al. 2014, section 3."""
        label = self._known(label)
        fake = self.fakes(label, rng)
        return {"loss": non_saturating(self.discriminator(fake, label).float())}

    def fakes(self, label: Tensor, rng: torch.Generator) -> Tensor:
        """As many pictures as labels, for training."""
        return self.generator(self._latent(len(label), rng), label)

    def penalty(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Tensor:
        """R1, Mescheder et al. 2018, eq. 9."""
        return self.config.r1 / 2 * self.slope(x, self._known(label))

    def slope(self, x: Tensor, label: Tensor) -> Tensor:
        """E || grad D(x) ||^2.

        x (B, C, H, W), label (B,) -> a scalar that can be trained on.
        """
        with torch.autocast(x.device.type, enabled=False):  # second derivatives in float32
            x = x.detach().requires_grad_(True)
            return squared_slope(self.discriminator(x, label), x).mean()

    def _latent(self, count: int, rng: torch.Generator) -> Tensor:
        return torch.randn(count, self.config.latent, generator=rng, device=self.device)

    def _known(self, label: Tensor) -> Tensor:
        """An unconditional model sees every picture as one class, 0."""
        return label if self.config.classes else torch.zeros_like(label)

    @torch.inference_mode()
    def calibrate(self, x: Tensor, label: Tensor) -> None:
        """Measures the mean style of each class: what truncation pulls towards."""
        rng = torch.Generator(self.device).manual_seed(0)
        for index in range(len(self.generator.mean_style)):
            z = self._latent(2000, rng)
            which = torch.full((len(z),), index, device=self.device)
            self.generator.mean_style[index] = self.generator.style(z, which).mean(0)

    def generate(
        self, z: Tensor, label: Tensor, truncation_psi: float = 1.0, *maps: Sequence[Tensor]
    ) -> Tensor:
        """z (B, latent), label (B,) -> (B, C, H, W) in [-1, 1]; maps: what `synthesize` takes
        besides."""
        return self.generator.synthesize(self.styles(z, label, truncation_psi), *maps).float()

    def styles(self, z: Tensor, label: Tensor, truncation_psi: float = 1.0) -> Tensor:
        """z (B, latent), label (B,) -> w (B, latent), which truncation_psi pulls towards the mean
        of its class (Karras et al. 2019, appendix B)."""
        w = self.generator.style(z, label)
        if truncation_psi == 1:
            return w
        mean = self.generator.mean_style[label]
        return mean + truncation_psi * (w - mean)

    @torch.inference_mode()
    def judge(self, x: Tensor, label: int | list[int] | Tensor = 0) -> Tensor:
        """The discriminator's logits (B,) for x (B, C, H, W): above 0 it says "real"."""
        return self.discriminator(x.to(self.device), self._label(label, len(x))).float()

    def _label(self, label: int | list[int] | Tensor, count: int) -> Tensor:
        free = isinstance(self.condition, Nothing)
        rows = self.condition.null(count) if free else self.condition.encode(label, count)
        return rows.to(self.device)

    @torch.inference_mode()
    def frames(
        self, noise: Noise, condition: Tensor | None, *, truncation_psi: float
    ) -> Iterator[Frame]:
        """Two Frames: the latent (B, latent), then the picture; out is the picture too."""
        z = self.prior.draw(noise).to(self.device)
        label = self._label(0, len(noise)) if condition is None else condition
        x = self.generate(z, label, truncation_psi, *self.noise_maps(noise))
        yield Frame(0, 1, 0.0, z, x0=x, out=x, evaluations=1)
        yield Frame(1, 1, 1.0, x, evaluations=1)

    def noise_maps(self, noise: Noise) -> Sequence[Sequence[Tensor]]:
        """What `synthesize` takes besides the styles: here, nothing."""
        return ()

    def extra_metrics(self, evaluation: Evaluation) -> dict[str, Any]:
        """What the generator could do at each snapshot of its training, from fewer samples."""
        if self.snapshots and not evaluation.complete:
            return evaluation.at_a_glance("snapshots")
        history = []
        for step in self.snapshots:
            found = evaluation.compared(self.at_snapshot(step), SNAPSHOT_SAMPLES)
            history.append({"step": step, "samples": SNAPSHOT_SAMPLES, **found})
        return {"snapshots": history} if history else {}

    @property
    def snapshots(self) -> list[int]:
        """Training steps of which the checkpoint kept the generator, in order."""
        return sorted({int(k.split(".")[1]) for k in self.extra if k.startswith("snapshot.")})

    def at_snapshot(self, step: int) -> GAN:
        """This model with the generator it had at a training step; the other weights are shared."""
        if step not in self.snapshots:
            kept = ", ".join(map(str, self.snapshots)) or "none"
            raise KnobError(f"snapshot={step}: choose one of {kept}")
        prefix = f"snapshot.{step}."
        weights = {k.removeprefix(prefix): v for k, v in self.extra.items() if k.startswith(prefix)}
        model = type(self)(self.config).requires_grad_(False).eval()
        model.generator.load_state_dict(weights)
        model.discriminator, model.card = self.discriminator, self.card
        return model.to(self.device, memory_format=torch.channels_last)
