"""The picture to start from: of the model, of real emoji, drawn by hand, or a file."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Mapping
from typing import Any

import gradio as gr
from torch import Tensor

from demos.page.controls import Knob, Knobs
from demos.page.figures import pixels, png_data_url
from demos.page.handlers import App, message_of
from demos.page.image_input import result_of
from demos.page.progress import Working, watch
from demos.page.source import Lines, Pictures, Shown, Source
from demos.tabs.text_to_image.drawings import drawings
from demos.tabs.text_to_image.generate import GUIDANCE
from demos.tabs.text_to_image.prompt import MAX_PROMPT
from demos.widgets.mask_pad import masked_picture_value
from gen_core import Noise
from gen_core.data.emoji import emoji_here
from gen_core.data.emoji.captions import caption
from gen_core.data.emoji.scenes import random_scene
from gen_core.families.text_to_image.folder import NAME

MODEL, SCENE, DRAWING, UPLOAD = "The model", "Real emoji", Source.drawing, Source.upload
DRAWN_WITH = {"steps": 20, "guidance_scale": GUIDANCE}
KEPT = 64
"""Drawn pictures that are remembered, the least recent forgotten first."""
NOT_DRAWN = masked_picture_value("Not drawn yet: drawing anew begins with it.")


class StartInput(Source):
    """Controls that choose the picture; `picture` is the component that shows it."""

    pad, column_width = "Drawing to start from", 0
    first: Mapping[str, str] = NOT_DRAWN
    """What is shown at first, a `masked_picture_value`."""

    def __init__(self, app: App, prompt: str) -> None:
        """prompt: of the first picture."""
        sources = [MODEL, *([SCENE] if emoji_here(app.data_root) else []), DRAWING, UPLOAD]
        knobs = [
            Knob("source", "Start from", "choice", MODEL, options=sources),
            Knob("picture_prompt", "Prompt of the start", "text", prompt, high=MAX_PROMPT),
            Knob("picture_seed", "Seed of the start", "seed", 0),
        ]
        super().__init__(app, knobs)
        self._drawn: OrderedDict[tuple[str, int], Tensor] = OrderedDict()

    def shown_with(self, *knobs: gr.components.Component) -> Shown:
        prompt, seed = knobs
        self.draw = gr.Button("Draw the start", size="sm")
        return {
            prompt: lambda choice: choice == MODEL,
            seed: lambda choice: choice in (MODEL, SCENE),
            self.draw: lambda choice: choice == MODEL,
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
            stop=stop,
            show_progress="minimal",
        )

    def look(
        self, source: Any, picture_prompt: Any, picture_seed: Any, drawing: Any, upload: Any
    ) -> Mapping[str, str]:
        """What can be shown at once: the model's pictures only where it drew them before."""
        given = (source, picture_prompt, picture_seed)
        try:
            settings = {k.name: k.check(v) for k, v in zip(self.knobs, given, strict=True)}
            if source != MODEL:
                return shown(result_of(self.read(drawing, upload, settings)))
            x = self._drawn.get((picture_prompt, settings["picture_seed"]))
            if x is not None:
                return shown(by_model(x, picture_prompt))
            at_first = given == tuple(knob.default for knob in self.knobs)
            return self.first if at_first else NOT_DRAWN
        except Exception as error:
            return masked_picture_value(message_of(error))

    def _draw(
        self, drawing: Any, upload: Any, **settings: Any
    ) -> Generator[Working | dict, None, None]:
        """Yields the picture as it is shown."""
        yield shown((yield from self.read(drawing, upload, settings)))

    def read(
        self, drawing: Any, upload: Any, settings: Mapping[str, Any]
    ) -> Generator[Working, None, Pictures]:
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

    def _sampled(self, prompt: str, seed: int) -> Generator[Working, None, Tensor]:
        """The model's picture: the same as the Generate panel's first for this prompt and seed."""
        if (prompt, seed) not in self._drawn:
            model = self.app.model(NAME)
            frames = model.sample(Noise([seed]), prompt=prompt, **DRAWN_WITH)
            recording = yield from watch(frames, keep=2, doing="Drawing the start")
            self._drawn[prompt, seed] = recording.frames[-1].x
        self._drawn.move_to_end((prompt, seed))
        if len(self._drawn) > KEPT:
            self._drawn.popitem(last=False)
        return self._drawn[prompt, seed]

    def code(self, settings: Mapping[str, Any]) -> Lines:
        """Lines that make the same `picture`, after those that open `model`."""
        source, prompt, seed = self.values(settings)
        if source == MODEL:
            knobs = ", ".join(f"{name}={value!r}" for name, value in DRAWN_WITH.items())
            drawn = f"final(model.sample(Noise([{seed}]), prompt={prompt!r}, {knobs}))"
            return Lines(
                [("gen_core", "Noise"), ("gen_core", "final")],
                [f"picture = {drawn}  # (1, 3, 64, 64) in [-1, 1]"],
            )
        if source == SCENE:
            return Lines(
                [
                    ("gen_core.data.emoji", "load_emoji"),
                    ("gen_core.data.emoji.scenes", "random_scene"),
                    ("gen_core.families.text_to_image.batches", "pictures"),
                ],
                [f"picture = pictures([random_scene({seed})], load_emoji())"],
            )
        return self.brought_code("picture")


def by_model(x: Tensor, prompt: str) -> Pictures:
    return Pictures(x, "drawn by the model", (prompt,))


def shown(pictures: Pictures) -> dict[str, str]:
    """As the screen shows it beneath the mask."""
    note = ": ".join(part for part in (pictures.origin, pictures.names[0]) if part)
    return masked_picture_value(note, png_data_url(pixels(pictures.x)[0]))
