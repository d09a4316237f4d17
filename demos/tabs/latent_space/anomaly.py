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

from demos.page.controls import Knob
from demos.page.figures import pixels
from demos.page.handlers import App
from demos.page.image_input import Pictures
from demos.page.layout import buttons
from demos.page.panel import Page, Panel
from demos.page.progress import Working
from demos.page.script import LOAD, script
from demos.tabs.latent_space.anomaly_source import START, OddSource, changed
from demos.tabs.latent_space.anomaly_texts import HOW_FAR, ODD
from demos.tabs.latent_space.models import PORTRAITS, TAB
from demos.tabs.vae.reconstruct import error_map
from demos.widgets.anomaly import Anomaly, Score, anomaly_value
from gen_core.devices import device_title
from gen_core.latent.analyze import SECTION
from gen_core.latent.anomaly import BOUND, ERROR, examine, measuring
from gen_core.latent.corruptions import KINDS

NAME = f"{TAB}-odd"
LIVE_COUNT = 100
"""Portraits, and odd pictures, that are measured here where the checkpoint knows of none."""
SCORES = {
    ERROR: Score("error", "error, as a share of the range", 100, 1, "%"),
    BOUND: Score("bound", "bound, in nats", unit=" nats"),
}
TITLES = {ERROR: "Error", BOUND: "Bound"}
SCORE = Knob("score", "Score", "choice", TITLES[ERROR], options=list(TITLES.values()))
ALLOWED = Knob(
    "allowed",
    "False alarms allowed (percent)",
    "number",
    5.0,
    0.1,
    20,
    step=0.1,
    info="Sets the threshold: so many portraits may lie above it",
)
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


@functools.lru_cache(maxsize=4)
def yardstick(app: App) -> Yardstick:
    """The one of an app."""
    return Yardstick(app)


def judged(
    app: App, pictures: Pictures, measured: Mapping[str, Any], *, score: str, allowed: float
) -> dict[str, Any]:
    """The widget's value for one picture, x (1, 3, 64, 64)."""
    model = app.model(PORTRAITS)
    copy, scores = examine(model, pictures.x)
    shown = [
        ("The picture", pictures.origin, pixels(pictures.x)[0]),
        ("What the model makes of it", f"its copy of {pictures.origin}", pixels(copy)[0]),
        ("Where they differ", "orange: too dark, blue: too bright", difference(pictures.x, copy)),
    ]
    return anomaly_value(
        shown,
        {key: float(values) for key, values in scores.items()},
        measured,
        SCORES,
        examples=examples(),
        score=score.lower(),
        allowed=allowed,
        about=about(measured),
        provenance=f"{pictures.origin} · {PORTRAITS} · {device_title(model.device)}",
        name=NAME,
    )


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


def run(
    app: App,
    source: OddSource,
    /,
    *,
    score: str,
    allowed: float,
    drawing: Any = None,
    upload: Any = None,
    **settings: Any,
) -> Iterator[dict[str, Any] | Working]:
    """Yields the verdict on the chosen picture."""
    pictures = yield from source.read(drawing, upload, settings)
    measured = yield from yardstick(app).read()
    yield judged(app, pictures, measured, score=score, allowed=allowed)


class OddPanel(Panel):
    """Its threshold stands above the screen, and moves in the browser alone."""

    def controls(self, page: Page) -> None:
        (source,) = page.sources
        source.build(page.knobs)
        page.inputs = source.inputs
        page.go, page.stop = buttons(self.button)

    def screens(self, page: Page) -> list[gr.components.Component]:
        with gr.Row():
            page.knobs.build(SCORE.name, ALLOWED.name)
            allowed = page.knobs.built[ALLOWED.name]
            allowed.scale, allowed.min_width = 3, 290
        return super().screens(page)

    def connect(self, page: Page) -> list[Any]:
        (source,), (screen,) = page.sources, page.outputs
        moving = [page.knobs.built[knob.name] for knob in (SCORE, ALLOWED)]
        quietly = {"js": SYNC, "show_progress": "hidden", "api_visibility": "private"}
        gr.on([part.change for part in moving], None, [screen, *moving], screen, **quietly)
        events = super().connect(page)
        for event in events:  # moved while it was judged
            event.then(None, [screen, *moving], screen, **quietly)
        source.connect(page.knobs)
        return events


PANEL = OddPanel(
    tab=TAB,
    id="odd",
    title="Odd one out",
    button="Is it odd?",
    text=ODD,
    knobs=[OddSource, SCORE, ALLOWED],
    run=run,
    code=code,
    calls=examine,
    screen=Anomaly,
    shows="A picture, the model's copy and the verdict",
    empty="Press Is it odd?",
    models=(PORTRAITS,),
    seeds=(START,),
    live=("change",),
)
