"""Flow matching's Few steps panel: how good is the picture after 1, 2, 4, ... evaluations?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demos.page.controls import ALL_CLASSES, Knob, labels_for
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Panel
from demos.page.script import sampling, script
from demos.sampling.runs import Contender, race
from demos.tabs.flow.texts import FEW_STEPS
from demos.widgets.labelled_grid import LabelledGrid
from gen_core.solvers import flow_euler

EVALUATIONS = (1, 2, 4, 8, 16, 32)
MODELS = ("flow-fashion", "diffusion-fashion")
RIVALS = {"DDIM": "ddim", "DPM-Solver++(2M)": "dpm++2m"}

KNOBS = [
    Knob("label", "What to draw", "label", ALL_CLASSES, all_classes=True),
    Knob("rival", "Diffusion's solver", "choice", "DDIM", options=list(RIVALS)),
    Knob("count", "Pictures in a cell", "whole", 9, 1, 16, advanced=True),
    Knob("seed", "Seed", "seed", 0),
]


def few_steps(
    app: App, *, label: int | None, rival: str, count: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Yields the table: flow matching above, diffusion below, evaluations from left to right.

    Without guidance (scale 1), so that each step of either asks its network exactly once.
    """
    app.check_work(count, 2 * sum(EVALUATIONS))
    flow, diffusion = (app.model(name) for name in MODELS)
    rows = [
        Contender("Flow matching", "Euler", flow, {"solver": "euler"}),
        Contender("Diffusion", rival, diffusion, {"solver": RIVALS[rival]}),
    ]
    return race(
        rows,
        EVALUATIONS,
        seeds_from(seed, count),
        corner="network evaluations",
        name="few-steps",
        label=labels_for(label, count),
    )


def code(k: Mapping[str, Any]) -> str:
    drawn = sampling(
        k,
        "pictures[name, steps] = final",
        without=("rival",),
        indent=8,
        shape="1, 28, 28",
        steps="steps",
        guidance_scale="1.0",
        solver="solver",
    )
    return script(
        "pictures = {}",
        f'for name, solver in [("{MODELS[0]}", "euler"), ("{MODELS[1]}", "{RIVALS[k["rival"]]}")]:',
        "    model = load(name)",
        f"    for steps in {EVALUATIONS}:  # without guidance, a step is one evaluation",
        *drawn,
    )


PANEL = Panel(
    tab="flow",
    id="few",
    title="Few steps",
    button="Race",
    text=FEW_STEPS,
    knobs=KNOBS,
    run=few_steps,
    code=code,
    calls=flow_euler,
    screen=LabelledGrid,
    shows="Flow matching and diffusion with few network evaluations",
    models=MODELS,
)
