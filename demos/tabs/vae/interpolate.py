"""The VAE's Interpolate panel: from one code to another, straight and on the arc."""

import functools
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from demos.page.controls import FASHION, Knob
from demos.page.handlers import App
from demos.page.image_input import RANDOM, PictureInput
from demos.page.panel import Panel
from demos.page.script import random_code, script
from demos.tabs.vae.samples import DEFAULT, MODEL, TAB
from demos.tabs.vae.texts import INTERPOLATE
from demos.widgets.timeline import Timeline, TimelineValue, timeline_from_images
from gen_core.families.vae import VAE
from gen_core.latent.interpolation import spherical, straight
from gen_core.sampling import Noise, pixels

BROUGHT = ("drawing", "upload")
COUNT = Knob("count", "Pictures on the way", "whole", 25, 2, 60, advanced=True)
PATHS = {"Straight": straight, "Spherical": spherical}


@torch.inference_mode()
def walks(model: Any, z_a: Tensor, z_b: Tensor, count: int) -> dict[str, Any]:
    """`count` pictures on each path from code z_a to z_b (latent,): arrays and plain values."""
    t = torch.linspace(0, 1, count, device=z_a.device)
    started = time.perf_counter()
    codes = {title: path(z_a, z_b, t) for title, path in PATHS.items()}
    pictures = {title: pixels(model.decode(z)) for title, z in codes.items()}
    seconds = time.perf_counter() - started
    return {
        "t": [round(v, 4) for v in t.tolist()],
        "pictures": pictures,
        "lengths": {k: [round(v, 4) for v in z.norm(dim=1).tolist()] for k, z in codes.items()},
        "ms_per_step": round(1000 * seconds / count, 2),
    }


def timeline(walked: Mapping[str, Any], note: str, live: bool, file: str) -> TimelineValue:
    """What `walks` gave, and the names of its "ends", as the timeline's value, with the distance
    from the centre as a chart. file: the name of downloads."""
    t, (start, end) = walked["t"], walked["ends"]
    chart = {
        "title": "Distance of the code from the centre",
        "x_label": "t",
        "y_label": "distance",
        "series": [
            {"name": title, "points": [list(point) for point in zip(t, lengths, strict=True)]}
            for title, lengths in walked["lengths"].items()
        ],
        "at": t,
    }
    return timeline_from_images(
        {title: list(np.asarray(x)[:, None]) for title, x in walked["pictures"].items()},
        [f"t = {value:.2f}" for value in t],
        steps=range(1, len(t) + 1),
        step_word="picture",
        ms_per_step=walked["ms_per_step"],
        provenance=note,
        live=live,
        name=file,
        alt=f"from {start} to {end}",
        curves=[chart],
        notes=[f"{start} → {end}"] * len(t),
        autoplay=live,
    )


@dataclass(frozen=True, kw_only=True)
class WalkPanel(Panel):
    """Its run yields what `walks` gives, and the names of its "ends"."""

    file: str
    """The name of downloads."""

    def drawn(self, value: Any, note: str, live: bool) -> TimelineValue:
        return timeline(value, note, live, self.file)


def run(
    app: App,
    start: PictureInput,
    end: PictureInput,
    /,
    *,
    model: str,
    count: int,
    **settings: Any,
) -> Iterator[Any]:
    """Yields the walk from one chosen code to the other."""
    vae = app.model(model)
    first = yield from _end(vae, start, settings)
    second = yield from _end(vae, end, settings)
    yield walks(vae, first[0], second[0], count) | {"ends": (first[1], second[1])}


def _end(
    vae: VAE, end: PictureInput, settings: Mapping[str, Any]
) -> Generator[Any, None, tuple[Tensor, str]]:
    """One end of a walk: its code (latent,), and what it is."""
    chosen = {part: settings.get(f"{end.prefix}{part}") for part in ("source", "seed", *BROUGHT)}
    if chosen["source"] == RANDOM:
        z = Noise([chosen["seed"]]).randn(vae.config.latent)[0].to(vae.device)
        return z, f"the code of seed {chosen['seed']}"
    pictures = yield from end.read(*(chosen[part] for part in BROUGHT), settings)
    with torch.inference_mode():
        z = vae.encode(pictures.x.to(vae.device))[0][0]
    return z, pictures.names[0] or pictures.origin


def code(start: PictureInput, end: PictureInput, knobs: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    ends = [_end_code(end, letter, knobs) for end, letter in ((start, "a"), (end, "b"))]
    return walk_code(knobs["model"], *ends, knobs["count"], "1, 28, 28")


def _end_code(end: PictureInput, letter: str, knobs: Mapping[str, Any]) -> list[str]:
    """The lines that make one end of a walk, z_a or z_b (1, latent)."""
    if knobs[f"{end.prefix}source"] == RANDOM:
        return random_code(f"z_{letter}", knobs[f"{end.prefix}seed"])
    given = end.code(knobs, name=f"x_{letter}")
    return [*given, f"z_{letter} = model.encode(x_{letter}.to(model.device))[0]"]


def walk_code(model: str, a: list[str], b: list[str], count: int, shape: str) -> str:
    """The lines that walk between two codes; a, b: those that make z_a and z_b (1, latent)."""
    return script(
        f'model = load("{model}")',
        *a,
        *(b[1:] if b[0] == a[0] else b),  # a data set or a model that both ends use: loaded once
        f"t = torch.linspace(0, 1, {count}, device=model.device)",
        f"on_the_line = model.decode(straight(z_a[0], z_b[0], t))  # ({count}, {shape})",
        "on_the_arc = model.decode(spherical(z_a[0], z_b[0], t))",
    )


END = functools.partial(PictureInput, tab=TAB, panel="interpolate", other=RANDOM)
PANEL = WalkPanel(
    tab=TAB,
    id="interpolate",
    title="Interpolate",
    button="Walk",
    text=INTERPOLATE,
    knobs=[
        MODEL,
        functools.partial(END, title="From", prefix="from_", which="First", label=FASHION[9]),
        functools.partial(END, title="To", prefix="to_", which="Second", label=FASHION[0], seed=1),
        COUNT,
    ],
    run=run,
    code=code,
    calls=spherical,
    screen=Timeline,
    shows="Walk through latent space",
    file="vae-interpolation",
    models=(DEFAULT,),
    seeds=(0, 1),
)
