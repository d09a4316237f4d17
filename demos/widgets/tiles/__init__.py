"""Pictures one after the other, each with its name and, where there is one, its score.

`Tiles(elem_id=...)` is the component; a handler returns a `TilesValue` for it. Scores are
probabilities: above the pictures they all stand on one line, whose middle is 50%.
"""

import time
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import gradio as gr
import numpy as np

from demos.page.image_io import CardValue, Value, duration
from demos.widgets.card import card
from gen_core.devices import device_title
from gen_core.family import Family
from gen_core.sampling import Noise, final, pixels


@dataclass(frozen=True)
class Tile(Value):
    """A picture with its name, or a card of words.

    picture: uint8 (H, W) or (H, W, 3), shown enlarged without smoothing; None: a card of words
        alone
    title: stands under the picture: "Sneaker"
    note: under the title, quieter: "seed 3"
    score: a probability: shown in percent, and as a bar from the middle
    aside: beside the score, quieter: "−0.14"
    framed: set apart from the others by its frame
    """

    picture: np.ndarray | None
    title: str
    note: str = ""
    score: float | None = None
    aside: str = ""
    framed: bool = False


@dataclass(frozen=True)
class Scale(Value):
    """What the scores mean, for the line above the pictures, which has 50% in its middle.

    low: where scores below 50% lie: "looks generated"
    high: where those above lie
    plain: what the tiles without a frame are: "generated"
    framed: what those with a frame are; "" where there are none
    figures: what score and aside are, for the key
    """

    low: str
    high: str
    plain: str
    framed: str = ""
    figures: str = ""


@dataclass(frozen=True)
class TilesValue(CardValue):
    """The tiles, in their order. Raises ValueError for a score beyond 0 to 1, or one without a
    scale.

    headline: what is to be seen, above the pictures
    scale: what the scores mean
    provenance: where the pictures come from
    live: whether that was just now
    name: the downloaded file's, without its ending
    """

    tiles: Sequence[Tile]
    _: KW_ONLY
    headline: str = ""
    scale: Scale | None = None
    provenance: str
    live: bool = True
    name: str = "pictures"

    def __post_init__(self) -> None:
        scores = [tile.score for tile in self.tiles if tile.score is not None]
        if not all(0 <= score <= 1 for score in scores):
            raise ValueError(f"scores from {min(scores)} to {max(scores)}: they go from 0 to 1")
        if scores and self.scale is None:
            raise ValueError("scores without a scale: say what they mean")


def Tiles(
    *,
    elem_id: str,
    label: str,
    value: TilesValue | dict[str, Any] | None = None,
    empty: str = "Press the button to see pictures.",
) -> gr.HTML:
    """A gr.HTML that shows a `TilesValue`; `label` is for screen readers."""
    return card("tiles", elem_id=elem_id, label=label, value=value, empty=empty)


def sample_tiles(
    model: Family,
    seeds: Sequence[int],
    names: Sequence[str] = (),
    *,
    headline: str,
    file: str,
    **knobs: Any,
) -> TilesValue:
    """The pictures with their seeds, and how long they took.

    names: of the pictures, where they have one; file: the download's name; knobs: `sample`'s.
    """
    started = time.perf_counter()
    x = final(model.sample(Noise(seeds), **knobs))
    seconds = time.perf_counter() - started
    notes = [f"seed {seed}" for seed in seeds]
    words = zip(names, notes, strict=True) if names else zip(notes, strict=True)
    took = f"{duration(seconds)}, {1000 * seconds / len(seeds):.1f} ms per picture"
    return TilesValue(
        [Tile(picture, *said) for picture, said in zip(pixels(x), words, strict=True)],
        headline=headline,
        name=file,
        provenance=f"{took} · {device_title(model.device)}",
    )
