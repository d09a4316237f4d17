"""An autoencoder of pictures to grids of vectors and back, for a `VectorQuantizer` between.

All layers but a few work at a quarter of the resolution, where a vector stands for 4 x 4 pixels:
on a CPU, layers at full resolution would cost more than all others together.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gen_core.nets.config import setting
from gen_core.nets.unet import ResBlock, SelfAttention, divided, norm

PIXELS = 4
"""Side in pixels of the square that a vector stands for."""
BLOCKS = 2
"""Residual blocks on either side of the vectors."""


@dataclass(frozen=True)
class TokenAutoencoderConfig:
    channels: int = setting(3, 1, 64)
    size: int = setting(64, 4, 1024)
    codes: int = setting(512, 2, 65536)
    code_width: int = setting(16, 2, 1024)
    widths: tuple[int, int] = setting((64, 128), 16, 4096, entries=(2, 2), multiple=16)
    """Of the layers at half the resolution, and at a quarter."""


class TokenEncoder(nn.Module):
    """(B, channels, S, S) -> (B, code_width, S / 4, S / 4)"""

    def __init__(self, config: TokenAutoencoderConfig) -> None:
        super().__init__()
        half, wide = config.widths
        divided(config.size, PIXELS, f"a token stands for {PIXELS} x {PIXELS} pixels")
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * config.channels, half, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(half, wide, 3, stride=2, padding=1),
            *(ResBlock(wide, wide) for _ in range(BLOCKS)),
            norm(wide),
            nn.Conv2d(wide, config.code_width, 1, bias=False),  # only directions count
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x.contiguous(memory_format=torch.channels_last))


class TokenDecoder(nn.Module):
    """(B, code_width, S / 4, S / 4) -> (B, channels, S, S)"""

    def __init__(self, config: TokenAutoencoderConfig) -> None:
        super().__init__()
        half, wide = config.widths
        self.body = nn.Sequential(
            nn.Conv2d(config.code_width, wide, 3, padding=1),
            *(ResBlock(wide, wide) for _ in range(BLOCKS)),
            SelfAttention(wide),
            norm(wide),
            nn.SiLU(),
            nn.Conv2d(wide, 4 * half, 3, padding=1),
            nn.PixelShuffle(2),
            ResBlock(half, half),
            norm(half),
            nn.SiLU(),
            nn.Conv2d(half, 4 * config.channels, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.body(z.contiguous(memory_format=torch.channels_last))
