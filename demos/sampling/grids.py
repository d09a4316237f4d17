"""The same noise under several samplers: one table of pictures that fills cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demos.page.figures import duration, grid
from demos.sampling.walk import unhurried
from demos.widgets.labelled_grid import Cell, Row, labelled_grid_value
from gen_core import Frame
from gen_core.devices import device_title
from gen_core.evaluation.cost import Meter
from gen_core.family import Family


@dataclass(frozen=True)
class Contender:
    """One row: a model and the knobs that stay the same along it."""

    title: str
    note: str
    model: Family
    knobs: Mapping[str, Any]


def race(
    contenders: Sequence[Contender],
    steps: Sequence[int],
    seeds: Sequence[int],
    *,
    corner: str,
    name: str,
    label: int | list[int],
) -> Iterator[dict[str, Any]]:
    """Yields the table after each cell; every cell starts from the same noise.

    Rows are the contenders, columns the step counts; a cell shows its pictures side by side and
    what they took. Between cells come skips, at which the run can be stopped.
    """
    cells: list[list[Cell | None]] = [[None] * len(steps) for _ in contenders]
    seconds = 0.0
    device = device_title(contenders[0].model.device)
    caption = f"The time under a cell is for {_all(seeds)}."
    for k, column in enumerate(steps):
        for i, contender in enumerate(contenders):
            meter = Meter(contender.model, seeds, label=label, steps=column, **contender.knobs)
            frame: Frame | None = None
            if not k:  # all columns have batches of the same size
                meter.warm_up()
            for moment in unhurried(meter.frames()):
                if moment is None:
                    yield gr.skip()
                else:
                    frame = moment
            seconds += meter.seconds
            cells[i][k] = Cell(grid(frame.x, scale=1, gap=1), duration(meter.seconds))
            finished = k + 1 == len(steps) and i + 1 == len(contenders)
            state = f"all in {duration(seconds)}" if finished else f"{duration(seconds)} so far"
            yield labelled_grid_value(
                [Row(c.title, c.note, row) for c, row in zip(contenders, cells, strict=True)],
                [str(n) for n in steps],
                corner=corner,
                name=name,
                provenance=f"{device} · {state}",
                caption=caption,
            )


def _all(seeds: Sequence[int]) -> str:
    return "its one picture" if len(seeds) == 1 else f"its {len(seeds)} pictures together"
