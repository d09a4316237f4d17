"""A small convolutional encoder and decoder. Each level has half the resolution of the one before,
so the side of a picture must be a multiple of two to the power of their number."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from gen_core.nets.unet import ResBlock, Upsample, divided, norm


class Encoder(nn.Module):
    """(B, channels, S, S) -> (B, outputs); `widths` from half the resolution down."""

    def __init__(self, channels: int, size: int, widths: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        first, last = widths[0], widths[-1]
        layers = [nn.Conv2d(channels, first, 4, stride=2, padding=1), ResBlock(first, first)]
        for narrow, wide in pairwise(widths):
            layers += [nn.Conv2d(narrow, wide, 3, stride=2, padding=1), ResBlock(wide, wide)]
        self.body = nn.Sequential(*layers, norm(last), nn.SiLU())
        self.out = nn.Linear(last * smallest(size, widths) ** 2, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.body(x.contiguous(memory_format=torch.channels_last)).flatten(1))


class Decoder(nn.Module):
    """(B, latent) -> (B, channels, S, S) in [-1, 1]; `widths` as the encoder's."""

    def __init__(self, channels: int, size: int, widths: tuple[int, ...], latent: int) -> None:
        super().__init__()
        first, last = widths[0], widths[-1]
        self.side = smallest(size, widths)
        self.enter = nn.Linear(latent, last * self.side**2)
        layers: list[nn.Module] = [ResBlock(last, last)]
        for wide, narrow in pairwise(reversed(widths)):
            layers += [Upsample(wide, narrow), ResBlock(narrow, narrow)]
        self.body = nn.Sequential(
            *layers,
            Upsample(first, first // 2),
            norm(first // 2),
            nn.SiLU(),
            nn.Conv2d(first // 2, channels, 3, padding=1),
        )

    def forward(self, z: Tensor) -> Tensor:
        x = self.enter(z).unflatten(1, (-1, self.side, self.side))
        return self.body(x.contiguous(memory_format=torch.channels_last)).tanh()


def smallest(size: int, widths: tuple[int, ...]) -> int:
    """The side of the map at the last level, where pictures have the side `size`."""
    return divided(size, 2 ** len(widths), f"{len(widths)} levels halve it once each")
