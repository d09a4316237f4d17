"""What the tests of the GAN tab share: tiny models, and two trainings with a made-up history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from core_fixtures import tiny
from gen_core.training import checkpoint

ALIVE = {"gan-fashion-healthy": {50: 8, 518: 10, 800: 10}, "gan-fashion-collapsed": {50: 9, 100: 2}}


def measured(alive: int, step: int) -> dict[str, Any]:
    shares = [1 / alive] * alive + [0.0] * (10 - alive)
    return {
        "step": step,
        "samples": 2000,
        "recall": alive / 20,
        "frechet": 1.0,
        "classes_alive": alive,
        "class_shares": shares,
    }


def write_weights(folder: Path) -> None:
    """Untrained GANs; the two runs with a generator of its own at each snapshot."""
    checkpoint.save(tiny("gan"), folder / "gan-fashion.safetensors", {"data": "fashion"})
    for seed, (name, history) in enumerate(ALIVE.items()):
        extra = {}
        for step in history:
            weights = tiny("gan", seed=step, classes=0).generator.state_dict()
            extra |= {f"snapshot.{step}.{k}": v for k, v in weights.items()}
        steps = torch.arange(10.0, 810, 10)
        extra |= {"curve.step": steps, "curve.discriminator.loss": 100 / steps}
        extra["curve.generator.loss"] = torch.where(steps == 400, torch.nan, steps / 100)
        snapshots = [measured(alive, step) for step, alive in history.items()]
        turn = 60 if name.endswith("collapsed") else 0
        card = {
            "data": "fashion",
            "recipe": {"switch_step": turn},
            "metrics": {"snapshots": snapshots},
        }
        model = tiny("gan", seed=seed, classes=0)
        checkpoint.save(model, folder / f"{name}.safetensors", card, extra=extra)
