"""A process of its own for one kind of work, whose progress is seen and which can be ended."""

import contextlib
import multiprocessing
import queue
import threading
import time
import traceback
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import torch

from gen_core.devices import keep_to_cores
from gen_core.knobs import KnobError
from gen_core.progress import Progress, Report

POLL = 0.1
"""Seconds between two looks at the process, and so between two chances to cancel."""
PATIENCE = 10.0
"""Seconds that cancelled work has to come to the end of its step."""
STOP = "stop"
T = TypeVar("T")

Work = Callable[[Any], Any]
"""Answers a request."""


class Cancelled(RuntimeError):
    """The visitor does not want it any more."""


class NoMemory(KnobError):
    """The device has no room for what was asked."""


class Worker:
    """Answers requests with what `make(progress, *args)` returns there, which is called once.

    `make` and `args` have to be such that they can be sent to another process. stage: what progress
    is called while it works in steps, each of which ends soon; "" for none.
    """

    def __init__(self, make: Callable[..., Work], *args: Any, stage: str = "") -> None:
        self.stage = stage
        context = multiprocessing.get_context("spawn")  # a forked process could not use the GPU
        self._connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make, args), daemon=True)
        self.process.start()
        theirs.close()  # so that its end is noticed here
        self._busy = self._closed = False

    @property
    def alive(self) -> bool:
        return not self._closed and self.process.is_alive()

    def ask(self, request: Any) -> Generator[Progress, None, Any]:
        """Yields the progress, at least every 0.1 s, and returns the answer.

        Closing the generator cancels: steps after the one under way, so that the next request finds
        the model open, anything else at once and with the process. Raises the work's own KnobError,
        `NoMemory`, and RuntimeError for what nobody foresaw.
        """
        progress = Progress("Starting")
        self._connection.send(request)
        self._busy = True
        try:
            while self._busy:
                progress = self._heard() or progress
                yield progress
        except BaseException as error:
            if self._busy and self.alive and self.stage and progress.stage == self.stage:
                self._connection.send(STOP)
            elif self._busy or not _leaves_it_whole(error):
                self.close()
            raise
        return self._answer

    def finish(self, doing: str) -> Generator[Progress, None, None]:
        """Waits for the end of cancelled work; the process ends where that takes too long.

        doing: what the progress says meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while self._busy and time.monotonic() < deadline:
            with contextlib.suppress(Exception):  # nobody waits for what became of it
                self._heard()
            yield Progress(doing)
        if self._busy:
            self.close()

    def close(self) -> None:
        """Ends the process, whatever it does."""
        self._closed, self._busy = True, False
        self.process.kill()
        self.process.join()
        self._connection.close()

    def _heard(self) -> Progress | None:
        """What the process sends within POLL seconds. With its answer it is not busy any more."""
        if not self._connection.poll(POLL):
            return None
        try:
            message = self._connection.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise KnobError(
                "The process with the model has ended, most likely for lack of memory: choose a "
                "smaller model"
            ) from error
        if isinstance(message, Progress):
            return message
        self._busy = False
        self._answer, error = message
        if error is not None:
            raise error
        return None


def _serve(connection: Connection, make: Callable[..., Work], args: tuple) -> None:
    """The life of the process, which ends with the app's."""
    keep_to_cores()
    speaking = threading.Lock()  # files are fetched by several threads

    def send(progress: Progress) -> None:
        with speaking:
            if connection.poll():
                connection.recv()
                raise Cancelled(progress.stage)
            connection.send(progress)

    work = None
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        while True:
            request = connection.recv()
            if request == STOP:  # it came too late
                continue
            try:
                work = work or make(send, *args)
                answer = work(request), None
            except Exception as error:
                answer = None, _sendable(error)
            connection.send(answer)


def _leaves_it_whole(error: BaseException) -> bool:
    """Whether the process can go on after this error of a request that has ended."""
    refused = isinstance(error, KnobError) and not isinstance(error, NoMemory)
    return refused or isinstance(error, GeneratorExit)


def _sendable(error: Exception) -> Exception:
    """The error as it can be sent: the libraries' own cannot always."""
    if isinstance(error, (KnobError, Cancelled)):
        return error
    if isinstance(error, torch.OutOfMemoryError):
        return NoMemory("The GPU has no memory left for this model: choose a smaller one")
    return RuntimeError("".join(traceback.format_exception(error)))


def reported(work: Callable[[Report], T], *, waits: bool = True) -> Generator[Progress, None, T]:
    """Yields what `work(report)` reports, as it comes, and returns what it returns. It runs in a
    thread of its own, where closing the generator ends it at its next report.

    waits: whether closing waits for that; if not, it yields at least every 0.1 s from the first
    report on, so that it can be closed at any time.
    """
    told: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
    closed, progress = threading.Event(), None

    def report(progress: Progress) -> None:
        if closed.is_set():
            raise Cancelled(progress.stage)
        told.put(progress)

    thread = ThreadPoolExecutor(1)
    done = thread.submit(work, report)
    done.add_done_callback(lambda _: told.put(None))
    try:
        while True:
            with contextlib.suppress(queue.Empty):
                progress = told.get(timeout=None if waits or progress is None else POLL)
                if progress is None:
                    return done.result()
            yield progress
    finally:
        closed.set()
        thread.shutdown(wait=waits)
