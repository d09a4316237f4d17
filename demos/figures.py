"""Tensors to pictures: pixels, grids and PNG data URLs."""

from __future__ import annotations

import base64
import io
import math
from datetime import date

import numpy as np
from PIL import Image
from torch import Tensor

from gen_core.data.images import pixels


def grid(
    x: Tensor | np.ndarray, columns: int | None = None, scale: int = 4, gap: int = 2
) -> np.ndarray:
    """Samples side by side, each enlarged `scale` times, `gap` white pixels between them.

    x is a tensor as `pixels` takes it, or what `pixels` gives. Returns uint8 (H, W) or (H, W, 3).
    """
    tiles = pixels(x) if isinstance(x, Tensor) else np.asarray(x)
    tiles = tiles.repeat(scale, axis=1).repeat(scale, axis=2)
    count, height, width = tiles.shape[:3]
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    size = (rows * (height + gap) - gap, columns * (width + gap) - gap)
    sheet = np.full((*size, *tiles.shape[3:]), 255, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def png_data_url(array: np.ndarray) -> str:
    """uint8 (H, W) or (H, W, 3) as a data URL with a PNG in it."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG", compress_level=3)  # 6: thrice the time
    return data_url(buffer.getvalue())


def data_url(png: bytes) -> str:
    """A PNG file as a data URL."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def duration(seconds: float) -> str:
    """ "412 ms", "1.92 s" """
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def day(iso: str) -> str:
    """ "2026-11-21" as "21 November 2026"."""
    meant = date.fromisoformat(iso)
    return f"{meant.day} {meant:%B %Y}"
