"""The Start from a picture panel: image-to-image, and inpainting where a mask is painted."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from demos.page.controls import Knob
from demos.page.figures import pixels
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.image_io import PREFIX, mask_url
from demos.page.layout import buttons, controls, results
from demos.page.panel import Page, Panel, is_value
from demos.page.script import NOISE, script
from demos.tabs.text_to_image.generate import EXAMPLE, ID, LANES, MODEL, PicturedMeter, with_words
from demos.tabs.text_to_image.generate import knobs as generate_knobs
from demos.tabs.text_to_image.prompt import prompt_tools
from demos.tabs.text_to_image.source import StartInput, shown
from demos.tabs.text_to_image.texts import START
from demos.widgets.mask_pad import STACK, MaskedPicture, MaskKnob
from demos.widgets.timeline import Timeline

NAME = f"{ID}-start"
PROMPT = "a 3d emoji of a dog, on a teal background"
HEAD = (
    "**The start**\n\nPaint over what shall be drawn anew. With nothing painted, the whole "
    "picture is."
)


def disc(radius: float = 22) -> Tensor:
    """The mask of the example, (1, 1, 64, 64): a disc in the middle."""
    away = torch.arange(64) - 31.5
    return ((away[:, None] ** 2 + away**2) < radius**2).float()[None, None]


MASK = MaskKnob("mask", "What to draw anew", "mask", mask_url(disc()))
STRENGTH = Knob(
    "strength",
    "Strength",
    "number",
    0.6,
    0.05,
    1,
    step=0.05,
    info="The share of the steps that is walked: 1 forgets the start",
)


def knobs() -> list[Knob]:
    """What the new pictures depend on, besides the one to start from."""
    prompt, *others = generate_knobs()
    return [replace(prompt, default=PROMPT), STRENGTH, *others]


def draw_from(
    app: App,
    source: StartInput,
    /,
    *,
    mask: Tensor | None,
    strength: float,
    prompt: str,
    count: int,
    seed: int,
    drawing: Any = None,
    upload: Any = None,
    **rest: Any,
) -> Iterator[Any]:
    """Yields the timeline's values, each with the picture to start from as it is shown."""
    from gen_core.families.text_to_image.pipeline import Start  # heavy, and only for this tab

    own = {knob.name: rest.pop(knob.name) for knob in source.knobs}
    pictures = yield from source.read(drawing, upload, own)
    seeds, model = seeds_from(seed, count), app.model(MODEL)
    start = Start(pictures.x, strength, mask)
    meter = PicturedMeter(model, seeds, prompt=prompt, start=start, **rest)
    part = "the painted part of the start" if mask is not None else "the start"
    values = with_words(
        meter,
        prompt,
        LANES[:2],
        name=f"{NAME}-{seed}",
        still={"The start": pixels(pictures.x)},
        alt=f"{part}, {pictures.origin}, is drawn anew {count} times, for the words: {prompt}",
    )
    for value in values:
        yield {**value, "picture": shown(pictures)} if is_value(value) else value


def code(source: StartInput, k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    given, seed, count = source.code(k), k["seed"], k["count"]
    start = f"Start(picture, strength={k['strength']!r})"
    needs = [NOISE, ("gen_core", "record"), *given.needs]
    needs += [("gen_core", "load"), ("gen_core.families.text_to_image.pipeline", "Start")]
    painted = []
    if k["mask"] is not None:
        start = f"Start(picture, strength={k['strength']!r}, mask=mask)"
        needs.append(("demos.page.image_io", "prepare_mask"))
        painted = ["mask = prepare_mask(", *_in_pieces(mask_url(k["mask"])), ")"]
    left_out = {"mask", "strength", "count", "seed", *(knob.name for knob in source.knobs)}
    return script(
        needs,
        f"model = load({MODEL!r})",
        *given.body,
        *painted,
        "frames = record(model.sample(",
        f"    Noise(range({seed}, {seed + count})),",
        f"    start={start},",
        *(f"    {name}={value!r}," for name, value in k.items() if name not in left_out),
        "))",
        f"x = frames[-1].x  # ({count}, 3, 64, 64) in [-1, 1]",
    )


def _in_pieces(text: str, length: int = 76) -> list[str]:
    """A long string as lines of Python that make it."""
    cuts = [0, *range(len(PREFIX), len(text), length), len(text)]
    return [f'    "{text[a:b]}"' for a, b in zip(cuts, cuts[1:], strict=False)]


class StartPanel(Panel):
    """A panel that also has a picture to start from, and a mask on it."""

    def layout(self, page: Page) -> None:
        (source,), knobs = page.sources, page.knobs
        source.first = (page.first or {}).get("picture", source.first)
        with gr.Row():
            with gr.Column(scale=1, min_width=300, elem_classes=["controls"]):
                with gr.Column(elem_classes=["drawing-column"]):
                    gr.Markdown(HEAD, elem_classes=["pad-head"])
                    with gr.Column(elem_classes=[STACK]):
                        source.picture = MaskedPicture(value=source.first)
                        knobs.build(MASK.name)
                with gr.Accordion("Another picture", open=False, elem_classes=["start-source"]):
                    source.build(knobs)
            with controls():
                knobs.build("prompt")
                prompt_tools(page.app, knobs)
                page.go, page.stop = buttons(self.button)
                knobs.build()
            with results():
                screen, kept = self.screens(page)
        page.inputs, page.outputs = source.inputs, [screen, source.picture, kept]

    def connect(self, page: Page) -> list[Any]:
        (source,) = page.sources
        source.connect(page.knobs, source.picture, page.stop)
        return super().connect(page)

    def shown(self, app: App, value: Any, settings: Mapping[str, Any]) -> Any:
        value = dict(value)
        picture = value.pop("picture")
        screen, run = super().shown(app, value, settings)
        return screen, picture, run


PANEL = StartPanel(
    tab=ID,
    id="start",
    title="Start from a picture",
    button="Draw anew",
    text=START,
    knobs=[functools.partial(StartInput, prompt=EXAMPLE), MASK, *knobs()],
    run=draw_from,
    code=code,
    calls=draw_from,
    screen=Timeline,
    shows="From a picture to new ones",
    models=(MODEL,),
    made_by=MODEL,
    saves=True,
)
