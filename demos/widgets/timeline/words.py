"""Where each word of a prompt was looked for, as the timeline's `words`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from demos.page.figures import png_data_url


def words_value(words: Sequence[str], heat: Sequence[Tensor], lanes: Sequence[str]) -> dict:
    """For `timeline_from_images(words=...)`: heat lies over the lanes of these titles.

    heat: one tensor for each frame, (B, words, side, side), any scale from 0 up: every word of
    every picture is shown relative to its own largest value in the whole run.
    """
    levels = np.stack([maps.numpy() for maps in heat])  # (frames, B, words, side, side)
    frames, samples, count, side = levels.shape[:4]
    if count != len(words):
        raise ValueError(f"heat of {count} words for {len(words)} words")
    most = levels.max(axis=(0, 3, 4), keepdims=True)
    grey = (255 * levels / np.maximum(most, 1e-9)).round().astype(np.uint8)
    sheet = grey.transpose(0, 1, 3, 2, 4).reshape(frames * samples * side, count * side)
    value: dict[str, Any] = {"words": list(words), "sheet": png_data_url(sheet), "side": side}
    return value | {"lanes": list(lanes)}
