"""What the tests of the GAN's portraits share: an untrained generator, and what was counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from core_fixtures import tiny
from demos.tabs.gan.portraits import JUDGE, MODEL, NAMES
from gen_core.training import checkpoint


def even_shares() -> dict[str, dict[str, list[float]]]:
    """What a card holds of a model that draws every value of an attribute equally often."""
    return {
        kind: {name: [1 / len(values)] * len(values) for name, values in names.items()}
        for kind, names in NAMES.items()
    }


def metrics(**shares: list[float]) -> dict[str, Any]:
    known = {"samples": 10_000, "seed": 0, "knobs": {}, "hardware": "a test", **even_shares()}
    known["shares"] |= shares
    return known


HATS = [0.5, 0.25, 0.25, 0.0, 0.0, 0.0]


def write_portraits(folder: Path, *, counted: bool = True) -> Path:
    """The same folder, with an untrained generator and judge in it, counted or not."""
    model = tiny("style-gan", size=64, widths=(16,) * 5, discriminator_widths=(16,) * 4)
    model.generator.mean_style.normal_(generator=torch.manual_seed(1))
    told = metrics(hat=HATS) if counted else {}
    checkpoint.save(model, folder / f"{MODEL}.safetensors", {"data": "avatars", "metrics": told})
    real = {"metrics": metrics() if counted else {}}
    checkpoint.save(tiny("avatar-judge"), folder / f"{JUDGE}.safetensors", real)
    return folder
