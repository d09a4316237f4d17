"""The Mix panel: four corners as a grid, A - B + C, and variations of one face."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from demos.page.controls import Knob
from demos.page.figures import pixels
from demos.page.handlers import App
from demos.page.panel import Panel
from demos.page.script import LOAD, TORCH, script
from demos.tabs.latent_space.faces import numbered, portrait_code
from demos.tabs.latent_space.models import PORTRAITS, TAB, portrait
from demos.tabs.latent_space.texts import MIX
from demos.widgets.labelled_grid import Cell, LabelledGrid, Row, labelled_grid_value
from gen_core import Noise
from gen_core.devices import device_title
from gen_core.families.vae import VAE
from gen_core.latent.interpolation import four_corners

CORNERS, SUM, VARIATIONS = "Four corners", "A − B + C", "Variations of A"
USED = {CORNERS: "abcd", SUM: "abc", VARIATIONS: "a"}
"""The portraits that each looks at."""
SIDE = 6
"""Pictures along each side of the grid."""
SHARES = (0.0, 0.5, 1.0, 1.5)
"""How much of A - B is added to C."""
VARIED, AMOUNTS = 7, (0.25, 0.5, 1.0, 1.5)
"""Variations in a row, and the rows: parts of the strength."""


def draw(
    app: App, *, what: str, a: int, b: int, c: int, d: int, strength: float, seed: int
) -> Iterator[dict[str, Any]]:
    """Yields the table, as `labelled_grid_value` gives it."""
    numbers = (a, b, c, d)[: len(USED[what])]
    codes = [numbered(app, number).z for number in numbers]
    if what == CORNERS:
        yield _corners(app, torch.cat(codes), numbers)
    elif what == SUM:
        yield _sum(app, *codes, numbers)
    else:
        yield _variations(app, *codes, a, strength, seed)


@torch.inference_mode()
def _decoded(app: App, z: Tensor) -> Any:
    """(N, latent) -> uint8 (N, H, W, 3)"""
    vae = app.model(PORTRAITS)
    return pixels(vae.decode(z.to(vae.device)))


def _corners(app: App, corners: Tensor, numbers: tuple[int, ...]) -> dict[str, Any]:
    pictures = _decoded(app, four_corners(corners, SIDE).flatten(0, 1))
    a, b, c, d = numbers
    at = {0: f"A: {a}", SIDE - 1: f"B: {b}"}, {0: f"C: {c}", SIDE - 1: f"D: {d}"}
    rows = []
    for y in range(SIDE):
        named = at[0] if y == 0 else at[1] if y == SIDE - 1 else {}
        line = pictures[y * SIDE : (y + 1) * SIDE]
        cells = [Cell(picture, named.get(x, "")) for x, picture in enumerate(line)]
        rows.append(Row("from A, B" if y == 0 else "to C, D" if y == SIDE - 1 else "", "", cells))
    columns = ["", *[f"{x / (SIDE - 1):.0%}" for x in range(1, SIDE - 1)], ""]
    return _table(app, rows, columns, "A to B →", "Every picture mixes the codes of the corners.")


def _sum(app: App, a: Tensor, b: Tensor, c: Tensor, numbers: tuple[int, ...]) -> dict[str, Any]:
    codes = torch.cat([c + share * (a - b) for share in SHARES])
    real = [pixels(portrait(number))[0] for number in numbers]
    again = _decoded(app, torch.cat([a, b, c]))
    sums = _decoded(app, codes)
    blank = [None] * (len(SHARES) - 3)
    rows = [
        Row(
            "The portraits",
            "A, B and C, as drawn",
            [*(Cell(p, f"{x}: {n}") for p, x, n in zip(real, "ABC", numbers, strict=True)), *blank],
        ),
        Row(
            "Their codes",
            "decoded again",
            [*(Cell(picture, x) for picture, x in zip(again, "ABC", strict=True)), *blank],
        ),
        Row(
            "C + s (A − B)",
            "what A has and B has not, given to C",
            [Cell(p, f"s = {s:g}") for p, s in zip(sums, SHARES, strict=True)],
        ),
    ]
    told = "With s = 1 it is A − B + C; more exaggerates."
    return _table(app, rows, [""] * len(SHARES), "", told)


def _variations(app: App, a: Tensor, number: int, strength: float, seed: int) -> dict[str, Any]:
    noise = Noise(range(seed, seed + VARIED)).randn(a.shape[1])
    rows = []
    for amount in AMOUNTS:
        pictures = _decoded(app, torch.cat([a, a + strength * amount * noise]))
        words = ["A", *(f"seed {seed + k}" for k in range(VARIED))]
        cells = [Cell(picture, word) for picture, word in zip(pictures, words, strict=True)]
        rows.append(Row(f"± {strength * amount:.2g}", "width of the noise", cells))
    told = "The same noise in every row, wider from row to row."
    return _table(app, rows, [f"portrait {number}", *[""] * VARIED], "", told)


def _table(
    app: App, rows: list[Row], columns: list[str], corner: str, caption: str
) -> dict[str, Any]:
    return labelled_grid_value(
        rows,
        columns,
        corner=corner,
        caption=caption,
        name="mixed-faces",
        provenance=device_title(app.device),
    )


def code(k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    given = [portrait_code(k[x], f"z_{x}") for x in USED[k["what"]]]
    needs, body = [LOAD, TORCH, *given[0].needs], [line for lines in given for line in lines.body]
    if k["what"] == CORNERS:
        needs.append(("gen_core.latent.interpolation", "four_corners"))
        body.append("corners = torch.cat([z_a, z_b, z_c, z_d])")
        last = f"model.decode(four_corners(corners, {SIDE}).flatten(0, 1))"
    elif k["what"] == SUM:
        last = "model.decode(z_c + (z_a - z_b))"
    else:
        needs.append(("gen_core", "Noise"))
        seed = k["seed"]
        body.append(f"noise = Noise(range({seed}, {seed + VARIED})).randn(model.config.latent)")
        last = f"model.decode(z_a + {k['strength']:g} * noise.to(model.device))"
    return script(needs, f'model = load("{PORTRAITS}")', *body, f"x = {last}  # (N, 3, 64, 64)")


FIRST = {"a": 3, "b": 11, "c": 14, "d": 2}
"""The portraits at first."""
PANEL = Panel(
    tab=TAB,
    id="mix",
    title="Mix",
    button="Mix them",
    text=MIX,
    knobs=[
        Knob("what", "What to do", "choice", CORNERS, options=[CORNERS, SUM, VARIATIONS]),
        *(Knob(x, f"Portrait {x.upper()}", "seed", number) for x, number in FIRST.items()),
        Knob("strength", "Strength of variations", "number", 0.7, 0, 2),
        Knob("seed", "Seed of variations", "seed", 0, advanced=True),
    ],
    run=draw,
    code=code,
    calls=VAE.decode,
    screen=LabelledGrid,
    shows="Mixed faces",
    models=(PORTRAITS,),
    live=("strength",),
)
