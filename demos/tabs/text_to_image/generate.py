"""The Generate and Inside the machine panels: words, pictures that come out of the noise, and one
picture's way through the three parts. Help with the words stands under the prompt."""

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from demos.page.controls import Knob, Knobs, control_of
from demos.page.handlers import App
from demos.page.panel import Panel
from demos.page.script import sampling, script
from demos.sampling.generate import on_timeline
from demos.tabs.text_to_image.texts import GENERATE, INSIDE, PARTS
from demos.tabs.text_to_image.things import TAB_ID, offer
from demos.widgets.prompt_help import BoxHelp, PromptHelp, PromptHelpValue
from demos.widgets.timeline import Lane, Part, Timeline, Words, tokens_value, words_value
from gen_core.data.emoji import concepts
from gen_core.data.emoji.scenes import COLOURS, LIGHTS, MEDIA
from gen_core.data.grammar import article
from gen_core.families.text_to_image import SCHEDULERS, TextToImage
from gen_core.families.text_to_image.folder import NAME as MODEL
from gen_core.families.text_to_image.pipeline import used
from gen_core.families.text_to_image.tokens import room, tokenizer_alone, unknown_words
from gen_core.knobs import KnobError
from gen_core.sampling import Frame, Meter, seeds_from
from gen_core.training.checkpoint import weights_folder

ID = TAB_ID
EXAMPLE = "a 3d emoji of a panda, on a teal background"
MAX_PROMPT = 2000
GUIDANCE = 3.0
"""Of 1, 2, 3, 5 and 8, with it most pictures are right."""
SOLVERS = {name: scheduler.label for name, scheduler in SCHEDULERS.items()}
"""As a visitor reads them."""
PROMPT, *REST = KNOBS = [
    Knob("prompt", "Prompt", "text", EXAMPLE, high=MAX_PROMPT),
    Knob(
        "negative_prompt",
        "Negative prompt",
        "text",
        "",
        high=MAX_PROMPT,
        info="What should not appear: blurry, low quality, oversaturated",
    ),
    control_of(TextToImage, "steps"),
    control_of(TextToImage, "guidance_scale"),
    control_of(TextToImage, "solver", known_as="sampler", label="Sampler"),
    Knob("count", "Pictures", "whole", 4, 1, 16),
    Knob("seed", "Seed", "seed", 0),
]
"""What the picture depends on."""
EXAMPLES = (
    "a flat emoji of a rocket, on a blue background",
    "three tomatoes, noto, on white",
    "a dog at golden hour",
    "watercolour of a sunflower",
)
ANY = "any"
LISTS = {
    "subject": ("Subject", [concept.name for concept in concepts()]),
    "style": ("Style", [ANY, "3d", "cartoon", "flat"]),
    "background": ("Background", [ANY, *COLOURS]),
    "medium": ("Medium", [ANY, *MEDIA]),
    "light": ("Lighting", [ANY, *LIGHTS]),
    "quality": ("Quality", [ANY, "sharp, high quality"]),
}


# --- the prompt -----------------------------------------------------------------------------------


BOXES = ("prompt", "other_prompt", "picture_prompt", "negative_prompt")
"""Knobs whose words the model reads."""
WITHOUT_EFFECT = "At guidance 1 the negative prompt has no effect: choose more."


def prompt_tools(app: App, knobs: Knobs) -> Callable[[], None]:
    """Puts on the page what helps with the prompts among a panel's knobs; returns what connects
    them."""
    first = knobs.built["prompt"]
    boxes = [knob for name in BOXES for knob in knobs.knobs if knob.name == name]
    line = PromptHelp(
        elem_id=f"{first.elem_id}-words",
        boxes=[f"{knobs.tab}-{knobs.panel}-{knob.name}" for knob in boxes],
        names=[knob.label.lower() for knob in boxes],
        examples=EXAMPLES,
    )
    with gr.Accordion("Build a prompt", open=False, elem_classes=["prompt-builder"]):
        lists = [
            gr.Dropdown(choices, value=choices[0], label=label, min_width=120)
            for label, choices in LISTS.values()
        ]
    at_once = {
        "queue": False,
        "show_progress": "hidden",
        "api_visibility": "private",
        "trigger_mode": "always_last",
    }
    gr.on([choice.input for choice in lists], built, lists, first, **at_once)

    def connect() -> None:
        heeded = {k: knobs.built[k] for k in (*BOXES, "guidance_scale") if k in knobs.built}

        def helped(*values: Any) -> dict:
            return help_with(dict(zip(heeded, values, strict=True)))

        changes = [part.change for part in heeded.values()]
        gr.on(changes, helped, [*heeded.values()], line, preprocess=False, **at_once)

    return connect


def help_with(values: Mapping[str, Any]) -> dict:
    """The value of the line under the prompt, as JSON. values: of BOXES and of the guidance, as far
    as there are such."""
    told = [strange_to_the_model(text) for name, text in values.items() if name in BOXES]
    unused = bool(values.get("negative_prompt")) and "negative_prompt" not in used(values)
    return PromptHelpValue(told, WITHOUT_EFFECT if unused else "").to_json()


def strange_to_the_model(prompt: Any) -> dict:
    """What the model cannot read of a text, as the JSON of a `BoxHelp`."""
    if not isinstance(prompt, str):
        return BoxHelp([], "").to_json()
    prompt = re.sub("\r\n?", "\n", prompt)  # as a text box has it
    prompt = prompt[:MAX_PROMPT].encode("utf-8", "replace").decode()  # as the run reads it
    end = room(tokenizer_alone(weights_folder() / MODEL), prompt)
    cut = re.match(r"\S*", prompt[end:]).end()  # the rest of a word of which it reads a part
    words = [vars(word) for word in unknown_words(prompt[: end + cut]) if word.start < end]
    return BoxHelp(words, prompt[end:].strip()).to_json()


def built(*chosen: str) -> str:
    """A prompt in the words that the captions of the training have.

    chosen: one of each of LISTS."""
    for value, (_, choices) in zip(chosen, LISTS.values(), strict=True):
        if value not in choices:
            raise KnobError(f"{value!r}: choose one of {', '.join(choices[:8])}, ...")
    subject, style, background, medium, light, quality = chosen
    thing = article(subject)
    thing = thing if style == ANY else f"{article(style)} emoji of {thing}"
    details = [f"on {article(background)} background" if background != ANY else ""]
    details += [medium, "at night" if light == "night" else light, quality]
    return ", ".join([thing, *(d for d in details if d and d != ANY)])


# --- pictures -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PicturedFrame(Frame):
    """x and x0 as pictures (B, 3, 64, 64), out with its channels side by side (B, 1, 32, 32)."""

    latents: Tensor | None = None
    """(B, 1, 32, 32): the state itself, its four channels side by side."""


class AttentionMeter(Meter):
    """A meter that keeps where each token was looked for."""

    def __init__(self, *args: Any, **knobs: Any) -> None:
        super().__init__(*args, **knobs, attention=True)
        self.heat: dict[int, Tensor] = {}
        """Step -> (B, 32, 8, 8)."""

    def frames(self) -> Iterator[Any]:
        """The sampler's frames."""
        for frame in super().frames():
            if frame.heat is not None:
                self.heat[frame.step] = frame.heat
            yield frame

    def mean_heat(self) -> Tensor:
        """(B, 32, 8, 8): the mean of all steps."""
        return torch.stack(list(self.heat.values())).mean(0)


class PicturedMeter(AttentionMeter):
    """A meter whose frames are pictures; decoding them for the page does not count."""

    def frames(self) -> Iterator[PicturedFrame]:
        """The sampler's frames, decoded."""
        for frame in super().frames():
            last = frame.step == frame.total
            x, x0 = (frame.x, None) if last else map(self.model.decode, (frame.x, frame.x0))
            said = None if last else tiled(frame.out)
            yield PicturedFrame(
                frame.step,
                frame.total,
                frame.level,
                x,
                x0,
                said,
                frame.evaluations,
                latents=tiled(frame.latents).cpu(),
            )


def tiled(latents: Tensor) -> Tensor:
    """The four channels of latents (B, 4, 16, 16) as one grey picture (B, 1, 32, 32)."""
    rows = latents.unflatten(1, (2, 2)).permute(0, 1, 3, 2, 4)
    return rows.reshape(len(latents), 1, 32, 32)


DECODED, GUESS = ("Picture so far", "x"), ("Guess of the picture", "x0")
LATENTS = ("The four latents", lambda frame: frame.latents, 3.0)
"""Pixels take a few standard deviations as black and white."""
LANES = [DECODED, GUESS, LATENTS]


def draw(app: App, *, prompt: str, count: int, seed: int, **knobs: Any) -> Iterator[Any]:
    """Yields the timeline's values while the pictures come out of the noise."""
    meter = PicturedMeter(app.model(MODEL), seeds_from(seed, count), prompt=prompt, **knobs)
    return with_words(
        meter,
        prompt,
        LANES,
        also=lambda: {"offer": offer(app, meter.model.pipeline.tokenizer, prompt, meter.x)},
        name=f"{MODEL}-{seed}",
        alt=f"{count} pictures come out of noise, for the words: {prompt}",
    )


def with_words(
    meter: PicturedMeter,
    prompt: str,
    lanes: Sequence[Lane],
    also: Callable[[], dict[str, Any]] = dict,
    **shared: Any,
) -> Iterator[Any]:
    """What `on_timeline` yields; the last value also says where the prompt's words looked, and what
    `also` gives once the pictures are drawn."""

    def looked(frames: Sequence[Frame]) -> Generator[Any, None, dict[str, Any]]:
        yield gr.skip()
        words = where_words_looked(meter, prompt, [frame.step for frame in frames])
        return {"words": words, **also()}

    return on_timeline(meter, lanes, clock="t", finish=looked, **shared)


def where_words_looked(meter: PicturedMeter, prompt: str, steps: Sequence[int]) -> Words | None:
    """The prompt's words with their heat at the steps; the last frame shows the mean of all."""
    from gen_core.families.text_to_image.tokens import words_of  # heavy, and only for this tab

    tokenizer = meter.model.pipeline.tokenizer
    words = [(w, places) for w, places in words_of(tokenizer, prompt) if any(map(str.isalnum, w))]
    if not words:
        return None
    mean = meter.mean_heat()
    maps = [meter.heat.get(step, mean) for step in steps]
    by_word = [torch.stack([m[:, places].sum(1) for _, places in words], dim=1) for m in maps]
    return words_value([word for word, _ in words], by_word, [DECODED[0], GUESS[0]])


PANEL = Panel(
    tab=ID,
    id="generate",
    title="Generate",
    button="Generate",
    text=GENERATE,
    knobs=KNOBS,
    run=draw,
    code=lambda k: script(
        f"model = load({MODEL!r})",
        *sampling(used(k), "frames = record"),
        f"x = frames[-1].x  # ({k['count']}, 3, 64, 64) in [-1, 1]; latents in the frames before",
    ),
    calls=draw,
    screen=Timeline,
    shows="From noise to pictures",
    models=(MODEL,),
    used=used,
    beneath=prompt_tools,
    saves=True,
)


# --- inside the machine ---------------------------------------------------------------------------

SAID = ("Predicted velocity, v", "out")
INSIDE_LANES = [DECODED, LATENTS, SAID, GUESS]


def look_inside(app: App, *, prompt: str, seed: int, **settings: Any) -> Iterator[Any]:
    """Yields the timeline's values, with the lanes in the three parts."""
    meter = PicturedMeter(app.model(MODEL), seeds_from(seed, 1), prompt=prompt, **settings)
    return with_words(
        meter,
        prompt,
        INSIDE_LANES,
        keep=settings["steps"] + 2,
        name=f"{MODEL}-inside-{seed}",
        alt=f"a picture comes out of noise, for the words: {prompt}",
        parts=three_parts(meter, prompt, settings["steps"]),
    )


def three_parts(meter: PicturedMeter, prompt: str, steps: int) -> list[Part]:
    """What the parts show, and the numbers that go in and come out."""
    from gen_core.families.text_to_image.tokens import (  # heavy, and only for this tab
        LENGTH,
        encoded,
    )

    model = meter.model
    tokenizer = model.pipeline.tokenizer
    ids = encoded(tokenizer, [prompt])[0].tolist()
    used = ids.index(tokenizer.eos_token_id) + 1  # the rest is filled up with end markers
    pieces = tokenizer.convert_ids_to_tokens(ids[:used])
    pieces = ["‹start›", *(piece.replace("</w>", "") for piece in pieces[1:-1]), "‹end›"]
    vectors = model.encode_words([prompt])[0]
    channels, side, _ = model.prior.shape
    latents = f"{channels} × {side} × {side} numbers"
    encoder, denoiser, decoder = PARTS
    return [
        Part(
            "Text encoder",
            f"{used} tokens → {LENGTH} × {vectors.shape[1]} numbers",
            encoder,
            tokens=tokens_value(pieces, ids[:used], vectors[:used]),
        ),
        Part(
            "Denoiser",
            f"{latents}: noise at first, less in each of {steps} steps",
            denoiser,
            lanes=[LATENTS[0], SAID[0], GUESS[0]],
            words=True,
        ),
        Part("Decoder", f"{latents} → 3 × 64 × 64", decoder, lanes=[DECODED[0]]),
    ]


def inside_code(k: Mapping[str, Any]) -> str:
    """The lines that look at the same."""
    *call, _ = sampling(used(k), "for frame in ", attention="True")
    return script(
        f"model = load({MODEL!r})",
        f"words = words_of(model.pipeline.tokenizer, {k['prompt']!r})  # and their tokens",
        f"vectors = model.encode_words([{k['prompt']!r}])  # (1, 32, 192)",
        *call,
        ")):",
        "    latents, said = frame.latents, frame.out  # (1, 4, 16, 16); said: None at the end",
        "    looked = frame.heat  # (1, 32, 8, 8): one map for each token",
        "x = frame.x  # (1, 3, 64, 64) in [-1, 1]: the latents, decoded",
    )


INSIDE_PANEL = Panel(
    tab=ID,
    id="inside",
    title="Inside the machine",
    button="Look inside",
    text=INSIDE,
    knobs=[knob for knob in KNOBS if knob.name != "count"],
    run=look_inside,
    code=inside_code,
    calls=look_inside,
    screen=Timeline,
    shows="One picture's way through the three parts",
    models=(MODEL,),
    used=used,
    beneath=prompt_tools,
    saves=True,
)
