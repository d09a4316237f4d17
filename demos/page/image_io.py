"""What widgets show, as JSON: pictures as data URLs, numbers in words."""

import base64
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

import numpy as np
from PIL import Image

PREFIX = "data:image/png;base64,"


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
    return f"data:image/{kind};base64,{in_base64(file)}"


def in_base64(numbers: np.ndarray | bytes) -> str:
    """The bytes of an array as text, which card.js reads with `numbersOf`: a tenth of what whole
    numbers are in JSON."""
    return base64.b64encode(numbers if isinstance(numbers, bytes) else numbers.tobytes()).decode()


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
