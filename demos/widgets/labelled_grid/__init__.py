"""A table of pictures: rows and columns with names, what each cell took, and a PNG of it all.

`LabelledGrid(elem_id=...)` is the component; a handler returns a `LabelledGridValue` for it.
Cells that are not there yet are None, so the table fills while it is computed.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import gradio as gr
import numpy as np

from demos.page.image_io import CardValue, Value, as_json
from demos.widgets.card import card


@dataclass(frozen=True)
class Cell(Value):
    """A picture or a figure of the table.

    picture: uint8 (H, W) or (H, W, 3), shown enlarged without smoothing; None: the note is a
        figure
    note: stands under the picture: "12 ms"
    shade: how strongly a figure is coloured, 0 to 1
    best: whether a figure stands out from the others of its column
    """

    picture: np.ndarray | None
    note: str
    shade: float = 0.0
    best: bool = False

    def to_json(self) -> dict[str, Any]:
        if self.picture is None:
            return {"note": self.note, "shade": round(self.shade, 3), "best": self.best}
        height, width = self.picture.shape[:2]
        shown = {"picture": as_json(self.picture), "width": width, "height": height}
        return shown | {"note": self.note}


@dataclass(frozen=True)
class Row(Value):
    """A line of the table.

    note: stands under the title, quieter
    cells: one for each column; None: not computed yet
    words: in the title's place: pieces of a text, and which of them to mark
    """

    title: str
    note: str
    cells: Sequence[Cell | None]
    words: Sequence[tuple[str, bool]] = ()


@dataclass(frozen=True)
class LabelledGridValue(CardValue):
    """The table. Raises ValueError when a row has not one cell for each column.

    columns: what stands above them: "1", "2", "4"
    corner: what the columns are: "network evaluations"
    caption: stands below the table
    provenance: where the pictures come from
    live: whether that was just now
    name: the downloaded file's, without its ending
    """

    rows: Sequence[Row]
    columns: Sequence[str]
    _: KW_ONLY
    corner: str
    caption: str = ""
    provenance: str
    live: bool = True
    name: str = "grid"

    def __post_init__(self) -> None:
        count = len(self.columns)
        for row in self.rows:
            if len(row.cells) != count:
                raise ValueError(
                    f"row {row.title!r} has {len(row.cells)} cells for {count} columns"
                )


def LabelledGrid(
    *,
    elem_id: str,
    label: str,
    value: LabelledGridValue | dict[str, Any] | None = None,
    empty: str = "Press the button to fill the table.",
) -> gr.HTML:
    """A gr.HTML that shows a `LabelledGridValue`; `label` is for screen readers."""
    return card("labelled_grid", elem_id=elem_id, label=label, value=value, empty=empty)
