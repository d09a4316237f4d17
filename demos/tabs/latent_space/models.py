"""What the panels of the Latent space tab share: its name, its models, and what these know."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from demos.page.handlers import App
from gen_core.data.avatars import avatars
from gen_core.data.splits import AVATARS
from gen_core.latent.atlas import Atlas

TAB = "latent-space"
PORTRAITS = "vae-avatars"
FLAT = "vae-fashion-2d"
JUDGE = "judge-avatars"
UNSEEN_FROM = AVATARS["test"].start
"""Portrait number n is drawn from this seed on: training showed the first 50,000 seeds."""
MOST_PORTRAITS = 1_000_000


@functools.lru_cache(maxsize=4)
def atlas(app: App, name: str) -> Atlas:
    """What a model's checkpoint knows of its latent space."""
    return Atlas.kept(app.model(name).extra)


@functools.lru_cache(maxsize=64)
def portrait(number: int) -> Tensor:
    """(1, 3, 64, 64) in [-1, 1]: a portrait drawn by rule, which training did not show."""
    images, _ = avatars([UNSEEN_FROM + number])
    return images.float() / 127.5 - 1


@torch.inference_mode()
def code_of(app: App, name: str, x: Tensor) -> Tensor:
    """The mean codes (B, latent), on the CPU, of pictures (B, C, H, W)."""
    model = app.model(name)
    return model.encode(x.to(model.device))[0].cpu()
