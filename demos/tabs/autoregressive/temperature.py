"""The Cold or hot panel: one beginning and one seed at four temperatures."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demos.page.controls import Knob, control_of
from demos.page.handlers import App
from demos.page.image_io import duration
from demos.page.panel import Panel
from demos.page.script import sampling, script
from demos.tabs.autoregressive.beginning import FIRST, ID, MODEL, MODELS, PROMPT, beginning_tools
from demos.tabs.autoregressive.pen import Pen
from demos.tabs.autoregressive.texts import TEMPERATURE
from demos.tabs.autoregressive.words import UPDATE_SECONDS
from demos.widgets.token_columns import Column, TokenColumns, TokenColumnsValue
from gen_core.evaluation.text_quality import distinct
from gen_core.families.gpt import GPT
from gen_core.progress import Progress

TEMPERATURES = {0.0: "always the likeliest", 0.7: "cool", 1.0: "as the network says", 1.5: "hot"}
"""And what is said of each."""
GROUP = 4
"""Tokens of the groups that are compared."""


def write_four(
    app: App, *, prompt: str, model: str, tokens: int, seed: int
) -> Iterator[Progress | TokenColumnsValue]:
    """Yields the texts while they grow, one after the other."""
    network, done, seconds, told = app.model(model), [], 0.0, time.perf_counter()
    named = {"corner": f"seed {seed}", "name": f"{model}-temperatures-{seed}"}
    for number, temperature in enumerate(TEMPERATURES):
        pen = Pen(network, seed, tokens, prompt, {"temperature": temperature})
        for frame in pen.frames():
            yield Progress("Token", number * pen.total + frame.step, len(TEMPERATURES) * pen.total)
            if time.perf_counter() - told > UPDATE_SECONDS:
                yield TokenColumnsValue([*done, column(pen, temperature)], **named)
                told = time.perf_counter()
        done.append(column(pen, temperature))
        seconds += pen.seconds
    source = f"{len(done)} texts in {duration(seconds)} · {app.device_title}"
    yield TokenColumnsValue(done, provenance=source, **named)


def column(pen: Pen, temperature: float) -> Column:
    """The text so far, and what is measured of it."""
    text = pen.text()
    kinds, bits = text.pop("kinds")[pen.begun :], text["bits"][pen.begun :]
    figures = []
    if kinds:
        figures = [
            ("bits per token", f"{sum(bits) / len(bits):.2f}"),
            (f"distinct {GROUP}-grams", f"{distinct(kinds, GROUP):.0%}"),
        ]
    return Column(
        f"Temperature {temperature:g}",
        TEMPERATURES[temperature],
        **text,
        again=[False] * pen.begun + repeated(kinds, GROUP),
        figures=figures,
    )


def repeated(tokens: Sequence[int], n: int) -> list[bool]:
    """Of each token whether it belongs to an n-gram that stood there before."""
    marks, known = [False] * len(tokens), set()
    for start in range(len(tokens) - n + 1):
        gram = tuple(tokens[start : start + n])
        if gram in known:
            marks[start : start + n] = [True] * n
        known.add(gram)
    return marks


def code(k: Mapping[str, Any]) -> str:
    """The lines that write and measure the same."""
    return script(
        f"model, prompt = load({k['model']!r}), {k['prompt']!r}",
        "begun = len(model.condition.tokens(prompt))",
        f"for temperature in {(*TEMPERATURES,)}:",
        *sampling(k, indent=4, prompt="prompt", temperature="temperature"),
        "    bits = -model.token_log_probs(x[x >= 0][None])[0, begun:].mean() / log(2)",
        "    written = x[x >= 0][begun:].tolist()",
        "    print(temperature, model.text(x)[0])",
        f"    print(f'{{bits:.2f}} bits per token, {{distinct(written, {GROUP}):.0%}} distinct')",
    )


PANEL = Panel(
    tab=ID,
    id="temperature",
    title="Cold or hot",
    button="Write four",
    text=TEMPERATURE,
    knobs=[
        PROMPT,
        MODEL,
        control_of(GPT, "tokens", default=120, low=8, high=255),
        Knob("seed", "Seed", "seed", 1),
    ],
    run=write_four,
    code=code,
    calls=GPT.frames,
    screen=TokenColumns,
    shows="One beginning, written on at four temperatures",
    models=(MODELS[FIRST],),
    beneath=beginning_tools,
)
