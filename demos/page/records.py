"""What became of each run: a line in the log, and figures for whoever hosts the page.

Of a run they say which endpoint it was, how long it took and how it ended, and never what was asked
for, by whom, or what came of it.
"""

import logging
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from demos.page.faults import number_of
from gen_core.engine import Ticket

log = logging.getLogger("noise-to-data.runs")

Ended = Literal["done", "stopped", "left", "refused", "failed"]
"""Refused: with a message for the visitor, such as that a number is out of range."""
MOST, MOST_LIGHT, MOST_FAULTS = 10_000, 30_000, 20
"""Records that are kept: of runs; of sliders' answers, so many that forty visitors who each move
one once a second have ten minutes; and of what failed."""
LATELY, PACE = 600.0, 60.0
"""Seconds: what the figures of endpoints and visitors, and of rows, are about."""


@dataclass(frozen=True)
class Record:
    """A run that has ended, or that its visitor has left."""

    endpoint: str
    ended: Ended
    waited: float = 0.0
    """Seconds until it had its first turn."""
    ran: float = 0.0
    """Seconds from then on, those of others' turns among them."""
    device: float = 0.0
    """Seconds of the device, its rows' share of shared passes."""
    rows: int = 0
    """Pictures times evaluations of a network."""
    shared: bool = False
    """Whether it was computed for somebody else, who has the rows and seconds of the device."""
    fault: str = ""
    """The type of an error that nobody foresaw."""
    number: str = ""
    """Under which the log has its trace."""
    at: float = field(default_factory=time.time)
    """When, in seconds since 1970."""

    @classmethod
    def of(
        cls, endpoint: str, ended: Ended, ticket: Ticket | None, error: Exception | None = None
    ) -> "Record":
        """ticket: None of a run that was refused before it had one."""
        fault = number = ""
        if error and ended == "failed":
            fault, number = type(error).__name__, number_of(error)
        if ticket is None:
            return cls(endpoint, ended, fault=fault, number=number)
        request, now = ticket.request, time.perf_counter()
        began = min(now, max(ticket.asked, request.began or now))
        mine = not ticket.shared
        return cls(
            endpoint,
            ended,
            waited=began - ticket.asked,
            ran=now - began,
            device=request.seconds_now() if mine else 0.0,
            rows=request.rows if mine else 0,
            shared=ticket.shared,
            fault=fault,
            number=number,
        )

    def __str__(self) -> str:
        seconds = f"waited={self.waited:.2f}s ran={self.ran:.2f}s device={self.device:.2f}s"
        marks = " shared" * self.shared + f" fault={self.fault}" * bool(self.fault)
        marks += f" error={self.number}" * bool(self.number)
        return f"{self.endpoint} {self.ended} {seconds} rows={self.rows}{marks}"


class Records:
    """Those of late, in an event loop."""

    def __init__(self) -> None:
        self.began = time.time()
        self.faults: deque[Record] = deque(maxlen=MOST_FAULTS)
        self._runs: deque[Record] = deque(maxlen=MOST)
        self._light: deque[Record] = deque(maxlen=MOST_LIGHT)
        """Apart, for they are so many that they would push out what is known of runs."""
        self._seen: dict[str, float] = {}
        """Sessions, and when each last asked for something."""

    def seen(self, session: str) -> None:
        """That a session asks for something; "" is nobody's."""
        now = time.time()
        self._seen = {s: at for s, at in self._seen.items() if at > now - LATELY}
        if session:
            self._seen[session] = now

    def add(self, record: Record, light: bool = False) -> None:
        """light: one of many, while a slider moves; unless it fails, only the debug log has it."""
        (self._light if light else self._runs).append(record)
        if record.fault:
            self.faults.append(record)
        log.log(logging.DEBUG if light and not record.fault else logging.INFO, "%s", record)

    def figures(self) -> dict[str, Any]:
        """As plain values fit for JSON; times in seconds."""
        now = time.time()
        lately = [r for r in (*self._runs, *self._light) if r.at > now - LATELY]
        paced = [record for record in lately if record.at > now - PACE]
        named: dict[str, list[Record]] = defaultdict(list)
        for record in lately:
            named[record.endpoint].append(record)
        span = max(1.0, min(PACE, now - self.began))
        return {
            "uptime": round(now - self.began, 1),
            "sessions": sum(at > now - LATELY for at in self._seen.values()),
            "rows_per_second": round(sum(r.rows for r in paced) / span, 1),
            "runs_per_minute": round(60 * len(paced) / span, 1),
            "endpoints": {name: _summary(named[name]) for name in sorted(named)},
            "errors": [
                {"at": round(r.at, 1), "endpoint": r.endpoint, "fault": r.fault, "number": r.number}
                for r in reversed(self.faults)
            ],
        }


def _summary(records: list[Record]) -> dict[str, Any]:
    """Of one endpoint's; medians of those that are done."""
    done = [r for r in records if r.ended == "done"]
    own = [r.device for r in done if not r.shared]
    return {
        "count": len(records),
        **Counter(r.ended for r in records),
        "shared": sum(r.shared for r in records),
        "waited": round(median(r.waited for r in done), 3) if done else None,
        "ran": round(median(r.ran for r in done), 3) if done else None,
        "device": round(median(own), 4) if own else None,
    }
