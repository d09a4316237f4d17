"""Diffusion's Compare panel: the same seed under every solver and several step counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demos.page.controls import FASHION, Knob, control_of, labels_for
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Panel
from demos.page.script import sampling, script
from demos.sampling.runs import Contender, race
from demos.tabs.diffusion.texts import COMPARE
from demos.widgets.labelled_grid import LabelledGrid
from gen_core.families.diffusion import Diffusion
from gen_core.solvers import DIFFUSION_SOLVERS, ddim

MODEL = "diffusion-fashion"
COLUMNS = {
    "1-16": (1, 2, 4, 8, 16),
    "5-50": (5, 10, 20, 30, 50),
    "25-200": (25, 50, 100, 200),
}
NOTES = {
    "ddpm": "fresh noise at each step",
    "ddim": "eta = {eta:g}, even times",
    "dpm++2m": "second order",
    "euler": "the same step, most near the end",
    "heun": "second order, asks twice a step",
}
"""What stands beside each solver's name."""
KNOBS = [
    Knob("label", "What to draw", "label", FASHION[8], all_classes=True),
    Knob("columns", "Steps", "choice", "1-16", options=list(COLUMNS)),
    control_of(Diffusion, "guidance_scale"),
    control_of(
        Diffusion, "eta", label="DDIM's eta", info="0 adds no fresh noise, 1 as much as DDPM"
    ),
    Knob("count", "Pictures in a cell", "whole", 1, 1, 9, advanced=True),
    Knob("seed", "Seed", "seed", 2),
]


def compare(
    app: App,
    *,
    label: int | None,
    columns: str,
    guidance_scale: float,
    eta: float,
    count: int,
    seed: int,
) -> Iterator[dict[str, Any]]:
    """Yields the table of solvers (rows) and step counts (columns), cell by cell."""
    steps = COLUMNS[columns]
    app.check_work(count, len(DIFFUSION_SOLVERS) * sum(steps))
    model = app.model(MODEL)
    shared = {"guidance_scale": guidance_scale, "eta": eta}  # all but DDIM leave eta aside
    rows = [
        Contender(solver.label, NOTES[name].format(eta=eta), model, {"solver": name, **shared})
        for name, solver in DIFFUSION_SOLVERS.items()
    ]
    return race(
        rows,
        steps,
        seeds_from(seed, count),
        corner="steps",
        name="diffusion-compare",
        label=labels_for(label, count),
    )


def code(k: Mapping[str, Any]) -> str:
    drawn = sampling(
        k,
        "pictures[solver, steps] = final",
        without=("columns",),
        indent=8,
        shape="1, 28, 28",
        steps="steps",
        solver="solver",
    )
    return script(
        f'model = load("{MODEL}")',
        "pictures = {}",
        f"for solver in {list(DIFFUSION_SOLVERS)}:",
        f"    for steps in {COLUMNS[k['columns']]}:  # the same noise each time",
        *drawn,
    )


PANEL = Panel(
    tab="diffusion",
    id="compare",
    title="Compare solvers",
    button="Compare",
    text=COMPARE,
    knobs=KNOBS,
    run=compare,
    code=code,
    calls=ddim,
    screen=LabelledGrid,
    shows="The same noise under five solvers",
    models=(MODEL,),
)
