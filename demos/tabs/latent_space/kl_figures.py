"""Rate, distortion and quality of the models that What breaks a VAE compares, as charts.

All of it stands in the checkpoints: what was measured in their cards, how training went beside the
weights. No model is loaded for it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Self

import torch

from demos.page.image_io import distance
from demos.tabs.latent_space.kl_pictures import HUES, Variant
from demos.tabs.latent_space.texts import CURVES, FIGURES, FROM_TRAINING, NO_FRECHET
from demos.widgets.chart import Axis, LogAxis, Mark, axes, chart, corner, level, placed
from demos.widgets.measured import card, table
from gen_core.evaluation.reference import floor_of
from gen_core.training import checkpoint

RATE, DISTORTION = "elbo.rate", "elbo.distortion"
MOST_POINTS = 120
"""Of a curve on the page."""
EARLIEST = 20
"""Training steps before it are not shown: there the figures fall from anywhere."""
HEADS = ("Model", "KL weight", "Rate", "Distortion", "Reconstruction error", "Fréchet distance")


@dataclass(frozen=True)
class Known:
    """What a checkpoint tells of itself."""

    variant: Variant
    hue: str
    config: dict[str, Any]
    metrics: dict[str, Any]
    """Empty where nobody measured."""
    curves: dict[str, list[tuple[float, float]]]
    """(step, nats) under RATE and DISTORTION; empty where it keeps none."""

    @classmethod
    def of(cls, variant: Variant, hue: str) -> Self:
        """Raises CheckpointError where the file is missing or damaged."""
        tensors, meta = checkpoint.read(variant.name)
        curves = {name: _curve(tensors, name) for name in (RATE, DISTORTION)}
        metrics = meta.get("metrics", {}) | {"floor": floor_of(meta)}
        return cls(variant, hue, meta["config"], metrics, curves)

    @property
    def measured(self) -> bool:
        return {"rate", "distortion"} <= self.metrics.keys()

    def nats(self, name: str) -> float | None:
        """Rate or distortion: as measured, else the last of training; None where neither is."""
        if self.measured:
            return self.metrics[name.removeprefix("elbo.")]
        return self.curves[name][-1][1] if self.curves[name] else None

    @property
    def place(self) -> tuple[float, float] | None:
        """Rate in nats, distortion in thousands of nats."""
        rate, distortion = self.nats(RATE), self.nats(DISTORTION)
        return None if rate is None or distortion is None else (rate, distortion / 1000)


def _curve(tensors: dict[str, torch.Tensor], name: str) -> list[tuple[float, float]]:
    """Each point the mean of its stretch; steps ascend."""
    try:
        x, y = (tensors[f"{checkpoint.EXTRA}curve.{key}"].double() for key in ("step", name))
    except KeyError:
        return []
    kept = x.isfinite() & y.isfinite() & (x >= EARLIEST)
    stretches = max(1, math.ceil(int(kept.sum()) / MOST_POINTS))
    pairs = zip(x[kept].split(stretches), y[kept].split(stretches), strict=True)
    return [(float(a.mean()), float(b.mean())) for a, b in pairs if len(a)]


def build(panel: str, variants: Sequence[Variant]) -> None:
    """The cards on the page: figures, and below them how training went where that is known."""
    known = [k for v, hue in zip(variants, HUES, strict=False) if (k := _if_sound(v, hue))]
    trained = [k for k in known if k.curves[RATE] and k.curves[DISTORTION]]
    styles = "chart/chart.css", Path(__file__).with_name("kl_figures.css")
    if known:
        card(f"{panel}-figures", FIGURES, figures(known), *styles)
    if trained:
        card(f"{panel}-curves", CURVES, training(trained), *styles)


def _if_sound(variant: Variant, hue: str) -> Known | None:
    """None where the file is damaged: drawing with it says so, the page is there for all."""
    try:
        return Known.of(variant, hue)
    except checkpoint.CheckpointError:
        return None


def figures(known: Sequence[Known]) -> str:
    """Two charts side by side, and the figures as a table."""
    placed_ = [k for k in known if k.place]
    drawn = [k for k in placed_ if "frechet" in k.metrics]
    charts = [
        tradeoff(placed_) if placed_ else _empty("Rate and distortion have not been measured yet."),
        quality(drawn) if drawn else _empty(NO_FRECHET),
    ]
    return f"""
    <section class="card measured">
      <div class="kl-charts">{"".join(f"<div>{c}</div>" for c in charts)}</div>
      {table(HEADS, map(_row, known))}<p>{escape(_said(known))}</p></section>"""


def _empty(words: str) -> str:
    return f'<p class="card-empty">{escape(words)}</p>'


def tradeoff(known: Sequence[Known]) -> str:
    """Distortion against rate, a point for each model."""
    values = [k.place[1] for k in known]
    spoken = "; ".join(
        f"{k.variant.title}: {k.place[0]:.0f} nats, {k.place[1]:.1f} thousand" for k in known
    )
    drawn = _against_rate(known, values, Axis.upward(values), "distortion, thousands of nats")
    return chart(corner("better: down, left") + drawn, f"Distortion against rate. {spoken}")


def quality(known: Sequence[Known]) -> str:
    """Fréchet distance of samples against rate."""
    values = [k.metrics["frechet"] for k in known]
    floors = sorted({k.metrics["floor"] for k in known if k.metrics.get("floor")})
    up = LogAxis.upward([*values, *floors])
    lines = [level(up.at(f), f"floor {f:.2g}: real portraits against real ones") for f in floors]
    drawn = _against_rate(known, values, up, "Fréchet distance of new faces")
    spoken = "; ".join(
        f"{k.variant.title}: {distance(v)}" for k, v in zip(known, values, strict=True)
    )
    return chart("".join([*lines, corner("better: down"), drawn]), f"Fréchet distance. {spoken}")


def _against_rate(
    known: Sequence[Known], values: Sequence[float], up: Axis | LogAxis, beside: str
) -> str:
    """The axes, and a point for each model, hollow where nobody measured it."""
    across, marks = Axis.across([k.place[0] for k in known]), []
    for k, value in zip(known, values, strict=True):
        cut = "" if k.config.get("reparameterised", True) else ", without the trick"
        name = f"KL weight {k.config['beta']:g}{cut}"
        place = across.at(k.place[0]), up.at(value)
        marks.append(Mark(*place, name, "", k.hue, hollow=not k.measured))
    return axes(across, up, below="rate, nats", beside=beside) + placed(marks)


def training(known: Sequence[Known]) -> str:
    """Rate and distortion over the steps of training, a line for each model."""
    rate = _over_steps(known, RATE, 1, "rate, nats")
    distortion = _over_steps(known, DISTORTION, 1000, "distortion, thousands of nats")
    return f"""
    <section class="card measured">
      <div class="kl-charts"><div>{rate}</div><div>{distortion}</div></div></section>"""


def _over_steps(known: Sequence[Known], name: str, unit: float, beside: str) -> str:
    lines = [[(step, nats / unit) for step, nats in k.curves[name]] for k in known]
    every = [point for line in lines for point in line]
    across = LogAxis.across([step for step, _ in every])
    up = Axis.upward([nats for _, nats in every])
    drawn = axes(across, up, below="training step", beside=beside)
    marks = []
    for k, line in zip(known, lines, strict=True):
        places = [(across.at(step), up.at(nats)) for step, nats in line]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        drawn += f'<path class="line kl-line" style="--hue:{k.hue}" d="M{path}"/>'
        marks.append(Mark(*places[-1], k.variant.title, "", k.hue))
    ends = "; ".join(
        f"{k.variant.title}: {line[-1][1]:.4g}" for k, line in zip(known, lines, strict=True)
    )
    return chart(drawn + placed(marks), f"{beside} over training. At the end, {ends}")


def _row(known: Known) -> tuple[str, ...]:
    error = known.metrics.get("reconstruction_error")  # mean square, in a range of 2
    nats = [known.nats(RATE), known.nats(DISTORTION)]
    frechet = known.metrics.get("frechet")
    return (
        known.variant.title,
        f"{known.config['beta']:g}",
        *("–" if n is None else f"{n:,.0f} <small>nats</small>" for n in nats),
        "–" if error is None else f"{math.sqrt(error) / 2:.1%}",
        "–" if frechet is None else distance(frechet),
    )


def _said(known: Sequence[Known]) -> str:
    """With how many pictures it was measured, and what was not."""
    said = []
    if done := [k for k in known if "samples" in k.metrics]:
        counts = sorted({f"{k.metrics['samples']:,}" for k in done})
        where = sorted({k.metrics["hardware"] for k in done if "hardware" in k.metrics})
        on = f", on {' or '.join(where)}" if where else ""
        said.append(f"Measured with {' or '.join(counts)} new faces{on}.")
    if any(k.place and not k.measured for k in known):
        said.append(FROM_TRAINING)
    if left := [k.variant.name for k in known if "frechet" not in k.metrics]:
        said.append(f"Not measured yet: {', '.join(left)}.")
        said.append(f"python -m gen_core evaluate {left[0]} --write does.")
    return " ".join(said)
