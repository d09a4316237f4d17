"""The GAN's Walk panel: a closed loop through latent space, from seed to seed and back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from demos.page.controls import FASHION, Knob
from demos.page.figures import duration, pixels
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Panel
from demos.page.progress import Working
from demos.tabs.gan.samples import LABEL, MODEL, TAB, psi_knob
from demos.tabs.gan.texts import WALK
from demos.widgets.timeline import Timeline, timeline_from_images
from gen_core import Noise
from gen_core.devices import device_title
from gen_core.latent.interpolation import spherical

MAX_SEEDS, MAX_STEPS = 12, 30


def loop(z: Tensor, steps: int) -> Tensor:
    """Codes (N, latent) -> (N * steps, latent): arcs from each to the next, and from the last to
    the first. The end is not repeated, so that the loop runs round without a stop."""
    t = torch.arange(steps) / steps
    return torch.cat([spherical(a, b, t) for a, b in zip(z, z.roll(-1, 0), strict=True)])


def walk(
    app: App, *, label: int | None, count: int, steps: int, truncation_psi: float, seed: int
) -> Iterator[dict[str, Any] | Working]:
    """Yields Working for each class and arc, then the timeline's value.

    count: seeds on the way; steps: pictures from one to the next. Of all ten classes, each walks
    the same way.
    """
    classes = list(range(len(FASHION))) if label is None else [label]
    app.check_work(count, steps * len(classes))
    model, seeds = app.model(MODEL), seeds_from(seed, count)
    path = loop(Noise(seeds).randn(model.config.latent), steps).to(model.device)
    lanes, started, waited = [], time.perf_counter(), 0.0
    for c in classes:
        parts = []
        for z in path.split(steps):
            parts.append(painted(model, z, c, truncation_psi))
            before = time.perf_counter()
            yield Working(len(lanes) * count + len(parts), len(classes) * count, "Stretch")
            waited += time.perf_counter() - before
        lanes.append(np.concatenate(parts))
    seconds = time.perf_counter() - started - waited
    took = f"{duration(seconds)} for {len(path) * len(classes)} pictures"
    frames, where = np.stack(lanes, axis=1), device_title(model.device)
    yield timeline(frames, seeds, label, 1000 * seconds / len(path), f"{took} · {where}")


@torch.inference_mode()
def painted(model: Any, z: Tensor, label: int, truncation_psi: float) -> np.ndarray:
    """Codes (N, latent) -> pictures, uint8 (N, H, W), all of one class."""
    labels = torch.full((len(z),), label, device=z.device)
    return pixels(model.generate(z, labels, truncation_psi))


def timeline(
    frames: np.ndarray, seeds: Sequence[int], label: int | None, ms_per_step: float, took: str
) -> dict[str, Any]:
    """frames uint8 (N, classes, H, W), evenly shared among the seeds."""
    steps = len(frames) // len(seeds)
    what = "All ten classes, one path" if label is None else FASHION[label]
    return timeline_from_images(
        {what: list(frames)},
        [place(seeds, k, steps) for k in range(len(frames))],
        step_word="picture",
        columns=5,
        ms_per_step=ms_per_step,
        provenance=took,
        name=f"gan-walk-{seeds[0]}",
        alt="a walk through latent space",
        autoplay=True,
    )


def place(seeds: Sequence[int], k: int, steps: int) -> str:
    """Where frame k is: "seed 3", or "seed 3 → seed 4, 25%"."""
    at, share = divmod(k, steps)
    if not share:
        return f"seed {seeds[at]}"
    return f"seed {seeds[at]} → seed {seeds[(at + 1) % len(seeds)]}, {100 * share / steps:.0f}%"


def code(k: Mapping[str, Any]) -> str:
    seed, count, steps = k["seed"], k["count"], k["steps"]
    one = k["label"] is not None
    classes, comment = (
        (f"[{k['label']}]", f"({count * steps}, 1, 1, 28, 28)")
        if one
        else ("range(10)", f"({count * steps}, 10, 1, 28, 28): every class walks the same way")
    )
    return f"""
        import torch

        from gen_core import Noise, load
        from gen_core.latent.interpolation import spherical

        model = load("{MODEL}")
        z = Noise(range({seed}, {seed + count})).randn(model.config.latent)
        t = torch.arange({steps}) / {steps}
        arcs = [spherical(a, b, t) for a, b in zip(z, z.roll(-1, 0))]  # the last ends at the first
        path = torch.cat(arcs).to(model.device)
        x = torch.stack([
            model.generate(path, torch.full((len(path),), label, device=model.device),
                           truncation_psi={k["truncation_psi"]:g})
            for label in {classes}
        ], dim=1)  # {comment}
    """


PANEL = Panel(
    tab=TAB,
    id="walk",
    title="Walk",
    button="Walk",
    text=WALK,
    knobs=[
        LABEL,
        Knob("count", "Seeds on the way", "whole", 4, 2, MAX_SEEDS),
        Knob("steps", "Pictures from one to the next", "whole", 8, 2, MAX_STEPS, advanced=True),
        psi_knob(advanced=True),
        Knob("seed", "First seed", "seed", 0),
    ],
    run=walk,
    code=code,
    calls=spherical,
    screen=Timeline,
    shows="A walk through latent space",
    models=(MODEL,),
)
