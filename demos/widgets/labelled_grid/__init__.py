"""A table of pictures: rows and columns with names, what each cell took, and a PNG of it all.

`LabelledGrid(elem_id=...)` is the component; `labelled_grid_value` makes what a handler returns
for it. Cells that are not there yet are None, so the table fills while it is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from demos.page.figures import png_data_url
from demos.widgets.card import card


@dataclass(frozen=True)
class Cell:
    picture: np.ndarray | None
    """uint8 (H, W) or (H, W, 3), shown enlarged without smoothing; None: the note is a figure."""
    note: str
    """Stands under the picture: "12 ms"."""
    shade: float = 0.0
    """How strongly a figure is coloured, 0 to 1."""
    best: bool = False
    """Whether a figure stands out from the others of its column."""


@dataclass(frozen=True)
class Row:
    title: str
    note: str
    """Stands under the title, quieter."""
    cells: Sequence[Cell | None]
    """One for each column; None: not computed yet."""
    words: Sequence[tuple[str, bool]] = ()
    """In the title's place: pieces of a text, and which of them to mark."""


def LabelledGrid(
    *,
    elem_id: str,
    label: str,
    value: dict[str, Any] | None = None,
    empty: str = "Press the button to fill the table.",
) -> gr.HTML:
    """A gr.HTML that shows what `labelled_grid_value` returns; `label` is for screen readers."""
    return card("labelled_grid", elem_id=elem_id, label=label, value=value, empty=empty)


def labelled_grid_value(
    rows: Sequence[Row],
    columns: Sequence[str],
    *,
    corner: str,
    provenance: str,
    caption: str = "",
    live: bool = True,
    name: str = "grid",
) -> dict[str, Any]:
    """The table as plain JSON.

    Args:
        rows: see `Row`; each has one cell for each of `columns`.
        columns: what stands above them: "1", "2", "4".
        corner: what the columns are: "network evaluations".
        caption: stands below the table.
        provenance, live: where the pictures come from, and whether that was just now.
        name: the downloaded file's name, without its ending.

    Raises ValueError when a row has not one cell for each column.
    """
    for row in rows:
        if len(row.cells) != len(columns):
            raise ValueError(
                f"row {row.title!r} has {len(row.cells)} cells for {len(columns)} columns"
            )
    return {
        "rows": [
            {
                "title": " ".join(text for text, _ in row.words) or row.title,
                "note": row.note,
                "cells": [_cell(cell) for cell in row.cells],
                "words": [list(piece) for piece in row.words],
            }
            for row in rows
        ],
        "columns": list(columns),
        "corner": corner,
        "caption": caption,
        "provenance": provenance,
        "live": live,
        "name": name,
    }


def _cell(cell: Cell | None) -> dict[str, Any] | None:
    if cell is None:
        return None
    if cell.picture is None:
        return {"note": cell.note, "shade": round(cell.shade, 3), "best": cell.best}
    height, width = cell.picture.shape[:2]
    return {
        "picture": png_data_url(cell.picture),
        "width": width,
        "height": height,
        "note": cell.note,
    }
