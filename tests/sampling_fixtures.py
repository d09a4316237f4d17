"""What the tests of the Diffusion and the Flow matching tab share: tiny models, sheets, a page."""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core_fixtures import tiny
from demos.page.handlers import App
from demos.page.image_io import CardValue
from demos.page.panel import Panel
from demos.page.tab import Tab
from gen_core.training import checkpoint
from serving import page_of


def write_weights(folder: Path) -> None:
    """Untrained models in place of the two; both draw, neither draws clothes."""
    for family in ("diffusion", "flow"):
        model = tiny(family)
        checkpoint.save(model, folder / f"{family}-fashion.safetensors", {"data": "fashion"})


@contextlib.contextmanager
def served(tab: Tab, folder: Path) -> Iterator[str]:
    """A page with one tab and the tiny models; yields its address."""
    write_weights(folder)
    with page_of(tab, weights=folder) as address:
        yield address


def values(run: Iterator[Any]) -> list[dict[str, Any]]:
    """The widget's values of a run, without what only gives others a turn."""
    return [piece.to_json() for piece in run if isinstance(piece, CardValue)]


def defaults(panel: Panel, **changes: Any) -> dict[str, Any]:
    """The panel's knobs as they stand at first, validated, with some of them turned."""
    knobs, _ = panel.declared(App("cpu"))
    return {k.name: k.check(changes.get(k.name, k.default)) for k in knobs}


def picture(url: str) -> np.ndarray:
    """uint8 (H, W) or (H, W, 3) from a data URL."""
    with Image.open(io.BytesIO(base64.b64decode(url.split(",", 1)[1]))) as image:
        return np.asarray(image)


def frames_of(lane: dict[str, Any]) -> np.ndarray:
    """A timeline's lane as uint8 (frames, samples, H, W) or (frames, samples, H, W, 3)."""
    sheet = picture(lane["sheet"])
    height, width, samples = lane["height"], lane["width"], lane["samples"]
    count = len(sheet) // height
    return sheet.reshape(count, height, samples, width, *sheet.shape[2:]).swapaxes(1, 2)
