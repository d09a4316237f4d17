"""What was measured of the weights: how often they draw what they are asked for, and what guidance
trades, fit against diversity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from demos.tabs.text_to_image.generate import ID, MODEL, SOLVERS
from demos.tabs.text_to_image.texts import (
    HOW_TO_READ_SHARES,
    HOW_TO_READ_TRADEOFF,
    NO_SHARES,
    NO_TRADEOFF,
    SHARES,
    TRADEOFF,
)
from demos.widgets.chart import Axis, Mark, axes, chart, corner, placed
from demos.widgets.measured import card, made, table
from gen_core.evaluation.prompt_report import HEADS, share_rows
from gen_core.families.text_to_image.card import measured
from gen_core.training.checkpoint import weights_folder

TRADEOFF_HEADS = (
    "Guidance",
    "CLIP score",
    "Right thing, says the judge",
    "Diversity",
    "Burnt-out pixels",
)


def build() -> None:
    """The table and the curve, where the card of the weights holds their figures."""
    figures = measured(weights_folder() / MODEL)
    shares = prompt_accuracy(figures["metrics"]) if "metrics" in figures else ""
    card(f"{ID}-shares", SHARES, shares, otherwise=NO_SHARES)
    curves = tradeoff(figures) if "guidance" in figures else ""
    card(f"{ID}-tradeoff", TRADEOFF, curves, "chart/chart.css", otherwise=NO_TRADEOFF)


def prompt_accuracy(metrics: Mapping[str, Any]) -> str:
    """What `evaluate` has measured, as HTML."""
    return f"""
    <section class="card measured">{table(HEADS, share_rows(metrics["shares"]))}
      <p>{escape(HOW_TO_READ_SHARES)}</p>
      <p>{metrics["samples"]:,} prompts, a picture of each. {escape(made(metrics))}</p>
    </section>"""


def tradeoff(figures: Mapping[str, Any]) -> str:
    """The chart, and the figures as a table; `figures` is what the card has measured."""
    found = figures["guidance"]
    how = (
        f"Each row: {found['pictures']:,} pictures, {found['prompts']} prompts with the same "
        f"{found['seeds']} seeds, {found['steps']} steps of {SOLVERS[found['solver']]}. "
        f"{made(found)}"
    )
    return f"""
    <section class="card measured beside-chart">
      <div>{curve(found["points"])}</div>
      <div>{table(TRADEOFF_HEADS, rows(found["points"]))}
        <p>{escape(how)}</p>
        <p>{escape(HOW_TO_READ_TRADEOFF)}{_judge(figures)}</p>{_sharper(figures)}</div>
    </section>"""


def curve(points: Sequence[Mapping[str, float]]) -> str:
    """Diversity across, CLIP score up, a line through the values of guidance."""
    across = Axis.across([p["diversity"] for p in points])
    up = Axis.upward([p["score"] for p in points])
    marks = [
        Mark(
            across.at(p["diversity"]),
            up.at(p["score"]),
            f"{p['guidance']:g}" if k else f"guidance {p['guidance']:g}",
            "",
            "var(--color-accent)",
        )
        for k, p in enumerate(points)
    ]
    line = "L".join(f"{mark.x:.1f} {mark.y:.1f}" for mark in marks)
    drawn = axes(across, up, below="diversity: how much seeds differ", beside="CLIP score")
    drawn += f'<path class="line" d="M{line}"/>' + corner("better: up, right") + placed(marks)
    spoken = "; ".join(
        f"guidance {p['guidance']:g}: score {p['score']:.1f}, diversity {p['diversity']:.2f}"
        for p in points
    )
    return chart(drawn, f"CLIP score against diversity. {spoken}")


def rows(points: Sequence[Mapping[str, float]]) -> Iterator[tuple[str, ...]]:
    for p in points:
        yield (
            f"{p['guidance']:g}",
            f"{p['score']:.1f} <small>± {p['score_error']:.1f}</small>",
            f"{p['recognised']:.0%}",
            f"{p['diversity']:.3f} <small>± {p['diversity_error']:.3f}</small>",
            f"{p['clipped']:.1%}",
        )


def _judge(figures: Mapping[str, Any]) -> str:
    """How good the judge itself is, where that was measured."""
    if "metrics" not in figures:
        return ""
    share = figures["metrics"]["shares"]["judge"]["seen"]["concept"]
    return f" It recognises {share:.0%} of things in real drawings."


def _sharper(figures: Mapping[str, Any]) -> str:
    """What a negative prompt does, where that was measured."""
    if "sharpness" not in figures:
        return ""
    found = figures["sharpness"]
    words = (
        f"The negative prompt “{found['negative_prompt']}” made {found['sharper']:.0%} of "
        f"{found['pictures']} pictures sharper: the variance of the Laplacian, which grows with "
        f"sharp edges, is {found['ratio']:.2f} ± {found['ratio_error']:.2f} times that of the same "
        f"prompts and seeds without it, at guidance {found['guidance_scale']:g}. {made(found)}"
    )
    return f"<p>{escape(words)}</p>"
