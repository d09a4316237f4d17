"""A small U-Net (Ronneberger et al. 2015) that maps (x, time, label) to a tensor shaped like x."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.nets.attributes import AttributeEmbedding
from gen_core.nets.blocks import FourierTime, ResBlock, SelfAttention, Upsample, norm, zeroed


@dataclass(frozen=True)
class UNetConfig:
    """`patch` folds each 2x2 square of pixels into channels first: a quarter of the work at the
    finest level, which dominates the cost on a CPU."""

    channels: int = 1
    size: int = 28
    patch: int = 2
    widths: tuple[int, ...] = (64, 128)
    blocks: int = 2
    embedding: int = 256
    classes: int = 10
    """Labels are 0 .. classes - 1; the label `classes` means "no label" (for guidance)."""
    choices: tuple[int, ...] = ()
    """In place of a class several attributes: how many values each has."""
    measures: int = 0
    """And how many attributes besides are numbers."""
    schema: str = "avatars"
    """Of the attributes, where there are any: the data set that has them."""


class UNet(nn.Module):
    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        pixels = config.channels * config.patch**2
        first, last = config.widths[0], config.widths[-1]
        self.time = FourierTime(config.embedding)
        self.label = _embedding(config)
        self.enter = nn.Conv2d(pixels, first, 3, padding=1)

        self.down, skips, width = nn.ModuleList(), [first], first
        for level, wider in enumerate(config.widths):
            if level:
                self.down.append(nn.Conv2d(width, width, 3, stride=2, padding=1))
                skips.append(width)
            for _ in range(config.blocks):
                self.down.append(ResBlock(width, wider, config.embedding))
                skips.append(width := wider)

        self.middle = nn.ModuleList(
            [
                ResBlock(last, last, config.embedding),
                SelfAttention(last),
                ResBlock(last, last, config.embedding),
            ]
        )
        self.up = nn.ModuleList()
        for level, narrower in reversed(list(enumerate(config.widths))):
            for _ in range(config.blocks + 1):
                self.up.append(ResBlock(width + skips.pop(), narrower, config.embedding))
                width = narrower
            if level:
                self.up.append(Upsample(width, width))
        self.leave = nn.Sequential(
            norm(width), nn.SiLU(), zeroed(nn.Conv2d(width, pixels, 3, padding=1))
        )

    def forward(self, x: Tensor, time: Tensor, label: Tensor) -> Tensor:
        """x (B, C, H, W), time (B,) in [0, 1], label (B,) or (B, attributes) int64
        -> (B, C, H, W)"""
        embedding = self.time(time) + self.label(label)
        x = F.pixel_unshuffle(x, self.config.patch)
        x = self.enter(x.contiguous(memory_format=torch.channels_last))

        def through(layer: nn.Module, x: Tensor) -> Tensor:
            return layer(x, embedding) if isinstance(layer, ResBlock) else layer(x)

        skips = [x]
        for layer in self.down:
            skips.append(through(layer, skips[-1]))
        x = skips[-1]
        for layer in self.middle:
            x = through(layer, x)
        for layer in self.up:
            joins = isinstance(layer, ResBlock)
            x = through(layer, torch.cat([x, skips.pop()], dim=1) if joins else x)
        return F.pixel_shuffle(self.leave(x), self.config.patch)


def _embedding(config: UNetConfig) -> nn.Module:
    if config.choices:
        return AttributeEmbedding(config.choices, config.measures, config.embedding)
    return nn.Embedding(config.classes + 1, config.embedding)
