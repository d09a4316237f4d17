"""The Change one thing and Two prompts panels: the same noise under several values of one knob, and
under two texts, the words that differ marked."""

import difflib
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from demos.page.controls import Knob
from demos.page.handlers import App, watch
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import sampling, script
from demos.tabs.text_to_image.generate import (
    EXAMPLE,
    GUIDANCE,
    ID,
    MAX_PROMPT,
    MODEL,
    PROMPT,
    REST,
    SOLVERS,
    prompt_tools,
)
from demos.tabs.text_to_image.texts import CHANGE, TWO
from demos.widgets.labelled_grid import Cell, LabelledGrid, LabelledGridValue, Row
from gen_core.data.emoji.scenes import FAULTS
from gen_core.evaluation.pictures import laplacian_variance
from gen_core.families.text_to_image.pipeline import NO_GUIDANCE, used
from gen_core.families.text_to_image.tokens import LENGTH, room, tokenizer_alone
from gen_core.sampling import Meter, pixels, seeds_from
from gen_core.training.checkpoint import weights_folder

COLUMNS: dict[str, tuple[str, dict[Any, str]]] = {
    "Guidance": (
        "guidance_scale",
        {1.0: "1: muddled", 3.0: "3", 5.0: "5", 7.5: "7.5", 15.0: "15", 30.0: "30: burnt out"},
    ),
    "Steps": ("steps", {2: "2: unfinished", 5: "5: too few", 10: "10", 20: "20", 40: "40"}),
    "Sampler": ("solver", SOLVERS),
    "Negative prompt": (
        "negative_prompt",
        {text: text or "without" for text in ("", *FAULTS, ", ".join(FAULTS))},
    ),
}
"""What a visitor may change: the knob, and its values with what stands above their columns."""
SAME_NOISE = "Every row starts from the same noise."
NOT_USED = "At guidance 1 the negative prompt has no effect."
TIMES = "The time is for one picture."
BELOW = {"negative_prompt": "Sharpness is the variance of the Laplacian: it grows with edges."}
"""What stands below the pictures."""
USUAL = {"guidance_scale": GUIDANCE, "steps": 20, "solver": next(iter(SOLVERS))}


def columns_of(change: str, negative_prompt: str) -> tuple[str, dict[Any, str]]:
    """The knob of a change, and its values with their titles: of the negative prompt only none and
    the visitor's own, where there is one."""
    knob, columns = COLUMNS[change]
    if knob == "negative_prompt" and negative_prompt.strip():
        columns = {"": "without", negative_prompt: f"with: {negative_prompt}"}
    return knob, columns


def change_one(
    app: App, *, prompt: str, change: str, negative_prompt: str, count: int, seed: int
) -> Iterator[LabelledGridValue | dict[str, Any]]:
    """Yields the table of seeds (rows) and the changed knob's values, column by column."""
    knob, columns = columns_of(change, negative_prompt)
    model, seeds = app.model(MODEL), seeds_from(seed, count)
    app.check_work(count, sum((USUAL | {knob: value})["steps"] for value in columns))
    cells: list[list[Cell | None]] = [[None] * len(columns) for _ in seeds]
    off = knob == "guidance_scale" and NO_GUIDANCE in columns
    unguided = [NOT_USED] if off and negative_prompt else []
    seconds = 0.0
    for k, value in enumerate(columns):
        own = USUAL | {"prompt": prompt, "negative_prompt": negative_prompt, knob: value}
        meter = Meter(model, seeds, **own)
        meter.warm_up()
        x = yield from watch(meter)
        seconds += meter.seconds
        notes = [duration(meter.seconds / count)] * count
        if knob == "negative_prompt":
            notes = [f"sharpness {value:,.0f}" for value in laplacian_variance(x).tolist()]
        for row, picture, note in zip(cells, pixels(x), notes, strict=True):
            row[k] = Cell(picture, note)
        state = "all" if k + 1 == len(columns) else "so far"
        yield LabelledGridValue(
            [Row(f"seed {s}", "", row) for s, row in zip(seeds, cells, strict=True)],
            list(columns.values()),
            corner=change.lower(),
            name=f"{ID}-{knob}",
            provenance=f"{app.device_title} · {duration(seconds)} {state}",
            caption=" ".join([SAME_NOISE, BELOW.get(knob, TIMES), *unguided]),
        )


def change_code(k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    knob, columns = columns_of(k["change"], k["negative_prompt"])
    usual = {name: repr(value) for name, value in USUAL.items()} | {knob: "value"}
    into = "pictures[value] = final"
    return script(
        f"model = load({MODEL!r})",
        "pictures = {}",
        f"for value in {list(columns)}:  # the same noise each time",
        *sampling(k, into, shape="3, 64, 64", without=("change",), indent=4, **usual),
    )


CHANGE_PANEL = Panel(
    tab=ID,
    id="change",
    title="Change one thing",
    button="Compare",
    text=CHANGE,
    knobs=[
        Knob("prompt", "Prompt", "text", EXAMPLE, high=MAX_PROMPT),
        Knob("change", "Change", "choice", "Guidance", options=list(COLUMNS)),
        Knob("negative_prompt", "Negative prompt", "text", "", high=MAX_PROMPT, advanced=True),
        Knob("count", "Seeds", "whole", 3, 1, 6),
        Knob("seed", "First seed", "seed", 0),
    ],
    run=change_one,
    code=change_code,
    calls=change_one,
    screen=LabelledGrid,
    shows="The same noise under several values of one knob",
    models=(MODEL,),
    beneath=prompt_tools,
)


# --- two prompts ----------------------------------------------------------------------------------

LONGEST_UNREAD = 80
"""Characters."""
OTHER = "a flat emoji of a dog, on a teal background"


def side_by_side(
    app: App, *, prompt: str, other_prompt: str, count: int, seed: int, **settings: Any
) -> Iterator[LabelledGridValue | dict[str, Any]]:
    """Yields the table of the prompts (rows) and the seeds (columns), prompt by prompt."""
    model, seeds = app.model(MODEL), seeds_from(seed, count)
    app.check_work(2 * count, settings["steps"])
    prompts, seconds = (prompt, other_prompt), 0.0
    tokenizer = tokenizer_alone(weights_folder() / MODEL)
    ends = [room(tokenizer, text) for text in prompts]
    read = [text[:end] for text, end in zip(prompts, ends, strict=True)]
    rows = [
        Row(" ".join(piece for piece, _ in words), unread(text[end:]), [None] * count, words)
        for text, end, words in zip(prompts, ends, differing(*read), strict=True)
    ]
    for k, text in enumerate(prompts):
        meter = Meter(model, seeds, prompt=text, **settings)
        x = yield from watch(meter)
        seconds += meter.seconds
        rows[k] = replace(rows[k], cells=[Cell(picture, "") for picture in pixels(x)])
        state = "all" if k else "so far"
        yield LabelledGridValue(
            rows,
            [f"seed {s}" for s in seeds],
            corner="",
            name=f"{ID}-two-prompts",
            provenance=f"{app.device_title} · {duration(seconds)} {state}",
            caption="Each column starts from the same noise.",
        )


def unread(rest: str) -> str:
    """What stands under a prompt whose end there was no room for."""
    said = textwrap.shorten(rest, LONGEST_UNREAD, placeholder=" …")
    return f"Not read, for {LENGTH} tokens are all it takes: {said}" if said else ""


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


def two_code(k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    into = "pictures[prompt] = final"
    return script(
        f"model = load({MODEL!r})",
        "pictures = {}",
        f"for prompt in ({k['prompt']!r}, {k['other_prompt']!r}):  # the same noise twice",
        *sampling(
            used(k), into, shape="3, 64, 64", without=("other_prompt",), indent=4, prompt="prompt"
        ),
    )


TWO_PANEL = Panel(
    tab=ID,
    id="two",
    title="Two prompts",
    button="Compare",
    text=TWO,
    knobs=[
        PROMPT,
        Knob("other_prompt", "Second prompt", "text", OTHER, high=MAX_PROMPT),
        *(replace(k, label="Pictures of each", high=6) if k.name == "count" else k for k in REST),
    ],
    run=side_by_side,
    code=two_code,
    calls=side_by_side,
    screen=LabelledGrid,
    shows="The same noise under two prompts",
    models=(MODEL,),
    above=("other_prompt",),
    used=used,
    beneath=prompt_tools,
)
