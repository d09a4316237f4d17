"""The Latent space tab's Odd one out panel: does the model know this kind of picture?"""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from demos.cache import Keep
from demos.explain import code_panel, explanation
from demos.figures import pixels
from demos.handlers import App
from demos.knobs import Knob, Knobs
from demos.latent_space.models import PORTRAITS, TAB
from demos.latent_space.odd_source import START, OddSource, changed
from demos.layout import buttons, controls, results
from demos.panel import as_before
from demos.pictures import Pictures, result_of
from demos.script import LOAD, script
from demos.texts.latent_odd import HOW_FAR, ODD
from demos.vae.reconstruct import error_map
from demos.widgets.oddity import Oddity, Score, oddity_value
from demos.working import Working
from gen_core.devices import device_title
from gen_core.latent.anomaly import BOUND, ERROR, examine, measuring
from gen_core.latent.oddities import KINDS
from gen_core.latent.survey import SECTION

PANEL_ID, TITLE = "odd", "Odd one out"
NAME = f"{TAB}-{PANEL_ID}"
LIVE_COUNT = 100
"""Portraits, and odd pictures, that are measured here where the checkpoint knows of none."""
SCORES = {
    ERROR: Score("error", "error, as a share of the range", 100, 1, "%"),
    BOUND: Score("bound", "bound, in nats", unit=" nats"),
}
TITLES = {ERROR: "Error", BOUND: "Bound"}
SCORE = Knob("score", "Score", "choice", TITLES[ERROR], options=list(TITLES.values()))
ALLOWED = Knob(
    "allowed", "False alarms allowed (percent)", "number", 5.0, 0.1, 20, step=0.1,
    info="Sets the threshold: so many portraits may lie above it",
)  # fmt: skip
SYNC = """(value, score, allowed) => value?.own && score && Number.isFinite(allowed)
  ? { ...value, score: score.toLowerCase(), allowed } : value"""
"""The threshold moves in the browser alone."""


class Yardstick:
    """What is normal: the scores of portraits and of odd pictures, from the checkpoint or measured
    here, once for all visitors."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._here: dict[str, Any] | None = None

    def read(self) -> Generator[Working, None, Mapping[str, Any]]:
        """A generator, for `yield from`: measuring takes its time. Returns what
        `gen_core.latent.anomaly.measure` does."""
        model = self.app.model(PORTRAITS)
        known = model.card.get(SECTION, {}).get("anomaly") or self._here
        if known is None:
            steps = measuring(model, LIVE_COUNT)
            while True:
                try:
                    done, total = next(steps)
                except StopIteration as end:
                    known = self._here = end.value
                    break
                yield Working(done, total, "Measuring what is normal", "pictures")
        return known


def judged(
    app: App, pictures: Pictures, measured: Mapping[str, Any], *, score: str, allowed: float
) -> dict[str, Any]:
    """The widget's value for one picture, x (1, 3, 64, 64)."""
    model = app.model(PORTRAITS)
    copy, scores = examine(model, pictures.x)
    shown = [
        ("The picture", pictures.origin, pixels(pictures.x)[0]),
        ("What the model makes of it", f"its copy of {pictures.origin}", pixels(copy)[0]),
        ("Where they differ", "orange: too dark, blue: too bright",
         difference(pictures.x, copy)),
    ]  # fmt: skip
    return oddity_value(
        shown, {key: float(values) for key, values in scores.items()}, measured, SCORES,
        examples=examples(), score=score.lower(), allowed=allowed, about=about(measured),
        provenance=f"{pictures.origin} · {PORTRAITS} · {device_title(model.device)}", name=NAME,
    )  # fmt: skip


def difference(x: Tensor, copy: Tensor) -> np.ndarray:
    """Two (1, 3, H, W) in [-1, 1] -> uint8 (H, W, 3): the error map of the colour that is furthest
    off at each place."""
    furthest = (copy - x).abs().argmax(1, keepdim=True)
    return error_map(x.gather(1, furthest), copy.gather(1, furthest))[0]


def about(measured: Mapping[str, Any]) -> str:
    """What the scores were measured on."""
    return (
        f"Scores of {measured['count']} portraits that training did not show, and of "
        f"{measured['count']} odd pictures of {len(measured['odd'])} kinds, with seed "
        f"{measured['seed']}. {HOW_FAR}"
    )


@functools.cache
def examples() -> dict[str, np.ndarray]:
    """A picture of each kind, half as large as it is: uint8 (32, 32, 3)."""
    made = torch.cat([changed(START, kind) for kind in KINDS])
    small = functional.avg_pool2d(made, 2)
    return dict(zip(KINDS, pixels(small), strict=True))


def code(source: OddSource, k: Mapping[str, Any]) -> str:
    """The lines that come to the same verdict."""
    given, score = source.code(k), k["score"].lower()
    names = ("examine", "measure", "rates", "threshold")
    return script(
        [LOAD, *given.needs, *(("gen_core.latent.anomaly", name) for name in names)],
        *given.body,
        "",
        f'model = load("{PORTRAITS}")',
        "copy, scores = examine(model, x)  # (1, 3, 64, 64), and each score (1,)",
        f'told = model.card.get("{SECTION}", {{}}).get("anomaly") or measure(model, {LIVE_COUNT})',
        f'portraits = told["portraits"]["{score}"]',
        f'odd = [s for kind in told["odd"].values() for s in kind["{score}"]]',
        f"limit = threshold(portraits, allowed={k['allowed'] / 100:g})",
        f'print("odd" if scores["{score}"] > limit else "nothing odd")',
        "false_alarms, missed = rates(portraits, odd, limit)",
    )


def build(app: App) -> None:
    """The panel, inside its gr.Tab."""
    explanation(ODD)
    source, yardstick = OddSource(app), Yardstick(app)
    knobs = app.add(Knobs(TAB, PANEL_ID, [*source.knobs, SCORE, ALLOWED]))
    with gr.Row():
        with controls():
            source.build(knobs)
            go, stop = buttons("Is it odd?")
        with results():
            with gr.Row():
                knobs.build(SCORE.name, ALLOWED.name)
                knobs.built[ALLOWED.name].scale, knobs.built[ALLOWED.name].min_width = 3, 290
            screen = Oddity(
                elem_id=NAME, label="A picture, the model's copy and the verdict",
                value=as_before(NAME), empty="Press Is it odd?",
            )  # fmt: skip

    def run(drawing: Any, upload: Any, **settings: Any) -> Iterator[dict[str, Any] | Working]:
        pictures = yield from source.read(drawing, upload, settings)
        measured = yield from yardstick.read()
        chosen = {knob.name: settings[knob.name] for knob in (SCORE, ALLOWED)}
        yield judged(app, pictures, measured, **chosen)

    moving = [knobs.built[knob.name] for knob in (SCORE, ALLOWED)]
    quietly = {"js": SYNC, "show_progress": "hidden", "api_visibility": "private"}
    gr.on([part.change for part in moving], None, [screen, *moving], screen, **quietly)
    triggers = {"": go.click, "_change": knobs.built["change"].input}
    for ending, trigger in triggers.items():
        event = app.on(
            trigger, run, knobs, screen, inputs=source.inputs, stop=stop,
            api_name=NAME.replace("-", "_") + ending, show_progress="minimal",
            trigger_mode="always_last" if ending else "once",
        )  # fmt: skip
        event.then(None, [screen, *moving], screen, **quietly)  # moved while it was judged
    source.connect(knobs)
    code_panel(knobs, functools.partial(code, source), examine)


def keep() -> Keep:
    """The example for the page's first moment: a portrait that was scribbled on."""

    def make(app: App) -> dict[str, Any]:
        source = OddSource(app)
        settings = {knob.name: knob.check(knob.default) for knob in source.knobs}
        pictures = result_of(source.read(None, None, settings))
        measured = result_of(Yardstick(app).read())
        return judged(app, pictures, measured, score=SCORE.default, allowed=ALLOWED.default)

    return Keep(NAME, make, (PORTRAITS,), (START,))
