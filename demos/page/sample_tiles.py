"""Samples of the families that draw a picture in one pass: VAE and GAN."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from demos.page.figures import duration, pixels
from demos.widgets.tiles import Tile, tiles_value
from gen_core import Noise, final
from gen_core.devices import device_title
from gen_core.family import Family


def one_pass(
    model: Family,
    seeds: Sequence[int],
    names: Sequence[str] = (),
    *,
    headline: str,
    file: str,
    **knobs: Any,
) -> dict[str, Any]:
    """The pictures with their seeds, as `tiles_value` gives them, and how long they took.

    names: of the pictures, where they have one; file: the download's name; knobs: `sample`'s.
    """
    started = time.perf_counter()
    x = final(model.sample(Noise(seeds), **knobs))
    seconds = time.perf_counter() - started
    notes = [f"seed {seed}" for seed in seeds]
    words = zip(names, notes, strict=True) if names else zip(notes, strict=True)
    took = f"{duration(seconds)}, {1000 * seconds / len(seeds):.1f} ms a picture"
    return tiles_value(
        [Tile(picture, *said) for picture, said in zip(pixels(x), words, strict=True)],
        headline=headline,
        name=file,
        provenance=f"{took} · {device_title(model.device)}",
    )
