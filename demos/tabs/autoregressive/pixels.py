"""The Pixel by pixel panel: pictures in raster order, and what each pixel was drawn from."""

import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from demos.page.controls import ALL_CLASSES, FASHION, Knob, control_of, labels_for
from demos.page.handlers import App
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import sampling, script
from demos.tabs.autoregressive.beginning import ID
from demos.tabs.autoregressive.brush import Brush
from demos.tabs.autoregressive.changes import LONGEST, PictureChanges, rows_of
from demos.tabs.autoregressive.picture_texts import PIXELS
from demos.widgets.pixel_by_pixel import PixelByPixel, PixelsValue, sheet
from gen_core.families.pixel_cnn import PixelCNN
from gen_core.families.token_sampler import probabilities
from gen_core.family import UNDRAWN
from gen_core.progress import Progress
from gen_core.sampling import pixels, seeds_from

MODEL = "autoregressive-fashion"
UPDATE_SECONDS = 0.25
"""Between two previews, at least."""
AS_SAID = {"temperature": 1.0, "top_k": 0, "top_p": 1.0}
"""With which a pixel is drawn from what the network says."""


def draw(
    app: App, *, label: int | None, count: int, seed: int, changes: Any, **choosing: Any
) -> Iterator[Progress | PixelsValue]:
    """Yields the pictures while they grow, then whole, with what was said of their pixels."""
    model, seeds = app.model(MODEL), seeds_from(seed, count)
    labels = [i % len(FASHION) if label is None else label for i in range(count)]
    taken = rows_of(changes, (count, model.total({})), model.config.levels, ("pixel", "grey"))
    given = torch.where(taken == UNDRAWN, math.nan, model.picture(taken).flatten(1))
    brush = Brush(model, seeds, choosing | {"label": labels}, given.view(count, *model.event.shape))
    shown = {
        "titles": [f"{FASHION[c]}, seed {s}" for c, s in zip(labels, seeds, strict=True)],
        "changed": [(picture - 1, place - 1) for picture, place, _ in changes],
        "name": f"{MODEL}-{seed}",
    }
    told = time.perf_counter()
    for frame in brush.frames():
        standing = int(frame.level)
        yield Progress("Pixel", standing, brush.length)
        if standing < brush.length and time.perf_counter() - told > UPDATE_SECONDS:
            so_far = f"{standing} of {brush.length} pixels"
            yield PixelsValue([*pixels(frame.x)], standing=standing, provenance=so_far, **shown)
            told = time.perf_counter()
    logits = brush.logits()
    own = [] if choosing == AS_SAID else [probabilities(row, **choosing) for row in logits]
    yield PixelsValue(
        [*pixels(brush.frame.x)],
        standing=brush.length,
        bits=brush.bits().tolist(),
        said=[sheet(p) for p in logits.softmax(-1)],
        drawn=[sheet(p) for p in own],
        provenance=f"{count} picture{'s' if count > 1 else ''} in {duration(brush.seconds)} · "
        f"{brush.frame.evaluations} network evaluations each · {app.device_title}",
        **shown,
    )


def code(k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    lines, given, shape = [f"model = load({MODEL!r})"], {}, "1, 28, 28"
    if k["changes"]:
        lines.append(f"given = torch.full(({k['count']}, {shape}), nan)  # what is to be drawn")
        given = {"given": "given"}
    for picture, pixel, grey in k["changes"]:
        place = f"given.flatten(1)[{picture - 1}, {pixel - 1}]"
        lines.append(f"{place} = {grey} / 127.5 - 1  # pixel {pixel}")
    return script(
        *lines,
        *sampling(k, without=("changes",), shape=shape, **given),
        f"label = torch.tensor({labels_for(k['label'], k['count'])!r}).expand(len(x))",
        "bits = -model.log_prob(x, label) / log(2)  # of each picture",
    )


PANEL = Panel(
    tab=ID,
    id="pixels",
    title="Pixel by pixel",
    button="Draw",
    text=PIXELS,
    knobs=[
        Knob("label", "What to draw", "label", ALL_CLASSES, all_classes=True),
        Knob("count", "Pictures", "whole", 4, 1, 16),
        control_of(PixelCNN, "temperature"),
        Knob("seed", "Seed", "seed", 0),
        control_of(PixelCNN, "top_k", high=256),
        control_of(PixelCNN, "top_p"),
        PictureChanges(
            "changes",
            "Pixels you took",
            "text",
            "",
            high=LONGEST,
            info="Which pixel of which picture has which grey: 2/417:255",
            advanced=True,
        ),
    ],
    run=draw,
    code=code,
    calls=PixelCNN.frames,
    screen=PixelByPixel,
    shows="Pictures, pixel by pixel",
    models=(MODEL,),
    needs=(MODEL,),
)
