"""Diffusion's Forward process panel: a picture dissolves into noise, in closed form at any t."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from demos.page.controls import Knob
from demos.page.handlers import App
from demos.page.image_input import MODELS, PictureInput, Pictures
from demos.page.panel import Panel
from demos.page.script import script
from demos.tabs.diffusion.texts import FORWARD
from demos.widgets.timeline import Timeline, TimelineValue, timeline_from_images
from gen_core.devices import device_title
from gen_core.families.diffusion import Diffusion
from gen_core.progress import Progress
from gen_core.sampling import Noise, pixels, seeds_from
from gen_core.solvers import NoiseSchedule

MODEL = "diffusion-fashion"
LANES = ("What is left of the picture", "With noise, xₜ", "Guess of the picture, x₀")
KNOBS = [
    Knob("noise_seed", "Noise seed", "seed", 0, advanced=True),
    Knob("count", "Pictures", "whole", 1, 1, 9),
    Knob(
        "moments",
        "Moments",
        "whole",
        51,
        2,
        201,
        advanced=True,
        info="Between t = 0 and t = 1000",
    ),
]


def dissolve(
    model: Diffusion, pictures: Pictures, *, count: int, moments: int, noise_seed: int
) -> Iterator[TimelineValue | Progress]:
    """Yields Progress for each moment, then the timeline's value.

    x_t is computed from x_0 and one noise in closed form, each moment for itself; the guess is
    one evaluation of the network at that x_t, without a class.
    """
    schedule, device = model.schedule, model.device
    x_0 = pictures.x.expand(count, *pictures.x.shape[1:]).to(device)
    eps = Noise(seeds_from(noise_seed, count)).randn(*model.event.shape).to(device)
    predict = model.denoiser(model.guided(None, count, 0.0))
    times = [int(t) for t in np.linspace(0, schedule.total, moments).round()]
    lanes: dict[str, list[np.ndarray]] = {title: [] for title in LANES}
    for k, t in enumerate(times):
        with torch.inference_mode():
            drawn = moment(schedule, x_0, eps, t)
            guess = predict(drawn[1], t).x0 if t else x_0
        for lane, x in zip(lanes.values(), (*drawn, guess), strict=True):
            lane.append(pixels(x))
        yield Progress("Moment", k, moments - 1)
    scales = [schedule.scales_at(t) for t in times]
    yield timeline_from_images(
        lanes,
        [f"t = {t}" for t in times],
        step_word="moment",
        notes=[f"xₜ = {a:.3f} picture + {b:.3f} noise" for a, b in scales],
        curves=curves(schedule, times),
        provenance=f"{pictures.origin} · {device_title(device)}",
        name=PANEL.name,
        alt="a picture dissolves into noise",
        start=0,
        autoplay=True,
    )


def moment(schedule: NoiseSchedule, x_0: Tensor, eps: Tensor, t: int) -> tuple[Tensor, Tensor]:
    """(signal share of x_t, x_t), each like x_0, at whole t from 0 to T: Ho et al. 2020, eq. 4."""
    at = torch.full((len(x_0),), t, device=x_0.device)
    signal, _ = schedule.scales(at, x_0)
    return signal * x_0, schedule.add_noise(x_0, eps, at)


def curves(schedule: NoiseSchedule, times: list[int]) -> list[dict[str, Any]]:
    """The schedule and its signal-to-noise ratio, for the timeline's charts."""
    every = range(1, schedule.total + 1, 9)
    scales = [(t, *(round(scale, 4) for scale in schedule.scales_at(t))) for t in every]
    ratio = [[t, float(f"{(a / b) ** 2:.4g}")] for t, a, b in scales]
    return [
        {
            "title": "Noise schedule",
            "x_label": "t",
            "at": times,
            "series": [
                {"name": "picture, √ᾱ", "points": [[0, 1.0], *([t, a] for t, a, _ in scales)]},
                {"name": "noise, √(1 − ᾱ)", "points": [[0, 0.0], *([t, b] for t, _, b in scales)]},
            ],
        },
        {
            "title": "Signal to noise",
            "x_label": "t",
            "at": times,
            "log_y": True,
            "series": [{"name": "ᾱ / (1 − ᾱ)", "points": ratio}],
        },
    ]


def code(source: PictureInput, k: Mapping[str, Any]) -> str:
    """The lines that draw the same x_t."""
    count, seed = k["count"], k["noise_seed"]
    return script(
        *source.code(k, count),
        "",
        f'model = load("{MODEL}")',
        f"eps = Noise(range({seed}, {seed + count})).randn(1, 28, 28)",
        f"times = torch.linspace(0, 1000, {k['moments']}).round().long()",
        f"x_0 = x.expand({count}, 1, 28, 28)",
        "x_t = [model.schedule.add_noise(x_0, eps, t.expand(len(x_0))) for t in times]",
    )


def run(
    app: App, source: PictureInput, /, drawing: Any = None, upload: Any = None, **settings: Any
) -> Iterator[TimelineValue | Progress]:
    """Yields what `dissolve` does for the chosen picture."""
    own = {knob.name: settings[knob.name] for knob in KNOBS}
    app.check_work(own["count"], own["moments"])
    pictures = yield from source.read(drawing, upload, settings, own["count"])
    yield from dissolve(app.model(MODEL), pictures, **own)


PANEL = Panel(
    tab="diffusion",
    id="forward",
    title="Forward process",
    button="Dissolve",
    text=FORWARD,
    knobs=[functools.partial(PictureInput, tab="diffusion", panel="forward", seed=9), *KNOBS],
    run=run,
    code=code,
    calls=NoiseSchedule.add_noise,
    screen=Timeline,
    shows="A picture dissolves into noise",
    models=(MODEL, MODELS[0]),
    seeds=(9,),
)
