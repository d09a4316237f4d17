"""A small convolutional encoder and decoder for pictures whose side is a multiple of four."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gen_core.nets.blocks import ResBlock, Upsample, norm


class Encoder(nn.Module):
    """(B, channels, S, S) -> (B, outputs), at half and a quarter of the resolution."""

    def __init__(self, channels: int, size: int, width: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            ResBlock(width, width),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            ResBlock(2 * width, 2 * width),
            norm(2 * width),
            nn.SiLU(),
        )
        self.out = nn.Linear(2 * width * (size // 4) ** 2, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.body(x.contiguous(memory_format=torch.channels_last)).flatten(1))


class Decoder(nn.Module):
    """(B, latent) -> (B, channels, S, S) in [-1, 1]"""

    def __init__(self, channels: int, size: int, width: int, latent: int) -> None:
        super().__init__()
        self.side = size // 4
        self.enter = nn.Linear(latent, 2 * width * self.side**2)
        self.body = nn.Sequential(
            ResBlock(2 * width, 2 * width),
            Upsample(2 * width, width),
            ResBlock(width, width),
            Upsample(width, width // 2),
            norm(width // 2),
            nn.SiLU(),
            nn.Conv2d(width // 2, channels, 3, padding=1),
        )

    def forward(self, z: Tensor) -> Tensor:
        x = self.enter(z).unflatten(1, (-1, self.side, self.side))
        return self.body(x.contiguous(memory_format=torch.channels_last)).tanh()
