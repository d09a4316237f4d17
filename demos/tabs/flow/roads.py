"""Flow matching's Four roads panel: diffusion with and without fresh noise, flow matching and its
reflow take the same noise to the same data, on the exact field or on networks trained meanwhile."""

from collections.abc import Mapping
from typing import Any

import gradio as gr
import torch

from demos.page.controls import Knob, control
from demos.page.handlers import App
from demos.page.panel import Page, Panel
from demos.page.script import script
from demos.tabs.flow.roads_compared import JUDGED, point_on
from demos.tabs.flow.roads_run import EXACT, FIELDS, METHODS, compare
from demos.tabs.flow.texts import ROADS
from demos.widgets.point_pad import DRAWN, PointsKnob, shown_where_drawn
from demos.widgets.roads import REACH, Roads
from gen_core.data.point_texts import write_points
from gen_core.data.yardstick import RANKED
from gen_core.knobs import KnobError, number, whole
from gen_core.paths import KNOBS, Settings, road
from gen_core.sampling import MAX_SEED

NETWORK = "network"
MOVERS = {"A network, trained now": NETWORK, "The exact field": EXACT}
SETS = {name: name for name in ("moons", "ring", "grid", "spiral")} | {DRAWN: "points"}
SCHEDULES = ("linear", "cosine")
MOST_STEPS = 64
MOST_DROPS = 1000
BUTTON = "Send them off"

# --- a visitor's points ---------------------------------------------------------------------------


def one_point(asked: Any) -> dict[str, Any]:
    """{"roads": for each way its key frames and those of fine steps, as text} from a place.

    asked: {"run": the run, "at": [x, y], "drops": how many points fell before}; fresh noise is
    another for each. Raises KnobError for a run that is no longer kept and for anything but what
    the page asks.
    """
    asked = asked if isinstance(asked, dict) else {}
    at = asked.get("at")
    if not isinstance(at, list) or len(at) != 2:
        raise KnobError("at: give a place of the plane, [x, y]")
    place = [number(name, value, -REACH, REACH) for name, value in zip("xy", at, strict=True)]
    drops = whole("drops", asked.get("drops"), 0, MOST_DROPS)
    known = FIELDS.get(str(asked.get("run")))
    if known is None:
        raise KnobError(f"This run is no longer kept: press {BUTTON} again")
    ways, steps = known
    start, fresh = torch.tensor([place]), [MAX_SEED - drops]
    return {"roads": [point_on(way, start, steps, fresh) for way in ways]}


# --- the panel ------------------------------------------------------------------------------------


def code(k: Mapping[str, Any]) -> str:
    """The lines that take the same roads and measure them."""
    seed = k["seed"]
    return script(
        *fields_lines(k),
        f"start = Noise(range({seed}, {seed + RANKED})).randn(2)",
        "yardstick = Yardstick(load_plane(settings.data, settings.points))",
        f"fresh = Noise(range({seed + RANKED}, {seed + 2 * RANKED}))",
        f'ends = {{"fresh noise": road(diffusion, start, "ancestral", {k["steps"]}, '
        "noise=fresh).end}",
        'for name, field in {"ODE": diffusion, "flow": flow, "reflowed": reflowed}.items():',
        f'    way = road(field, start, "{k["method"]}", {k["steps"]})',
        f"    few, ends[name] = start[:{JUDGED}], way.end",
        f"    error = distance(way.end[:{JUDGED}], reference(field, few))",
        "    print(name, way.evaluations, straightness(field, few), error)",
        "for name, end in ends.items():",
        "    print(name, float(yardstick.wasserstein(end[None])))",
        Settings="gen_core.paths",
    )


def fields_lines(k: Mapping[str, Any]) -> list[str]:
    """Of a script: the three fields."""
    own = {"steps": k["training_steps"], **{name: k[name] for name in ("data", *TRAINED)}}
    changes = {name: v for name, v in own.items() if v != getattr(Settings(), name)}
    written = [f"{name}={value!r}" for name, value in changes.items()]
    if k["data"] == "points":
        written.append(f'points=read_points("{write_points(k["points"])}")')
    listed = ", ".join(written)
    seed, schedule = k["seed"], k["schedule"]
    first = f"settings = Settings({listed})"
    if k["moves"] == EXACT:
        return [
            first,
            "toy = load_plane(settings.data, settings.points).toy",
            f'flow, diffusion = Exact(toy, "straight"), Exact(toy, "{schedule}")',
            f"pairs = pairs_of(flow, {seed})",
            f"reflowed = Training(settings, [{seed}], [pairs]).train().field()",
        ]
    other = f'path="{schedule}", target="v"'
    if k["pairing"] != "independent":
        other += ', pairing="independent"'
    return [
        first,
        f"first = Training(settings, [{seed}]).train()",
        f"second = Training(settings.but({other}), [{seed}]).train()",
        "flow, diffusion = first.field(), second.field()",
        "reflowed = reflow(first).train().field()",
    ]


class RoadsPanel(Panel):
    """Its card may ask for the roads of one more point."""

    def screens(self, page: Page) -> list[gr.components.Component]:
        return [
            Roads(
                elem_id=self.name,
                label=self.shows,
                value=page.first,
                empty=f"Press {self.button}.",
                asked=[page.app.serve(one_point)],
            )
        ]

    def at_first(self, app: App) -> Any:
        """Its fields are not kept on this machine."""
        before = super().at_first(app)
        return before and before | {"run": ""}


TRAINED = {
    "width": {"default": 64, "low": 8, "high": 128, "step": 8, "label": "Network's width"},
    "lr": {"label": "Learning rate"},
    "pairing": {
        "label": "Pairing for flow matching",
        "options": ["independent", "optimal"],
        "names": {},
        "info": "Which noise belongs to which point of data in training; optimal: in small groups, "
        "so that the squared distances have the least sum",
    },
}
"""Settings of a training that a visitor may turn, and how the page names them."""


def training_knobs() -> list[Knob]:
    named = {knob.name: knob for knob in KNOBS}
    return [
        control(named[name], "paths", advanced=True, **changes) for name, changes in TRAINED.items()
    ]


PANEL = RoadsPanel(
    tab="flow",
    id="roads",
    title="Four roads",
    button=BUTTON,
    text=ROADS,
    knobs=[
        Knob("data", "Data set", "choice", "moons", options=[*SETS], names=SETS),
        PointsKnob(),
        Knob(
            "moves",
            "What moves the points",
            "choice",
            next(iter(MOVERS)),
            options=[*MOVERS],
            names=MOVERS,
        ),
        Knob(
            "method",
            "Solver",
            "choice",
            "Euler",
            options=[*METHODS],
            names=METHODS,
            info="For the three roads without fresh noise",
        ),
        Knob("steps", "Steps of the solver", "whole", 8, 1, MOST_STEPS),
        Knob("seed", "Seed", "seed", 0),
        Knob(
            "schedule",
            "Diffusion's schedule",
            "choice",
            SCHEDULES[0],
            options=SCHEDULES,
            advanced=True,
        ),
        Knob(
            "training_steps", "Steps of training", "whole", 1000, 100, 4000, step=100, advanced=True
        ),
        *training_knobs(),
    ],
    run=compare,
    code=code,
    calls=road,
    screen=Roads,
    shows="Four roads from noise to data",
    generates=False,
    after=shown_where_drawn,
)
