"""The two players of a GAN: a generator that is given a style at every block, a discriminator."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.nets.unet import ResBlock, divided, norm


class Generator(nn.Module):
    """Latent z and label -> style w -> picture. w steers every block (Karras et al. 2019)."""

    def __init__(
        self, channels: int, size: int, widths: tuple[int, ...], latent: int, classes: int
    ) -> None:
        super().__init__()
        self.side = divided(size, 4, "the generator doubles its side twice")
        if len(widths) != 3:
            raise ValueError(
                f"widths={widths}: takes three, of a quarter, half and full resolution"
            )
        self.label = nn.Embedding(max(1, classes), latent)
        self.mapping = nn.Sequential(
            nn.Linear(2 * latent, latent), nn.SiLU(), nn.Linear(latent, latent)
        )
        first, second, third = widths
        self.enter = nn.Linear(latent, first // 2 * self.side**2)
        self.block1 = ResBlock(first // 2, first, latent)
        self.block2 = ResBlock(first, second, latent)
        self.block3 = ResBlock(second, third, latent)
        self.leave = nn.Sequential(norm(third), nn.SiLU(), nn.Conv2d(third, channels, 3, padding=1))
        self.register_buffer("mean_style", torch.zeros(max(1, classes), latent))

    def style(self, z: Tensor, label: Tensor) -> Tensor:
        """z (B, latent), label (B,) -> w (B, latent)

        z itself is part of the style, so that the samples differ from the first step on: through
        a fresh mapping alone they start out nearly alike, and training must first pull them apart.
        """
        z = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
        return z + self.mapping(torch.cat([z, self.label(label)], dim=1))

    def synthesize(self, w: Tensor) -> Tensor:
        """w (B, latent) -> (B, C, H, W) in [-1, 1]"""
        x = self.enter(w).unflatten(1, (-1, self.side, self.side))
        x = self.block1(x.contiguous(memory_format=torch.channels_last), w)
        x = self.block2(F.interpolate(x, scale_factor=2.0, mode="nearest"), w)
        x = self.block3(F.interpolate(x, scale_factor=2.0, mode="nearest"), w)
        return self.leave(x).tanh()

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return self.synthesize(self.style(z, label))


class Discriminator(nn.Module):
    """Picture and label -> one number, high for "real".

    The label's part is the inner product of its embedding and the features (Miyato & Koyama 2018,
    "cGANs with Projection Discriminator", eq. 3), or with "mean" that over their number. No
    normalisation: it would blur the gradient penalty, which is per picture.
    """

    def __init__(
        self, channels: int, size: int, width: int, classes: int, projection: str = "sum"
    ) -> None:
        super().__init__()
        if projection not in ("sum", "mean"):
            raise ValueError(f"projection={projection!r}: choose sum or mean")
        self.projection = projection
        self.enter = nn.Conv2d(4 * channels, width, 3, padding=1)
        self.body = nn.Sequential(
            PlainBlock(width),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            PlainBlock(2 * width),
        )
        self.deep = nn.Linear(
            2 * width * divided(size, 4, "the discriminator halves it twice") ** 2, 2 * width
        )
        self.out = nn.Linear(2 * width, 1)
        self.label = nn.Embedding(classes, 2 * width) if classes else None
        if self.label is not None:  # trained from N(0, 1), it gave one picture a class
            nn.init.normal_(self.label.weight, std=0.02)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """x (B, C, H, W), label (B,) -> (B,) logits"""
        x = F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last)
        h = F.leaky_relu(self.deep(self.body(self.enter(x)).flatten(1)), 0.2)
        logit = self.out(h)[:, 0]
        if self.label is not None:
            product = self.label(label) * h
            logit = logit + (product.sum(1) if self.projection == "sum" else product.mean(1))
        return logit


class PlainBlock(nn.Module):
    """A residual block without normalisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.leaky_relu(x, 0.2))
        return (x + self.conv2(F.leaky_relu(h, 0.2))) * 0.5**0.5
