"""The Between two and Mix panels: a walk from face to face, four corners as a grid, A - B + C, and
variations of one face."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from demos.page.controls import Knob
from demos.page.handlers import App
from demos.page.panel import Panel
from demos.page.script import script
from demos.tabs.latent_space.models import (
    PORTRAITS,
    TAB,
    UNSEEN_FROM,
    FaceInput,
    numbered,
    portrait,
    portrait_code,
)
from demos.tabs.latent_space.texts import BETWEEN, MIX
from demos.tabs.vae.interpolate import COUNT, WalkPanel, walk_code, walks
from demos.widgets.labelled_grid import Cell, LabelledGrid, LabelledGridValue, Row
from demos.widgets.timeline import Timeline
from gen_core.families.vae import VAE
from gen_core.latent.interpolation import four_corners, spherical
from gen_core.sampling import Noise, pixels

FIRST = {"a": 3, "b": 11, "c": 14, "d": 2}
"""The portraits at first."""
CORNERS, SUM, VARIATIONS = "Four corners", "A − B + C", "Variations of A"
USED = {CORNERS: "abcd", SUM: "abc", VARIATIONS: "a"}
"""The portraits that each looks at."""
SIDE = 6
"""Pictures along each side of the grid."""
SHARES = (0.0, 0.5, 1.0, 1.5)
"""How much of A - B is added to C."""
VARIED, AMOUNTS = 7, (0.25, 0.5, 1.0, 1.5)
"""Variations in a row, and the rows: parts of the strength."""


# --- between two ----------------------------------------------------------------------------------


def walk(
    app: App, start: FaceInput, end: FaceInput, /, *, count: int, **settings: Any
) -> Iterator[dict[str, Any]]:
    """Yields the walk from one chosen face to the other."""
    vae, faces = app.model(PORTRAITS), []
    for source in (start, end):
        brought = (settings.get(f"{source.prefix}{part}") for part in ("drawing", "upload"))
        faces.append(source.read(*brought, settings))
    yield walks(vae, *(face.z[0].to(vae.device) for face in faces), count) | {
        "ends": tuple(face.name for face in faces)
    }


BETWEEN_PANEL = WalkPanel(
    tab=TAB,
    id="between",
    title="Between two",
    button="Walk",
    text=BETWEEN,
    knobs=[
        functools.partial(
            FaceInput, title="From", prefix="from_", which="First", number=FIRST["a"]
        ),
        functools.partial(FaceInput, title="To", prefix="to_", which="Second", number=FIRST["b"]),
        COUNT,
    ],
    run=walk,
    code=lambda start, end, k: walk_code(
        PORTRAITS, start.code(k, "z_a"), end.code(k, "z_b"), k["count"], "3, 64, 64"
    ),
    calls=spherical,
    screen=Timeline,
    shows="Walk from one face to another",
    file=f"{TAB}-between",
    models=(PORTRAITS,),
    seeds=(UNSEEN_FROM + FIRST["a"], UNSEEN_FROM + FIRST["b"]),
)


# --- mix ------------------------------------------------------------------------------------------


def draw(
    app: App, *, what: str, a: int, b: int, c: int, d: int, strength: float, seed: int
) -> Iterator[LabelledGridValue]:
    """Yields the table."""
    numbers = (a, b, c, d)[: len(USED[what])]
    codes = torch.cat([numbered(app, number).z for number in numbers])
    if what == CORNERS:
        rows, columns, corner, caption = _corners(app, codes, numbers)
    elif what == SUM:
        rows, columns, corner, caption = _sum(app, codes, numbers)
    else:
        rows, columns, corner, caption = _variations(app, codes, a, strength, seed)
    yield LabelledGridValue(
        rows,
        columns,
        corner=corner,
        caption=caption,
        name="mixed-faces",
        provenance=app.device_title,
    )


Table = tuple[list[Row], list[str], str, str]
"""Rows, the titles of the columns, the corner's and the caption."""


@torch.inference_mode()
def _decoded(app: App, z: Tensor, titles: Sequence[str]) -> list[Cell]:
    """(N, latent) and what stands below each -> N cells."""
    vae = app.model(PORTRAITS)
    pictures = pixels(vae.decode(z.to(vae.device)))
    return [Cell(picture, title) for picture, title in zip(pictures, titles, strict=True)]


def _corners(app: App, corners: Tensor, numbers: Sequence[int]) -> Table:
    last = SIDE - 1
    places = [(0, 0), (0, last), (last, 0), (last, last)]
    named = {p: f"{x}: {n}" for p, x, n in zip(places, "ABCD", numbers, strict=True)}
    titles = [named.get((y, x), "") for y in range(SIDE) for x in range(SIDE)]
    cells = _decoded(app, four_corners(corners, SIDE).flatten(0, 1), titles)
    heads = ["A and B", *[""] * (SIDE - 2), "C and D"]
    rows = [Row(head, "", cells[y * SIDE : (y + 1) * SIDE]) for y, head in enumerate(heads)]
    columns = ["", *[f"{x / last:.0%}" for x in range(1, last)], ""]
    return rows, columns, "A to B →", "Every picture mixes the codes of the corners."


def _sum(app: App, codes: Tensor, numbers: Sequence[int]) -> Table:
    a, b, c = codes
    real = zip(numbers, "ABC", strict=True)
    blank = [None] * (len(SHARES) - 3)
    sums = _decoded(
        app, torch.stack([c + s * (a - b) for s in SHARES]), [f"s = {s:g}" for s in SHARES]
    )
    rows = [
        Row(
            "The portraits",
            "A, B and C, as drawn",
            [*(Cell(pixels(portrait(n))[0], f"{x}: {n}") for n, x in real), *blank],
        ),
        Row("Their codes", "decoded again", [*_decoded(app, codes, "ABC"), *blank]),
        Row("C + s (A − B)", "what A has and B has not, given to C", sums),
    ]
    return rows, [""] * len(SHARES), "", "With s = 1 it is A − B + C; more exaggerates."


def _variations(app: App, a: Tensor, number: int, strength: float, seed: int) -> Table:
    noise = Noise(range(seed, seed + VARIED)).randn(a.shape[1])
    titles = ["A", *(f"seed {seed + k}" for k in range(VARIED))]
    rows = [
        Row(
            f"± {strength * amount:.2g}",
            "strength of the noise",
            _decoded(app, torch.cat([a, a + strength * amount * noise]), titles),
        )
        for amount in AMOUNTS
    ]
    columns = [f"portrait {number}", *[""] * VARIED]
    return rows, columns, "", "The same noise in every row, wider from row to row."


def code(k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    body = [line for x in USED[k["what"]] for line in portrait_code(k[x], f"z_{x}")]
    if k["what"] == CORNERS:
        body.append("corners = torch.cat([z_a, z_b, z_c, z_d])")
        last = f"model.decode(four_corners(corners, {SIDE}).flatten(0, 1))"
    elif k["what"] == SUM:
        last = "model.decode(z_c + (z_a - z_b))"
    else:
        seeds = f"range({k['seed']}, {k['seed'] + VARIED})"
        body.append(f"noise = Noise({seeds}).randn(model.config.latent)")
        last = f"model.decode(z_a + {k['strength']:g} * noise.to(model.device))"
    return script(f'model = load("{PORTRAITS}")', *body, f"x = {last}  # (N, 3, 64, 64)")


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
