"""One device and many requests: which work comes first, and what is computed together.

A request is a function, mostly a generator that samples. Each has a thread for its stack, but one
of all these threads runs at a time, when the engine gives it the turn. A request that evaluates a
network waits; when no request can go on, the engine answers those that wait for the same network
with one forward pass, so that requests join between two steps, as in continuous batching (Yu et al.
2022, "Orca"). Samplers know nothing of it: `share_passes` puts the engine before a model's
networks.

>>> engine = Engine()
>>> model = engine.share_passes(load("flow-fashion"))
>>> tickets = [engine.submit(lambda s=s: model.sample(Noise([s]))) for s in range(40)]
>>> frames = [ticket.result() for ticket in tickets]  # the last frame of each
"""

import asyncio
import contextlib
import functools
import inspect
import itertools
import math
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from gen_core.knobs import KnobError
from gen_core.progress import Progress

MOST_RUNNING, MOST_WAITING = 64, 256
"""Requests with a thread at once, and requests that wait for one: more are refused."""
LONGEST_PASS = 0.3
"""Seconds that a forward pass may take, which whoever comes next has to wait."""
FIRST_ROWS, MOST_ROWS = 32, 256
"""Of one pass: before any was measured, and in any case, for the sake of memory."""
SMALL_PASS = 4
"""Rows of single passes up to which one core does on a CPU."""
LIGHT = 0.15
"""Seconds of the device up to which a request goes before those that take longer."""
UNKNOWN = 1.0
"""Seconds that a kind of request is expected to take before one has been seen."""
PATIENCE = 10.0
"""A second less of work left is worth as many seconds of having come earlier."""
KEPT_SECONDS, KEPT_BYTES = 300.0, 64_000_000
"""How long, and how many of, finished results are kept for those who ask for the same."""


IDLE_SECONDS = 5.0
"""After so long without a request the engine's thread ends; the next one starts another."""


class Cancelled(BaseException):
    """Raised in a request that nobody waits for any more, where it evaluates a network."""


class Busy(KnobError):
    """More requests wait than the engine takes."""


class NotFiniteAnswer(KnobError):
    """A network answered a request with NaN or infinity."""


_here = threading.local()
"""`request`: the one whose thread this is; `alone`: whether it computes without company."""


@functools.cache
def _on_one_core() -> ThreadPoolExecutor:
    """A thread whose computations get no help from others.

    One small picture takes about a millisecond on one core. Shared with a second one, each layer
    waits for the slower of the two: on two cores that others use as well, 550 ms instead of 10.
    """
    usual, alone = torch.get_num_threads(), ThreadPoolExecutor(1, "engine-small")
    alone.submit(torch.get_num_threads).result()  # torch sets a thread up when first asked
    alone.submit(torch.set_num_threads, 1).result()  # for that thread, and for those to come
    torch.set_num_threads(usual)  # those to come get what they had
    return alone


def device_clock() -> float:
    """Seconds that the device has worked for the request in whose thread this is asked, its rows'
    share of shared passes; elsewhere those of the wall clock. For differences."""
    request = getattr(_here, "request", None)
    return request.seconds_now() if request else time.perf_counter()


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """Within it a request does something that needs no device, and others have their turn."""
    request = getattr(_here, "request", None)
    if request is None or request.outside:
        yield
        return
    request.give_back("aside")
    try:
        yield
    finally:
        request.take_turn()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Within it a request's networks are evaluated for it alone, at once: where it has changed
    them for the moment."""
    before, _here.alone = getattr(_here, "alone", False), True
    try:
        yield
    finally:
        _here.alone = before


# --- trees of tensors -----------------------------------------------------------------------------


def _each(fn: Callable[..., Any], *trees: Any) -> Any:
    """fn of the tensors at each place of trees of one shape; all else as in the first one."""
    first = trees[0]
    if isinstance(first, Tensor):
        return fn(*trees)
    if isinstance(first, Mapping):
        made = {key: _each(fn, *(tree[key] for tree in trees)) for key in first}
        return made if type(first) is dict else type(first)(**made)
    if isinstance(first, tuple | list):
        made = [_each(fn, *parts) for parts in zip(*trees, strict=True)]
        return type(first)(*made) if hasattr(first, "_fields") else type(first)(made)
    return first


def _tensors(tree: Any) -> list[Tensor]:
    found: list[Tensor] = []
    _each(found.append, tree)
    return found


def _described(tree: Any) -> Any:
    """What has to be equal where rows are put together: all but the number of rows."""
    if isinstance(tree, Tensor):
        return tree.shape[1:], tree.dtype, tree.device
    if isinstance(tree, Mapping):
        return type(tree), tuple((key, _described(value)) for key, value in tree.items())
    if isinstance(tree, tuple | list):
        return type(tree), tuple(map(_described, tree))
    return tree


def _weight(value: Any) -> int:
    """About how many bytes a result is kept in."""
    if isinstance(value, Mapping):
        return sum(map(_weight, value.values()))
    if isinstance(value, tuple | list):
        return sum(map(_weight, value))
    if isinstance(value, str | bytes):
        return len(value)
    return getattr(value, "nbytes", 8)


# --- a request, and one evaluation that it waits for ----------------------------------------------


@dataclass(eq=False)
class Call:
    """An evaluation of a network that a request waits for."""

    request: "Request"
    network: Callable[..., Any]
    inputs: tuple[tuple[Any, ...], dict[str, Any]]
    modes: tuple[Any, ...]
    """How the one who asks computes: inference mode, and autocast to which type."""
    answer: Any = None
    error: Exception | None = None
    done: int = 0
    """Rows that are answered."""
    parts: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        tensors = _tensors(self.inputs)
        counts = {len(x) if x.dim() else 0 for x in tensors}
        alike = len(counts) == 1 and 0 not in counts
        self.rows = counts.pop() if alike else 1
        self.shared_by: Hashable = object()
        """Equal where rows may be put together."""
        if alike:
            described = (self.network, self.modes, _described(self.inputs))
            with contextlib.suppress(TypeError):  # a value that cannot be compared
                hash(described)
                self.shared_by = described
        self.divides = alike

    def answered(self, part: Any, rows: int) -> None:
        finite = all(bool(x.isfinite().all()) for x in _tensors(part) if x.is_floating_point())
        if not finite:
            self.error = NotFiniteAnswer(
                "the network's answer is not a finite number: choose other settings"
            )
        self.parts.append(part)
        self.done += rows
        if self.done >= self.rows:
            joined = len(self.parts) > 1
            self.answer = _each(lambda *x: torch.cat(x), *self.parts) if joined else part


class Request:
    """One piece of work, its thread, and those who wait for what it makes."""

    def __init__(
        self,
        engine: "Engine",
        work: Callable[[], Any],
        *,
        session: str,
        kind: str,
        expected: float,
        finish: Callable[[Any], Any],
        outside: bool,
    ) -> None:
        self.engine, self.work, self.session, self.kind = engine, work, session, kind
        self.expected, self.finish, self.outside = expected, finish, outside
        self.arrived = time.perf_counter()
        self.state = "new"
        """new, ready, running, calling, aside or ended"""
        self.seconds, self.calls, self.fraction = 0.0, 0, 0.0
        """Of the device so far; evaluations so far; the share of the work that is done."""
        self.slice_began: float | None = None
        self.value, self.version = None, 0
        self.progress: Progress | None = None
        self.error: BaseException | None = None
        self.ended = self.cancelled = False
        self.tickets: list[Ticket] = []
        self.key: Hashable | None = None
        self._turn = threading.Semaphore(0)

    # --- what the order is made of ---

    @property
    def light(self) -> bool:
        return self.expected <= LIGHT and self.seconds <= 2 * LIGHT

    @property
    def left(self) -> float:
        """Seconds of work that are left, as far as one knows."""
        if self.fraction:
            return self.seconds * (1 - self.fraction) / self.fraction
        return max(self.expected - self.seconds, self.seconds)

    @property
    def rank(self) -> tuple[int, float]:
        """The lowest goes first: single passes, first previews, then the least work left."""
        if self.light:
            return 0, self.arrived
        return (2, self.arrived + PATIENCE * self.left) if self.calls else (1, self.arrived)

    # --- its thread ---

    def live(self) -> None:
        _here.request = self
        if not self.outside:
            self._turn.acquire()
        made = None
        try:
            self._stop_if_cancelled()
            made = self.work()
            if inspect.isgenerator(made):
                for piece in made:
                    self._tell(piece)
                    self._let_others()
            else:
                self._tell(made)
        except Cancelled:
            pass
        except BaseException as error:
            self.error = error
        finally:
            with contextlib.suppress(Cancelled):
                if inspect.isgenerator(made):
                    made.close()
            self.engine.end(self)
            if not self.outside:
                self.engine.back.release()

    def _tell(self, piece: Any) -> None:
        if isinstance(piece, Progress):
            self.progress = piece
            if piece.total:
                self.fraction = piece.done / piece.total
        else:
            with aside():
                value = self.finish(piece)
            self.value, self.version = value, self.version + 1
        self._stop_if_cancelled()
        self.wake()

    def wake(self) -> None:
        for ticket in list(self.tickets):
            ticket.wake()

    def _let_others(self) -> None:
        if not self.outside:
            self.give_back("ready")
            self._turn.acquire()
        self._stop_if_cancelled()

    def _stop_if_cancelled(self) -> None:
        if self.cancelled:
            raise Cancelled

    def ask(self, call: Call) -> Any:
        """Waits for the answer. Raises what the network raised, and Cancelled."""
        self.engine.wait_for(call)
        self.give_back("calling")
        self._turn.acquire()
        self._stop_if_cancelled()
        if call.error:
            raise call.error
        return call.answer

    def give_back(self, state: str) -> None:
        """The turn, to the engine; in its thread."""
        self.state = state
        self.engine.back.release()

    def take_turn(self) -> None:
        """Waits for the next turn; in its thread, which has been aside."""
        self.engine.ready(self)
        self._turn.acquire()

    def resume(self) -> None:
        """Gives it the turn and waits until it has given it back; in the engine's thread."""
        self.state, self.slice_began = "running", time.perf_counter()
        self._turn.release()
        self.engine.back.acquire()
        self.seconds, self.slice_began = self.seconds_now(), None

    def seconds_now(self) -> float:
        began = self.slice_began
        return self.seconds + (time.perf_counter() - began if began is not None else 0.0)


class Ticket:
    """Somebody's claim to what a request makes: iterate it, in a thread or in an event loop.

    Yields values, and Progress that has a stage; whoever is slow gets the newest and not all.
    Raises what the work raised. `cancel` gives the claim up: work that nobody waits for ends.
    """

    def __init__(self, request: Request, shared: bool) -> None:
        self.request, self.shared = request, shared
        """shared: whether the work had been begun for somebody else."""
        self._seen, self._seen_progress = 0, None
        self._signal: Callable[[], None] = lambda: None
        request.tickets.append(self)

    def wake(self) -> None:
        self._signal()

    def cancel(self) -> None:
        """Harmless once the work has ended."""
        self.request.engine.leave(self)

    def _news(self, progress: bool = True) -> Iterator[Any]:
        request = self.request
        if progress and request.progress is not self._seen_progress:
            self._seen_progress = request.progress
            if request.progress.stage:
                yield request.progress
        if request.version > self._seen:
            self._seen = request.version
            yield request.value

    def __iter__(self) -> Iterator[Any]:
        event = threading.Event()
        self._signal = event.set
        while True:
            event.clear()
            ended = self.request.ended
            yield from self._news()
            if ended:
                break
            event.wait()
        if self.request.error:
            raise self.request.error

    async def paced(self, beat: float = 0.0, crowded: float = 0.0) -> AsyncIterator[Any]:
        """The same in an event loop: Progress once in `beat` seconds, and where others wait too,
        anything once in `crowded` seconds; the end at once."""
        event, loop = asyncio.Event(), asyncio.get_running_loop()
        told = -math.inf

        def signal() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(event.set)

        self._signal = signal
        while True:
            event.clear()
            ended = self.request.ended
            for piece in self._news(ended or time.perf_counter() - told >= beat):
                told = time.perf_counter()
                yield piece
            if ended:
                break
            await event.wait()
            gap = crowded if self.request.engine.busy > 1 else 0.0
            while not self.request.ended and (rest := told + gap - time.perf_counter()) > 0:
                event.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), rest)
        if self.request.error:
            raise self.request.error

    def __aiter__(self) -> AsyncIterator[Any]:
        return self.paced()

    def result(self) -> Any:
        """Waits for the end; the last value."""
        for _ in self:
            continue
        return self.request.value

    async def wait(self) -> Any:
        """The same in an event loop."""
        async for _ in self:
            continue
        return self.request.value


# --- the engine -----------------------------------------------------------------------------------


class Engine:
    """Gives requests their turns and answers their evaluations, in a thread of its own.

    Order: single passes, then everybody's first preview, then the least work left; a session has
    one long request at a time. A pass takes no longer than `longest_pass` seconds, as far as the
    passes before it tell, and has at most `most_rows` rows.
    """

    def __init__(self, longest_pass: float = LONGEST_PASS, most_rows: int = MOST_ROWS) -> None:
        self.longest_pass, self.most_rows = longest_pass, most_rows
        self.back = threading.Semaphore(0)
        """Released by a request that gives its turn back."""
        self.passes: list[int] = []
        """Rows of the last thousand passes."""
        self._changed = threading.Condition()
        self._new: list[Request] = []
        self._started: set[Request] = set()
        self._calls: list[Call] = []
        self._pace: dict[Callable[..., Any], tuple[float, float]] = {}
        """By network: seconds and rows of its passes, the last ones counting most."""
        self._limits: dict[Callable[..., Any], int] = {}
        """By network: rows beyond which the device had no memory."""
        self._expected: dict[str, float] = {}
        self._under_way: dict[Hashable, Request] = {}
        self._kept: OrderedDict[Hashable, tuple[float, int, Request]] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._closed = False

    # --- for those who ask ---

    def share_passes(self, model: Any) -> Any:
        """The same model, whose networks' evaluations go through this engine from now on, where
        they are asked for within a request."""
        for path in getattr(model, "networks", ()):  # see `Trainable.networks`
            owner, _, name = path.rpartition(".")
            owner = functools.reduce(getattr, owner.split("."), model) if owner else model
            part = getattr(owner, name)
            if isinstance(part, nn.Module):
                part.forward = self._through(part.forward)
            else:
                setattr(owner, name, self._through(part))
        return model

    def _through(self, network: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(network)
        def evaluate(*args: Any, **kwargs: Any) -> Any:
            request: Request | None = getattr(_here, "request", None)
            if (
                request is None
                or request.outside
                or getattr(_here, "alone", False)
                or any(x.requires_grad for x in _tensors((args, kwargs)))
            ):
                return network(*args, **kwargs)
            device = next((x.device.type for x in _tensors((args, kwargs))), "cpu")
            modes = (
                device,
                torch.is_inference_mode_enabled(),
                torch.is_autocast_enabled(device),
                torch.get_autocast_dtype(device),
            )
            return request.ask(Call(request, network, (args, kwargs), modes))

        return evaluate

    def submit(
        self,
        work: Callable[[], Any],
        *,
        session: str = "",
        kind: str = "",
        light: bool = False,
        key: Hashable | None = None,
        finish: Callable[[Any], Any] = lambda value: value,
        outside: bool = False,
    ) -> Ticket:
        """work() returns a value, or a generator of values and Progress.

        session: whose it is, "" for nobody's; kind: of which the engine knows by and by how long
        they take; light: it takes a single pass, as far as one knows before the first of its kind;
        key: equal for requests that are answered alike, and done once; finish: makes of a value
        what is handed out, without the device; outside: it needs no turn, for the work is done
        elsewhere, or waits. Raises Busy.
        """
        with self._changed:
            if key is not None and (found := self._known(key)):
                return Ticket(found, shared=True)
            if len(self._new) >= MOST_WAITING:
                raise Busy(f"{len(self._new)} requests are waiting: try again in a minute")
            expected = self._expected.get(kind, LIGHT / 2 if light else UNKNOWN)
            request = Request(
                self,
                work,
                session=session,
                kind=kind,
                expected=expected,
                finish=finish,
                outside=outside,
            )
            ticket, request.key = Ticket(request, shared=False), key
            if key is not None:
                self._under_way[key] = request
            if outside:
                self._start(request)
            else:
                self._new.append(request)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
                self._thread.start()
            self._changed.notify()
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """A ticket's claim is given up."""
        request = ticket.request
        with self._changed:
            if ticket in request.tickets:
                request.tickets.remove(ticket)
            if request.tickets or request.ended or request.cancelled:
                return
            request.cancelled = True
            self._forget(request)
            if request in self._new:
                self._new.remove(request)
                request.ended = True
            self._calls = [call for call in self._calls if call.request is not request]
            if request.state == "calling":
                request.state = "ready"
            self._changed.notify()

    @property
    def busy(self) -> int:
        """Requests that have not ended."""
        with self._changed:
            return len(self._new) + len(self._started)

    def close(self) -> None:
        """Cancels what there is, and ends the engine's thread."""
        with self._changed:
            tickets = [t for r in [*self._new, *self._started] for t in r.tickets]
        for ticket in tickets:
            ticket.cancel()
        with self._changed:
            self._closed = True
            self._changed.notify()
        if thread := self._thread:
            thread.join()

    # --- for requests, in their threads ---

    def wait_for(self, call: Call) -> None:
        with self._changed:
            self._calls.append(call)

    def ready(self, request: Request) -> None:
        with self._changed:
            request.state = "ready"
            self._changed.notify()

    def end(self, request: Request) -> None:
        with self._changed:
            request.state, request.ended = "ended", True
            self._started.discard(request)
            if not request.error and not request.cancelled:
                before = self._expected.get(request.kind, request.seconds_now())
                self._expected[request.kind] = 0.7 * before + 0.3 * request.seconds_now()
                if request.key is not None and request.version:
                    self._keep(request)
            self._forget(request)
            self._changed.notify()
        request.wake()

    # --- equal requests ---

    def _known(self, key: Hashable) -> Request | None:
        now = time.perf_counter()
        for old in [k for k, (since, _, _) in self._kept.items() if now - since > KEPT_SECONDS]:
            del self._kept[old]
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][2]
        return self._under_way.get(key)

    def _keep(self, request: Request) -> None:
        request.work = None  # and with it whatever it was called with
        self._kept[request.key] = (time.perf_counter(), _weight(request.value), request)
        while sum(size for _, size, _ in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)

    def _forget(self, request: Request) -> None:
        if self._under_way.get(request.key) is request:
            del self._under_way[request.key]

    # --- the engine's thread ---

    def _work(self) -> None:
        while not self._closed:
            with self._changed:
                self._admit()
                ready = [r for r in self._started if r.state == "ready" and not r.outside]
                if not ready and not self._calls:
                    if not self._changed.wait(IDLE_SECONDS) and not self._new and not self._started:
                        self._thread = None
                        return
                    continue
            for request in sorted(ready, key=lambda r: r.rank):
                request.resume()
            with self._changed:
                taken = self._together()
            if taken:
                self._compute(taken)

    def _admit(self) -> None:
        """Gives new requests their threads, a session's long ones one after the other."""
        long = {r.session for r in self._started if not r.light} - {""}
        for request in sorted(self._new, key=lambda r: r.rank):
            if len(self._started) >= MOST_RUNNING:
                return
            if request.light or request.session not in long:
                self._new.remove(request)
                self._start(request)
                long |= set() if request.light else {request.session} - {""}

    def _start(self, request: Request) -> None:
        request.state = "ready"
        self._started.add(request)
        threading.Thread(target=request.live, name="request", daemon=True).start()

    def _together(self) -> list[tuple[Call, int, int]]:
        """What the next pass computes: calls, each with its first row and the one after its last.

        The first in order, and whoever waits for the same network; no long request makes a single
        pass longer.
        """
        calls = sorted(self._calls, key=lambda call: call.request.rank)
        if not calls:
            return []
        first, room, taken = calls[0], self._room(calls[0].network), []
        for call in calls:
            fits = call.shared_by == first.shared_by and room > 0
            if fits and (call.request.light or not first.request.light):
                rows = min(call.rows - call.done, room) if call.divides else call.rows
                taken.append((call, call.done, call.done + rows))
                room -= rows
        return taken

    def _room(self, network: Callable[..., Any]) -> int:
        seconds, rows = self._pace.get(network, (0.0, 0.0))
        fitting = int(self.longest_pass * rows / seconds) if seconds else FIRST_ROWS
        return max(1, min(fitting, self.most_rows, self._limits.get(network, self.most_rows)))

    def _compute(self, taken: Sequence[tuple[Call, int, int]]) -> None:
        began = time.perf_counter()
        self._answer(taken)
        seconds = time.perf_counter() - began
        rows = sum(stop - start for _, start, stop in taken)
        self.passes = [*self.passes[-999:], rows]
        network = taken[0][0].network
        before = self._pace.get(network, (0.0, 0.0))
        self._pace[network] = (0.8 * before[0] + seconds, 0.8 * before[1] + rows)
        with self._changed:
            for call, start, stop in taken:
                call.request.seconds += seconds * (stop - start) / rows
                if call.error or call.done >= call.rows:
                    call.request.calls += 1
                    if call in self._calls:  # else nobody waits any more
                        self._calls.remove(call)
                        call.request.state = "ready"

    def _answer(self, taken: Sequence[tuple[Call, int, int]]) -> None:
        """One pass; where it fails, smaller ones, until the failure is one request's own."""
        rows, first = sum(stop - start for _, start, stop in taken), taken[0][0]
        small = rows <= SMALL_PASS and first.request.light and first.modes[0] == "cpu"
        try:
            outputs = (
                _on_one_core().submit(self._pass, taken).result() if small else self._pass(taken)
            )
        except Exception as error:
            if isinstance(error, torch.OutOfMemoryError) and rows > 1:
                self._limits[taken[0][0].network] = max(1, rows // 2)
                for half in _halves(taken):
                    self._answer(half)
            elif len(taken) > 1:
                for one in taken:
                    self._answer([one])
            else:
                taken[0][0].error = error
            return
        for (call, start, stop), part in zip(taken, outputs, strict=True):
            call.answered(part, stop - start)

    def _pass(self, taken: Sequence[tuple[Call, int, int]]) -> list[Any]:
        """The network's answers to each, in order."""
        first = taken[0][0]
        device, inference, autocast, dtype = first.modes
        mode = torch.inference_mode(inference), torch.autocast(device, dtype, enabled=autocast)
        with torch.no_grad(), mode[0], mode[1]:
            if len(taken) == 1 and taken[0][1:] == (0, first.rows):
                args, kwargs = first.inputs
                return [first.network(*args, **kwargs)]
            pieces = [_each(lambda x, a=a, b=b: x[a:b], call.inputs) for call, a, b in taken]
            args, kwargs = _each(lambda *x: torch.cat(x), *pieces)
            out = first.network(*args, **kwargs)
        sizes = [stop - start for _, start, stop in taken]
        ends = [*itertools.accumulate(sizes)]
        return [
            _each(lambda x, a=end - size, b=end: x[a:b], out)
            for size, end in zip(sizes, ends, strict=True)
        ]


def _halves(taken: Sequence[tuple[Call, int, int]]) -> list[list[tuple[Call, int, int]]]:
    """Two passes instead of one: of half the requests each, or of half the one's rows."""
    if len(taken) > 1:
        middle = len(taken) // 2
        return [list(taken[:middle]), list(taken[middle:])]
    ((call, start, stop),) = taken
    middle = (start + stop) // 2
    return [[(call, start, middle)], [(call, middle, stop)]]
