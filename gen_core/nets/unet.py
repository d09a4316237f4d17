"""A small U-Net (Ronneberger et al. 2015) that maps (x, time, label) to a tensor shaped like x."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.nets.attributes import AttributeEmbedding
from gen_core.nets.config import setting

# --- the pieces every network here is built from, channels-last: it suits CPUs and GPUs -----------


def norm(channels: int) -> nn.GroupNorm:
    """Group normalisation with 16 channels a group: no batch statistics, so rows stay apart.
    Raises ValueError for a width that has no such groups."""
    groups = max(1, channels // 16)
    if channels < 1 or channels % groups:
        raise ValueError(f"width={channels}: choose a multiple of 16")
    return nn.GroupNorm(groups, channels)


def divided(size: int, factor: int, because: str) -> int:
    """size / factor, the side of the smallest map; raises ValueError where that is no whole
    number, so that no network draws another size than it says. because: for the message."""
    side, rest = divmod(size, factor)
    if rest or side < 1:
        raise ValueError(f"size={size}: choose a multiple of {factor}, because {because}")
    return side


def zeroed(layer: nn.Module) -> nn.Module:
    """Starts the layer at zero, so that its residual branch starts as the identity."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class FourierTime(nn.Module):
    """Sines and cosines of a time in [0, 1] (Vaswani et al. 2017, section 3.5), then an MLP."""

    def __init__(self, width: int, frequencies: int = 32, highest: float = 1000.0) -> None:
        super().__init__()
        exponents = torch.linspace(0.0, math.log(highest), frequencies)
        self.register_buffer("angular", exponents.exp(), persistent=False)
        self.mlp = nn.Sequential(
            nn.Linear(2 * frequencies, width), nn.SiLU(), nn.Linear(width, width)
        )

    def forward(self, t: Tensor) -> Tensor:
        """t: (B,) in [0, 1] -> (B, width)"""
        angle = t.float()[:, None] * self.angular
        return self.mlp(torch.cat([angle.cos(), angle.sin()], dim=1))


class ResBlock(nn.Module):
    """Two convolutions beside a shortcut; an embedding scales and shifts in between (FiLM)."""

    def __init__(self, wide_in: int, wide_out: int, embedding: int = 0) -> None:
        super().__init__()
        self.norm1, self.norm2 = norm(wide_in), norm(wide_out)
        self.conv1 = nn.Conv2d(wide_in, wide_out, 3, padding=1)
        self.conv2 = zeroed(nn.Conv2d(wide_out, wide_out, 3, padding=1))
        same = wide_in == wide_out
        self.shortcut = nn.Identity() if same else nn.Conv2d(wide_in, wide_out, 1)
        self.film = nn.Linear(embedding, 2 * wide_out) if embedding else None

    def forward(self, x: Tensor, embedding: Tensor | None = None) -> Tensor:
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.film is not None:
            scale, shift = self.film(F.silu(embedding))[:, :, None, None].chunk(2, dim=1)
            h = h * (1 + scale) + shift
        return self.shortcut(x) + self.conv2(F.silu(h))


class SelfAttention(nn.Module):
    """Every place looks at every other (Vaswani et al. 2017). For small maps: cost is (H W)^2."""

    def __init__(self, width: int, head: int = 32) -> None:
        super().__init__()
        self.heads = max(1, width // head)
        if width % self.heads:
            raise ValueError(f"width={width}: choose a multiple of {head} where there is attention")
        self.norm = norm(width)
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.out = zeroed(nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        batch, width, high, wide = x.shape
        qkv = self.qkv(self.norm(x)).reshape(batch, 3, self.heads, -1, high * wide)
        q, k, v = qkv.transpose(-1, -2).unbind(1)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(mixed.transpose(-1, -2).reshape(batch, width, high, wide))


class Upsample(nn.Module):
    """Doubles height and width, then smooths with a convolution: no checkerboard artefacts."""

    def __init__(self, wide_in: int, wide_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(wide_in, wide_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def pyramid(stem: nn.Module, widths: Sequence[int]) -> nn.Sequential:
    """Residual blocks, each at half the resolution of the one before it, on what `stem` makes of
    a picture: (B, C, H, W) -> (B, widths[-1], h, w)."""
    layers: list[nn.Module] = [stem]
    for narrow, wide in zip(widths, (*widths[1:], widths[-1]), strict=True):
        layers += [ResBlock(narrow, narrow), nn.Conv2d(narrow, wide, 3, stride=2, padding=1)]
    return nn.Sequential(*layers, ResBlock(wide, wide), norm(wide), nn.SiLU())


# --- the network ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class UNetConfig:
    """`patch` folds each 2x2 square of pixels into channels first: a quarter of the work at the
    finest level, which dominates the cost on a CPU."""

    channels: int = setting(1, 1, 64)
    size: int = setting(28, 1, 1024)
    patch: int = setting(2, 1, 64)
    widths: tuple[int, ...] = (64, 128)
    blocks: int = setting(2, 1, 16)
    embedding: int = 256
    classes: int = setting(10, 0, 100_000)
    """Labels are 0 .. classes - 1; the label `classes` means "no label" (for guidance)."""
    choices: tuple[int, ...] = setting((), entries=(0, 1000))
    """In place of a class several attributes: how many values each has."""
    measures: int = setting(0, 0, 1000)
    """And how many attributes besides are numbers."""
    schema: str = "avatars"
    """Of the attributes, where there are any: the data set that has them."""


class UNet(nn.Module):
    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        levels = len(config.widths)
        reason = f"patch={config.patch} and {levels} widths halve it {levels - 1} times"
        divided(config.size, config.patch * 2 ** (levels - 1), reason)
        pixels = config.channels * config.patch**2
        first, last = config.widths[0], config.widths[-1]
        self.time = FourierTime(config.embedding)
        self.label = (
            AttributeEmbedding(config.choices, config.measures, config.embedding)
            if config.choices
            else nn.Embedding(config.classes + 1, config.embedding)
        )
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
