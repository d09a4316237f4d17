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

from demos.figures import png_data_url
from demos.widgets.card import card


@dataclass(frozen=True)
class Cell:
    picture: np.ndarray
    """uint8 (H, W), shown enlarged without smoothing."""
    note: str
    """Stands under the picture: "12 ms"."""


@dataclass(frozen=True)
class Row:
    title: str
    note: str
    """Stands under the title, quieter."""
    cells: Sequence[Cell | None]
    """One for each column; None: not computed yet."""


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
            {"title": row.title, "note": row.note, "cells": [_cell(cell) for cell in row.cells]}
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
    height, width = cell.picture.shape
    return {
        "picture": png_data_url(cell.picture),
        "width": width,
        "height": height,
        "note": cell.note,
    }
