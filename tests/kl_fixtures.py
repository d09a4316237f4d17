"""What the tests of What breaks a VAE share: untrained models, one for each way to train."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from core_fixtures import avatars_once, tiny
from demos.tabs.latent_space import kl_pictures
from demos.tabs.latent_space.kl_pictures import VARIANTS
from demos.widgets.attribute_picker import JUDGE
from gen_core.training.checkpoint import save

NAMES = tuple(variant.name for variant in VARIANTS)
CHANGES = ({"beta": 0.0}, {}, {"beta": 4.0}, {"beta": 64.0}, {"reparameterised": False})
STEPS = 300


def write_variants(
    folder: Path,
    names: Iterable[str] = NAMES,
    *,
    judge: bool = True,
    curves: bool = True,
    metrics: Mapping[str, Any] | None = None,
) -> Path:
    """The same folder, with these models in it, each from a seed of its own."""
    for seed, (name, changes) in enumerate(zip(NAMES, CHANGES, strict=True)):
        if name in names:
            model = tiny("vae", seed, channels=3, size=64, latent=6, **changes)
            save(
                model,
                folder / f"{name}.safetensors",
                {"data": "avatars", "metrics": dict(metrics or {})},
                extra=training_curves(seed) if curves else {},
            )
    if judge:
        save(tiny("avatar-judge"), folder / f"{JUDGE}.safetensors", {"metrics": {}})
    return folder


def training_curves(seed: int) -> dict[str, torch.Tensor]:
    """A rate that grows to 100 nats and 10 more for each seed, a distortion that falls to -4000."""
    steps = torch.arange(1, STEPS + 1).float()
    return {
        "curve.step": steps,
        "curve.elbo.rate": (100 + 10 * seed) * steps / STEPS,
        "curve.elbo.distortion": 1000 - 5000 * steps / STEPS,
    }


def keep_portraits(patch: pytest.MonkeyPatch) -> None:
    """Every new app would draw its 300 portraits again, the same ones in 5 seconds."""
    patch.setattr(kl_pictures, "avatars", avatars_once)
