"""An invisible mark in the pictures that this program exports, and the search for it.

Spread spectrum (Cox et al. 1997, "Secure Spread Spectrum Watermarking for Multimedia"): a faint
pattern in the middle frequencies of the brightness, the same in every picture, in tiles, so that
a crop keeps it. It is found by phase correlation (Kuglin & Hines 1975) over all positions, at a few
sizes. The pattern stands below for all to read: the mark helps the honest and proves nothing.

    python -m gen_core watermark    measures how often it is found
"""

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from gen_core.knobs import KnobError

KEY = b"Noise to Data"
"""Makes the pattern. Another key would not find the marks that were made before."""
TILE = 128
BAND = (0.05, 0.12)
"""Cycles a pixel: higher ones are lost in halving and in JPEG, lower ones would be seen."""
STRENGTH = 0.6
"""Root mean square, in levels of 255."""
ROOM = 2
"""Levels left free above black and below white, so that the mark is whole there too."""
SIDE = 512
"""Pixels a side of an exported picture."""
LARGEST = 1024
"""The longest side at which the mark is looked for."""
WINDOW = 9
"""Pixels a side of the surroundings whose mean is taken away before the search."""
CLIP = 4.0
"""Levels: edges are so much stronger than the mark that only this much of them may count."""
MEASURED = Path(__file__).with_suffix(".json")


@functools.cache
def _pattern() -> tuple[np.ndarray, torch.Tensor]:
    """The tile (128, 128), of unit strength, and its phases e^{i phi} (128, 128), 0 off the band.

    Random signs from a hash, which every version of every library makes alike, freed of all
    frequencies but those of the band, each of which is as strong as the others.
    """
    drawn = np.frombuffer(hashlib.shake_256(KEY).digest(TILE * TILE // 8), np.uint8)
    spectrum = np.fft.fft2(np.unpackbits(drawn).reshape(TILE, TILE) - 0.5)
    across = np.fft.fftfreq(TILE)
    radius = np.hypot(across[:, None], across)
    inside = (radius >= BAND[0]) & (radius <= BAND[1])
    phases = np.where(inside, spectrum / np.abs(spectrum), 0)
    tile = np.fft.ifft2(phases).real
    return tile / tile.std(), torch.from_numpy(phases)


def marked(picture: np.ndarray) -> np.ndarray:
    """A picture, uint8 (H, W, 3), with the mark; no pixel moves by more than 4 levels."""
    height, width = picture.shape[:2]
    tiles = np.tile(_pattern()[0], (-(-height // TILE), -(-width // TILE)))[:height, :width]
    out = picture.clip(ROOM, 255 - ROOM) + STRENGTH * tiles[..., None]
    return out.round().clip(0, 255).astype(np.uint8)


def enlarged(picture: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) with sides of 512 pixels or more, each pixel a square of pixels."""
    times = max(1, SIDE // max(picture.shape[:2]))
    return picture.repeat(times, axis=0).repeat(times, axis=1)


@torch.inference_mode()
def score(picture: Image.Image) -> float:
    """How well the picture agrees with the mark, 0 to 1, at the best position and size.

    Looked for at the size that the picture has, at twice that (it may have been halved), and with
    its longest side at 512 pixels. Raises KnobError where one side is below 128 pixels.
    """
    if min(picture.size) < TILE:
        raise KnobError(
            f"upload={picture.width} x {picture.height} pixels: too small to look for the mark, "
            f"choose a picture of at least {TILE} pixels a side"
        )
    grey, longest = picture.convert("L"), max(picture.size)
    sides = {SIDE} | {side for side in (longest, 2 * longest) if side <= SIDE}
    sides |= {longest} if longest <= LARGEST else set()
    return max(_agreement(grey, side / longest) for side in sides)


def _agreement(grey: Image.Image, scale: float) -> float:
    """max over shifts d of mean over the band of cos(phase of x - phase of mark - 2 pi k d)."""
    size = [max(1, round(side * scale)) for side in grey.size]
    x = torch.from_numpy(np.asarray(grey.resize(size, Image.Resampling.BICUBIC), np.float32))[None]
    mean = F.avg_pool2d(x, WINDOW, 1, WINDOW // 2, count_include_pad=False)
    x = (x - mean).clamp(-CLIP, CLIP)[0]
    rows, columns = (-side % TILE for side in x.shape)
    folded = F.pad(x, (0, columns, 0, rows)).unfold(0, TILE, TILE).unfold(1, TILE, TILE).sum((0, 1))
    spectrum, phases = torch.fft.fft2(folded.double()), _pattern()[1]
    turned = spectrum / (spectrum.abs() + 1e-6) * phases.conj()
    return float(torch.fft.ifft2(turned).real.max() * TILE * TILE / phases.abs().sum())


@functools.cache
def measured() -> dict[str, Any]:
    """What `python -m gen_core watermark --write` found: the threshold among it."""
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def threshold() -> float:
    """The score that 1 of 100 pictures without the mark exceeds."""
    return measured()["threshold"]
