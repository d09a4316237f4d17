"""What cards share whose pictures are drawn in raster order: pixel by pixel, or token by token."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from demos.page.image_io import CardValue
from demos.widgets.timeline import PLAYER

RASTER = (*PLAYER, "card/changes.js", "raster/raster.js")
"""What such a card is built on; these are its styles:"""
RASTER_STYLE = ("timeline/player.css", "raster/raster.css")


@dataclass(frozen=True)
class RasterValue(CardValue):
    """Pictures of n places each. Raises ValueError when lengths do not fit.

    pictures: uint8 (H, W) or (H, W, 3), what is not drawn yet of any colour
    titles: of the pictures
    standing: how many places of each are drawn; n where the pictures are whole
    bits: of each picture (n,) the surprise of its places, -log2 p; none until they are whole
    changed: of the places that a visitor took: (picture, place), both from 0
    provenance: where they were drawn
    live: whether that was just now
    name: the downloaded file's, without its ending
    """

    pictures: Sequence[np.ndarray]
    titles: Sequence[str]
    standing: int
    _: KW_ONLY
    bits: Sequence[Sequence[float]] = ()
    changed: Sequence[tuple[int, int]] = ()
    provenance: str
    live: bool = True
    name: str = "pictures"

    def __post_init__(self) -> None:
        self.check("titles", "bits")

    def check(self, *names: str) -> None:
        """Raises ValueError where a field has neither no entry nor one a picture."""
        for name in names:
            count = len(getattr(self, name))
            if count not in (0, len(self.pictures)):
                raise ValueError(f"{count} {name} for {len(self.pictures)} pictures")

    def to_json(self) -> dict[str, Any]:
        """The bits of a picture as one text, "3.1 0.02": the page wraps every entry of a list in an
        object of its own."""
        rows = [" ".join(f"{value:.3g}" for value in row) for row in self.bits]
        return super().to_json() | {"bits": rows}
