"""Tensors to pictures: pixels, grids and PNG data URLs."""

from __future__ import annotations

import base64
import io
from datetime import date

import numpy as np
from PIL import Image

from gen_core.data.images import grid as grid
from gen_core.data.images import pixels as pixels


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
