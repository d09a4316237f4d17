"""Untrained models of portraits, as the tests of asking for a person need them."""

from __future__ import annotations

from pathlib import Path

from core_fixtures import tiny
from gen_core.data.avatars.schema import CATEGORICAL, CONTINUOUS
from gen_core.training import checkpoint

SIZES = tuple(len(options) for options in CATEGORICAL.values())
PORTRAIT = {"classes": 0, "choices": SIZES, "measures": len(CONTINUOUS), "channels": 3, "size": 64}


def write_people(folder: Path, judge: bool = True) -> None:
    """Untrained models of portraits, and an untrained judge."""
    for family in ("diffusion", "flow"):
        model = tiny(family, **PORTRAIT)
        checkpoint.save(model, folder / f"{family}-avatars.safetensors", {"data": "avatars"})
    if judge:
        metrics = {"metrics": {"samples": 1000, "accuracy": 0.5}}
        checkpoint.save(tiny("avatar-judge"), folder / "judge-avatars.safetensors", metrics)
