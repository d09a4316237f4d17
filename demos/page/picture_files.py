"""What visitors bring, a picture file or a drawing, as the tensors that the models take."""

import base64
import io
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from demos.page.image_io import PREFIX, data_url
from gen_core.knobs import KnobError
from gen_core.sampling import in_range

SIDE = 28
COLOUR_SIDE = 64
"""Pixels a side of what the text-to-image model draws."""
MAX_SIDE = 4096
"""Pixels: the longest side of an upload."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
FAINTEST = 24
"""Of 255: what differs less from the ground is part of it."""
MAX_DRAWING = 1_000_000
"""Characters of a drawing's data URL; the pad's own stay below a tenth of it."""

Source = str | Path | IO[bytes] | None


def prepare(source: Source, name: str = "upload") -> Tensor:
    """A picture file as the models know pictures: (1, 1, 28, 28) in [-1, 1], bright on black.

    Follows Xiao et al. 2017, "Fashion-MNIST", section 2: grey, trimmed, the longest edge to 28
    pixels, centred, negated where the ground is bright.

    Raises KnobError for no file, a broken one, a side above 4096 pixels, or an empty picture.
    """
    grey = np.asarray(_opened(source, name).convert("L"), np.float32)
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


def prepare_colour(source: Source, name: str = "upload") -> Tensor:
    """A picture file in colour, (1, 3, 64, 64) in [-1, 1]: its middle square, resized.

    name: what messages call it. Raises KnobError as `prepare` does; one colour all over is fine.
    """
    square = ImageOps.fit(_opened(source, name), (COLOUR_SIDE,) * 2, Image.Resampling.LANCZOS)
    return in_range(np.asarray(square, np.float32)[None])


def grey_picture(source: Source, name: str = "upload") -> Image.Image:
    """A picture file in grey, upright, at its own size; `info` is what its metadata says.

    Raises KnobError for no file, a broken one or a side above 4096 pixels.
    """
    grey = _opened(source, name).convert("L")
    with Image.open(source, formats=FORMATS) as image:
        grey.info = dict(image.info)
    return grey


def prepare_mask(value: Any) -> Tensor | None:
    """What the mask pad sends, or any PNG data URL, as (1, 1, 64, 64): 1 where it is bright.

    None where nothing is: there is nothing to tell apart. Raises KnobError for anything else.
    """
    if value is None or value == "":
        return None
    grey = _opened(in_data_url(value, "mask"), "mask").convert("L")
    square = np.asarray(ImageOps.fit(grey, (COLOUR_SIDE,) * 2, Image.Resampling.BOX))
    bright = torch.from_numpy(square > 127).float()
    return bright[None, None] if bright.any() else None


def mask_url(mask: Tensor | None) -> str:
    """A mask as a short PNG data URL, from which `prepare_mask` makes the same; "" for none."""
    if mask is None:
        return ""
    file = io.BytesIO()
    Image.fromarray(mask[0, 0].numpy() > 0.5).save(file, "PNG", optimize=True)
    return data_url(file.getvalue())


def in_data_url(value: Any, name: str) -> IO[bytes]:
    """The PNG in what a pad sends. Raises KnobError for an empty paper and for anything else."""
    if value is None or value == "":  # Gradio makes "" of an empty value
        raise KnobError(f"{name}: the paper is empty, draw something first")
    if not isinstance(value, str) or not value.startswith(PREFIX) or len(value) > MAX_DRAWING:
        raise KnobError(f"{name}: takes a PNG data URL of at most {MAX_DRAWING:,} characters")
    try:
        return io.BytesIO(base64.b64decode(value.removeprefix(PREFIX), validate=True))
    except ValueError as error:  # of binascii for its alphabet, of b64decode for other letters
        raise KnobError(f"{name}: its data URL is damaged ({error})") from error


def _opened(source: Source, name: str) -> Image.Image:
    """The file in colour, upright, on white where it is see-through."""
    if source is None:
        raise KnobError(f"{name}: choose a picture file first")
    if not (isinstance(source, (str, Path)) or hasattr(source, "read")):
        raise KnobError(f"{name}={str(source)[:40]!r}: takes one picture file")
    try:
        with Image.open(source, formats=FORMATS) as image:
            if max(image.size) > MAX_SIDE:  # before a pixel is decoded
                raise KnobError(
                    f"{name}={image.width} x {image.height} pixels: "
                    f"choose a picture of 1 to {MAX_SIDE} pixels a side"
                )
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except Image.DecompressionBombError as error:
        raise KnobError(f"{name}: {error}; choose at most {MAX_SIDE} pixels a side") from error
    except KnobError:
        raise
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's answers to broken files
        raise KnobError(
            f"{name}: this file cannot be read as a picture; choose a {', '.join(FORMATS)} file"
        ) from error
    white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(white, upright).convert("RGB")
