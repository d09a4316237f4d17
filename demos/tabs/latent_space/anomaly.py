"""The Latent space tab's Odd one out panel: does the model know this kind of picture?

Its picture is a portrait and what was done to it, a drawing, clothing, or a file.
"""

import functools
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from demos.page.controls import FASHION, Knob, Knobs
from demos.page.handlers import App, once
from demos.page.image_input import Pictures, Shown, Source, sampled_pictures
from demos.page.image_io import png_data_url
from demos.page.panel import Page, Panel
from demos.page.picture_files import COLOUR_SIDE
from demos.page.runs import buttons
from demos.page.script import script
from demos.tabs.latent_space.models import PORTRAIT, PORTRAITS, TAB, UNSEEN_FROM, UPLOAD, portrait
from demos.tabs.latent_space.texts import ANOMALY, HOW_FAR
from demos.tabs.vae.reconstruct import error_map
from demos.widgets.anomaly import Anomaly, AnomalyValue, Picture, Score
from gen_core.data.avatars import avatars
from gen_core.data.avatars.schema import BACKGROUNDS, CLOTH_COLOURS
from gen_core.latent.analyze import SECTION
from gen_core.latent.anomaly import BOUND, ERROR, examine, measuring
from gen_core.latent.corruptions import KINDS, corrupt
from gen_core.progress import Progress
from gen_core.sampling import pixels

NAME = f"{TAB}-odd"
GARMENT, FACE, AS_IT_IS = "Clothing", "A face to draw on", "nothing"
START = 4
"""The portrait on the page at first."""
TAILOR = "flow-fashion"
"""Draws the clothing."""
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
    info="Sets the threshold: this share of portraits may be called odd",
)
SYNC = """(value, score, allowed) => value?.own && score && Number.isFinite(allowed)
  ? { ...value, score: score.toLowerCase(), allowed } : value"""
"""The threshold moves in the browser alone."""


# --- the picture ----------------------------------------------------------------------------------


class AnomalySource(Source):
    """Controls that choose the picture."""

    drawing, pad, column_width = FACE, FACE, 0

    def __init__(self, app: App) -> None:
        sources = [PORTRAIT, FACE, GARMENT, UPLOAD]
        done = [AS_IT_IS, *KINDS]
        super().__init__(
            app,
            [
                Knob("source", "Picture", "choice", PORTRAIT, options=sources),
                Knob("change", "What is done to it", "choice", "scribbled on", options=done),
                Knob("label", "Class", "label", FASHION[9]),
                Knob("seed", "Number (seed)", "seed", START),
            ],
        )

    def shown_with(self, *knobs: gr.components.Component) -> Shown:
        change, label, seed = knobs
        return {
            change: lambda choice: choice == PORTRAIT,
            label: lambda choice: choice == GARMENT,
            seed: lambda choice: choice != UPLOAD,
        }

    def above_pad(self) -> None:
        self.put = gr.Button("Load this face to draw on it", size="sm")

    def connect(self, knobs: Knobs) -> None:
        """Once all knobs of the panel are on the page: the button that puts a face on the pad."""
        self.app.on(
            self.put.click,
            lambda seed, **others: face(seed),
            knobs,
            self.inputs["drawing"],
            api_name="latent_space_odd_face",
            about="A portrait drawn by a program, as a PNG data URL, to draw on.",
        )

    def read(
        self, drawing: Any, upload: Any, settings: Mapping[str, Any]
    ) -> Generator[Progress, None, Pictures]:
        """The chosen picture, x (1, 3, 64, 64). A generator, for sampling takes its time.

        Raises KnobError with a message for the visitor.
        """
        if own := self.brought(drawing, upload, settings):
            return own
        source, change, label, seed = self.values(settings)
        if source == GARMENT:
            drawn = yield from sampled_pictures(self.app, TAILOR, seed, 1, label)
            x = coloured(drawn.x, torch.Generator().manual_seed(seed))
            return Pictures(
                x, (f"{drawn.names[0]}, drawn by flow matching, seed {seed}, coloured"), drawn.names
            )
        done = "" if change == AS_IT_IS else f", {change}"
        return Pictures(changed(seed, change), f"portrait {seed}{done}", ("",))

    def code(self, settings: Mapping[str, Any]) -> list[str]:
        """Lines that make the same `x` (1, 3, 64, 64)."""
        source, change, label, seed = self.values(settings)
        if source == GARMENT:
            sample = f"tailor.sample(Noise([{seed}]), label=[{label}], **tailor.published)"
            return [
                f'tailor = load("{TAILOR}")',
                f"grey = final({sample})",
                f"x = coloured(grey, torch.Generator().manual_seed({seed}))",
            ]
        if source != PORTRAIT:
            return self.brought_code("x")
        first, corrupted = UNSEEN_FROM + seed, f"x = corrupt(x, KINDS[{change!r}], {seed})"
        return [
            f"images, people = avatars([{first}, {first + 1}])",
            "x = images / 127.5 - 1",
            *([] if change == AS_IT_IS else [corrupted]),
            "x = x[:1]",
        ]


def changed(number: int, change: str) -> Tensor:
    """(1, 3, 64, 64): portrait `number`, and what `change` does to it; the next one is at hand for
    what takes a piece of another."""
    pair = torch.cat([portrait(number), portrait(number + 1)])
    return (pair if change == AS_IT_IS else corrupt(pair, KINDS[change], number))[:1]


def face(number: int) -> str:
    """Portrait `number`, drawn as large as the pad's paper, 320 pixels a side, as its value."""
    images, _ = avatars([UNSEEN_FROM + number], 320)
    return png_data_url(pixels(images / 127.5 - 1)[0])


def coloured(x: Tensor, rng: torch.Generator) -> Tensor:
    """Clothing (B, 1, H, W) in [-1, 1], bright on black -> (B, 3, 64, 64): in colours that clothes
    and grounds of portraits have, so that its shape alone is odd."""
    large = functional.interpolate(x, COLOUR_SIDE, mode="bilinear")
    ink, ground = (
        2 * torch.tensor([*colours.values()])[torch.randint(len(colours), (len(x),), generator=rng)]
        - 1
        for colours in (CLOTH_COLOURS, BACKGROUNDS)
    )
    ink, ground = ink[..., None, None], ground[..., None, None]
    return ground + (ink - ground) * ((large + 1) / 2)


# --- the verdict ----------------------------------------------------------------------------------


@once
def normal_scores(app: App) -> Generator[Progress, None, Mapping[str, Any]]:
    """Scores of portraits and of odd pictures, from the checkpoint, or measured here where it knows
    of none: what `gen_core.latent.anomaly.measure` returns."""
    model = app.model(PORTRAITS)
    if known := model.card.get(SECTION, {}).get("anomaly"):
        return known
    return (yield from measuring(model, LIVE_COUNT))


def judged(
    app: App, pictures: Pictures, measured: Mapping[str, Any], *, score: str, allowed: float
) -> AnomalyValue:
    """The widget's value for one picture, x (1, 3, 64, 64)."""
    copy, scores = examine(app.model(PORTRAITS), pictures.x)
    shown = [
        Picture("The picture", pictures.origin, pixels(pictures.x)[0]),
        Picture("The model's reconstruction", f"its copy of {pictures.origin}", pixels(copy)[0]),
        Picture(
            "Where they differ",
            "orange: too dark, blue: too bright",
            difference(pictures.x, copy),
        ),
    ]
    return AnomalyValue(
        pictures=shown,
        own={key: float(values) for key, values in scores.items()},
        measured=measured,
        scores=SCORES,
        examples=examples(),
        score=score.lower(),
        allowed=allowed,
        measured_on=f"Scores of {measured['count']} portraits that training did not show, and of "
        f"{measured['count']} odd pictures of {len(measured['odd'])} kinds, with seed "
        f"{measured['seed']}. {HOW_FAR}",
        provenance=f"{pictures.origin} · {app.device_title}",
        name=NAME,
    )


def difference(x: Tensor, copy: Tensor) -> np.ndarray:
    """Two (1, 3, H, W) in [-1, 1] -> uint8 (H, W, 3): the error map of the colour that is furthest
    off at each place."""
    furthest = (copy - x).abs().argmax(1, keepdim=True)
    return error_map(x.gather(1, furthest), copy.gather(1, furthest))[0]


@functools.cache
def examples() -> dict[str, np.ndarray]:
    """A picture of each kind, half as large as it is: uint8 (32, 32, 3)."""
    made = torch.cat([changed(START, kind) for kind in KINDS])
    small = functional.avg_pool2d(made, 2)
    return dict(zip(KINDS, pixels(small), strict=True))


def code(source: AnomalySource, k: Mapping[str, Any]) -> str:
    """The lines that come to the same verdict."""
    score, known = k["score"].lower(), f'model.card.get("{SECTION}", {{}}).get("anomaly")'
    return script(
        *source.code(k),
        "",
        f'model = load("{PORTRAITS}")',
        "copy, scores = anomaly.examine(model, x)  # (1, 3, 64, 64), and each score (1,)",
        f"normal = {known} or anomaly.measure(model, {LIVE_COUNT})",
        f'portraits = normal["portraits"]["{score}"]',
        f'odd = [s for kind in normal["odd"].values() for s in kind["{score}"]]',
        f"limit = anomaly.threshold(portraits, allowed={k['allowed'] / 100:g})",
        f'print("odd" if scores["{score}"] > limit else "nothing odd")',
        "false_alarms, missed = anomaly.rates(portraits, odd, limit)",
        coloured=__name__,
    )


def run(
    app: App,
    source: AnomalySource,
    /,
    *,
    score: str,
    allowed: float,
    drawing: Any = None,
    upload: Any = None,
    **settings: Any,
) -> Iterator[AnomalyValue | Progress]:
    """Yields the verdict on the chosen picture."""
    pictures = yield from source.read(drawing, upload, settings)
    measured = yield from normal_scores(app)
    yield judged(app, pictures, measured, score=score, allowed=allowed)


class AnomalyPanel(Panel):
    """Its threshold stands above the screen, and moves in the browser alone."""

    def controls(self, page: Page) -> None:
        (source,) = page.sources
        source.build(page.knobs)
        page.inputs = source.inputs
        page.go, page.stop = buttons(self.button, self.name)

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


PANEL = AnomalyPanel(
    tab=TAB,
    id="odd",
    title="Odd one out",
    button="Is it odd?",
    text=ANOMALY,
    knobs=[AnomalySource, SCORE, ALLOWED],
    run=run,
    code=code,
    calls=examine,
    screen=Anomaly,
    shows="A picture, the model's copy and the verdict",
    empty="Press Is it odd?",
    models=(PORTRAITS,),
    seeds=(START,),
    live=("change",),
    apart=(SCORE.name, ALLOWED.name),
)
