"""What every judge here sees with."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from gen_core.nets.blocks import ResBlock, norm


def pyramid(stem: nn.Module, widths: Sequence[int]) -> nn.Sequential:
    """Residual blocks, each at half the resolution of the one before it, on what `stem` makes of
    a picture: (B, C, H, W) -> (B, widths[-1], h, w)."""
    layers: list[nn.Module] = [stem]
    for narrow, wide in zip(widths, (*widths[1:], widths[-1]), strict=True):
        layers += [ResBlock(narrow, narrow), nn.Conv2d(narrow, wide, 3, stride=2, padding=1)]
    return nn.Sequential(*layers, ResBlock(wide, wide), norm(wide), nn.SiLU())
