"""A request: its thread, what it waits for, and those who wait for it."""

import asyncio
import contextlib
import inspect
import math
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any

from gen_core.engine.passes import Call
from gen_core.progress import Progress

if TYPE_CHECKING:
    from gen_core.engine import Engine

LONG_SLICE = 0.02
"""Seconds of a turn from which on it is as much as a pass."""
LIGHT, SAID_LIGHT = 0.15, 0.6
"""Seconds of the device up to which a kind of request goes before those that take longer: any kind,
and one that is said to take a single pass, which a busy or slow machine may need longer for."""
FIRST_CALLS = 6
"""Evaluations that a run may need for its first value, which it shows before others go on: texts
are encoded, latents decoded."""
PATIENCE = 10.0
"""A second less of work left is worth as many seconds of having come earlier."""


class Cancelled(BaseException):
    """Raised in a request that nobody waits for any more, where it evaluates a network."""


_here = threading.local()
"""`request`: the one whose thread this is."""


def current() -> "Request | None":
    """The request in whose thread this is asked, if it has a turn that it can give back."""
    request = getattr(_here, "request", None)
    return None if request is None or request.outside else request


def device_clock() -> float:
    """Seconds that the device has worked for the request in whose thread this is asked, its rows'
    share of shared passes; elsewhere those of the wall clock. For differences."""
    request = getattr(_here, "request", None)
    return request.seconds_now() if request else time.perf_counter()


def count_elsewhere(seconds: float, rows: int) -> None:
    """Adds what a device elsewhere has done for the request in whose thread this is."""
    if request := getattr(_here, "request", None):
        request.seconds += seconds
        request.rows += rows


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """Within it a request does something that needs no device, and others have their turn."""
    request = current()
    if request is None:
        yield
        return
    request.give_back("aside")
    try:
        yield
    finally:
        request.take_turn()


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
        light: bool = False,
    ) -> None:
        self.most_light = SAID_LIGHT if light else LIGHT
        self.engine, self.work, self.session, self.kind = engine, work, session, kind
        self.expected, self.finish, self.outside = expected, finish, outside
        self.arrived = time.perf_counter()
        self.state = "new"
        """new, ready, running, calling, aside or ended"""
        self.seconds, self.calls = 0.0, 0
        """Of the device so far; evaluations so far."""
        self.rows = 0
        """Of its evaluations so far: pictures times evaluations of a network."""
        self.began: float | None = None
        """When it had its first turn, on the clock of `arrived`."""
        self.fraction, self.stage_began = 0.0, 0.0
        """The share of a stage of the work that is done; seconds of the device at its start."""
        self.slice_began: float | None = None
        self.long_slices = False
        """Whether it computed for long, without a network's help, when it last had its turn."""
        self.value, self.version = None, 0
        self.progress: Progress | None = None
        self.error: BaseException | None = None
        self.ended = self.cancelled = False
        self.tickets: list[Ticket] = []
        self.key: Hashable | None = None
        self.vanished: float | None = None
        """When the last who waited for it vanished, on the clock of `time.monotonic`."""
        self._turn = threading.Semaphore(0)

    # --- what the order is made of ---

    @property
    def light(self) -> bool:
        return self.expected <= self.most_light and self.seconds <= 2 * self.most_light

    @property
    def left(self) -> float:
        """Seconds of work that are left, as far as one knows."""
        if self.fraction:
            stage = self.seconds - self.stage_began
            return stage * (1 - self.fraction) / self.fraction
        return max(self.expected - self.seconds, self.seconds)

    @property
    def turn(self) -> float:
        """The lowest is done first: the least work left, and nobody waits for ever."""
        return self.arrived + PATIENCE * self.left

    @property
    def rank(self) -> tuple[int, float]:
        """The lowest goes first: single passes, first previews, then the least work left, and at
        last what nobody waits for at the moment. What was cancelled ends at once."""
        if self.cancelled:
            return 0, self.arrived
        if self.vanished:
            return 3, self.turn
        if self.light:
            return 0, self.arrived
        begins = self.calls < FIRST_CALLS if self.calls else not self.long_slices
        if begins and not self.version:
            return 1, self.arrived
        return 2, self.turn

    # --- its thread ---

    def live(self) -> None:
        _here.request = self
        if not self.outside:
            self._turn.acquire()
        made, self.began = None, time.perf_counter()
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
            try:
                if inspect.isgenerator(made):
                    made.close()
            except BaseException as error:  # else the engine would wait for this turn for ever
                self.error = self.error or error
            self.engine.end(self)
            if not self.outside:
                self.engine.back.release()

    def _tell(self, piece: Any) -> None:
        if isinstance(piece, Progress):
            self.progress = piece
            if piece.total:
                fraction = piece.done / piece.total
                if fraction < self.fraction:  # another stage
                    self.stage_began = self.seconds_now()
                self.fraction = fraction
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
        self.rows += call.rows
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
        before, self.seconds, self.slice_began = self.seconds, self.seconds_now(), None
        self.long_slices = self.seconds - before > LONG_SLICE

    def seconds_now(self) -> float:
        began = self.slice_began
        return self.seconds + (time.perf_counter() - began if began is not None else 0.0)


class Ticket:
    """Somebody's claim to what a request makes: iterate it, in a thread or in an event loop.

    Yields values, and Progress that has a stage; whoever is slow gets the newest and not all.
    Raises what the work raised. `cancel` gives the claim up: work that nobody waits for ends;
    `linger` does so for somebody who may come back.
    """

    def __init__(self, request: Request, shared: bool) -> None:
        self.request, self.shared = request, shared
        """shared: whether the work had been begun for somebody else."""
        self.asked = time.perf_counter()
        self._seen, self._seen_progress = 0, None
        self._signal: Callable[[], None] = lambda: None
        request.tickets.append(self)

    def wake(self) -> None:
        self._signal()

    def cancel(self) -> None:
        """Harmless once the work has ended."""
        self.request.engine.leave(self)

    def linger(self) -> None:
        """Leaves the work to go on for a while, for whoever asks for the same."""
        self.request.engine.leave(self, for_good=False)

    def _news(self, progress: bool) -> Iterator[Any]:
        """What has not been told yet; with the end comes no more progress, but the value last."""
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
            yield from self._news(not ended)
            if ended:
                break
            event.wait()
        if self.request.error:
            raise self.request.error

    async def paced(
        self, beat: float = 0.0, crowded: float = 0.0, silence: float | None = None
    ) -> AsyncIterator[Any]:
        """The same in an event loop: Progress once in `beat` seconds, and where others wait too,
        anything once in `crowded` seconds; the end at once. Where there is no news for `silence`
        seconds, a Progress without a stage."""
        event, loop = asyncio.Event(), asyncio.get_running_loop()
        told = -math.inf

        def signal() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(event.set)

        self._signal = signal
        while True:
            event.clear()
            ended = self.request.ended
            for piece in self._news(not ended and time.perf_counter() - told >= beat):
                told = time.perf_counter()
                yield piece
            if ended:
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(silence):
                    await event.wait()
            if not event.is_set():
                yield Progress("")
                continue
            gap = crowded if self.request.engine.busy > 1 else 0.0
            while not self.request.ended and (rest := told + gap - time.perf_counter()) > 0:
                event.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(rest):  # `wait_for` may swallow a cancellation
                        await event.wait()
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
