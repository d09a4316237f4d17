"""Two small tabs with everything a tab can have: what the tests of the shell drive."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from demos.page.controls import Knob, Knobs
from demos.page.explain import Explanation, code_panel, explanation
from demos.page.handlers import App
from demos.page.panel import Panel, controls, results
from demos.page.runs import buttons, compared, run_state, together
from demos.page.tab import Tab
from gen_core import Noise
from gen_core.progress import Progress
from gen_core.training.checkpoint import load

TEXT = Explanation(
    sentence="A made-up model, for the tests alone: it turns numbers into grey.",
    paragraph="It has **no** parameters and learns nothing.",
    formula=r"x_t = (1 - t)\, x_0 + t\, x_1",
    symbols=[("x_t", "the state at time $t$"), ("x_0", "noise"), ("x_1", "data")],
    source="Lipman et al. 2023, eq. 22",
)

TRAINED = ["flow-fashion", "vae-fashion"]
"""As if they had drawn."""


def lines(knobs: dict[str, Any]) -> str:
    return f"""
        steps = {knobs["steps"]}
        print(steps * {knobs["count"]})
    """


BEGUN: list[int] = []
"""The steps of every run of `work`."""
HURRY = threading.Event()


@contextlib.contextmanager
def hurry() -> Iterator[None]:
    """Meanwhile `work` takes no time: for who has seen that a run is under way, and now needs its
    end alone."""
    HURRY.set()
    try:
        yield
    finally:
        HURRY.clear()


def work(steps: int, count: int, **knobs: Any) -> Iterator[Any]:
    """Takes 20 ms a step, says so, and ends with a picture as grey as `count` says."""
    BEGUN.append(steps)
    for step in range(steps):
        HURRY.wait(0.02)
        yield Progress("Step", step + 1, steps)
    yield np.full((32, 32), count, np.uint8), f"{steps} steps, {knobs['solver']}"


@dataclass(frozen=True, kw_only=True)
class Built(Panel):
    """A panel whose page is put together by hand."""

    put: Callable[[App], None]

    def build(self, app: App) -> list[Any]:
        self.put(app)
        return []


def built(tab: str, panel: str, put: Callable[[App], None]) -> Built:
    """put(app) fills the panel."""
    return Built(tab=tab, id=panel, title=panel.capitalize(), text=TEXT, run=work, put=put)


def _draw(app: App) -> None:
    explanation(TEXT, "Draw")
    knobs = app.add(
        Knobs(
            "first",
            "draw",
            [
                Knob("label", "Class", "label", "Bag", all_classes=True),
                Knob("steps", "Steps", "whole", 20, 1, 1000, info="More steps, finer result."),
                Knob("count", "Pictures", "whole", 4, 1, 64),
                Knob(
                    "guidance_scale",
                    "Guidance scale",
                    "number",
                    1.0,
                    0,
                    20,
                    step=0.1,
                    advanced=True,
                ),
                Knob(
                    "solver", "Solver", "choice", "euler", options=["euler", "heun", "ddim", "ddpm"]
                ),
                Knob("smooth", "Smooth", "flag", False, advanced=True),
                Knob("seed", "Seed", "seed", 0),
            ],
        )
    )
    with gr.Row():
        with controls():
            go, stop = buttons("Draw pictures", "first-draw")
            knobs.build()
        with results():
            state = run_state("first-draw")
            picture = gr.Image(
                type="numpy",
                format="png",
                interactive=False,
                label="Pictures",
                buttons=["download", "fullscreen"],
            )
            note = gr.Textbox(label="What happened", elem_id="first-note")
    app.on(go.click, work, knobs, [picture, note], api_name="work", stop=stop, state=state)
    code_panel(knobs, lines, Noise.randn, together([compared(state, knobs)]), TRAINED)


def _break(app: App) -> None:
    knobs = app.add(
        Knobs(
            "first",
            "break",
            [Knob("how", "How", "choice", "weights", options=["weights", "bug", "own"])],
        )
    )
    with gr.Row():
        with controls():
            go, _ = buttons("Break something", "first-break")
            knobs.build()
        with results():
            state = run_state("first-break")
            note = gr.Textbox(label="Never filled")
    app.on(go.click, broken, knobs, note, api_name="broken", state=state)


def broken(how: str) -> str:
    if how == "weights":
        load("no-such-model")
    if how == "own":
        raise gr.Error("A message of the tab's own")
    raise ZeroDivisionError("a secret of the server")


def _answer(app: App) -> None:
    gr.Markdown("Nothing but one knob.")
    knobs = app.add(Knobs("second", "only", [Knob("steps", "Steps", "whole", 5, 1, 50)]))
    knobs.build()
    note = gr.Textbox(label="Answer")
    go, stop = buttons("Answer", "second-only")
    app.on(go.click, lambda steps: f"{steps} steps", knobs, note, api_name="answer", stop=stop)


TABS = [
    Tab("first", "First", 1, [built("first", "draw", _draw), built("first", "break", _break)]),
    Tab("second", "Second", 2, [built("second", "only", _answer)]),
]
