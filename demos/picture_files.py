"""Pictures that visitors bring, made into what the models were trained on."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from gen_core.checks import KnobError

SIDE = 28
MAX_SIDE = 4096
"""Pixels: the longest side of an upload."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
FAINTEST = 24
"""Of 255: what differs less from the ground is part of it."""
PREFIX = "data:image/png;base64,"
MAX_DRAWING = 1_000_000
"""Characters of a drawing's data URL; the pad's own stay below a tenth of it."""


def prepare(source: str | Path | IO[bytes] | None) -> Tensor:
    """A picture file as the models know pictures: (1, 1, 28, 28) in [-1, 1], bright on black.

    Follows Xiao et al. 2017, "Fashion-MNIST", section 2: grey, trimmed, the longest edge to 28
    pixels, centred, negated where the ground is bright.

    Raises KnobError for no file, a broken one, a side above 4096 pixels, or an empty picture.
    """
    if source is None:
        raise KnobError("upload: choose a picture file first")
    if not (isinstance(source, (str, Path)) or hasattr(source, "read")):
        raise KnobError(f"upload={str(source)[:40]!r}: takes one picture file")
    grey = np.asarray(_opened(source), np.float32)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ground = float(np.median(border))
    if ground > 127:
        grey, ground = 255 - grey, 255 - ground
    grey = (grey - ground).clip(0) * (255 / (255 - ground))
    rows, columns = (np.flatnonzero((grey > FAINTEST).any(axis)) for axis in (1, 0))
    if not len(rows):
        raise KnobError("the picture is all one grey: choose or draw one with something on it")
    cut = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    item = Image.fromarray(cut.round().astype(np.uint8))
    centred = ImageOps.pad(item, (SIDE, SIDE), Image.Resampling.LANCZOS, color=0)
    return torch.from_numpy(np.asarray(centred, np.float32) / 127.5 - 1)[None, None]


def prepare_drawing(value: Any) -> Tensor:
    """What the drawing pad sends, prepared like a file. Raises KnobError for anything else."""
    if value is None or value == "":  # Gradio makes "" of an empty value
        raise KnobError("drawing: the paper is empty, draw something first")
    if not isinstance(value, str) or not value.startswith(PREFIX) or len(value) > MAX_DRAWING:
        raise KnobError(f"drawing: takes a PNG data URL of at most {MAX_DRAWING:,} characters")
    try:
        return prepare(io.BytesIO(base64.b64decode(value.removeprefix(PREFIX), validate=True)))
    except binascii.Error as error:
        raise KnobError(f"drawing: its data URL is damaged ({error})") from error


def _opened(source: str | Path | IO[bytes]) -> Image.Image:
    """The file in grey, upright, on white where it is see-through."""
    try:
        with Image.open(source, formats=FORMATS) as image:
            _check_size(*image.size)  # before a pixel is decoded
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except Image.DecompressionBombError as error:
        raise KnobError(f"upload: {error}; choose at most {MAX_SIDE} pixels a side") from error
    except KnobError:
        raise
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's answers to broken files
        raise KnobError(
            f"upload: this is no picture that can be read; choose a {', '.join(FORMATS)} file"
        ) from error
    white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(white, upright).convert("L")


def _check_size(width: int, height: int) -> None:
    if max(width, height) > MAX_SIDE:
        raise KnobError(
            f"upload={width} x {height} pixels: choose a picture of 1 to {MAX_SIDE} pixels a side"
        )
