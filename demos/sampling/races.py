"""The same noise under several samplers, as a table that fills cell by cell: Diffusion's Compare
solvers panel and flow matching's Few steps panel."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demos.page.controls import ALL_CLASSES, FASHION, Knob, control_of, labels_for
from demos.page.handlers import App, watch
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import sampling, script
from demos.sampling.texts import COMPARE, FEW_STEPS
from demos.widgets.labelled_grid import Cell, LabelledGrid, LabelledGridValue, Row
from gen_core.data.images import grid
from gen_core.families.diffusion import Diffusion
from gen_core.family import Family
from gen_core.sampling import Meter, seeds_from
from gen_core.solvers import DIFFUSION_SOLVERS, ddim, flow_euler

FLOW, DIFFUSION = "flow-fashion", "diffusion-fashion"


@dataclass(frozen=True)
class Contender:
    """One row: a model and the knobs that stay the same along it."""

    title: str
    note: str
    model: Family
    knobs: Mapping[str, Any]


def race(
    app: App,
    contenders: Sequence[Contender],
    steps: Sequence[int],
    seeds: Sequence[int],
    *,
    corner: str,
    name: str,
    label: int | list[int],
) -> Iterator[Any]:
    """Yields the table after each cell; every cell starts from the same noise.

    Rows are the contenders, columns the step counts; a cell shows its pictures side by side and
    what they took. Between cells come skips, at which the run can be stopped.
    """
    cells: list[list[Cell | None]] = [[None] * len(steps) for _ in contenders]
    many = "its one picture" if len(seeds) == 1 else f"its {len(seeds)} pictures together"
    seconds = 0.0
    for k, column in enumerate(steps):
        for i, contender in enumerate(contenders):
            meter = Meter(contender.model, seeds, label=label, steps=column, **contender.knobs)
            if not k:  # all columns have batches of the same size
                meter.warm_up()
            x = yield from watch(meter)
            seconds += meter.seconds
            cells[i][k] = Cell(grid(x, scale=1, gap=1), duration(meter.seconds))
            done = k + 1 == len(steps) and i + 1 == len(contenders)
            state = f"all in {duration(seconds)}" if done else f"{duration(seconds)} so far"
            yield LabelledGridValue(
                [Row(c.title, c.note, row) for c, row in zip(contenders, cells, strict=True)],
                [str(n) for n in steps],
                corner=corner,
                name=name,
                provenance=f"{app.device_title} · {state}",
                caption=f"The time under a cell is for {many}.",
            )


def cell_code(k: Mapping[str, Any], row: str, **changes: Any) -> list[str]:
    """The lines that draw one cell, within two loops; row: the variable that names its row."""
    into, shape = f"pictures[{row}, steps] = final", "1, 28, 28"
    return sampling(k, into, shape=shape, indent=8, steps="steps", solver="solver", **changes)


# --- compare solvers ------------------------------------------------------------------------------

COLUMNS = {
    "1-16": (1, 2, 4, 8, 16),
    "5-50": (5, 10, 20, 30, 50),
    "25-200": (25, 50, 100, 200),
}
NOTES = {
    "ddpm": "fresh noise at each step",
    "ddim": "eta = {eta:g}, steps even in time",
    "dpm++2m": "second order, also uses the step before",
    "euler": "as DDIM, but most steps near the end",
    "heun": "second order, two evaluations per step",
}
"""What stands beside each solver's name."""


def compare(
    app: App,
    *,
    label: int | None,
    columns: str,
    guidance_scale: float,
    eta: float,
    count: int,
    seed: int,
) -> Iterator[Any]:
    """Yields the table of solvers (rows) and step counts (columns), cell by cell."""
    steps = COLUMNS[columns]
    app.check_work(count, len(DIFFUSION_SOLVERS) * sum(steps))
    model = app.model(DIFFUSION)
    shared = {"guidance_scale": guidance_scale, "eta": eta}  # all but DDIM leave eta aside
    rows = [
        Contender(solver.label, NOTES[name].format(eta=eta), model, {"solver": name, **shared})
        for name, solver in DIFFUSION_SOLVERS.items()
    ]
    return race(
        app,
        rows,
        steps,
        seeds_from(seed, count),
        corner="steps",
        name="diffusion-compare",
        label=labels_for(label, count),
    )


def compare_code(k: Mapping[str, Any]) -> str:
    return script(
        f'model = load("{DIFFUSION}")',
        "pictures = {}",
        f"for solver in {list(DIFFUSION_SOLVERS)}:",
        f"    for steps in {COLUMNS[k['columns']]}:  # the same noise each time",
        *cell_code(k, "solver", without=("columns",)),
    )


COMPARE_PANEL = Panel(
    tab="diffusion",
    id="compare",
    title="Compare solvers",
    button="Compare",
    text=COMPARE,
    knobs=[
        Knob("label", "What to draw", "label", FASHION[8], all_classes=True),
        Knob("columns", "Steps", "choice", "1-16", options=list(COLUMNS)),
        control_of(Diffusion, "guidance_scale"),
        control_of(
            Diffusion, "eta", label="DDIM's eta", info="0 adds no fresh noise, 1 as much as DDPM"
        ),
        Knob("count", "Pictures in a cell", "whole", 1, 1, 9, advanced=True),
        Knob("seed", "Seed", "seed", 2),
    ],
    run=compare,
    code=compare_code,
    calls=ddim,
    screen=LabelledGrid,
    shows="The same noise under five solvers",
    models=(DIFFUSION,),
)


# --- few steps ------------------------------------------------------------------------------------

EVALUATIONS = (1, 2, 4, 8, 16, 32)
RIVALS = {"DDIM": "ddim", "DPM-Solver++(2M)": "dpm++2m"}


def few_steps(app: App, *, label: int | None, rival: str, count: int, seed: int) -> Iterator[Any]:
    """Yields the table: flow matching above, diffusion below, evaluations from left to right.

    Without guidance (scale 1), so that each step of either asks its network exactly once.
    """
    app.check_work(count, 2 * sum(EVALUATIONS))
    flow, diffusion = (app.model(name) for name in (FLOW, DIFFUSION))
    rows = [
        Contender("Flow matching", "Euler", flow, {"solver": "euler"}),
        Contender("Diffusion", rival, diffusion, {"solver": RIVALS[rival]}),
    ]
    return race(
        app,
        rows,
        EVALUATIONS,
        seeds_from(seed, count),
        corner="network evaluations",
        name="few-steps",
        label=labels_for(label, count),
    )


def few_steps_code(k: Mapping[str, Any]) -> str:
    solvers = [(FLOW, "euler"), (DIFFUSION, RIVALS[k["rival"]])]
    return script(
        "pictures = {}",
        f"for name, solver in {solvers}:",
        "    model = load(name)",
        f"    for steps in {EVALUATIONS}:  # without guidance, a step is one evaluation",
        *cell_code(k, "name", without=("rival",), guidance_scale="1.0"),
    )


FEW_STEPS_PANEL = Panel(
    tab="flow",
    id="few",
    title="Few steps",
    button="Race",
    text=FEW_STEPS,
    knobs=[
        Knob("label", "What to draw", "label", ALL_CLASSES, all_classes=True),
        Knob("rival", "Diffusion's solver", "choice", "DDIM", options=list(RIVALS)),
        Knob("count", "Pictures in a cell", "whole", 9, 1, 16, advanced=True),
        Knob("seed", "Seed", "seed", 0),
    ],
    run=few_steps,
    code=few_steps_code,
    calls=flow_euler,
    screen=LabelledGrid,
    shows="Flow matching and diffusion with few network evaluations",
    models=(FLOW, DIFFUSION),
)
