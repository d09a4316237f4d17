"""What came of the presses, and what it says in all."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

OWN_SHARE = 0.25
"""Of the processors: where this tool takes more, it measures itself."""
SETTLED, GROWTH = 300.0, 1.05
"""Seconds after which a soak takes the app's memory for its usual one, and how much more than that
it may have at the end."""
SINGLE = (
    "slider ",
    "vae_samples",
    "gan_samples",
    "gan_portraits",
    "gan_styles",
    "latent_space_mix",
    "latent_space_between",
)
"""Names begin so where a press takes a pass or two."""


@dataclass
class Answer:
    """What came of one press or one move."""

    kind: str
    seconds: float
    first: float | None = None
    """Until the first picture."""
    error: str = ""
    rows: float = 0.0
    """Pictures times evaluations of the network, as the answer says."""
    size: int = 0
    """Bytes of messages, and of the pictures that the last one names."""


@dataclass
class Report:
    """All answers of a run, and what it took."""

    wall: float
    answers: list[Answer]
    alone: dict[str, float] = field(default_factory=dict)
    """Seconds of each kind on the idle machine."""
    pages: list[float] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)
    """Seconds since the start, and resident bytes of the app, where it was started here."""
    own_share: float = 0.0

    @property
    def growth(self) -> float | None:
        """Memory at the end over that after `SETTLED` seconds; None of a shorter run."""
        early = next((size for at, size in self.memory if at >= SETTLED), None)
        return round(self.memory[-1][1] / early, 3) if early else None

    def figures(self) -> dict[str, Any]:
        """As plain values fit for JSON."""
        done = [a for a in self.answers if not a.error]
        kinds: dict[str, list[Answer]] = defaultdict(list)
        for answer in self.answers:
            kinds[answer.kind].append(answer)
        work = sum(self.alone.get(a.kind, 0.0) for a in done)
        return {
            "seconds": round(self.wall, 2),
            "presses": len(self.answers),
            "failures": len(self.answers) - len(done),
            "errors": sorted({a.error for a in self.answers if a.error})[:5],
            "presses_per_second": round(len(done) / self.wall, 3),
            "work_rate": round(work / self.wall, 3) if self.alone else None,
            "rows_per_second": round(sum(a.rows for a in done) / self.wall, 1),
            "single_passes": spread([a for a in done if a.kind.startswith(SINGLE)]),
            "all": spread(done),
            "page_seconds": percentiles(self.pages),
            "memory_mb": round(self.memory[-1][1] / 1e6) if self.memory else None,
            "memory_peak_mb": round(max(m for _, m in self.memory) / 1e6) if self.memory else None,
            "memory_growth": self.growth,
            "own_share": round(self.own_share, 3),
            "kinds": {kind: spread(found) for kind, found in sorted(kinds.items())},
        }


def percentiles(seconds: Sequence[float]) -> dict[str, float] | None:
    """p50, p95 and the last; None of none."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    at = {"p50": 0.5, "p95": 0.95, "last": 1.0}
    return {
        n: round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 3) for n, q in at.items()
    }


def spread(answers: Sequence[Answer]) -> dict[str, Any]:
    """How long one kind of answer took."""
    firsts = [a.first for a in answers if a.first is not None]
    return {
        "count": len(answers),
        "failures": sum(bool(a.error) for a in answers),
        "mean": round(sum(a.seconds for a in answers) / max(1, len(answers)), 3),
        "end": percentiles([a.seconds for a in answers]),
        "first": percentiles(firsts),
    }


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    shown = [f"{'':<34}{'count':>6}{'lost':>6}{'first p95':>11}{'p50':>9}{'p95':>9}{'last':>9}"]
    rows = {**figures["kinds"], "single passes": figures["single_passes"], "all": figures["all"]}
    for kind, found in rows.items():
        if not found["count"]:
            continue
        first, end = found["first"] or {}, found["end"]
        shown.append(
            f"{kind:<34}{found['count']:>6}{found['failures']:>6}{first.get('p95', '-'):>11}"
            f"{end['p50']:>9}{end['p95']:>9}{end['last']:>9}"
        )
    said = (
        "presses_per_second",
        "work_rate",
        "rows_per_second",
        "memory_mb",
        "memory_peak_mb",
        "memory_growth",
        "page_seconds",
    )
    shown += [f"{name.replace('_', ' ')}: {figures[name]}" for name in said]
    shown += [f"failed: {error}" for error in figures["errors"]]
    if figures["own_share"] > OWN_SHARE:
        shown.append(f"warning: this tool took {figures['own_share']:.0%} of the processors itself")
    return "\n".join(shown)
