"""Variational autoencoder: learn a small code for every picture, and draw new codes.

Kingma & Welling 2014, "Auto-Encoding Variational Bayes". The likelihood is a Gaussian whose
width is learned with the weights (Rybkin et al. 2021, "sigma-VAE"), so that reconstruction and
KL are in the same unit, nats, and need no weight between them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from gen_core.data.images import MissingData
from gen_core.devices import fast_math
from gen_core.family import Clock, Family, Gaussian, Losses, Phase, Picture, register
from gen_core.knobs import Number
from gen_core.nets.autoencoder import Decoder, Encoder
from gen_core.nets.config import setting
from gen_core.progress import Progress
from gen_core.sampling import Frame, Noise

if TYPE_CHECKING:
    from gen_core.evaluation.evaluate import Evaluation


@dataclass(frozen=True)
class VAEConfig:
    channels: int = setting(1, 1, 64)
    size: int = setting(28, 1, 1024)
    widths: tuple[int, ...] = setting((48, 96), 2, 4096)
    """Of the layers at half the resolution, a quarter, and so on."""
    latent: int = 16
    beta: float = 1.0
    """Weight of the KL term: 1 is the evidence lower bound (Higgins et al. 2017 vary it)."""
    reparameterised: bool = True
    """False makes a classic mistake: z is drawn as if it came from nowhere, so that the encoder
    never hears how well its code served."""


@register
class VAE(Family):
    name = "vae"
    Config = VAEConfig
    networks = ("encoder", "decoder")
    small: ClassVar = {"widths": (16, 32), "latent": 4}
    knobs = (
        Number(
            "temperature",
            1.0,
            0,
            2,
            info="0 is the prior's mean, 1 the prior itself",
        ),
    )
    clock = Clock("latent to picture")

    def __init__(self, config: VAEConfig | None = None) -> None:
        super().__init__(config)
        c = self.config
        self.encoder = Encoder(c.channels, c.size, c.widths, 2 * c.latent)
        self.decoder = Decoder(c.channels, c.size, c.widths, c.latent)
        self.log_sigma = nn.Parameter(torch.tensor(-1.0))
        self.register_buffer("influence", torch.ones(c.latent))
        self.event = Picture(c.channels, c.size, c.size)
        self.prior = Gaussian((c.latent,))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, C, H, W) in [-1, 1] -> mean and log variance of q(z | x), each (B, latent)"""
        mean, logvar = self.encoder(x).float().chunk(2, dim=1)
        return mean, logvar.clamp(-12, 6)

    def decode(self, z: Tensor) -> Tensor:
        """z (B, latent) -> the mean of p(x | z): (B, C, H, W) in [-1, 1]"""
        return self.decoder(z).float()

    def phases(self) -> list[Phase]:
        return [Phase("elbo", list(self.parameters()), self.loss, lr=1.5e-3)]

    def bound(self, x: Tensor, rng: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Distortion -E log p(x | z) and rate KL(q(z | x) || p(z)) in nats, each (B,).

        Their sum is the negative evidence lower bound (Kingma & Welling 2014, eq. 3).
        """
        distortion, rate = self.bound_by_pixel(x, rng)
        return distortion.flatten(1).sum(1), rate

    def bound_by_pixel(
        self, x: Tensor, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """The same with the distortion of each pixel for itself: (B, C, H, W) and (B,)."""
        mean, logvar = self.encode(x)
        spread = (0.5 * logvar).exp()
        eps = torch.randn(mean.shape, generator=rng, device=mean.device)
        z = mean + spread * eps  # the reparameterisation trick, eq. 4
        decoded = self.decode(z if self.config.reparameterised else z.detach())
        constant = self.log_sigma + 0.5 * math.log(2 * math.pi)
        distortion = 0.5 * (x - decoded).square() * (-2 * self.log_sigma).exp() + constant
        rate = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1)  # appendix B
        return distortion, rate

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        distortion, rate = (part.mean() for part in self.bound(x, rng))
        total = (distortion + self.config.beta * rate) / x[0].numel()
        return {"loss": total, "distortion": distortion, "rate": rate, "log_sigma": self.log_sigma}

    @torch.inference_mode()
    def calibrate(self, x: Tensor, label: Tensor) -> None:
        """Measures how much each latent dimension changes the picture: `influence`.

        Root mean square change of a pixel when the dimension goes from -1.5 to 1.5, averaged
        over the codes of real pictures x.
        """
        mean, _ = self.encode(x.to(self.device))
        for dimension in range(self.config.latent):
            low, high = mean.clone(), mean.clone()
            low[:, dimension], high[:, dimension] = -1.5, 1.5
            change = (self.decode(high) - self.decode(low)).square().mean().sqrt()
            self.influence[dimension] = change

    @property
    def order(self) -> list[int]:
        """Latent dimensions, the one that changes the picture most first."""
        return self.influence.argsort(descending=True).tolist()

    @torch.inference_mode()
    def frames(self, noise: Noise, condition: None, *, temperature: float) -> Iterator[Frame]:
        """Two Frames: the latent (B, latent), then the picture; out is the picture too."""
        z = temperature * self.prior.draw(noise).to(self.device)
        x = self.decode(z)
        yield Frame(0, 1, 0.0, z, x0=x, out=x, evaluations=1)
        yield Frame(1, 1, 1.0, x, evaluations=1)

    @torch.inference_mode()
    def extra_metrics(self, evaluation: "Evaluation") -> dict[str, Any]:
        """How well the test pictures come back, where the data set is on this machine."""
        try:
            test = evaluation.test_set(self)
        except MissingData as error:
            return {"left_out": {"reconstruction": str(error)}}
        rng = torch.Generator(self.device).manual_seed(0)
        sums = torch.zeros(3, dtype=torch.float64)
        count = len(test) if evaluation.complete else min(evaluation.samples, len(test))
        for rows in torch.arange(count).split(250):
            x = test.batch(rows)[0].to(self.device)
            with fast_math(self.device):
                again = self.decode(self.encode(x)[0])
                parts = (x - again).square().flatten(1).mean(1), *self.bound(x, rng)
            sums += torch.stack([part.sum() for part in parts]).cpu()
            evaluation.progress(Progress("test pictures", int(rows[-1]) + 1, count, "pictures"))
        error, distortion, rate = (sums / count).tolist()
        rest = f"{len(test) - count} of {len(test)} test pictures: take more samples"
        return {
            **({"left_out": {"reconstruction": rest}} if count < len(test) else {}),
            "reconstruction_error": error,  # mean square of a pixel in [-1, 1]
            "elbo": -(distortion + rate),  # nats a picture, as its two parts
            "distortion": distortion,
            "rate": rate,
        }
