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

import functools
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import torch
from torch import nn

from gen_core.engine.kept import Kept
from gen_core.engine.passes import LONGEST_PASS, MOST_ROWS, Call, Passes, Taken, tensors_of
from gen_core.engine.request import (
    LIGHT,
    LONG_SLICE,
    Request,
    Ticket,
    aside,
    count_elsewhere,
    current,
    device_clock,
)
from gen_core.engine.threads import Threads
from gen_core.knobs import KnobError

__all__ = ["Busy", "Engine", "Ticket", "aside", "count_elsewhere", "current", "device_clock"]

MOST_RUNNING, MOST_WAITING = 64, 256
"""Long requests with a thread at once, and as many single passes; and requests that wait for one:
more are refused."""
UNKNOWN = 1.0
"""Seconds that a kind of request is expected to take before one has been seen."""
KEPT_SECONDS, KEPT_BYTES = 600.0, 64_000_000
"""How long, and how many of, finished results are kept for those who ask for the same."""
LINGER_SECONDS = 60.0
"""How long work goes on for somebody who has vanished and may come back: a page that is loaded
again, a network that fails for a moment."""
IDLE_SECONDS = 5.0
"""After so long without a request the engine's thread ends; the next one starts another."""


class Busy(KnobError):
    """More requests wait than the engine takes."""


class Engine:
    """Gives requests their turns and answers their evaluations, in a thread of its own.

    Order: single passes, then everybody's first preview, then the least work left; a session has
    one long request at a time.
    """

    def __init__(self, longest_pass: float = LONGEST_PASS, most_rows: int = MOST_ROWS) -> None:
        self.passes = Passes(longest_pass, most_rows)
        self.back = threading.Semaphore(0)
        """Released by a request that gives its turn back."""
        self._changed = threading.Condition()
        self._threads = Threads("request")
        self._new: list[Request] = []
        self._started: set[Request] = set()
        self._calls: list[Call] = []
        self._expected: dict[str, float] = {}
        self._under_way: dict[Hashable, Request] = {}
        self.kept = Kept(KEPT_SECONDS, KEPT_BYTES)
        """Requests that have ended well, by their keys."""
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
            request = current()
            if request is None or any(x.requires_grad for x in tensors_of((args, kwargs))):
                return network(*args, **kwargs)
            device = next((x.device.type for x in tensors_of((args, kwargs))), "cpu")
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
                if found.vanished:
                    found.session, found.vanished = session, None
                return Ticket(found, shared=True)
            waiting = len(self._new) + sum(request.outside for request in self._started)
            if waiting >= MOST_WAITING:
                raise Busy(f"{waiting} requests are waiting: try again in a minute")
            expected = self._expected.get(kind, LIGHT / 2 if light else UNKNOWN)
            request = Request(
                self,
                work,
                session=session,
                kind=kind,
                expected=expected,
                finish=finish,
                outside=outside,
                light=light,
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

    def leave(self, ticket: Ticket, for_good: bool = True) -> None:
        """A ticket's claim is given up; not for good: its owner may come back and ask for the same,
        so work with a key goes on for `LINGER_SECONDS`, after all that somebody waits for."""
        request = ticket.request
        with self._changed:
            if ticket in request.tickets:
                request.tickets.remove(ticket)
            if request.tickets or request.ended or request.cancelled:
                return
            if for_good or request.key is None:
                self._cancel(request)
            else:
                request.vanished = time.monotonic()

    def dismiss(self, session: str) -> None:
        """Ends the work of a session for which nobody waits any more."""
        with self._changed:
            for request in [*self._new, *self._started]:
                if request.vanished and request.session == session:
                    self._cancel(request)

    def _cancel(self, request: Request) -> None:
        """Nobody waits for it any more."""
        request.cancelled = True
        self._forget(request)
        if request in self._new:
            self._new.remove(request)
            request.ended = True
        self._calls = [call for call in self._calls if call.request is not request]
        if request.state == "calling":
            request.state = "ready"
        self._changed.notify()

    def _give_up(self) -> None:
        """Cancels what has lingered for too long."""
        since = time.monotonic() - LINGER_SECONDS
        for request in [*self._new, *self._started]:
            if request.vanished and request.vanished < since and not request.cancelled:
                self._cancel(request)

    def ahead(self, ticket: Ticket) -> tuple[int, float]:
        """How many long requests will be done before a ticket's, and in how many seconds this one
        will be; as far as one knows. One outside waits for none of them."""
        mine = ticket.request
        if mine.outside:
            return 0, mine.left
        with self._changed:
            others = [r for r in (*self._new, *self._started) if not (r is mine or r.outside)]
            others = [r for r in others if not r.vanished]
            before = [r for r in others if not r.light and r.turn < mine.turn]
        return len(before), sum(r.left for r in before) + mine.left

    @property
    def load(self) -> tuple[int, int]:
        """Requests that somebody waits for: those that have a thread, and those that wait for
        one."""
        with self._changed:
            running, waiting = [*self._started], [*self._new]
        return sum(not r.vanished for r in running), sum(not r.vanished for r in waiting)

    @property
    def busy(self) -> int:
        """Requests that have not ended, and that somebody waits for."""
        return sum(self.load)

    @property
    def fault(self) -> str:
        """Why it will answer nobody any more; "" while it does."""
        with self._changed:
            died = self._thread is not None and not self._thread.is_alive()
        if self._closed:
            return "the engine is closed"
        return "the engine's thread has died" if died else ""

    def close(self) -> None:
        """Cancels what there is, gives each its last turn, and ends the engine's thread."""
        with self._changed:
            tickets = [t for r in [*self._new, *self._started] for t in r.tickets]
        for ticket in tickets:
            ticket.cancel()
        with self._changed:
            for request in [*self._new, *self._started]:
                if not request.cancelled:  # one that nobody waits for
                    self._cancel(request)
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
                self._learn(request.kind, request.expected, request.seconds_now())
                if request.key is not None and request.version:
                    request.work = None  # and with it whatever it was called with
                    self.kept.put(request.key, request, _weight(request.value))
            self._forget(request)
            self._changed.notify()
        request.wake()

    def _learn(self, kind: str, before: float, seconds: float) -> None:
        """That a kind of request took so long. Once slow is chance (what the first one loads, or a
        busy machine), and shall not send a slider behind everybody's long runs."""
        before = self._expected.get(kind, before)
        new = 0.3 if seconds < before else 0.1
        self._expected[kind] = (1 - new) * before + new * min(seconds, 4 * max(before, LIGHT))

    # --- equal requests ---

    def _known(self, key: Hashable) -> Request | None:
        return self.kept.get(key) or self._under_way.get(key)

    def _forget(self, request: Request) -> None:
        if self._under_way.get(request.key) is request:
            del self._under_way[request.key]

    # --- the engine's thread ---

    def _work(self) -> None:
        while not self._closed or any(not r.outside for r in self._started):
            with self._changed:
                self._give_up()
                self._admit()
                ready = [r for r in self._started if r.state == "ready" and not r.outside]
                if not ready and not self._calls:
                    if not self._changed.wait(IDLE_SECONDS) and not self._new and not self._started:
                        self._thread = None
                        return
                    continue
            self._resume(ready)
            self._pass_or_slice([request for request in ready if request.state == "ready"])

    def _resume(self, ready: list[Request]) -> None:
        """Turns for those that go on at once, until each waits for a network again: a run that
        tells its progress shall not miss the next pass for that."""
        until = time.perf_counter() + LONG_SLICE
        while quick := [r for r in ready if r.state == "ready" and not r.long_slices]:
            for request in sorted(quick, key=lambda r: r.rank):
                request.resume()
            if time.perf_counter() > until:
                return

    def _pass_or_slice(self, ready: list[Request]) -> None:
        """The next pass, or before it the turn of a request that computes for long by itself."""
        with self._changed:
            calls = list(self._calls)
        long = [request for request in ready if request.long_slices]
        waiting = [*long, *(call.request for call in calls)]
        first = min(waiting, key=lambda request: request.rank, default=None)
        if first in long:
            first.resume()
        elif taken := self.passes.together(calls):
            self._compute(taken)

    def _admit(self) -> None:
        """Gives new requests their threads, a session's long ones one after the other."""
        running = [r for r in self._started if not r.outside]
        left = [r for r in running if r.vanished and not r.cancelled]
        if left and len(running) >= MOST_RUNNING and any(not r.vanished for r in self._new):
            self._cancel(min(left, key=lambda r: r.vanished))
        long = ["" if r.vanished else r.session for r in running if not r.light]
        room = {True: MOST_RUNNING - len(running) + len(long), False: MOST_RUNNING - len(long)}
        for request in sorted(self._new, key=lambda r: r.rank):
            light, mine = request.light, request.session
            if room[light] > 0 and (light or not mine or mine not in long):
                self._new.remove(request)
                self._start(request)
                room[light] -= 1
                long += [] if light else [mine]

    def _start(self, request: Request) -> None:
        request.state = "ready"
        self._started.add(request)
        self._threads.run(request.live)

    def _compute(self, taken: Taken) -> None:
        self.passes.compute(taken)
        with self._changed:
            for call, _, _ in taken:
                if call.error or call.done >= call.rows:
                    call.request.calls += 1
                    if call in self._calls:  # else nobody waits any more
                        self._calls.remove(call)
                        call.request.state = "ready"


def _weight(value: Any) -> int:
    """About how many bytes a result is kept in."""
    if isinstance(value, Mapping):
        return sum(map(_weight, value.values()))
    if isinstance(value, tuple | list):
        return sum(map(_weight, value))
    if isinstance(value, str | bytes):
        return len(value)
    if hasattr(value, "nbytes"):
        return value.nbytes
    return 8 + sum(map(_weight, getattr(value, "__dict__", {}).values()))
