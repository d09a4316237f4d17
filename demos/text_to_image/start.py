"""The Start from a picture panel: image-to-image, and inpainting where a mask is painted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from demos.explain import code_panel, explanation
from demos.figures import pixels
from demos.handlers import App
from demos.knobs import Knob, Knobs
from demos.layout import buttons, controls, results
from demos.panel import Panel, as_before
from demos.picture_files import PREFIX, mask_url
from demos.pictures import seeds_from
from demos.saving import run_of, save_button
from demos.script import NOISE, script
from demos.text_to_image.generate import (
    EXAMPLE,
    GUIDANCE,
    ID,
    LANES,
    MODEL,
    PicturedMeter,
    with_words,
)
from demos.text_to_image.generate import knobs as generate_knobs
from demos.text_to_image.prompt import prompt_tools
from demos.text_to_image.source import MODEL as FROM_MODEL
from demos.text_to_image.source import StartInput, shown, source_code, source_knobs
from demos.texts.text_to_image import START
from demos.widgets.mask_pad import STACK, MaskedPicture, MaskKnob
from demos.widgets.timeline import Timeline

PANEL_ID = "start"
NAME = f"{ID}-{PANEL_ID}"
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
    "strength", "Strength", "number", 0.6, 0.05, 1, step=0.05,
    info="The share of the steps that is walked: 1 forgets the start",
)  # fmt: skip


def knobs() -> list[Knob]:
    """What the new pictures depend on, besides the one to start from."""
    prompt, *others = generate_knobs()
    return [replace(prompt, default=PROMPT), STRENGTH, *others]


def draw_from(
    app: App, *, mask: Tensor | None, strength: float, prompt: str, count: int, seed: int,
    drawing: Any = None, upload: Any = None, source_input: StartInput | None = None, **rest: Any,
) -> Iterator[Any]:  # fmt: skip
    """Yields the timeline's values, each with the picture to start from as it is shown.

    source_input: the controls, which remember what the model drew for them before.
    """
    from gen_core.text_to_image.pipeline import Start  # heavy, and only for this tab

    own = {knob.name: rest.pop(knob.name) for knob in source_knobs(EXAMPLE)}
    source = source_input or StartInput(app, EXAMPLE)
    pictures = yield from source.read(drawing, upload, own)
    seeds, model = seeds_from(seed, count), app.model(MODEL)
    start = Start(pictures.x, strength, mask)
    meter = PicturedMeter(model, seeds, prompt=prompt, start=start, **rest)
    part = "the painted part of the start" if mask is not None else "the start"
    values = with_words(
        meter, prompt, LANES[:2], name=f"{NAME}-{seed}",
        still={"The start": pixels(pictures.x)},
        alt=f"{part}, {pictures.origin}, is drawn anew {count} times, for the words: {prompt}",
    )  # fmt: skip
    for value in values:
        yield (value, shown(pictures)) if "levels" in value else value


def code(k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    given, seed, count = source_code(k), k["seed"], k["count"]
    start = f"Start(picture, strength={k['strength']!r})"
    needs = [NOISE, ("gen_core", "record"), *given.needs]
    needs += [("gen_core.text_to_image.pipeline", name) for name in ("Start", "open_pipeline")]
    painted = []
    if k["mask"] is not None:
        start = f"Start(picture, strength={k['strength']!r}, mask=mask)"
        needs.append(("demos.picture_files", "prepare_mask"))
        painted = ["mask = prepare_mask(", *_in_pieces(mask_url(k["mask"])), ")"]
    left_out = {"mask", "strength", "count", "seed", *(knob.name for knob in source_knobs(EXAMPLE))}
    return script(
        needs,
        "model = open_pipeline()",
        *given.body,
        *painted,
        "frames = record(model.sample(",
        f"    Noise(range({seed}, {seed + count})),",
        f"    start={start},",
        *(f"    {name}={value!r}," for name, value in k.items() if name not in left_out),
        "))",
        f"x = model.decode(frames[-1].x)  # ({count}, 3, 64, 64) in [-1, 1]",
    )


def _in_pieces(text: str, length: int = 76) -> list[str]:
    """A long string as lines of Python that make it."""
    cuts = [0, *range(len(PREFIX), len(text), length), len(text)]
    return [f'    "{text[a:b]}"' for a, b in zip(cuts, cuts[1:], strict=False)]


@dataclass(frozen=True)
class StartPanel(Panel):
    """A panel that also has a picture to start from, and a mask on it."""

    def build(self, app: App) -> None:
        """Puts the panel on the page, inside its gr.Tab."""
        before = as_before(NAME) or {}
        source = StartInput(app, EXAMPLE, before.get("picture"))
        explanation(self.text)
        panel = app.add(Knobs(ID, PANEL_ID, [*source.knobs, MASK, *knobs()]))
        with gr.Row():
            with gr.Column(scale=1, min_width=300, elem_classes=["controls"]):
                with gr.Column(elem_classes=["drawing-column"]):
                    gr.Markdown(HEAD, elem_classes=["pad-head"])
                    with gr.Column(elem_classes=[STACK]):
                        picture = MaskedPicture(value=source.first)
                        panel.build(MASK.name)
                with gr.Accordion("Another picture", open=False, elem_classes=["start-source"]):
                    source.build(panel)
            with controls():
                panel.build("prompt")
                prompt_tools(app, panel)
                go, stop = buttons(self.button)
                panel.build()
            with results():
                screen = self.screen(
                    elem_id=NAME, label=self.shows, empty=f"Press {self.button}.",
                    value=self._signed(before or None, self.kept),
                )  # fmt: skip
                kept = save_button(app, NAME)
        source.connect(panel, picture, stop)

        def run(drawing: Any, upload: Any, **settings: Any) -> Iterator[Any]:
            given = {"drawing": drawing, "upload": upload, "source_input": source}
            for piece in draw_from(app, **given, **settings):
                if not isinstance(piece, tuple):
                    yield piece
                    continue
                signed = self._signed(piece[0], settings)
                yield signed, piece[1], run_of(MODEL, settings, signed)

        app.on(
            go.click, run, panel, [screen, picture, kept], inputs=source.inputs,
            api_name=NAME.replace("-", "_"), stop=stop, show_progress="minimal",
        )  # fmt: skip
        code_panel(panel, self.code, self.source)

    def finished(self, app: App) -> Any:
        """The last of the example's values, with the picture that it starts from."""
        *_, (value, picture) = self.run(app, **self.kept)
        return {**value, "picture": picture}


PANEL = StartPanel(
    tab=ID, id=PANEL_ID, title="Start from a picture", button="Draw anew", text=START,
    knobs=[*source_knobs(EXAMPLE), MASK, *knobs()], run=draw_from, code=code, source=draw_from,
    screen=Timeline, shows="From a picture to new ones",
    kept={
        "source": FROM_MODEL, "picture_prompt": EXAMPLE, "picture_seed": 0, "mask": disc(),
        "prompt": PROMPT, "strength": 0.6, "negative_prompt": "", "steps": 20,
        "guidance_scale": GUIDANCE, "sampler": "DPM-Solver++", "count": 4, "seed": 0,
    },
    models=(MODEL,), made_by=MODEL,
)  # fmt: skip
