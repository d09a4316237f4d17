"""The Change one thing panel: the same noise and words, and one knob that differs by column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from demos.page.controls import Knob
from demos.page.figures import duration, pixels
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Panel
from demos.sampling.walk import unhurried
from demos.tabs.text_to_image.generate import EXAMPLE, GUIDANCE, ID, MODEL, SOLVERS
from demos.tabs.text_to_image.prompt import MAX_PROMPT, prompt_tools
from demos.tabs.text_to_image.texts import CHANGE
from demos.widgets.labelled_grid import Cell, LabelledGrid, Row, labelled_grid_value
from gen_core.devices import device_title
from gen_core.evaluation.cost import Meter

COLUMNS: dict[str, tuple[str, dict[Any, str]]] = {
    "Guidance": (
        "guidance_scale",
        {1.0: "1: muddled", 3.0: "3", 5.0: "5", 7.5: "7.5", 15.0: "15", 30.0: "30: burnt out"},
    ),
    "Steps": ("steps", {2: "2: unfinished", 5: "5: too few", 10: "10", 20: "20", 40: "40"}),
    "Sampler": ("solver", SOLVERS),
}
"""What a visitor may change: the knob, and its values with what stands above their columns."""
USUAL = {"guidance_scale": GUIDANCE, "steps": 20, "solver": next(iter(SOLVERS))}

KNOBS = [
    Knob("prompt", "Prompt", "text", EXAMPLE, high=MAX_PROMPT),
    Knob("change", "Change", "choice", "Guidance", options=list(COLUMNS)),
    Knob("negative_prompt", "Negative prompt", "text", "", high=MAX_PROMPT, advanced=True),
    Knob("count", "Seeds", "whole", 3, 1, 6),
    Knob("seed", "First seed", "seed", 0),
]


def change_one(
    app: App, *, prompt: str, change: str, negative_prompt: str, count: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Yields the table of seeds (rows) and the changed knob's values, column by column."""
    knob, columns = COLUMNS[change]
    model, seeds = app.model(MODEL), seeds_from(seed, count)
    app.check_work(count, sum((USUAL | {knob: value})["steps"] for value in columns))
    cells: list[list[Cell | None]] = [[None] * len(columns) for _ in seeds]
    seconds = 0.0
    for k, value in enumerate(columns):
        knobs = USUAL | {knob: value, "prompt": prompt, "negative_prompt": negative_prompt}
        meter, last = Meter(model, seeds, **knobs), None
        meter.warm_up()
        for frame in unhurried(meter.frames()):
            last = frame or last
            if frame is None:
                yield gr.skip()
        seconds += meter.seconds
        for row, picture in zip(cells, pixels(last.x), strict=True):
            row[k] = Cell(picture, duration(meter.seconds / count))
        state = "all" if k + 1 == len(columns) else "so far"
        yield labelled_grid_value(
            [Row(f"seed {s}", "", row) for s, row in zip(seeds, cells, strict=True)],
            list(columns.values()),
            corner=change.lower(),
            name=f"{ID}-{knob}",
            provenance=f"{device_title(model.device)} · {duration(seconds)} {state}",
            caption="Every row starts from the same noise. The time is for one picture.",
        )


def code(k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    knob, columns = COLUMNS[k["change"]]
    usual = {name: value for name, value in USUAL.items() if name != knob}
    options = "".join(f"{name}={value!r}, " for name, value in usual.items())
    return f"""
        from gen_core import Noise, final, load

        model = load({MODEL!r})
        pictures = {{}}
        for value in {list(columns)}:
            pictures[value] = final(model.sample(
                Noise(range({k["seed"]}, {k["seed"] + k["count"]})),  # the same noise each time
                prompt={k["prompt"]!r}, negative_prompt={k["negative_prompt"]!r},
                {options}{knob}=value,
            ))  # ({k["count"]}, 3, 64, 64) in [-1, 1]
    """


PANEL = Panel(
    tab=ID,
    id="change",
    title="Change one thing",
    button="Compare",
    text=CHANGE,
    knobs=KNOBS,
    run=change_one,
    code=code,
    calls=change_one,
    screen=LabelledGrid,
    shows="The same noise under several values of one knob",
    models=(MODEL,),
    beneath=prompt_tools,
    made_by=MODEL,
)
