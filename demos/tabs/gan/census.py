"""A census of portraits: how often each value of each attribute is drawn, beside the data.

Both counts stand in checkpoints' cards: the same judge looked at the generator's samples and at
the test portraits. No model is loaded for it.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from demos.page.handlers import App
from demos.tabs.gan.texts import CENSUS, HOW_TO_READ, NOT_COUNTED, PARTS
from demos.widgets.measured import card, figures_of
from gen_core.classifiers.attributes import TENTHS
from gen_core.conditions import LOWEST
from gen_core.data.avatars.labels import CHOICES, MEASURES
from gen_core.training.checkpoint import CheckpointError

MODEL, JUDGE = "gan-avatars", "judge-avatars"
FACTOR = 2
"""What is drawn less than half or more than twice as often as in the data has a remark."""
NAMED = 3
"""How many of those furthest off the sentence names."""
LEAST = 0.01
"""Ratios below it are not written out."""
MISSING = "missing"


@dataclass(frozen=True)
class Count:
    """How often one value of an attribute is seen, as shares from 0 to 1."""

    attribute: str
    value: str
    samples: float
    data: float

    @property
    def ratio(self) -> float:
        """Samples over data: 1 where neither has it, infinite where the data alone lacks it."""
        if not self.data:
            return math.inf if self.samples else 1.0
        return self.samples / self.data

    @property
    def within(self) -> bool:
        """Whether both are as frequent, up to FACTOR."""
        return 1 / FACTOR <= self.ratio <= FACTOR

    @property
    def remark(self) -> str:
        """What is to be said of it; "" where it is within the factor."""
        if self.within:
            return ""
        if not self.samples:
            return MISSING
        if math.isinf(self.ratio):
            return "not in the data"
        if self.ratio < LEAST:
            return f"<{LEAST:g}×"
        return f"{self.ratio:.2f}×" if self.ratio < 1 else f"{self.ratio:.1f}×"


def counts(
    samples: Mapping[str, Sequence[float]],
    data: Mapping[str, Sequence[float]],
    names: Mapping[str, Sequence[str]],
) -> list[Count]:
    """Shares by attribute, in the order of the names of its values.

    Raises CheckpointError where an attribute is absent or has another number of values.
    """
    for name, values in names.items():
        for shares in (samples, data):
            if len(shares.get(name, ())) != len(values):
                raise CheckpointError(
                    f"{name}: {len(shares.get(name, ()))} shares for {len(values)} values"
                )
    return [
        Count(name.replace("_", " "), *found)
        for name, values in names.items()
        for found in zip(values, samples[name], data[name], strict=True)
    ]


def furthest(found: Sequence[Count]) -> list[Count]:
    """Those beyond the factor, the furthest off first; what is missing before all, and of several
    the one that is most frequent in the data."""
    off = [count for count in found if not count.within]

    def order(count: Count) -> tuple[float, float]:
        distance = abs(math.log(count.ratio)) if count.ratio else math.inf
        return -distance, -count.data

    return sorted(off, key=order)


def tenths() -> dict[str, list[str]]:
    """The names of the parts in which the measures are counted: "−1.0 to −0.8"."""
    named = {}
    for name in MEASURES:
        low = LOWEST.get(name, -1.0)
        ends = [low + (1 - low) * k / TENTHS for k in range(TENTHS + 1)]
        shown = [f"{end:.1f}".replace("-", "−") for end in ends]
        named[name] = [f"{a} to {b}" for a, b in itertools.pairwise(shown)]
    return named


NAMES = {"shares": CHOICES, "spread": tenths()}
"""Of what stands in a card, by its key there."""
HEADS = ("value", "bars", "samples", "data", "samples over data")


# --- on the page ----------------------------------------------------------------------------------


def build(app: App) -> None:
    """The card, where both models have been measured; else a line that says how."""
    drawn, real = (_counted(name) for name in (MODEL, JUDGE))
    card(
        f"{MODEL}-census",
        CENSUS,
        section(drawn, real) if drawn and real else "",
        Path(__file__).with_name("census.css"),
        otherwise=NOT_COUNTED.format(name=MODEL if real else JUDGE),
    )


def _counted(name: str) -> Mapping[str, Any]:
    """The metrics in a card; empty where the counts are missing, or are of other attributes."""
    metrics = figures_of(name)
    try:
        for kind, names in NAMES.items():
            counts(metrics[kind], metrics[kind], names)
    except (CheckpointError, KeyError):
        return {}
    return metrics if {"samples", "hardware"} <= metrics.keys() else {}


def section(drawn: Mapping[str, Any], real: Mapping[str, Any]) -> str:
    """The metrics of the generator's card and of the judge's -> HTML."""
    values, parts = (counts(drawn[kind], real[kind], names) for kind, names in NAMES.items())
    return f"""
    <section class="card measured">
      <p class="census-sum">{escape(summary(values))}</p>
      <p class="census-key" aria-hidden="true"><i class="census-drawn"></i> samples
        <i class="census-real"></i> data</p>
      <div class="census">{_tables(values)}</div>
      <details><summary>{escape(PARTS.format(within=_within(parts)))}</summary>
        <div class="census">{_tables(parts)}</div></details>
      <p>{escape(HOW_TO_READ)}</p>
      <p>{escape(source(drawn, real))}</p>
    </section>"""


def summary(found: Sequence[Count]) -> str:
    """How many are within the factor, and which are furthest off."""
    said = (
        f"{_within(found)} values are drawn at least half and at most twice as often as in the data"
    )
    if missing := sum(count.remark == MISSING for count in found):
        said += f", {missing} never"
    named = [f"{c.value} ({c.attribute}, {c.remark})" for c in furthest(found)[:NAMED]]
    listed = " and ".join(filter(None, [", ".join(named[:-1]), *named[-1:]]))
    return f"{said}. Furthest off: {listed}." if named else f"{said}."


def _within(found: Sequence[Count]) -> str:
    return f"{sum(count.within for count in found)} of {len(found)}"


def source(drawn: Mapping[str, Any], real: Mapping[str, Any]) -> str:
    """What was counted, by whom and where."""
    psi, first = drawn.get("knobs", {}).get("truncation_psi", 1.0), drawn.get("seed", 0)
    last = first + drawn["samples"] - 1
    said = f"{drawn['samples']:,} samples, seeds {first} to {last:,}, ψ = {psi:g}, beside the "
    said += f"{real['samples']:,} test portraits"
    if "accuracy" in real:
        said += f"; the judge is right in {real['accuracy']:.1%} of its answers on these"
    return f"{said}. Measured on {drawn['hardware']}."


def _tables(found: Sequence[Count]) -> str:
    """A table for each attribute; the longest bar of each fills the width."""
    groups = itertools.groupby(found, key=lambda count: count.attribute)
    return "".join(_table(name, list(group)) for name, group in groups)


def _table(name: str, found: Sequence[Count]) -> str:
    most = max(max(count.samples, count.data) for count in found) or 1.0
    rows = "".join(_row(count, most) for count in found)
    heads = "".join(f'<th scope="col"><span>{words}</span></th>' for words in HEADS)
    return f"""<table><caption>{escape(name.capitalize())}</caption>
      <thead class="census-heads"><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"""


def _row(count: Count, most: float) -> str:
    bars = "".join(
        f'<i class="census-{kind}" style="width:{100 * share / most:.1f}%"></i>'
        for kind, share in (("drawn", count.samples), ("real", count.data))
    )
    return f"""<tr><th scope="row">{escape(count.value)}</th>
      <td class="census-bars">{bars}</td>
      <td>{count.samples:.1%}</td><td>{count.data:.1%}</td>
      <td>{f"<b>{escape(count.remark)}</b>" if count.remark else ""}</td></tr>"""
