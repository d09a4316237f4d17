"""The Start from a picture panel: image-to-image, and inpainting where there is a mask.

Its picture is one of the model's, of real emoji, drawn by hand, or a file.
"""

import functools
from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from demos.page.controls import Knob, Knobs
from demos.page.handlers import App, message_of, watch
from demos.page.image_input import Pictures, Shown, Source
from demos.page.image_io import Value, as_json
from demos.page.panel import Page, Panel, controls, results
from demos.page.picture_files import mask_url
from demos.page.runs import buttons, run_state
from demos.page.script import sampling, script
from demos.tabs.text_to_image.generate import (
    EXAMPLE,
    GUIDANCE,
    ID,
    LANES,
    MAX_PROMPT,
    MODEL,
    PROMPT,
    REST,
    PicturedMeter,
    prompt_tools,
    with_words,
)
from demos.tabs.text_to_image.texts import START
from demos.widgets.mask_pad import STACK, MaskedPicture, MaskedPictureValue, MaskKnob, in_pieces
from demos.widgets.timeline import Timeline, TimelineValue
from gen_core.data.emoji import Emoji, emoji_here, load_emoji
from gen_core.data.emoji.captions import caption
from gen_core.data.emoji.scenes import random_scene
from gen_core.families.text_to_image.pipeline import used
from gen_core.progress import Progress, result_of
from gen_core.sampling import Meter, pixels, seeds_from

BY_MODEL, SCENE = "The model", "Real emoji"
DRAWING, UPLOAD = Source.drawing, Source.upload
DRAWN_WITH = {"steps": 20, "guidance_scale": GUIDANCE}
KEPT = 64
"""Drawn pictures that are remembered, the least recent forgotten first."""
NOT_DRAWN = MaskedPictureValue("", "Not drawn yet: Redraw will draw it first.")


@functools.cache
def drawings(root: str | None) -> Emoji:
    """The emoji's drawings, read once for all visitors. Raises MissingData where they are not; that
    is asked again the next time."""
    return load_emoji(root)


class StartInput(Source):
    """Controls that choose the picture; `picture` is the component that shows it."""

    pad, column_width = "Drawing to start from", 0
    first: Value | Mapping[str, str] = NOT_DRAWN
    """What is shown at first, a `MaskedPictureValue` or its JSON."""

    def __init__(self, app: App, prompt: str) -> None:
        """prompt: of the first picture."""
        sources = [BY_MODEL, *([SCENE] if emoji_here(app.data_root) else []), DRAWING, UPLOAD]
        knobs = [
            Knob("source", "Start from", "choice", BY_MODEL, options=sources),
            Knob("picture_prompt", "Prompt for this picture", "text", prompt, high=MAX_PROMPT),
            Knob("picture_seed", "Seed of this picture", "seed", 0),
        ]
        super().__init__(app, knobs)
        self._drawn: OrderedDict[tuple[str, int], Tensor] = OrderedDict()

    def shown_with(self, *knobs: gr.components.Component) -> Shown:
        prompt, seed = knobs
        self.draw = gr.Button("Draw this picture", size="sm")
        return {
            prompt: lambda choice: choice == BY_MODEL,
            seed: lambda choice: choice in (BY_MODEL, SCENE),
            self.draw: lambda choice: choice == BY_MODEL,
        }

    def connect(self, knobs: Knobs, picture: gr.HTML, stop: gr.Button) -> None:
        """Keeps the shown picture up to date; the model draws when it is asked to."""
        own = [knobs.built[knob.name] for knob in self.knobs]
        parts = [*own, *self.inputs.values()]
        gr.on(
            [part.change for part in parts],
            self.look,
            parts,
            picture,
            preprocess=False,
            queue=False,
            show_progress="hidden",
            api_visibility="private",
            trigger_mode="always_last",
        )
        self.app.on(
            self.draw.click,
            self._draw,
            knobs,
            picture,
            inputs=self.inputs,
            api_name="text_to_image_start_picture",
            about="The picture that a run would start from.",
            stop=stop,
        )

    def look(
        self, source: Any, picture_prompt: Any, picture_seed: Any, drawing: Any, upload: Any
    ) -> Mapping[str, str]:
        """What can be shown at once, as JSON: of the model what it drew before."""
        given = (source, picture_prompt, picture_seed)
        try:
            settings = {k.name: k.check(v) for k, v in zip(self.knobs, given, strict=True)}
            if source != BY_MODEL:
                return shown(result_of(self.read(drawing, upload, settings))).to_json()
            x = self._drawn.get((picture_prompt, settings["picture_seed"]))
            if x is not None:
                return shown(by_model(x, picture_prompt)).to_json()
            at_first = given == tuple(knob.default for knob in self.knobs)
            return as_json(self.first if at_first else NOT_DRAWN)
        except Exception as error:
            return MaskedPictureValue("", message_of(error)).to_json()

    def _draw(
        self, drawing: Any, upload: Any, **settings: Any
    ) -> Generator[Progress | MaskedPictureValue, None, None]:
        """Yields the picture as it is shown."""
        yield shown((yield from self.read(drawing, upload, settings)))

    def read(
        self, drawing: Any, upload: Any, settings: Mapping[str, Any]
    ) -> Generator[Progress, None, Pictures]:
        """The chosen picture, x (1, 3, 64, 64). A generator, for the model takes its time.

        Raises KnobError or MissingData with a message for the visitor.
        """
        if own := self.brought(drawing, upload, settings):
            return own
        source, prompt, seed = self.values(settings)
        if source == SCENE:
            from gen_core.families.text_to_image.batches import (
                pictures,  # heavy, and only for this tab
            )

            scene = random_scene(seed)
            x = pictures([scene], drawings(self.app.data_root))
            return Pictures(x, "real emoji", (caption(scene, seed),))
        return by_model((yield from self._sampled(prompt, seed)), prompt)

    def _sampled(self, prompt: str, seed: int) -> Generator[Progress, None, Tensor]:
        """The model's picture: the same as the Generate panel's first for this prompt and seed."""
        if (prompt, seed) not in self._drawn:
            meter = Meter(self.app.model(MODEL), [seed], prompt=prompt, **DRAWN_WITH)
            self._drawn[prompt, seed] = yield from watch(meter, "Drawing the picture to start from")
        self._drawn.move_to_end((prompt, seed))
        if len(self._drawn) > KEPT:
            self._drawn.popitem(last=False)
        return self._drawn[prompt, seed]

    def code(self, settings: Mapping[str, Any]) -> list[str]:
        """Lines that make the same `picture`, after those that open `model`."""
        source, prompt, seed = self.values(settings)
        if source == BY_MODEL:
            knobs = ", ".join(f"{name}={value!r}" for name, value in DRAWN_WITH.items())
            drawn = f"final(model.sample(Noise([{seed}]), prompt={prompt!r}, {knobs}))"
            return [f"picture = {drawn}  # (1, 3, 64, 64) in [-1, 1]"]
        if source == SCENE:
            return [f"picture = pictures([random_scene({seed})], load_emoji())"]
        return self.brought_code("picture")


def by_model(x: Tensor, prompt: str) -> Pictures:
    return Pictures(x, "drawn by the model", (prompt,))


def shown(pictures: Pictures) -> MaskedPictureValue:
    """As the screen shows it beneath the mask."""
    note = ": ".join(part for part in (pictures.origin, pictures.names[0]) if part)
    return MaskedPictureValue(pixels(pictures.x)[0], note)


# --- the panel ------------------------------------------------------------------------------------

NAME = f"{ID}-start"
OTHER = "a 3d emoji of a dog, on a teal background"
HEAD = (
    "**The picture to start from**\n\n"
    "Paint over the part to redraw (inpainting). If you paint nothing, the whole picture is "
    "redrawn."
)


def disc(radius: float = 22) -> Tensor:
    """The mask of the example, (1, 1, 64, 64): a disc in the middle."""
    away = torch.arange(64) - 31.5
    return ((away[:, None] ** 2 + away**2) < radius**2).float()[None, None]


MASK = MaskKnob("mask", "The part to redraw", "mask", mask_url(disc()))
STRENGTH = Knob(
    "strength",
    "Strength",
    "number",
    0.6,
    0.05,
    1,
    step=0.05,
    info="The share of the steps that is run: 1 forgets the picture",
)


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
    part = "the painted part of the picture" if mask is not None else "the picture"
    values = with_words(
        meter,
        prompt,
        LANES[:2],
        name=f"{NAME}-{seed}",
        still={"Started from": pixels(pictures.x)},
        alt=f"{part}, {pictures.origin}, is redrawn {count} times, for the words: {prompt}",
    )
    for value in values:
        if isinstance(value, TimelineValue):
            value = StartedValue(**vars(value), picture=shown(pictures))
        yield value


def code(source: StartInput, k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    masked = k["mask"] is not None
    mask = ["mask = prepare_mask(", *in_pieces(mask_url(k["mask"])), ")"] if masked else []
    start = f"Start(picture, strength={k['strength']!r}{', mask=mask' * masked})"
    own = ("mask", "strength", *(knob.name for knob in source.knobs))
    return script(
        f"model = load({MODEL!r})",
        *source.code(k),
        *mask,
        *sampling(used(k), "frames = record", without=own, start=start),
        f"x = frames[-1].x  # ({k['count']}, 3, 64, 64) in [-1, 1]",
    )


@dataclass(frozen=True, kw_only=True)
class StartedValue(TimelineValue):
    """A timeline, and the picture that it starts from as it is shown."""

    picture: MaskedPictureValue


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
                page.go, page.stop = buttons(self.button, self.name)
                connect_help = prompt_tools(page.app, knobs)
                knobs.build()
                connect_help()
            with results():
                page.state = run_state(self.name)
                (screen,) = self.screens(page)
        page.inputs, page.outputs = source.inputs, [screen, source.picture]

    def connect(self, page: Page) -> list[Any]:
        (source,) = page.sources
        source.connect(page.knobs, source.picture, page.stop)
        return super().connect(page)

    def shown(self, app: App, value: Any, settings: Mapping[str, Any]) -> Any:
        own = {part.name: getattr(value, part.name) for part in fields(TimelineValue)}
        kept = super().shown(app, TimelineValue(**own), settings)
        return replace(kept, value=(kept.value, value.picture))


PANEL = StartPanel(
    tab=ID,
    id="start",
    title="Start from a picture",
    button="Redraw",
    text=START,
    knobs=[
        functools.partial(StartInput, prompt=EXAMPLE),
        MASK,
        replace(PROMPT, default=OTHER),
        STRENGTH,
        *REST,
    ],
    run=draw_from,
    code=code,
    calls=draw_from,
    screen=Timeline,
    shows="From a picture to new ones",
    models=(MODEL,),
    used=used,
    saves=True,
)
