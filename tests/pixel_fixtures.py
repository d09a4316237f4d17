"""What the tests of the Autoregressive tab's panels of pictures share."""

from __future__ import annotations

from pathlib import Path

import torch

from core_fixtures import tiny
from gen_core.families.pixel_cnn import PixelCNN
from gen_core.training import checkpoint

PIXELS = 28 * 28


def opinionated() -> PixelCNN:
    """An untrained model of clothes whose answers depend on what it reads."""
    model = tiny("pixel-cnn", size=28, width=8, depth=1)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(0.3 * torch.randn(weight.shape, generator=generator))
    return model


def write_pixel_models(folder: Path) -> None:
    """Untrained models in place of those that draw clothes here, and of the VAE."""
    for model, name in ((opinionated(), "autoregressive"), (tiny("vae"), "vae")):
        checkpoint.save(model, folder / f"{name}-fashion.safetensors", {"data": "fashion"})
