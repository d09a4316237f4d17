"""What guidance trades, as it was measured: fit against diversity, and what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr

from demos.tabs.text_to_image.generate import ID, MODEL, SOLVERS
from demos.tabs.text_to_image.texts import HOW_TO_READ_TRADEOFF, NO_TRADEOFF, TRADEOFF
from demos.widgets.chart import Axis, Mark, axes, chart, corner, placed
from demos.widgets.measured import card, made, table
from gen_core.families.text_to_image.folder import measured
from gen_core.training.checkpoint import weights_folder

HEADS = ("Guidance", "CLIP score", "Right thing, says the judge", "Diversity", "Burnt-out pixels")


def build() -> None:
    """The curve, where the card of the weights holds one."""
    figures = measured(weights_folder() / MODEL)
    if "guidance" in figures:
        card(f"{ID}-tradeoff", TRADEOFF, section(figures), "chart/chart.css")
    else:
        gr.Markdown(NO_TRADEOFF, elem_classes=["part"])


def section(figures: Mapping[str, Any]) -> str:
    """The chart, and the figures as a table; `figures` is what the card has measured."""
    told = figures["guidance"]
    return f"""
    <section class="card measured beside-chart">
      <div>{curve(told["points"])}</div>
      <div>{table(HEADS, rows(told["points"]))}
        <p>{escape(how_measured(told))}</p>
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


def how_measured(told: Mapping[str, Any]) -> str:
    return (
        f"Each row: {told['pictures']:,} pictures, {told['prompts']} prompts with the same "
        f"{told['seeds']} seeds, {told['steps']} steps of {SOLVERS[told['solver']]}. {made(told)}"
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
    told = figures["sharpness"]
    words = (
        f"The negative prompt “{told['negative_prompt']}” made {told['sharper']:.0%} of "
        f"{told['pictures']} pictures sharper: the variance of the Laplacian, which grows with "
        f"sharp edges, is {told['ratio']:.2f} ± {told['ratio_error']:.2f} times that of the same "
        f"prompts and seeds without it, at guidance {told['guidance_scale']:g}. {made(told)}"
    )
    return f"<p>{escape(words)}</p>"
