"""On the way in and out: what visitors bring as tensors, what widgets show as JSON."""

import base64
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

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
PREFIX = "data:image/png;base64,"
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


# --- out ------------------------------------------------------------------------------------------


class Value:
    """What a widget shows: a frozen dataclass with the fields that its script reads, in order."""

    def to_json(self) -> dict[str, Any]:
        """The fields as plain JSON, pictures as PNG data URLs. Raises ValueError on NaN."""
        return {part.name: as_json(getattr(self, part.name)) for part in fields(self)}


@dataclass(frozen=True, kw_only=True)
class CardValue(Value):
    """What a card shows, which can be saved as a file."""

    made: Mapping[str, Any] = field(default_factory=dict)
    """What made it, as `made_by` says; the file says so of itself."""

    def to_json(self) -> dict[str, Any]:
        shown = super().to_json()
        made = shown.pop("made")
        return shown | {"made": made} if made else shown


def made_by(model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What `gen_core.provenance.metadata.about` takes, once a file is made: the model with what it
    was asked for, whole numbers as they are, all else as text."""
    said = {name: value for name, value in settings.items() if value is not None}
    if "path" in said:  # Gradio's client takes what has a path for a file, and asks for it
        said["places"] = said.pop("path")
    return {"model": model} | {n: v if isinstance(v, int) else str(v) for n, v in said.items()}


def as_json(value: Any) -> Any:
    """A value as JSON: pictures, uint8 (H, W) or (H, W, 3), as PNG data URLs, NumPy's numbers as
    Python's own. Raises ValueError on NaN, which JSON cannot carry."""
    if isinstance(value, Value):
        return value.to_json()
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim > 1:
        return png_data_url(value)
    if isinstance(value, Mapping):
        return {str(key): as_json(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, range, np.ndarray)):
        return [as_json(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} in what a widget shows: numbers must be finite")
    return value


def values_to_json(piece: Any) -> Any:
    """A piece of a run with JSON in place of each `Value`; all else is left as it is."""
    if isinstance(piece, Value):
        return piece.to_json()
    if isinstance(piece, (list, tuple)):
        return type(piece)(map(values_to_json, piece))
    if isinstance(piece, dict):
        return {key: values_to_json(entry) for key, entry in piece.items()}
    return piece


def png_data_url(array: np.ndarray) -> str:
    """uint8 (H, W) or (H, W, 3) as a data URL with a PNG in it."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG", compress_level=3)  # 6: thrice the time
    return data_url(buffer.getvalue())


def webp_data_url(array: np.ndarray) -> str:
    """The same with a lossless WebP in it: of a portrait a fifth smaller than a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="WEBP", lossless=True, method=2)
    return data_url(buffer.getvalue(), "webp")


def jpeg_data_url(array: np.ndarray, most: int, soft_colours: bool = False) -> str:
    """The same with a JPEG in it, of lower quality where it has more than `most` bytes: about a
    third of a PNG's where there is noise, each pixel a few of 255 levels off.

    soft_colours: at half the resolution of brightness; half as large.
    """
    for quality in (90, 75, 60, 40, 25, 18):
        buffer = io.BytesIO()
        Image.fromarray(array).save(
            buffer, format="JPEG", quality=quality, subsampling=2 if soft_colours else 0
        )
        if buffer.tell() <= most:
            break
    return data_url(buffer.getvalue(), "jpeg")


def data_url(file: bytes, kind: str = "png") -> str:
    """An image file as a data URL."""
    return f"data:image/{kind};base64,{base64.b64encode(file).decode()}"


def duration(seconds: float) -> str:
    """ "412 ms", "1.92 s" """
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def day(iso: str) -> str:
    """ "2026-11-21" as "21 November 2026"."""
    meant = date.fromisoformat(iso)
    return f"{meant.day} {meant:%B %Y}"


def distance(value: float | None) -> str:
    """A Fréchet distance in two or three figures: 0.045, 0.45, 4.51, 45.1."""
    if value is None:
        return "not measured yet"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"
