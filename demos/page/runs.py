"""What a panel says of its run: a line in the result, kept by runs.js."""

import html
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gradio as gr

from demos.page.controls import Knobs

HERE = Path(__file__).parent
REJOIN, SCRIPT = HERE / "rejoin.js", HERE / "runs.js"
WORK = ("count", "steps", "moments")
"""Knobs to which the time of a run is proportional."""


LINE = '<p class="run-said" role="status" data-about="{about}"></p>'


def run_state(name: str) -> gr.HTML:
    """The line of the runs that start with the buttons of `buttons(..., name)`: where the run is,
    that it is done, or that the controls are others than those of the result. Stands in the same
    column as the result, which it dims."""
    return gr.HTML(
        LINE.format(about="{}"),
        elem_id=f"{name}-run",
        elem_classes=["run-state"],
        apply_default_css=False,
    )


def buttons(run: str, name: str) -> tuple[gr.Button, gr.Button]:
    """The primary button and Stop, which works while something runs, side by side."""
    with gr.Row(elem_classes=["run-row"]):
        go = gr.Button(run, variant="primary", min_width=140, scale=3, elem_id=f"{name}-run-go")
        ending = f"{name}-run-stop"
        stop = gr.Button(
            "Stop", variant="stop", min_width=70, scale=1, elem_id=ending, interactive=False
        )
    return go, stop


def shown_on(state: gr.HTML, press: gr.Button | None = None) -> dict[str, Any]:
    """What an event of Gradio's takes so that the line follows its run, from beginning to end: each
    further event of its own would slow the page's start.

    press: the button that starts the same run again; None: the primary one."""
    button = press.elem_id if press else f"{state.elem_id}-go"
    return {
        "show_progress": "full",
        "show_progress_on": state,
        "js": f"(...values) => noiseToDataRuns.pressed('{state.elem_id}', '{button}', values)",
    }


def stopped(state: gr.HTML) -> str:
    """The script by which the line says so."""
    return f"() => noiseToDataRuns.ended('{state.elem_id}', 'stopped')"


def compared(
    state: gr.HTML,
    knobs: Knobs,
    apart: Collection[str] = (),
    seconds: float | None = None,
    own: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> str:
    """Tells the line of its knobs, and returns the script that dims the result while `values`, of
    the knobs in order, are others than it was made with; at first those of the page. What a link
    asks for is run at once where that takes little time.

    apart: what changes nothing in the result; seconds: of a run with the page's first values; own:
    by knob, the choices with which visitors bring a picture of their own.
    """
    parts = knobs.named
    about = {
        "names": [f"{knobs.panel}.{knob.linked}" for knob in knobs.knobs],
        "first": [part.value for part in parts.values()],
        "counts": [name not in apart for name in parts],
        "seconds": seconds,
        "own": [[i, own[name]] for i, name in enumerate(parts) if name in own],
        "work": [i for i, name in enumerate(parts) if name in WORK],
        "fresh": next(
            (
                {"place": i, "field": parts[knob.name].elem_id}
                for i, knob in enumerate(knobs.knobs)
                if knob.fresh
            ),
            None,
        ),
    }
    state.value = LINE.format(about=html.escape(json.dumps(about)))
    return f"noiseToDataRuns.compare('{state.elem_id}', values)"


def example_of(state: gr.HTML, knobs: Knobs, name: str) -> str:
    """The script that takes a value of that knob whose example is shown from now on, and returns
    it."""
    place = list(knobs.named).index(name)
    return f"(value) => noiseToDataRuns.exampleOf('{state.elem_id}', {place}, value)"


def together(scripts: Iterable[str]) -> str:
    """Several such scripts as an event's `js`, which hands the values on."""
    return f"(...values) => {{ {'; '.join(scripts)}; return values; }}"
