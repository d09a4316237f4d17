"""The GAN's Samples and Walk panels: pictures of a class or of all ten, with truncation, and a
closed loop through latent space, from seed to seed and back."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from demos.page.controls import ALL_CLASSES, FASHION, Knob, control_of, labels_for
from demos.page.handlers import App
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import drawing, script
from demos.tabs.gan.texts import SAMPLES, WALK
from demos.widgets.tiles import Tiles, TilesValue, sample_tiles
from demos.widgets.timeline import Timeline, TimelineValue, timeline_from_images
from gen_core.families.gan import GAN
from gen_core.latent.interpolation import spherical
from gen_core.progress import Progress
from gen_core.sampling import Noise, pixels, seeds_from

TAB, MODEL = "gan", "gan-fashion"
LABEL = Knob("label", "What to draw", "label", ALL_CLASSES, all_classes=True)


def classes_of(label: int | None, count: int) -> list[int]:
    """The class of each of `count` pictures; all ten in turn for None."""
    labels = labels_for(label, count)
    return [labels] * count if isinstance(labels, int) else labels


def draw(
    app: App, *, label: int | None, truncation_psi: float, count: int, seed: int
) -> Iterator[TilesValue]:
    """Yields the pictures, as tiles."""
    classes = classes_of(label, count)
    yield sample_tiles(
        app.model(MODEL),
        seeds_from(seed, count),
        [FASHION[c] for c in classes],
        headline=meaning(truncation_psi),
        file=f"{MODEL}-{seed}",
        label=classes,
        truncation_psi=truncation_psi,
    )


def meaning(psi: float, mean: str = "the average of its class", beside: str = "") -> str:
    """What a truncation does to the pictures, in a line; beside: what still differs at 0."""
    if psi == 0:
        return f"ψ = 0: every picture is {mean}, whatever its seed{beside}"
    if psi == 1:
        return "ψ = 1: no truncation, all the variety that the generator learned"
    if psi < 1:
        return f"ψ = {psi:g}: nearer to {mean}, so safer and more alike"
    return f"ψ = {psi:g}: further out than training went, so stranger"


def loop(z: Tensor, steps: int) -> Tensor:
    """Codes (N, latent) -> (N * steps, latent): arcs from each to the next, and from the last to
    the first. The end is not repeated, so that the loop runs round without a stop."""
    t = torch.arange(steps) / steps
    return torch.cat([spherical(a, b, t) for a, b in zip(z, z.roll(-1, 0), strict=True)])


def walk(
    app: App, *, label: int | None, count: int, steps: int, truncation_psi: float, seed: int
) -> Iterator[TimelineValue | Progress]:
    """Yields Progress for each class and arc, then the timeline's value.

    count: seeds on the way; steps: pictures from one to the next. Of all ten classes, each walks
    the same way.
    """
    classes = list(range(len(FASHION))) if label is None else [label]
    app.check_work(count, steps * len(classes))
    model, seeds = app.model(MODEL), seeds_from(seed, count)
    path = loop(Noise(seeds).randn(model.config.latent), steps).to(model.device)
    lanes, seconds = [], 0.0
    for c in classes:
        parts = []
        for z in path.split(steps):
            started = time.perf_counter()
            with torch.inference_mode():
                labels = torch.full((len(z),), c, device=z.device)
                parts.append(pixels(model.generate(z, labels, truncation_psi)))
            seconds += time.perf_counter() - started
            yield Progress("Stretch", len(lanes) * count + len(parts), len(classes) * count)
        lanes.append(np.concatenate(parts))
    what = "All ten classes, one path" if label is None else FASHION[label]
    took = f"{duration(seconds)} for {len(path) * len(classes)} pictures"
    yield timeline_from_images(
        {what: list(np.stack(lanes, axis=1))},
        [place(seeds, k, steps) for k in range(len(path))],
        step_word="picture",
        columns=5,
        ms_per_step=1000 * seconds / len(path),
        provenance=f"{took} · {app.device_title}",
        name=f"gan-walk-{seed}",
        alt="a walk through latent space",
        autoplay=True,
    )


def place(seeds: Sequence[int], k: int, steps: int) -> str:
    """Where frame k is: "seed 3", or "seed 3 → seed 4, 25%"."""
    at, share = divmod(k, steps)
    if not share:
        return f"seed {seeds[at]}"
    return f"seed {seeds[at]} → seed {seeds[(at + 1) % len(seeds)]}, {100 * share / steps:.0f}%"


def walk_code(k: Mapping[str, Any]) -> str:
    seed, count, steps, label = k["seed"], k["count"], k["steps"], k["label"]
    frames, every = count * steps, "10, 1, 28, 28): every class walks the same way"
    return script(
        f'model = load("{MODEL}")',
        f"z = Noise(range({seed}, {seed + count})).randn(model.config.latent)",
        f"t = torch.arange({steps}) / {steps}",
        "arcs = [spherical(a, b, t) for a, b in zip(z, z.roll(-1, 0))]  # the last: to the first",
        "path = torch.cat(arcs).to(model.device)",
        "x = torch.stack([",
        "    model.generate(path, torch.full((len(path),), label, device=model.device),",
        f"                   truncation_psi={k['truncation_psi']:g})",
        f"    for label in {'range(10)' if label is None else [label]}",
        f"], dim=1)  # ({frames}, {every if label is None else '1, 1, 28, 28)'}",
    )


PANEL = Panel(
    tab=TAB,
    id="samples",
    title="Samples",
    button="Draw new pictures",
    text=SAMPLES,
    knobs=[
        LABEL,
        control_of(GAN, "truncation_psi"),
        Knob("seed", "Seed", "seed", 0, fresh=True),
        Knob("count", "Pictures", "whole", 30, 1, 64, advanced=True),
    ],
    run=draw,
    code=drawing(MODEL, shape="1, 28, 28"),
    calls=GAN.frames,
    screen=Tiles,
    shows="Pictures by the generator",
    models=(MODEL,),
    live=("truncation_psi",),
)
WALK_PANEL = Panel(
    tab=TAB,
    id="walk",
    title="Walk",
    button="Walk",
    text=WALK,
    knobs=[
        LABEL,
        Knob("count", "Seeds on the way", "whole", 4, 2, 12),
        Knob("steps", "Pictures from one to the next", "whole", 8, 2, 30, advanced=True),
        control_of(GAN, "truncation_psi", advanced=True),
        Knob("seed", "First seed", "seed", 0),
    ],
    run=walk,
    code=walk_code,
    calls=spherical,
    screen=Timeline,
    shows="A walk through latent space",
    models=(MODEL,),
)
