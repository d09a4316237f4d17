"""Threads that are used again."""

import queue
import threading
from collections.abc import Callable

IDLE_SECONDS = 30.0


class Threads:
    """As many daemon threads as there is work at once; each waits a while for more.

    A new thread brings threads of torch's with it. Those of the library's pools are waited for
    when a program ends, which a request that nobody answers any more would hold up for ever.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._idle, self._door = 0, threading.Lock()

    def run(self, work: Callable[[], None]) -> None:
        """In a thread, at once; work does not raise."""
        with self._door:
            idle = self._idle > 0
            self._idle -= idle
        self._work.put(work)
        if not idle:
            threading.Thread(target=self._live, name=self.name, daemon=True).start()

    def _live(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                with self._door:
                    if self._idle > 0:
                        self._idle -= 1
                        return
                continue  # somebody has counted on this one
            work()
            del work
            with self._door:
                self._idle += 1
