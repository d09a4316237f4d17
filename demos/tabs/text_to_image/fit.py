"""The Does it fit the words? panel: every picture against several texts, by CLIP score."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from demos.page.controls import Knob, Knobs
from demos.page.figures import duration, pixels
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Panel
from demos.page.progress import Working, watch
from demos.page.script import sampling, script
from demos.tabs.text_to_image import measured, search
from demos.tabs.text_to_image.generate import ID, MAX_PROMPT, MODEL, PROMPT, REST, prompt_tools
from demos.tabs.text_to_image.texts import FIT
from demos.widgets.labelled_grid import Cell, LabelledGrid, Row, labelled_grid_value
from gen_core import Noise
from gen_core.checks import KnobError
from gen_core.devices import device_title
from gen_core.training.checkpoint import weights_folder

if TYPE_CHECKING:
    from gen_core.families.text_to_image.clip_score import Matcher

MOST_TEXTS = 8
LONGEST_SHOWN = 120
OTHERS = """a 3d emoji of a panda, on a pink background
a 3d emoji of a dog, on a teal background
a house at night"""
TEXTS = Knob(
    "texts",
    "Compare with, one a line",
    "text",
    OTHERS,
    high=MAX_PROMPT,
    info=f"Up to {MOST_TEXTS} other texts: which one fits each picture best?",
)


def fit(
    app: App, *, prompt: str, texts: str, count: int, seed: int, **knobs: Any
) -> Iterator[Working | dict[str, Any]]:
    """Draws the pictures, then yields the table of their scores."""
    others, seeds = other_texts(prompt, texts), seeds_from(seed, count)
    model, matcher = app.model(MODEL), matcher_of(app)
    recording = yield from watch(
        model.sample(Noise(seeds), prompt=prompt, **knobs), keep=2, doing="Drawing"
    )
    x = recording.frames[-1].x
    scores = matcher.scores(x, [prompt, *others])
    yield labelled_grid_value(
        rows(x, scores, [prompt, *others]),
        [str(s) for s in seeds],
        corner="seed",
        name=f"{ID}-fit-{seed}",
        provenance=f"{device_title(model.device)} · {duration(recording.seconds)}",
        caption=summary(scores),
    )


def other_texts(prompt: str, texts: str) -> list[str]:
    """The lines that say something, each once, without the prompt. Raises KnobError."""
    lines = dict.fromkeys(line.strip() for line in texts.splitlines())
    others = [line for line in lines if line and line != prompt.strip()]
    if len(others) > MOST_TEXTS:
        raise KnobError(f"texts has {len(others)} lines: write at most {MOST_TEXTS}")
    return others


def matcher_of(app: App) -> Matcher:
    """The encoder of words and pictures, loaded once for all visitors."""
    return _matcher(str(weights_folder() / MODEL), str(app.device))


@functools.lru_cache(maxsize=1)
def _matcher(folder: str, device: str) -> Matcher:
    from gen_core.families.text_to_image.clip_score import Matcher  # heavy, and only for this tab

    return Matcher.open(folder, device)


def rows(x: Tensor, scores: Tensor, texts: Sequence[str]) -> list[Row]:
    """The pictures with the prompt's score, then each text's scores; the prompt is the first."""
    drawn = [
        Cell(picture, f"{score:.1f}")
        for picture, score in zip(pixels(x), scores[:, 0].tolist(), strict=True)
    ]
    low, span = float(scores.min()), float(scores.max() - scores.min()) or 1.0
    best = scores.argmax(1).tolist()
    table = [Row("CLIP score", "of each picture with the prompt", drawn)]
    for k, text in enumerate(texts):
        cells = [
            Cell(None, f"{score:.1f}", (score - low) / span, best=best[i] == k)
            for i, score in enumerate(scores[:, k].tolist())
        ]
        table.append(Row(f"Text {k}" if k else "The prompt", shortened(text), cells))
    return table


def shortened(text: str) -> str:
    text = " ".join(text.split()) or "(no words)"
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def summary(scores: Tensor) -> str:
    """How often the prompt won; scores (pictures, texts), the prompt's first."""
    pictures, texts = scores.shape
    if texts == 1:
        return "A score alone says little: write other texts to compare the prompt with."
    won = int((scores.argmax(1) == 0).sum())
    return (
        f"Of these {texts} texts, the prompt fits best in {won} of {pictures} "
        f"picture{'s' if pictures > 1 else ''}. In each column the best text has a frame."
    )


def code(k: Mapping[str, Any]) -> str:
    """The lines that give the same scores."""
    texts = [k["prompt"], *other_texts(k["prompt"], k["texts"])]
    return script(
        "texts = [",
        *(f"    {text!r}," for text in texts),
        "]",
        f"model, matcher = load({MODEL!r}), Matcher.open(weights_folder() / {MODEL!r})",
        *sampling(k, shape="3, 64, 64", without=("texts",), prompt="texts[0]"),
        f"scores = matcher.scores(x, texts)  # ({k['count']}, {len(texts)}): 100 cos, or 0",
        "best = scores.argmax(1)  # which text fits each picture best",
    )


def beneath(app: App, knobs: Knobs) -> None:
    prompt_tools(app, knobs)
    knobs.build(TEXTS.name)


def further(app: App) -> None:
    search.PANEL.build(app)
    measured.build()


PANEL = Panel(
    tab=ID,
    id="fit",
    title="Does it fit the words?",
    button="Generate and score",
    text=FIT,
    knobs=[PROMPT, TEXTS, *REST],
    run=fit,
    code=code,
    calls=fit,
    screen=LabelledGrid,
    shows="Pictures and their CLIP scores with several texts",
    models=(MODEL,),
    beneath=beneath,
    further=further,
    parts=(search.PANEL,),
    made_by=MODEL,
)
