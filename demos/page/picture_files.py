"""What visitors bring, a picture file or a drawing, as the tensors that the models take."""

import base64
import io
from typing import IO, Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from demos.page.decoding import Source, decode
from demos.page.image_io import PREFIX, data_url
from gen_core.knobs import KnobError
from gen_core.sampling import in_range

SIDE = 28
COLOUR_SIDE = 64
"""Pixels a side of what the text-to-image model draws."""
FAINTEST = 24
"""Of 255: what differs less from the ground is part of it."""
CUT_OUT = 0.05
"""The share that is see-through from which on this is the ground: rounded corners have less."""
NEARLY_WHITE = 230
"""Of 255: what is brighter on average would hardly be seen on white."""
EMPTY = "the picture is all one grey, or see-through: choose or draw one with something on it"
MAX_DRAWING = 1_000_000
"""Characters of a drawing's data URL; the pad's own stay below a tenth of it."""


def prepare(source: Source, name: str = "upload") -> Tensor:
    """A picture file as the models know pictures: (1, 1, 28, 28) in [-1, 1], bright on black.

    Follows Xiao et al. 2017, "Fashion-MNIST", section 2: grey, trimmed, the longest edge to 28
    pixels, centred, negated where the ground is bright. Where the ground is see-through, what is
    opaque is the item, and it is negated if it is dark.

    Raises KnobError as `demos.page.decoding.decode` does, and for an empty picture.
    """
    picture = decode(source, name).image
    grey, item = _from_its_ground(picture)
    if picture.mode == "RGBA":
        alone, opaque = _cut_out(picture)
        if not item.any() or opaque.mean() < 1 - CUT_OUT:
            grey, item = alone, opaque
    if not item.any():
        raise KnobError(f"{name}: {EMPTY}")
    rows, columns = (np.flatnonzero(item.any(axis)) for axis in (1, 0))
    cut = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return torch.from_numpy(_centred(cut).astype(np.float32) / 127.5 - 1)[None, None]


def _from_its_ground(picture: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Brightness above the ground's, which is what the border has most of, float (H, W) to 255, and
    where that is more than nothing. Darkness, if the ground is bright or nothing is brighter."""
    grey = np.asarray(_on("white", picture).convert("L"), np.float32)
    ground = float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    for negated in (ground > 127, ground <= 127):
        levels, least = (255 - grey, 255 - ground) if negated else (grey, ground)
        above = (levels - least).clip(0) * (255 / max(255 - least, 1))
        if (above > FAINTEST).any():
            break
    return above, above > FAINTEST


def _cut_out(picture: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """The same of an item without a ground: as bright as it is on black, or negated, whichever is
    brighter."""
    grey, alpha = _brightness_and_alpha(picture)
    if (grey * alpha).sum() < 127.5 * alpha.sum():
        grey = 255 - grey
    return grey * (alpha / 255), alpha > FAINTEST


def _centred(cut: np.ndarray) -> np.ndarray:
    """An item, float (H, W), in the middle of a square of 28, uint8. Lines that would be thinner
    than a pixel there are a pixel wide, and as bright as they were."""
    item = Image.fromarray(cut.round().astype(np.uint8))
    size = [max(1, round(side / max(item.size) * SIDE)) for side in item.size]
    small = np.asarray(item.resize(size, Image.Resampling.LANCZOS), np.float32)
    if small.max() < cut.max() / 2:
        small = small * (cut.max() / max(small.max(), 1))
    square = np.zeros((SIDE, SIDE), np.uint8)
    left, top = (round((SIDE - side) / 2) for side in size)
    square[top : top + size[1], left : left + size[0]] = small.round()
    return square


def prepare_colour(source: Source, name: str = "upload") -> Tensor:
    """A picture file in colour, (1, 3, 64, 64) in [-1, 1]: its middle square, resized; on white
    where it is see-through, or on black if what one sees of it is white.

    name: what messages call it. Raises KnobError as `demos.page.decoding.decode` does; one colour
    all over is fine.
    """
    picture = decode(source, name).image
    if picture.mode == "RGBA":
        brightness, alpha = _brightness_and_alpha(picture)
        white = (brightness * alpha).sum() > NEARLY_WHITE * alpha.sum()
        picture = _on("black" if white else "white", picture)
    square = ImageOps.fit(picture, (COLOUR_SIDE,) * 2, Image.Resampling.LANCZOS)
    return in_range(np.asarray(square, np.float32)[None])


def grey_picture(source: Source, name: str = "upload") -> Image.Image:
    """A picture file in grey, upright, on white; reduced if it has more than four megapixels.

    `info` is what its metadata says, as `gen_core.provenance.traces.collect` gives it, and under
    "size" the width and height that it has in the file. Raises KnobError as `decode` does.
    """
    decoded = decode(source, name)
    grey = _on("white", decoded.image).convert("L")
    grey.info = decoded.info | {"size": decoded.size}
    return grey


def prepare_mask(value: Any, side: int = COLOUR_SIDE) -> Tensor | None:
    """What the mask pad sends, or any PNG data URL, as (1, 1, side, side): 1 where it is bright or,
    if some of it is see-through, where it is not.

    None where nothing is: there is nothing to tell apart. Raises KnobError for anything else.
    """
    if value is None or value == "":
        return None
    picture = decode(in_data_url(value, "mask"), "mask").image
    painted = picture.getchannel("A") if picture.mode == "RGBA" else picture.convert("L")
    square = np.asarray(ImageOps.fit(painted, (side, side), Image.Resampling.BOX))
    bright = torch.from_numpy(square > 127).float()
    return bright[None, None] if bright.any() else None


def _brightness_and_alpha(picture: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Of RGBA, both float (H, W), 0 to 255."""
    channels = picture.convert("RGB").convert("L"), picture.getchannel("A")
    grey, alpha = (np.asarray(channel, np.float32) for channel in channels)
    return grey, alpha


def _on(ground: str, picture: Image.Image) -> Image.Image:
    """RGB, on a ground where it is see-through."""
    if picture.mode != "RGBA":
        return picture
    whole = Image.new("RGBA", picture.size, ground)
    return Image.alpha_composite(whole, picture).convert("RGB")


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
