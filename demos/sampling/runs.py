"""Runs of samplers as they are shown, on a timeline or by others, and work that is done once."""

import functools
import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import gradio as gr
from torch import Tensor

from demos.page.figures import duration
from demos.page.handlers import SLICE, App
from demos.widgets.timeline import Lane, timeline_value
from gen_core import Frame, record
from gen_core.devices import device_title
from gen_core.evaluation.cost import Meter

T = TypeVar("T")
KEEP = 32
"""Frames of one timeline."""
PREVIEW_SECONDS = 0.3
"""Between two live pictures, at least: each costs the page and the line some work too."""
PREVIEW_SHARE = 1 / 3
"""Of the time so far: a run that takes long shows fewer of them, and is done sooner."""
Finish = Callable[[Sequence[Frame]], Generator[Any, None, dict[str, Any]]]
"""Takes the kept frames, yields turns for others, returns what else `timeline_value` takes."""


def once(
    work: Callable[[App], Generator[Any, None, T]],
) -> Callable[[App], Generator[Any, None, T]]:
    """Generators that return what `work(app)` returns, who does it once for all visitors of an
    app; for `yield from`."""
    known: WeakKeyDictionary[App, T] = WeakKeyDictionary()

    @functools.wraps(work)
    def done(app: App) -> Generator[Any, None, T]:
        if app not in known:
            known[app] = yield from work(app)
        return known[app]

    return done


def unhurried(frames: Iterator[Frame]) -> Iterator[Frame | None]:
    """The frames, with None between them whenever it is time to let others have the device.

    What a handler yields for it shows nothing: the page has live pictures instead of a bar.
    """
    since = time.perf_counter()
    for frame in frames:
        yield frame
        if time.perf_counter() - since > SLICE:
            yield None
            since = time.perf_counter()


def finished(meter: Meter) -> Generator[Any, None, Tensor]:
    """Runs to the end, for `yield from`: yields turns for others, returns x (B, *event)."""
    for frame in unhurried(meter.frames()):
        if frame is None:
            yield gr.skip()
    return meter.x


def on_timeline(
    meter: Meter,
    lanes: Sequence[Lane],
    *,
    keep: int = KEEP,
    finish: Finish | None = None,
    **shared: Any,
) -> Iterator[dict[str, Any]]:
    """Yields timeline values: some single frames while the sampler runs, then all `keep`.

    Between them come skips, at which the run can be stopped. The last frame, of which the network
    says nothing, keeps what it said of the one before. lanes, shared: what `timeline_value` takes.
    """
    frames: list[Frame] = []
    began, shown, said = time.perf_counter(), -math.inf, None
    for frame in unhurried(meter.frames()):
        if frame is None:
            yield gr.skip()
            continue
        if frame.step == frame.total:
            frame = replace(frame, x0=frame.x, out=said)
        said = frame.out
        frames += record(iter([frame]), keep)  # record decides for each frame alone
        now = time.perf_counter()
        gap = max(PREVIEW_SECONDS, PREVIEW_SHARE * (now - began))
        if frame.step < frame.total and now - shown > gap:
            so_far = f"step {frame.step} of {frame.total} so far"
            yield timeline_value([frame], lanes, provenance=so_far, autoplay=False, **shared)
            shown = time.perf_counter()
    count = len(meter.seeds)
    yield timeline_value(
        frames,
        lanes,
        provenance=f"{count} picture{'s' if count > 1 else ''} in {duration(meter.seconds)} · "
        f"{meter.evaluations:g} network evaluations per picture · "
        f"{device_title(meter.model.device)}",
        ms_per_step=1000 * meter.seconds / frames[-1].total,
        **shared,
        **((yield from finish(frames)) if finish else {}),
    )
