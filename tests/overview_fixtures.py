"""What the tests of the Overview share: tiny models in place of its own, and what a run shows."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from core_fixtures import tiny
from demos.page.handlers import App
from demos.tabs.overview import panel as overview
from demos.tabs.overview.texts import FAMILIES
from gen_core.data.avatars.schema import CATEGORICAL, CONTINUOUS
from gen_core.progress import Progress
from gen_core.training import checkpoint

METRICS = {"frechet": 2.5, "samples": 10_000, "floor": 0.27}
IDS = [text.id for text in FAMILIES]
PORTRAIT = {"channels": 3, "size": 64}
ATTRIBUTES = {
    "classes": 0,
    "choices": tuple(map(len, CATEGORICAL.values())),
    "measures": len(CONTINUOUS),
}


def write_weights(folder: Path) -> None:
    """Tiny models in place of the trained ones: diffusion without metrics."""
    for text in FAMILIES:
        pixelwise = text.id == "autoregressive"
        model = tiny("pixel-cnn", size=28, depth=1) if pixelwise else tiny(text.id)
        model.calibrate(torch.zeros(4, *model.event.shape), torch.zeros(4, dtype=torch.long))
        knobs = {"steps": 4} if text.id == "flow" else {}
        metrics = {} if text.id == "diffusion" else METRICS | {"knobs": knobs}
        card = {"data": "fashion", "metrics": metrics}
        checkpoint.save(model, folder / f"{text.model('fashion')}.safetensors", card)


def write_portraits(folder: Path) -> None:
    """Two of those that draw portraits: one unconditional, one that can be asked."""
    for family, changes in (("vae", {"latent": 6}), ("flow", ATTRIBUTES)):
        model = tiny(family, **PORTRAIT, **changes)
        card = {"data": "avatars", "metrics": METRICS}
        checkpoint.save(model, folder / f"{family}-avatars.safetensors", card)


def run(app: App, **knobs) -> tuple[list, dict[str, str]]:
    """All news of a run, and what the page shows in the end."""
    news = list(overview.draw(app, **{"seed": 0, "count": 4, "steps": 4} | knobs))
    page: dict[str, str] = {}
    for piece in news:
        page |= {} if isinstance(piece, Progress) else piece
    return news, page


def figures(html: str) -> list[str]:
    return re.findall(r'<dd class="(?:ov-words)?">(.*?)</dd>', html)


def sources(html: str) -> list[str]:
    return re.findall(r'src="([^"]+)"', html)
