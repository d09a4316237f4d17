"""The Two prompts panel: the same noise told by two texts, the words that differ marked."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from demos.page.controls import Knob, Knobs
from demos.page.figures import duration, pixels
from demos.page.handlers import App
from demos.page.image_input import seeds_from
from demos.page.panel import Panel
from demos.sampling.walk import unhurried
from demos.tabs.text_to_image.generate import ID, MODEL, knobs
from demos.tabs.text_to_image.prompt import MAX_PROMPT, prompt_tools
from demos.tabs.text_to_image.texts import TWO
from demos.widgets.labelled_grid import Cell, LabelledGrid, Row, labelled_grid_value
from gen_core.devices import device_title
from gen_core.evaluation.cost import Meter

OTHER = "a flat emoji of a dog, on a teal background"
MAX_COUNT = 6


def own_knobs() -> list[Knob]:
    """Those of Generate, a second prompt, and fewer pictures of each."""
    prompt, *others = knobs()
    other = Knob("other_prompt", "Second prompt", "text", OTHER, high=MAX_PROMPT)
    count = Knob("count", "Pictures of each", "whole", 4, 1, MAX_COUNT)
    return [prompt, other, *(count if knob.name == "count" else knob for knob in others)]


def side_by_side(
    app: App, *, prompt: str, other_prompt: str, count: int, seed: int, **settings: Any
) -> Iterator[dict[str, Any]]:
    """Yields the table of the prompts (rows) and the seeds (columns), prompt by prompt."""
    model, seeds = app.model(MODEL), seeds_from(seed, count)
    app.check_work(2 * count, settings["steps"])
    prompts, seconds = (prompt, other_prompt), 0.0
    rows = [Row("", "", [None] * count, words) for words in differing(*prompts)]
    for k, text in enumerate(prompts):
        meter, last = Meter(model, seeds, prompt=text, **settings), None
        for frame in unhurried(meter.frames()):
            last = frame or last
            if frame is None:
                yield gr.skip()
        seconds += meter.seconds
        cells = [Cell(picture, "") for picture in pixels(last.x)]
        rows[k] = Row("", "", cells, rows[k].words)
        state = "all" if k else "so far"
        yield labelled_grid_value(
            rows,
            [f"seed {s}" for s in seeds],
            corner="",
            name=f"{ID}-two-prompts",
            provenance=f"{device_title(model.device)} · {duration(seconds)} {state}",
            caption="Each column starts from the same noise.",
        )


def differing(a: str, b: str) -> list[list[tuple[str, bool]]]:
    """Both texts in runs of words, and whether the other text lacks them at that place."""
    left, right = a.split(), b.split()
    runs: list[list[tuple[str, bool]]] = [[], []]
    for kind, *places in difflib.SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes():
        for words, run, (start, end) in zip(
            (left, right), runs, (places[:2], places[2:]), strict=True
        ):
            if end > start:
                run.append((" ".join(words[start:end]), kind != "equal"))
    return runs


def code(k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    own = ("prompt", "other_prompt", "count", "seed")
    options = "".join(f"        {name}={v!r},\n" for name, v in k.items() if name not in own)
    return (
        f"from gen_core import Noise, final, load\n\nmodel = load({MODEL!r})\npictures = {{}}\n"
        f"for prompt in ({k['prompt']!r}, {k['other_prompt']!r}):\n"
        "    pictures[prompt] = final(model.sample(\n"
        f"        Noise(range({k['seed']}, {k['seed'] + k['count']})),  # the same noise twice\n"
        f"        prompt=prompt,\n{options}    ))  # ({k['count']}, 3, 64, 64) in [-1, 1]"
    )


def prompts_above(app: App, knobs: Knobs) -> None:
    """Both prompts stand above the button."""
    prompt_tools(app, knobs)
    knobs.build("other_prompt")


PANEL = Panel(
    tab=ID,
    id="two",
    title="Two prompts",
    button="Compare",
    text=TWO,
    knobs=own_knobs(),
    run=side_by_side,
    code=code,
    calls=side_by_side,
    screen=LabelledGrid,
    shows="The same noise under two prompts",
    models=(MODEL,),
    beneath=prompts_above,
    made_by=MODEL,
)
