"""What the tests of the panel Portraits by tokens share."""

from __future__ import annotations

from pathlib import Path

import torch

from core_fixtures import tiny
from gen_core.families.picture_tokens import PictureTokens
from gen_core.training import checkpoint

SIDE, CODES = 4, 32
TOKENS = SIDE**2


def opinionated() -> PictureTokens:
    """An untrained model of small portraits whose answers depend on what it reads."""
    model = tiny("picture-tokens")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(0.3 * torch.randn(weight.shape, generator=generator))
    return model


def write_token_models(folder: Path) -> None:
    """An untrained model in place of the one that draws portraits here."""
    checkpoint.save(opinionated(), folder / "tokens-avatars.safetensors", {"data": "avatars"})
