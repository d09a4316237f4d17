"""What is kept for a while."""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any


class Kept:
    """Values by key: none longer than `seconds`, and no more than `size` bytes of them, as those
    who put them say; the oldest go first. Many threads may use it at once."""

    def __init__(self, seconds: float, size: int) -> None:
        self.seconds, self.size = seconds, size
        self._values: OrderedDict[Hashable, tuple[float, int, Any]] = OrderedDict()
        self._bytes, self._door = 0, threading.Lock()

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """In place of what the key had."""
        with self._door:
            self._drop(key)
            self._values[key] = time.monotonic(), size, value
            self._bytes += size
            self._forget()

    def get(self, key: Hashable) -> Any:
        """None where there is nothing, or no longer."""
        with self._door:
            self._forget()
            return self._values.get(key, (0, 0, None))[2]

    def _forget(self) -> None:
        oldest_allowed = time.monotonic() - self.seconds
        for key, (since, _, _) in [*self._values.items()]:
            if since > oldest_allowed and self._bytes <= self.size:
                return
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        self._bytes -= self._values.pop(key, (0, 0, None))[1]
