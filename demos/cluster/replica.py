"""A process that computes for the page: the same app with its own engine, and no visitors."""

import contextlib
import copy
import os
import tempfile
import threading
import traceback
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from demos.cluster.uploads import unpacked
from demos.page.handlers import (
    CROWDED_GAP,
    MIN_UPDATE_GAP,
    SILENCE,
    App,
    Keeps,
    run_line,
    said,
)
from demos.page.image_io import as_json, values_to_json
from demos.page.shell import build_page
from demos.page.work import About, Line, Order
from gen_core.engine import count_elsewhere
from gen_core.progress import Progress


@dataclass(frozen=True)
class Failure:
    """What a work raised, in place of its next piece."""

    error: Exception


@dataclass(frozen=True)
class Spent:
    """At the end of a run: the device's seconds for it, and the rows of its passes."""

    seconds: float
    rows: int


def unwrapped(pieces: Iterable[Any]) -> Iterator[Any]:
    """The pieces of a replica's stream, in the thread of the page's request: raises its failure,
    and counts what it spent."""
    for piece in pieces:
        if isinstance(piece, Failure):
            raise piece.error
        if isinstance(piece, Spent):
            count_elsewhere(piece.seconds, piece.rows)
        else:
            yield piece


class Replica:
    """Does the works of the page by name; each request joins the passes of the others."""

    def __init__(self, device: str = "auto", data_root: str | None = None) -> None:
        self.app = App(device, data_root)
        build_page(self.app)  # which names the works
        threading.Thread(target=self.app.warm, daemon=True).start()

    def about(self) -> About:
        return About(self.app.device_title, self.app.most_work, os.getpid())

    async def stream(self, order: Order) -> AsyncIterator[Any]:
        """Pieces of the work as they travel, and a `Line` for each Progress, once in `SILENCE`
        seconds at least; at last what it `Spent`, or a `Failure`. Closing it ends the work."""
        with contextlib.ExitStack() as stack:
            try:
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                order = unpacked(order, Path(folder))
                finish = as_json if self.app.works[order.name].light else as_travels
                ticket = self.app.submit(order, finish=finish)
                stack.callback(ticket.cancel)
                step = ""
                async for piece in ticket.paced(MIN_UPDATE_GAP, CROWDED_GAP, SILENCE):
                    if isinstance(piece, Progress):
                        step = said(piece) or step
                        line = run_line(step, *self.app.engine.ahead(ticket))
                        stage = piece.stage or "Waiting"
                        piece = Line(stage, piece.done, piece.total, piece.unit, line)
                    yield piece
                yield Spent(ticket.request.seconds_now(), ticket.request.rows)
            except Exception as error:
                error.add_note(f"In a replica:\n{traceback.format_exc()}")
                yield Failure(_fit_for_travel(error))


def _fit_for_travel(error: Exception) -> Exception:
    """The error, or its text and trace where it cannot be sent as it is."""
    try:
        return copy.deepcopy(error)  # asks of it what sending does
    except Exception:
        told = RuntimeError(f"{type(error).__name__}: {error}")
        told.__notes__ = error.__notes__
        return told


def as_travels(piece: Any) -> Any:
    """A piece of a run with its pictures as data URLs."""
    if isinstance(piece, Keeps):
        return replace(piece, value=values_to_json(piece.value))
    return values_to_json(piece)
