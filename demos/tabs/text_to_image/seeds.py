"""The Eight seeds panel: one prompt from several seeds, the best first, and whether everything that
was asked for is in them: where each thing was looked for, and what the classifier finds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from demos.page.handlers import App, watch
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import sampling, script
from demos.tabs.text_to_image.beside import CLIP, JUDGE, scorer
from demos.tabs.text_to_image.generate import (
    ID,
    MODEL,
    PROMPT,
    REST,
    AttentionMeter,
    prompt_tools,
)
from demos.tabs.text_to_image.texts import SEEDS
from demos.tabs.text_to_image.things import SEEDS_ID, Thing, found_in, named
from demos.widgets.labelled_grid import Cell, LabelledGrid, LabelledGridValue, Row
from gen_core.evaluation.pictures import diversity
from gen_core.families.text_to_image.pipeline import used
from gen_core.progress import Progress
from gen_core.sampling import pixels, seeds_from

TWO_THINGS = "a dog and a rocket, on a blue background"
COUNT, MOST = 8, 12
FOUND, MISSING = "✓ found", "✗ missing"
OWN = {"count": {"default": COUNT, "high": MOST}, "negative_prompt": {"advanced": True}}
"""What the knobs of other panels are here."""
DIMMED = 0.25
"""What is left of a picture's brightness where a thing was not looked for."""


def several(
    app: App, *, prompt: str, count: int, seed: int, **knobs: Any
) -> Iterator[Progress | LabelledGridValue]:
    """Draws the pictures, then yields them sorted: most things found first, then the best fit."""
    model, seeds = app.model(MODEL), seeds_from(seed, count)
    meter = AttentionMeter(model, seeds, prompt=prompt, **knobs)
    x = yield from watch(meter, "Drawing")
    scores = scorer(app.device).scores(x, [prompt])[:, 0]
    things = named(model.pipeline.tokenizer, prompt)
    found = found_in(app, x, things)
    order = sorted(range(count), key=lambda k: (-sum(found[k]), -float(scores[k])))
    drawn, heat = pixels(x), meter.mean_heat()
    table = [Row("Picture", "and its fit", [Cell(drawn[k], f"{scores[k]:.1f}") for k in order])]
    for n, thing in enumerate(things):
        maps = heat_of(thing, heat)
        cells = [Cell(lit(drawn[k], maps[k]), FOUND if found[k][n] else MISSING) for k in order]
        table.append(Row(thing.name.capitalize(), "where it was looked for", cells))
    yield LabelledGridValue(
        table,
        [f"seed {seeds[k]}" for k in order],
        corner="best first",
        name=f"{ID}-seeds-{seed}",
        provenance=f"{app.device_title} · {duration(meter.seconds)}",
        caption=f"{said_of(things, found)} {variety(x)}".strip(),
    )


def heat_of(thing: Thing, heat: Tensor) -> Tensor:
    """(B, 8, 8) from 0 to 1: how much each place looked at the thing's tokens; heat: (B, 32, 8, 8).
    Zeros where the model has not read it."""
    if thing.places is None:
        return torch.zeros_like(heat[:, 0])
    maps = heat[:, thing.places].sum(1)
    return maps / maps.amax((1, 2), keepdim=True).clamp(min=1e-9)


def lit(picture: np.ndarray, heat: Tensor) -> np.ndarray:
    """A picture (H, W, 3), dimmed where the heat (h, w) is low."""
    size = picture.shape[:2]
    light = F.interpolate(heat[None, None].float().cpu(), size, mode="bilinear")[0, 0].numpy()
    share = DIMMED + (1 - DIMMED) * light[..., None]
    return (picture * share).round().astype(np.uint8)


def said_of(things: Sequence[Thing], found: Sequence[tuple[bool, ...]]) -> str:
    """What the classifier finds, in a sentence."""
    if not things:
        return "The prompt names none of the 300 things that the classifier knows."
    whole, count = sum(map(all, found)), len(found)
    what = "both things" if len(things) == 2 else things[0].name
    if whole == count:
        return f"The classifier finds {what} in all {count} pictures."
    if whole:
        return f"The classifier finds {what} in {whole} of {count} pictures: take the first."
    best = max(found, key=sum)
    missing = [t.name for t, there in zip(things, best, strict=True) if not there]
    return (
        f"The classifier finds {what} in none of {count} pictures; the first one lacks "
        f"{' and '.join(missing)}. Other seeds or plainer words may help."
    )


def variety(x: Tensor) -> str:
    """How much the pictures differ."""
    if len(x) == 1:
        return ""
    return f"Diversity {diversity(x):.2f}: 0 would be one picture again and again."


def code(k: Mapping[str, Any]) -> str:
    """The lines that draw the same and sort them."""
    return script(
        f"prompt, folder = {k['prompt']!r}, weights_folder() / {MODEL!r}",
        f"model, matcher = load({MODEL!r}), ClipScorer.open(folder)",
        *sampling(used(k), shape="3, 64, 64", prompt="prompt"),
        "scores = matcher.score(x, [prompt] * len(x))  # 100 cos, or 0",
        "things = [thing.concept for thing in things_in(as_read(prompt)[0])][:2]",
        "if len(things) == 2:",
        "    answers = relation_found(classifier_of(folder), x, [tuple(things)] * len(x))",
        "    found = [sum(there) for _, there in answers]  # of the two, in each picture",
        "else:",
        "    found = thing_found(classifier_of(folder), x, *things) if things else [0] * len(x)",
        f"best = sorted(range({k['count']}), key=lambda i: (-found[i], -scores[i]))",
        *(["spread = diversity(x)"] if k["count"] > 1 else []),
    )


PANEL = Panel(
    tab=ID,
    id=SEEDS_ID,
    title="Eight seeds",
    button="Draw eight",
    text=SEEDS,
    knobs=[
        replace(PROMPT, default=TWO_THINGS),
        *(replace(k, **OWN.get(k.name, {})) for k in REST),
    ],
    run=several,
    code=code,
    calls=several,
    screen=LabelledGrid,
    shows="Pictures of one prompt from several seeds, the best first",
    models=(MODEL,),
    trained=(MODEL, CLIP, JUDGE),
    used=used,
    beneath=prompt_tools,
)
