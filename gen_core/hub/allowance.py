"""How much visitors may ask of larger models in a day, each and all together, so that a page open
to everybody costs its host no more than was meant."""

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gen_core.knobs import KnobError, as_number, whole

DAY = 86_400
"""Seconds; days begin at midnight UTC."""
PREFIX = "GEN_CHAT_"
MOST = 1_000_000_000
ALL = "all"


@dataclass(frozen=True)
class Limits:
    """Of a day. Those of a visitor hold for the session and for the network address."""

    visitor_requests: int = 100
    visitor_tokens: int = 30_000
    """Read and written."""
    day_requests: int = 2_000
    day_tokens: int = 500_000


def host_s_limits() -> Limits:
    """Those of the environment: GEN_CHAT_VISITOR_REQUESTS and so on. Raises KnobError."""
    found = {}
    for name in Limits.__dataclass_fields__:
        if said := os.environ.get(variable := PREFIX + name.upper()):
            found[name] = whole(variable, as_number(said), 0, MOST)
    return Limits(**found)


@dataclass
class Bill:
    """What a request is going to cost, or has cost."""

    tokens: int


class Allowance:
    """Counts requests and tokens, by visitor and in all, until midnight UTC. For many threads."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.time) -> None:
        self.limits, self.clock = limits, clock
        self._door, self._day = threading.Lock(), 0
        self._requests: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()

    @contextlib.contextmanager
    def taken(self, visitor: Sequence[str], tokens: int) -> Iterator[Bill]:
        """Around a request that may cost so many tokens; set those of the bill to what it has cost.
        A request that fails costs none, but counts.

        visitor: all that this one is known by, such as a session and an address. Raises KnobError,
        which says when to come again, where a limit would be passed.
        """
        who = [ALL, *dict.fromkeys(f"visitor {name}" for name in visitor if name)]
        day = self._take(who, tokens)
        bill = Bill(0)
        try:
            yield bill
        finally:
            with self._door:
                if day == self._day:
                    for name in who:
                        self._tokens[name] += bill.tokens - tokens

    def _take(self, who: Sequence[str], tokens: int) -> int:
        with self._door:
            now = self.clock()
            if (day := int(now // DAY)) != self._day:
                self._day = day
                self._requests.clear()
                self._tokens.clear()
            for name in who:
                self._check(name, tokens, DAY - now % DAY)
            for name in who:
                self._requests[name] += 1
                self._tokens[name] += tokens
            return day

    def _check(self, name: str, tokens: int, left: float) -> None:
        """Raises KnobError where one more request of so many tokens is too much."""
        everybody = name == ALL
        requests = self.limits.day_requests if everybody else self.limits.visitor_requests
        most = self.limits.day_tokens if everybody else self.limits.visitor_tokens
        whose = "This page has" if everybody else "You have"
        again = f"come again after midnight UTC, {_in_words(left)}"
        if self._requests[name] >= requests:
            raise KnobError(f"{whose} asked larger models {requests:,} times today: {again}")
        if self._tokens[name] + tokens > most:
            rest = max(0, most - self._tokens[name])
            raise KnobError(
                f"{whose} {rest:,} of {most:,} tokens left today, and this may take {tokens:,}: "
                f"ask for fewer, or {again}"
            )


def _in_words(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    if minutes < 90:
        return f"in {minutes} minute{'s' if minutes > 1 else ''}"
    return f"in {round(minutes / 60)} hours"
