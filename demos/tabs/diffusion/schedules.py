"""Diffusion's Schedules panel: one picture and one noise, mixed by five schedules on one clock."""

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from demos.page.controls import Knob
from demos.page.handlers import App
from demos.page.image_input import MODELS, PictureInput
from demos.page.panel import Panel
from demos.page.script import script
from demos.tabs.diffusion.texts import SCHEDULES
from demos.widgets.timeline import Timeline, TimelineValue, timeline_from_images
from gen_core.paths.fields import Level, cosine, linear, mixed, shifted, sigmoid, straight
from gen_core.progress import Progress
from gen_core.sampling import Noise, pixels

MOMENTS = 31
LANES: dict[str, Callable[..., Level]] = {
    "Linear": linear,
    "Cosine": cosine,
    "Shifted cosine": shifted,
    "Sigmoid": sigmoid,
    "Flow's line": straight,
}
KNOBS = [
    Knob(
        "shift",
        "Shift",
        "number",
        0.5,
        0.1,
        10,
        step=0.1,
        info="Of the shifted cosine: it multiplies picture over noise; below 1, noise comes sooner",
    ),
    Knob("noise_seed", "Noise seed", "seed", 0, advanced=True),
]


def schedules(shift: float) -> dict[str, Callable[[Tensor], Level]]:
    """By the title of its lane."""
    return LANES | {"Shifted cosine": functools.partial(shifted, factor=shift)}


def run(
    app: App, source: PictureInput, /, drawing: Any = None, upload: Any = None, **settings: Any
) -> Iterator[TimelineValue | Progress]:
    """Yields the timeline of the chosen picture, once."""
    pictures = yield from source.read(drawing, upload, settings, 1)
    x_0, eps = pictures.x.cpu(), Noise([settings["noise_seed"]]).randn(*pictures.x.shape[1:])
    times = torch.linspace(0, 1, MOMENTS, dtype=torch.float64)
    levels = {name: at(1 - times) for name, at in schedules(settings["shift"]).items()}
    drowned = sum((at.signal < at.spread).int() for at in levels.values())
    yield timeline_from_images(
        {name: moments(at, x_0, eps) for name, at in levels.items()},
        [f"t = {t:.2f}" for t in times],
        step_word="moment",
        notes=[f"more noise than picture in {n} of {len(levels)}" for n in drowned.tolist()],
        curves=curves(levels, times.tolist()),
        provenance=pictures.origin,
        name=PANEL.name,
        alt="a picture dissolves into noise by five schedules",
        start=12,  # t = 0.4, where they differ
    )


def moments(at: Level, x_0: Tensor, eps: Tensor) -> list[Any]:
    """The pixels of x_t at each level; x_0, eps (1, C, H, W)"""
    whole = Level(*(part.float()[:, None, None, None] for part in at))
    return [pixels(x[None]) for x in mixed(x_0, eps, whole)]


def curves(levels: Mapping[str, Level], times: list[float]) -> list[dict[str, Any]]:
    """Of each schedule the shares and the signal-to-noise ratio, for the timeline's charts."""

    def chart(title: str, numbers: Callable[[Level], Tensor], log: bool = False) -> dict[str, Any]:
        series = [
            {"name": name, "points": finite(times, numbers(at).tolist())}
            for name, at in levels.items()
        ]
        return {"title": title, "x_label": "t", "at": times, "series": series, "log_y": log}

    return [
        chart("Share of the picture, α", lambda at: at.signal),
        chart("Share of the noise, σ", lambda at: at.spread),
        chart("Signal to noise, α² / σ²", lambda at: (at.signal / at.spread).square(), log=True),
    ]


def finite(times: list[float], values: list[float]) -> list[list[float]]:
    """Points of a curve; the ratio is infinite where there is no noise."""
    known = [(t, value) for t, value in zip(times, values, strict=True) if math.isfinite(value)]
    return [[round(t, 4), float(f"{value:.4g}")] for t, value in known]


def code(source: PictureInput, k: Mapping[str, Any]) -> str:
    """The lines that mix the same."""
    return script(
        *source.code(k, 1),
        "",
        f"eps = Noise([{k['noise_seed']}]).randn(1, 28, 28)",
        f"schedules = SCHEDULES | {{'shifted': lambda t: shifted(t, {k['shift']})}}",
        f"for t in torch.linspace(0, 1, {MOMENTS}):",
        "    # schedules count from noise to data",
        "    x_t = {name: mixed(x, eps, at(1 - t)) for name, at in schedules.items()}",
    )


PANEL = Panel(
    tab="diffusion",
    id="schedules",
    title="Schedules",
    button="Compare",
    text=SCHEDULES,
    knobs=[functools.partial(PictureInput, tab="diffusion", panel="schedules", seed=9), *KNOBS],
    run=run,
    code=code,
    calls=shifted,
    screen=Timeline,
    shows="A picture dissolves into noise by five schedules",
    models=(MODELS[0],),
    seeds=(9,),
    live=("shift",),
)
