"""What every event handler shares: the model cache, the engine, clear errors, Stop."""

import asyncio
import contextlib
import contextvars
import functools
import html
import inspect
import logging
import tempfile
import threading
import time
from collections.abc import (
    AsyncIterator,
    Callable,
    Generator,
    Hashable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import gradio as gr
import torch
from gradio.context import LocalContext
from torch import Tensor, nn

from demos.page.controls import Knobs
from demos.page.endpoints import documented, signature_of
from demos.page.faults import written_down
from demos.page.files import Files
from demos.page.image_io import as_json, values_to_json
from demos.page.queueing import DEVICE, OWN_PROCESS
from demos.page.records import Ended, Record, Records
from demos.page.runs import shown_on, stopped
from demos.page.work import Line, Order, Replicas, Work
from gen_core.data import MissingData
from gen_core.devices import device_title, keep_to_cores, pick_device
from gen_core.engine import Engine, Ticket, aside, current
from gen_core.engine.kept import Kept
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from gen_core.sampling import Meter
from gen_core.training.checkpoint import CheckpointError, available, card, kind_of, load

log = logging.getLogger("noise-to-data")

EXPECTED = (KnobError, CheckpointError, MissingData)
"""Errors whose message is written for a visitor."""
MIN_UPDATE_GAP, CROWDED_GAP, SILENCE = 0.15, 0.5, 2.0
"""Seconds between two messages of progress, which cost the page some work; and between any two of a
run while others wait; and after which a run without news says how long it will wait."""
MOST_WORK = {"cpu": 4_000, "mps": 16_000, "cuda": 64_000}
"""Pictures of 28 by 28 times steps of one run: the cap that keeps one visitor from holding the
device."""
MOST_PROCESSES = 4
"""Runs in processes of their own at once: those that wait there say what for."""
KEPT_SECONDS, KEPT_BYTES = 3600.0, 64_000_000
"""How long, and how many of, the runs are kept that visitors may want to save."""
STOP_SECONDS, MOST_STOPS = 5.0, 1000
"""How long, and of how many sessions, a Stop is remembered."""
TOLD_SECONDS = 1.0
"""After which it is known whether a run that Gradio has closed was stopped by its visitor."""
SHARED = " · shared with others who asked for the same"
"""Stands behind where and when a result was computed, if that was for somebody else."""
T = TypeVar("T")
NONE: Mapping[str, Any] = {}


def message_of(error: Exception) -> str:
    """What a visitor reads. An error nobody foresaw is written down and not shown."""
    if isinstance(error, EXPECTED):
        return str(error)
    if isinstance(error, torch.OutOfMemoryError):
        return "There is not enough memory for this: choose fewer pictures."
    return written_down(error)


@dataclass(frozen=True)
class Keeps:
    """What the outputs of a panel take, and what its session keeps of the run."""

    value: Any
    panel: str
    run: Any
    """A `demos.page.saving.Run`; None while it has not ended."""


@dataclass(frozen=True)
class File:
    """What a download button takes: Gradio has a copy of it for an hour, nobody else."""

    name: str
    data: bytes


class App:
    """What a tab needs to know of the application it is built into."""

    def __init__(self, device: str = "auto", data_root: str | None = None) -> None:
        keep_to_cores()
        self.device: torch.device = pick_device(device)
        self.device_title = device_title(self.device)
        self.data_root = data_root
        self.most_work = MOST_WORK[self.device.type]
        self.engine = Engine()
        """Through which all that computes reaches the device."""
        self.works: dict[str, Work] = {}
        """All that the page computes for visitors, by name."""
        self.replicas: Replicas | None = None
        """Which compute in place of this process, where there are any."""
        self.knobs: list[Knobs] = []
        """Every panel's knobs, for links."""
        self.panels: dict[str, gr.Tabs] = {}
        """The inner tabs of every tab that has several panels, for links."""
        self.files = Files()
        """Pictures that the page fetches when they are seen."""
        self._runs = Kept(KEPT_SECONDS, KEPT_BYTES)
        """Of each session the last run of a panel, by both."""
        self._stops = Kept(STOP_SECONDS, MOST_STOPS)
        """Sessions whose visitors have just pressed Stop."""
        self.records = Records()
        """What became of all runs, those of widgets' server functions among them."""
        self._models: dict[str, nn.Module] = {}
        self._loading = threading.Lock()

    def compute_with(self, replicas: Replicas) -> None:
        """From now on they compute, and this process serves the page."""
        about = replicas.about()
        self.replicas = replicas
        self.device_title, self.most_work = about.device_title, about.most_work

    def fault(self) -> str:
        """Why it answers nobody at the moment; "" where it does. May take a while."""
        return self.engine.fault or (self.replicas.fault() if self.replicas else "")

    def model(self, name: str) -> Any:
        """A checkpoint's model, loaded once for all visitors; nobody may change it."""
        if name not in self._models:
            with aside(), self._loading:
                if name not in self._models:
                    self._models[name] = self.engine.share_passes(load(name, str(self.device)))
        return self._models[name]

    def warm(self) -> None:
        """Loads every checkpoint there is, so that the first visitor need not wait for it. What
        needs libraries of its own, which are heavy, waits for its own first visitor."""
        for name in available():
            try:
                if not kind_of(card(name)).libraries:
                    self.model(name)
            except CheckpointError as error:
                log.warning("%s", error)

    def work(self, name: str, fn: Callable, **how: bool) -> Work:
        """Names what the page computes by fn; how: as `Work` takes it. A name that is taken gets a
        number behind it, the same one in every process."""
        number = sum(known.partition("#")[0] == name for known in self.works)
        work = Work(f"{name}#{number}" if number else name, fn, **how)
        self.works[work.name] = work
        return work

    def submit(
        self, order: Order, *, key: Hashable | None = None, finish: Callable[[Any], Any]
    ) -> Ticket:
        """Has an order of one of the page's works done, here or by the replicas. Raises Busy.

        key, finish: as `Engine.submit` takes them.
        """
        work = self.works[order.name]
        replicas = None if work.at_home else self.replicas
        turns = replicas.stream if replicas else functools.partial(_turns, work.fn)
        return self.engine.submit(
            functools.partial(_with_request(turns) if work.own_process else turns, order),
            session=order.session,
            kind=order.name,
            light=work.light or "steps" not in order.settings,
            key=key,
            finish=finish,
            outside=work.own_process or replicas is not None,
        )

    def add(self, knobs: Knobs) -> Knobs:
        """Makes a panel's knobs part of the links; returns them."""
        self.knobs.append(knobs)
        return knobs

    def serve(self, fn: Callable) -> Callable:
        """A widget's server function: errors come back as {"error": message}, never raised."""

        work = self.work(fn.__qualname__, fn, light=True)

        @functools.wraps(fn)
        async def answer(*args: Any) -> Any:
            ticket, ended, fault = None, "left", None
            self.records.seen(await _session_of_widget())
            try:
                ticket = self.submit(Order(work.name, args=args), finish=as_json)
                value, ended = await ticket.wait(), "done"
                return value
            except Exception as error:
                ended, fault = _failure(error), error
                return {"error": message_of(error)}
            finally:
                self.records.add(Record.of(work.name, ended, ticket, fault), light=True)

        return answer

    def on(
        self,
        trigger: Callable,
        fn: Callable,
        knobs: Knobs | None,
        outputs: Sequence[Any] | Any,
        *,
        api_name: str,
        inputs: Mapping[str, Any] = NONE,
        stop: gr.Button | None = None,
        state: gr.HTML | None = None,
        press: gr.Button | None = None,
        own_process: bool = False,
        at_home: bool = False,
        about: str = "",
        **options: Any,
    ) -> Any:
        """Connects `trigger` (button.click, ...) to fn(**inputs, **validated knobs).

        fn returns the outputs, or is a generator that yields them as they come: each time all that
        have changed since it began, for not everybody gets every message. What it yields as
        `Progress` (see `watch`) stands in the `state` line and changes nothing else; press: its
        button, where that line has several. It runs in the engine, without a turn on the device
        where the work is done in a process of its own; equal knobs are answered once where there
        are no other inputs. Values reach fn as they came: Gradio's own checks answer one out of
        range in words of their own, and let NaN, 2.5 and null through. Stop ends this visitor's own
        run. about: what it does, for those who call it.
        """
        listed = knobs.components if knobs else []
        work = self.work(api_name, fn, own_process=own_process, at_home=at_home)
        run = self._guarded(work, knobs, [*inputs])
        run.__doc__ = documented(about, knobs, inputs)
        options |= shown_on(state, press) if state is not None else {"show_progress": "hidden"}
        event = trigger(
            run,
            [*listed, *inputs.values()],
            outputs,
            api_name=api_name,
            concurrency_id=OWN_PROCESS if own_process else DEVICE,
            concurrency_limit=MOST_PROCESSES if own_process else None,  # the engine has one
            preprocess=False,
            **options,
        )
        if stop is not None:
            tell = stopped(state) if state is not None else None
            stop.click(None, None, None, cancels=[event], js=tell, api_visibility="private")
        return event

    def check_work(self, count: int, steps: int, relative_cost: float = 1.0) -> None:
        """Raises KnobError where `count` pictures of `steps` steps are too much for one run, each
        `relative_cost` times the work of a picture of 28 by 28."""
        most = int(self.most_work / relative_cost)
        if count * steps > most:
            raise KnobError(
                f"{count} pictures of {steps} steps each are {count * steps} steps: choose at most "
                f"{most} in all, so that everybody gets a turn"
            )

    def _guarded(self, work: Work, knobs: Knobs | None, inputs: Sequence[str]) -> Callable:
        """The work as Gradio calls it: values in a row, errors as messages, no waiting thread."""
        listed = len(knobs.knobs) if knobs else 0

        async def run(*values: Any) -> AsyncIterator[Any]:
            *values, progress = values
            session, ticket, ended, fault = _session(), None, "left", None
            self.records.seen(session)
            try:
                settings = knobs.check(values[:listed]) if knobs else {}
                if {"count", "steps"} <= settings.keys():
                    self.check_work(settings["count"], settings["steps"], knobs.relative_cost)
                asked = dict(zip(inputs, values[listed:], strict=True))
                alike = knobs and not (inputs or work.own_process)
                ticket = self.submit(
                    Order(work.name, session, settings=asked | settings),
                    key=_key(work.name, settings) if alike else None,
                    finish=self._as_sent,
                )
                share, step = 0.0, ""  # without a share Gradio would show no text
                if self.engine.busy > 1:
                    progress(share, desc=run_line(step, *self.engine.ahead(ticket)))
                async for piece in ticket.paced(MIN_UPDATE_GAP, CROWDED_GAP, SILENCE):
                    if isinstance(piece, Progress):
                        share = piece.done / piece.total if piece.total else share
                        step = said(piece) or step
                        progress(share, desc=run_line(step, *self.engine.ahead(ticket)))
                        yield gr.skip()  # here Gradio looks whether the visitor is still there
                        continue
                    if isinstance(piece, Keeps):
                        piece = self._kept(piece, session)
                    with _on_disk(piece) as told:
                        yield _with_note(told) if ticket.shared else told
                ended = "done"
            except gr.Error:
                ended = "refused"
                raise
            except Exception as error:
                ended, fault = _failure(error), error
                message = html.escape(message_of(error), quote=False)
                title = "Please check" if isinstance(error, EXPECTED) else "Sorry"
                raise gr.Error(message, title=title, print_exception=False) from error
            finally:
                if ticket and self._has_stopped(session):
                    ticket.cancel()
                elif ticket:
                    ticket.linger()  # a page that is loaded again asks for the same
                self._note(Record.of(work.name, ended, ticket, fault), session)

        run.__signature__ = signature_of(knobs, inputs)
        return run

    def stopped(self, session: str) -> None:
        """A session's Stop, which Gradio tells before or after it closes the run."""
        self._stops.put(session, time.monotonic(), 1)
        self.engine.dismiss(session)

    def _has_stopped(self, session: str) -> bool:
        return self._stops.get(session) is not None

    def _note(self, record: Record, session: str) -> None:
        """Puts a run on record, one that was left as soon as it is known why."""

        def add() -> None:
            stopped = record.ended == "left" and self._has_stopped(session)
            self.records.add(replace(record, ended="stopped") if stopped else record)

        if record.ended == "left":
            asyncio.get_running_loop().call_later(TOLD_SECONDS, add)
        else:
            add()

    def _as_sent(self, piece: Any) -> Any:
        """A piece of a run as it travels: JSON, large pictures as files of their own."""
        if isinstance(piece, Keeps):
            return replace(piece, value=self._as_sent(piece.value))
        return self.files.linked(values_to_json(piece), passing=True)

    def _kept(self, piece: Keeps, session: str) -> Any:
        if piece.run is not None and session:  # those without one are not one visitor
            self._runs.put((session, piece.panel), piece.run, piece.run.pictures.nbytes)
        return piece.value

    def last_run(self, panel: str) -> Any:
        """The last finished run of a panel in the session whose request this is; None without."""
        return self._runs.get((current().session, panel))


def _failure(error: Exception) -> Ended:
    """How a run ended that raised it."""
    return "refused" if isinstance(error, EXPECTED) else "failed"


def said(progress: Progress) -> str:
    """Such as "Step 4 of 20"."""
    if isinstance(progress, Line):
        return progress.line
    if not progress.total:
        return progress.stage
    if progress.unit == "bytes":
        return f"{progress.stage} {progress.done / progress.total:.0%}"
    unit = "" if progress.unit == "steps" else f" {progress.unit}"
    return f"{progress.stage} {progress.done:,} of {progress.total:,}{unit}"


def run_line(step: str, before: int, seconds: float) -> str:
    """Where a run is, with so many others before it: such as "Waiting: 2 before you, about 15 s"
    and "Step 4 of 20"."""
    if not before:
        return step or "Starting"
    about = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"
    return f"{step or 'Waiting'}: {before} before you, about {about}"


@contextlib.contextmanager
def _on_disk(piece: Any) -> Iterator[Any]:
    """A `File` as a path, for as long as Gradio needs to copy it; all else as it is."""
    if not isinstance(piece, File):
        yield piece
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / piece.name
        path.write_bytes(piece.data)
        yield str(path)


def _turns(fn: Callable, order: Order) -> Any:
    """What fn returns; of a generator, Progress in place of what changes nothing on the page."""
    made = fn(*order.args, **order.settings)
    if not inspect.isgenerator(made):
        return made
    return (Progress("") if piece == gr.skip() else piece for piece in made)


def _with_request(turns: Callable[[Order], Iterator[Any]]) -> Callable[[Order], Iterator[Any]]:
    """The same as if Gradio had called it for this request: what asks its host for a GPU looks
    there for the visitor, whose quota it is."""
    context = contextvars.copy_context()

    def within(order: Order) -> Iterator[Any]:
        pieces, end = turns(order), object()
        try:
            while (piece := context.run(next, pieces, end)) is not end:
                yield piece
        finally:
            context.run(pieces.close)

    return within


def _session() -> str:
    """That of the browser tab or API client whose request this is; "" where there is none."""
    return getattr(LocalContext.request.get(None), "session_hash", None) or ""


async def _session_of_widget() -> str:
    """That of a server function's caller, whom its request names in its body; "" where none is."""
    request = LocalContext.request.get(None)
    with contextlib.suppress(RuntimeError):  # no JSON: a form, which Gradio has read
        return (await request.json())["session_hash"] if request else ""
    return ""


def _key(api_name: str, settings: Mapping[str, Any]) -> Hashable | None:
    """Equal for equal requests; None where a setting cannot be compared."""
    key = api_name, tuple(settings.items())
    with contextlib.suppress(TypeError):
        hash(key)
        return key
    return None


def _with_note(piece: Any) -> Any:
    """The same outputs; where they say how they were computed, they say for whom, too."""
    if isinstance(piece, tuple | list):
        return type(piece)(map(_with_note, piece))
    if isinstance(piece, dict) and isinstance(piece.get("provenance"), str):
        return piece | {"provenance": piece["provenance"] + SHARED}
    return piece


def once(
    work: Callable[[App], Generator[Any, None, T]],
) -> Callable[[App], Generator[Any, None, T]]:
    """Generators that return what `work(app)` returns, who does it once for all visitors of an
    app; for `yield from`."""
    known: WeakKeyDictionary[App, T] = WeakKeyDictionary()
    door = threading.Lock()

    @functools.wraps(work)
    def done(app: App) -> Generator[Any, None, T]:
        if app not in known:
            with aside():
                door.acquire()
            try:
                if app not in known:
                    known[app] = yield from work(app)
            finally:
                door.release()
        return known[app]

    return done


def watch(meter: Meter, stage: str = "") -> Generator[Progress, None, Tensor]:
    """Runs a generation to its end, with progress, and so that Stop works; returns x (B, *event).

    stage: what the progress is called; "" shows none, but gives others their turn. In a handler:
    ``x = yield from watch(Meter(model, seeds, steps=200), "Drawing")``.
    """
    for frame in meter.frames():
        yield Progress(stage, frame.step, frame.total)
    return meter.x
