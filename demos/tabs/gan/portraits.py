"""The GAN's Portraits and Mix styles panels: what a style-based generator draws, layer by layer."""

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

from demos.page.controls import Knob, control_of
from demos.page.figures import duration, pixels
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Panel
from demos.page.sample_tiles import one_pass
from demos.page.script import sampling, script
from demos.tabs.gan import census
from demos.tabs.gan.census import MODEL
from demos.tabs.gan.samples import TAB, meaning
from demos.tabs.gan.texts import PORTRAITS, STYLES
from demos.widgets.attribute_picker import Wish, WishKnob
from demos.widgets.labelled_grid import Cell, LabelledGrid, Row, labelled_grid_value
from demos.widgets.latent_sliders import unaided_thread
from demos.widgets.tiles import Tiles
from gen_core import Noise
from gen_core.checks import KnobError, whole
from gen_core.devices import device_title
from gen_core.families.style_gan import StyleGAN, StyleGANConfig
from gen_core.noise import MAX_SEED

MEAN = "the mean portrait", "; only its grain differs"
"""What ψ pulls towards, and what it leaves."""
LAYERS = 2 * len(StyleGANConfig.widths) - 1
"""Of the generator as it is trained: one at 4 by 4, two at each resolution above."""
ROWS, COLUMNS = 3, 4
"""Of the table of mixtures: few enough for it to follow the sliders."""
PSI = control_of(
    StyleGAN, "truncation_psi", info="0 is the mean portrait, 1 as trained, more exaggerates"
)


@functools.cache
def alone() -> ThreadPoolExecutor:
    """One for both panels and all visitors: runs take turns anyway."""
    return unaided_thread()


def unaided(work: Callable[..., Any], *args: Any, **knobs: Any) -> Any:
    """What work(...) returns, computed by a thread that waits for no other core."""
    return alone().submit(work, *args, **knobs).result()


# --- portraits ------------------------------------------------------------------------------------


def draw(
    app: App, *, truncation_psi: float, seed: int, count: int, wish: Wish
) -> Iterator[dict[str, Any]]:
    """Yields the portraits, as `tiles_value` gives them."""
    yield unaided(
        one_pass,
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


# --- styles ---------------------------------------------------------------------------------------


def mix(
    app: App, *, layers: int, truncation_psi: float, seed: int, column_seed: int
) -> Iterator[dict[str, Any]]:
    """Yields the table, as `labelled_grid_value` gives it."""
    rows, columns = seeds_from(seed, ROWS), column_seeds(column_seed)
    model = app.model(MODEL)
    layers = whole("layers", layers, 0, model.generator.layers)
    started = time.perf_counter()
    table = unaided(mixtures, model, rows, columns, layers, truncation_psi)
    took = f"{len(table) * len(table[0])} pictures in {duration(time.perf_counter() - started)}"
    titles = [("Itself", "unmixed"), *((f"Seed {row}", "for the coarse layers") for row in rows)]
    lines = [[Cell(picture, "") for picture in line] for line in table]
    lines[0][0] = Cell(table[0][0], "mean portrait")
    yield labelled_grid_value(
        [Row(*title, line) for title, line in zip(titles, lines, strict=True)],
        ["itself", *(f"seed {column}" for column in columns)],
        corner="for the fine layers",
        caption=split(model, layers),
        name=f"mixed-styles-{seed}",
        provenance=f"{took} · {unaided(device_title, model.device)}",
    )


def column_seeds(first: int) -> range:
    """The seeds of the columns; raises KnobError where there are no more."""
    if first + COLUMNS - 1 > MAX_SEED:
        last = MAX_SEED - COLUMNS + 1
        raise KnobError(f"column_seed={first}: choose 0 to {last}, so that all have one")
    return range(first, first + COLUMNS)


@torch.inference_mode()
def mixtures(
    model: StyleGAN, rows: Sequence[int], columns: Sequence[int], layers: int, psi: float
) -> np.ndarray:
    """Seeds -> uint8 (1 + R, 1 + C, H, W, 3): what a row and a column give together, the first
    `layers` layers following the row (Karras et al. 2019, figure 3).

    Row 0 and column 0 hold the seeds unmixed, and in the corner the mean portrait. A layer's noise
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
    x = model.generator.paint(
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
        "label = model.wanted(None, noise.seeds)  # who each is, by lot",
        f"w = model.styles(z, label, truncation_psi={k['truncation_psi']:g})",
        "maps = [noise.randn(1, s, s).to(model.device) for s in model.generator.sides]",
        "",
        "coarse = [i for i in range(len(rows)) for _ in columns]",
        "fine = [len(rows) + j for _ in rows for j in range(len(columns))]",
        f"givers = [coarse if k < {layers} else fine for k in range(model.generator.layers)]",
        "styles = torch.stack([w[giver] for giver in givers], dim=1)  # (N, layers, latent)",
        "noises = [m[giver] for m, giver in zip(maps, givers)]",
        f"x = model.generator.paint(styles, noises)  # ({ROWS * COLUMNS}, 3, 64, 64), row by row",
    )


PANEL = Panel(
    tab=TAB,
    id="portraits",
    title="Portraits",
    button="Draw portraits",
    text=PORTRAITS,
    knobs=[
        PSI,
        Knob("seed", "Seed", "seed", 0),
        Knob("count", "Pictures", "whole", 12, 1, 64, advanced=True),
        WishKnob("wish", "What all of them shall have", "wish", ""),
    ],
    run=draw,
    code=code,
    calls=StyleGAN.frames,
    screen=Tiles,
    shows="Portraits by the generator",
    models=(MODEL,),
    needs=(MODEL,),
    live=("truncation_psi", "wish"),
    further=census.build,
)

STYLES_PANEL = Panel(
    tab=TAB,
    id="styles",
    title="Mix styles",
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
            info="From the coarsest on; the rest follow the column",
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
