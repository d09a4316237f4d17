"""The GAN's Portraits and Style mixing panels: what a style-based generator draws, layer by layer.

A census says how often each value of each attribute is drawn, beside the data. Both counts stand in
checkpoints' cards: the same judge looked at the generator's samples and at the test portraits. No
model is loaded for it.
"""

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch

from demos.page.controls import Knob, control_of
from demos.page.handlers import App
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import sampling, script
from demos.tabs.gan.samples import TAB, meaning
from demos.tabs.gan.texts import CENSUS, HOW_TO_READ, NOT_COUNTED, PARTS, PORTRAITS, STYLES
from demos.widgets.attribute_picker import JUDGE, AttributeKnob, Attributes
from demos.widgets.labelled_grid import Cell, LabelledGrid, LabelledGridValue, Row
from demos.widgets.measured import card, figures_of
from demos.widgets.tiles import Tiles, TilesValue, sample_tiles
from gen_core.classifiers.attributes import TENTHS
from gen_core.data.avatars.schema import CATEGORICAL, CONTINUOUS
from gen_core.families.style_gan import StyleGAN, StyleGANConfig
from gen_core.knobs import whole
from gen_core.sampling import Noise, pixels, seeds_from
from gen_core.training.checkpoint import CheckpointError

MODEL = "gan-avatars"
FACTOR = 2
"""What is drawn less than half or more than twice as often as in the data has a remark."""
NAMED = 3
"""How many of those furthest off the sentence names."""
LEAST = 0.01
"""Ratios below it are not written out."""
MISSING = "missing"
MEAN = "the average portrait", "; only its grain differs"
"""What ψ pulls towards, and what it leaves."""
LAYERS = 2 * len(StyleGANConfig.widths) - 1
"""Of the generator as it is trained: one at 4 by 4, two at each resolution above."""
ROWS, COLUMNS = 3, 4
"""Of the table of mixtures: few enough for it to follow the sliders."""
PSI = control_of(
    StyleGAN, "truncation_psi", info="0 is the average portrait, 1 as trained, more exaggerates"
)


# --- portraits ------------------------------------------------------------------------------------


def draw(
    app: App, *, truncation_psi: float, seed: int, count: int, wish: Attributes
) -> Iterator[TilesValue]:
    """Yields the portraits, as tiles."""
    yield sample_tiles(
        app.model(MODEL),
        seeds_from(seed, count),
        headline=meaning(truncation_psi, *MEAN),
        file=f"{MODEL}-{seed}",
        label=wish,
        truncation_psi=truncation_psi,
    )


def code(k: Mapping[str, Any]) -> str:
    return script(
        f'model = load("{MODEL}")',
        f"attributes = {dict(k['wish'])!r}  # what is left out is drawn at random, from the seed",
        *sampling(k, shape="3, 64, 64", without=("wish",), label="attributes"),
    )


# --- the census -----------------------------------------------------------------------------------


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
    for name in CONTINUOUS:
        low, high = CONTINUOUS[name]
        ends = [low + (high - low) * k / TENTHS for k in range(TENTHS + 1)]
        shown = [f"{end:.1f}".replace("-", "−") for end in ends]
        named[name] = [f"{a} to {b}" for a, b in itertools.pairwise(shown)]
    return named


NAMES = {"shares": CATEGORICAL, "spread": tenths()}
"""Of what stands in a card, by its key there."""
HEADS = ("value", "bars", "generated", "data", "generated over data")


def census(app: App) -> None:
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
      <p class="census-key" aria-hidden="true"><i class="census-drawn"></i> generated
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
        f"{_within(found)} values are drawn about as often as in the data (at least half, at "
        "most twice as often)"
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
    said = f"{drawn['samples']:,} generated portraits, seeds {first} to {last:,}, ψ = {psi:g}, "
    said += f"beside the {real['samples']:,} test portraits"
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


# --- styles ---------------------------------------------------------------------------------------


def mix(
    app: App, *, layers: int, truncation_psi: float, seed: int, column_seed: int
) -> Iterator[LabelledGridValue]:
    """Yields the table."""
    rows = seeds_from(seed, ROWS)
    columns = seeds_from(column_seed, COLUMNS, "column_seed")
    model = app.model(MODEL)
    layers = whole("layers", layers, 0, model.generator.layers)
    started = time.perf_counter()
    table = mixtures(model, rows, columns, layers, truncation_psi)
    took = f"{len(table) * len(table[0])} pictures in {duration(time.perf_counter() - started)}"
    mixed = ((f"Seed {row}", "for the coarse layers") for row in rows)
    titles = [("Not mixed", "the column alone"), *mixed]
    lines = [[Cell(picture, "") for picture in line] for line in table]
    lines[0][0] = Cell(table[0][0], "average portrait")
    yield LabelledGridValue(
        [Row(*title, line) for title, line in zip(titles, lines, strict=True)],
        ["not mixed", *(f"seed {column}" for column in columns)],
        corner="for the fine layers",
        caption=split(model, layers),
        name=f"mixed-styles-{seed}",
        provenance=f"{took} · {app.device_title}",
    )


@torch.inference_mode()
def mixtures(
    model: StyleGAN, rows: Sequence[int], columns: Sequence[int], layers: int, psi: float
) -> np.ndarray:
    """Seeds -> uint8 (1 + R, 1 + C, H, W, 3): what a row and a column give together, the first
    `layers` layers following the row (Karras et al. 2019, figure 3).

    Row 0 and column 0 hold the seeds unmixed, in the corner the average portrait. A layer's noise
    goes with its style, and so does what its seed is asked for.
    """
    noise = Noise([*rows, *columns])
    z = noise.randn(model.config.latent).to(model.device)
    w = model.styles(z, model.wanted(None, noise.seeds), psi)
    w = torch.cat([model.generator.mean_style, w])  # source 0 is the mean, without noise
    sides = model.generator.sides
    sown = [noise.randn(1, side, side).to(model.device) for side in sides]
    noise_maps = [torch.cat([torch.zeros_like(maps[:1]), maps]) for maps in sown]
    from_row, from_column = range(1, 1 + len(rows)), range(1 + len(rows), len(w))
    cells = [(a or b, b or a) for a in (0, *from_row) for b in (0, *from_column)]
    coarse, fine = map(list, zip(*cells, strict=True))
    givers = [coarse if layer < layers else fine for layer in range(len(sides))]
    x = model.generator.synthesize(
        torch.stack([w[giver] for giver in givers], dim=1),
        [maps[giver] for maps, giver in zip(noise_maps, givers, strict=True)],
    )
    return pixels(x).reshape(1 + len(rows), 1 + len(columns), *x.shape[2:], x.shape[1])


def split(model: StyleGAN, layers: int) -> str:
    """Which layers follow whom, in a line."""
    sides, total = model.generator.sides, model.generator.layers
    if layers == 0:
        return "All layers follow the columns: every row is the same."
    if layers == total:
        return "All layers follow the rows: every column is the same."
    first = "layer 1" if layers == 1 else f"layers 1 to {layers}"
    last = f"layer {total}" if layers == total - 1 else f"layers {layers + 1} to {total}"
    return (
        f"From the row: {first}, with maps of up to {sides[layers - 1]} by {sides[layers - 1]} "
        f"pixels. From the column: {last}, up to {sides[-1]} by {sides[-1]}."
    )


def mix_code(k: Mapping[str, Any]) -> str:
    seed, other, layers = k["seed"], k["column_seed"], k["layers"]
    return script(
        f'model = load("{MODEL}")',
        f"rows, columns = range({seed}, {seed + ROWS}), range({other}, {other + COLUMNS})",
        "noise = Noise([*rows, *columns])",
        "z = noise.randn(model.config.latent).to(model.device)",
        "label = model.wanted(None, noise.seeds)  # who each is, at random",
        f"w = model.styles(z, label, truncation_psi={k['truncation_psi']:g})",
        "maps = [noise.randn(1, s, s).to(model.device) for s in model.generator.sides]",
        "",
        "coarse = [i for i in range(len(rows)) for _ in columns]",
        "fine = [len(rows) + j for _ in rows for j in range(len(columns))]",
        f"givers = [coarse if k < {layers} else fine for k in range(model.generator.layers)]",
        "styles = torch.stack([w[giver] for giver in givers], dim=1)  # (N, layers, latent)",
        "noises = [m[giver] for m, giver in zip(maps, givers)]",
        f"# ({ROWS * COLUMNS}, 3, 64, 64), row by row",
        "x = model.generator.synthesize(styles, noises)",
    )


PANEL = Panel(
    tab=TAB,
    id="portraits",
    title="Portraits",
    button="Draw portraits",
    text=PORTRAITS,
    knobs=[
        PSI,
        Knob("seed", "Seed", "seed", 0, fresh=True),
        Knob("count", "Pictures", "whole", 12, 1, 64, advanced=True),
        AttributeKnob("wish", "What all of them should have", "wish", ""),
    ],
    run=draw,
    code=code,
    calls=StyleGAN.frames,
    screen=Tiles,
    shows="Portraits by the generator",
    models=(MODEL,),
    needs=(MODEL,),
    live=("truncation_psi", "wish"),
    further=census,
)

STYLES_PANEL = Panel(
    tab=TAB,
    id="styles",
    title="Style mixing",
    button="Mix them",
    text=STYLES,
    knobs=[
        Knob(
            "layers",
            "Layers from the row",
            "whole",
            3,
            0,
            LAYERS,
            info="How many of the coarsest layers follow the row; the rest follow the column",
        ),
        Knob("seed", "First seed of the rows", "seed", 0),
        Knob("column_seed", "First seed of the columns", "seed", 100),
        PSI,
    ],
    run=mix,
    code=mix_code,
    calls=StyleGAN.styles,
    screen=LabelledGrid,
    shows="Portraits with two styles each",
    models=(MODEL,),
    needs=(MODEL,),
    live=("layers",),
)
