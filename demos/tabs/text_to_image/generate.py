"""The Generate panel: words, a few knobs, and pictures that come out of the noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from demos.page.controls import Knob, control_of
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Panel
from demos.sampling.walk import on_timeline
from demos.tabs.text_to_image.prompt import MAX_PROMPT, prompt_tools
from demos.tabs.text_to_image.texts import GENERATE
from demos.widgets.timeline import Lane, Timeline
from demos.widgets.timeline.words import words_value
from gen_core.evaluation.cost import Meter
from gen_core.families.text_to_image import SCHEDULERS, TextToImage
from gen_core.families.text_to_image.folder import NAME
from gen_core.family import Frame

ID = "text-to-image"
MODEL = NAME
MAX_COUNT = 16
EXAMPLE = "a 3d emoji of a panda, on a teal background"
GUIDANCE = 3.0
"""Of 1, 2, 3, 5 and 8, with it most pictures are right."""
SOLVERS = {name: scheduler.label for name, scheduler in SCHEDULERS.items()}
"""As a visitor reads them."""


def knobs() -> list[Knob]:
    """What the picture depends on."""
    return [
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
        control_of(TextToImage, "solver", known_as="sampler"),
        Knob("count", "Pictures", "whole", 4, 1, MAX_COUNT),
        Knob("seed", "Seed", "seed", 0),
    ]


@dataclass(frozen=True)
class PicturedFrame(Frame):
    """x and x0 as pictures (B, 3, 64, 64), out with its channels side by side (B, 1, 32, 32)."""

    latents: Tensor | None = None
    """(B, 1, 32, 32): the state itself, its four channels side by side."""


class PicturedMeter(Meter):
    """A meter whose frames are pictures; decoding them for the page does not count."""

    def __init__(self, *args: Any, **knobs: Any) -> None:
        super().__init__(*args, **knobs, attention=True)
        self.heat: dict[int, Tensor] = {}
        """Step -> (B, 32, 8, 8)."""

    def frames(self) -> Iterator[PicturedFrame]:
        """The sampler's frames, decoded."""
        for frame in super().frames():
            if frame.heat is not None:
                self.heat[frame.step] = frame.heat
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


def latents_of(frame: PicturedFrame) -> Tensor | None:
    """A lane of their own: pixels take a few standard deviations as black and white."""
    return frame.latents


DECODED, GUESS = ("The latents, decoded", "x"), ("Guess of the picture", "x0")
LATENTS = ("The four latents", latents_of, 3.0)
LANES = [DECODED, GUESS, LATENTS]


def draw(app: App, *, prompt: str, count: int, seed: int, **knobs: Any) -> Iterator[Any]:
    """Yields the timeline's values while the pictures come out of the noise."""
    meter = PicturedMeter(app.model(MODEL), seeds_from(seed, count), prompt=prompt, **knobs)
    alt = f"{count} pictures come out of noise, for the words: {prompt}"
    return with_words(meter, prompt, LANES, name=f"{MODEL}-{seed}", alt=alt)


def with_words(
    meter: PicturedMeter, prompt: str, lanes: Sequence[Lane], **shared: Any
) -> Iterator[Any]:
    """What `on_timeline` yields; the last value also says where the prompt's words looked."""
    for value in on_timeline(meter, lanes, clock="t", **shared):
        if isinstance(value, dict) and len(value.get("levels", ())) > 1:
            value["words"] = where_words_looked(meter, prompt, value["steps"])
        yield value


def where_words_looked(
    meter: PicturedMeter, prompt: str, steps: Sequence[int]
) -> dict[str, Any] | None:
    """The prompt's words with their heat at the steps; the last frame shows the mean of all."""
    from gen_core.families.text_to_image.tokens import words_of  # heavy, and only for this tab

    tokenizer = meter.model.pipeline.tokenizer
    words = [(w, places) for w, places in words_of(tokenizer, prompt) if any(map(str.isalnum, w))]
    if not words:
        return None
    mean = torch.stack(list(meter.heat.values())).mean(0)
    maps = [meter.heat.get(step, mean) for step in steps]
    by_word = [torch.stack([m[:, places].sum(1) for _, places in words], dim=1) for m in maps]
    return words_value([word for word, _ in words], by_word, [DECODED[0], GUESS[0]])


def code(knobs: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    count, seed = knobs["count"], knobs["seed"]
    own = {k: v for k, v in knobs.items() if k not in ("count", "seed")}
    options = "".join(f"    {name}={value!r},\n" for name, value in own.items())
    return (
        "from gen_core import Noise, load, record\n\n"
        f"model = load({MODEL!r})\n"
        f"frames = record(model.sample(\n    Noise(range({seed}, {seed + count})),\n{options}))\n"
        f"x = frames[-1].x  # ({count}, 3, 64, 64) in [-1, 1]; latents in the frames before"
    )


PANEL = Panel(
    tab=ID,
    id="generate",
    title="Generate",
    button="Generate",
    text=GENERATE,
    knobs=knobs(),
    run=draw,
    code=code,
    calls=draw,
    screen=Timeline,
    shows="From noise to pictures",
    models=(MODEL,),
    beneath=prompt_tools,
    made_by=MODEL,
    saves=True,
)
