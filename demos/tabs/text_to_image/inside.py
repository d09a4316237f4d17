"""The Inside the machine panel: one picture's way through the three parts, each of which opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demos.page.controls import Knob
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Panel
from demos.tabs.text_to_image.generate import (
    DECODED,
    GUESS,
    ID,
    LATENTS,
    MODEL,
    PicturedMeter,
    knobs,
    with_words,
)
from demos.tabs.text_to_image.prompt import prompt_tools
from demos.tabs.text_to_image.texts import INSIDE, PARTS
from demos.widgets.timeline import Timeline
from demos.widgets.timeline.parts import Part, parts_value, tokens_value

SAID = ("What the denoiser says", "out")
LANES = [DECODED, LATENTS, SAID, GUESS]


def own_knobs() -> list[Knob]:
    """Those of Generate, for one picture."""
    return [knob for knob in knobs() if knob.name != "count"]


def look_inside(app: App, *, prompt: str, seed: int, **settings: Any) -> Iterator[Any]:
    """Yields the timeline's values, with the lanes in the three parts."""
    meter = PicturedMeter(app.model(MODEL), seeds_from(seed, 1), prompt=prompt, **settings)
    parts = three_parts(meter, prompt, settings["steps"])
    alt = f"a picture comes out of noise, for the words: {prompt}"
    return with_words(
        meter,
        prompt,
        LANES,
        keep=settings["steps"] + 2,
        name=f"{MODEL}-inside-{seed}",
        alt=alt,
        parts=parts,
    )


def three_parts(meter: PicturedMeter, prompt: str, steps: int) -> list[dict[str, Any]]:
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
    return parts_value(
        [
            Part(
                "Text encoder",
                f"{used} tokens → {LENGTH} × {vectors.shape[1]} numbers",
                encoder,
                tokens=tokens_value(pieces, ids[:used], vectors[:used]),
            ),
            Part(
                "Denoiser",
                f"{latents} of noise, {steps} times a little less",
                denoiser,
                lanes=[LATENTS[0], SAID[0], GUESS[0]],
                words=True,
            ),
            Part("Decoder", f"{latents} → 3 × 64 × 64", decoder, lanes=[DECODED[0]]),
        ]
    )


def code(knobs: Mapping[str, Any]) -> str:
    """The lines that look at the same."""
    options = "".join(f"    {name}={value!r},\n" for name, value in knobs.items() if name != "seed")
    return (
        "from gen_core import Noise, load\n"
        "from gen_core.families.text_to_image.tokens import words_of\n\n"
        f"model = load({MODEL!r})\n"
        f"words = words_of(model.pipeline.tokenizer, {knobs['prompt']!r})  # and their tokens\n"
        f"vectors = model.encode_words([{knobs['prompt']!r}])  # (1, 32, 192)\n"
        f"for frame in model.sample(\n    Noise([{knobs['seed']}]), attention=True,\n{options}):\n"
        "    latents, said = frame.latents, frame.out  # (1, 4, 16, 16); said: None at the end\n"
        "    looked = frame.heat  # (1, 32, 8, 8): one map for each token\n"
        "x = frame.x  # (1, 3, 64, 64) in [-1, 1]: the latents, decoded"
    )


PANEL = Panel(
    tab=ID,
    id="inside",
    title="Inside the machine",
    button="Look inside",
    text=INSIDE,
    knobs=own_knobs(),
    run=look_inside,
    code=code,
    calls=look_inside,
    screen=Timeline,
    shows="One picture's way through the three parts",
    models=(MODEL,),
    beneath=prompt_tools,
    made_by=MODEL,
    saves=True,
)
