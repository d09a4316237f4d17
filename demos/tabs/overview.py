"""The first tab: all four families at work on the same data, from the same seeds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from demos.cache import Keep, example
from demos.explain import code_panel, explanation
from demos.handlers import App
from demos.knobs import Knob, Knobs
from demos.layout import buttons
from demos.overview.results import Result, drawn
from demos.overview.rows import row, table
from demos.overview.scatter import Point, scatter
from demos.pictures import seeds_from
from demos.tab import Tab
from demos.texts.overview import EXPLANATION, FAMILIES, HOW_TO_READ
from demos.widgets.card import read
from demos.working import Working
from gen_core.checkpoint import CheckpointError
from gen_core.devices import device_title
from gen_core.evaluate import PUBLISHED
from gen_core.measure import Meter

HERE = Path(__file__).parent.parent / "overview"
EXAMPLE = "overview"
COUNT, STEPS = 10, PUBLISHED["steps"]
"""One of each class, at the steps that the published distances were measured with."""
REFRESH = 0.25
"""Seconds between two looks at a picture that is still noise."""


def code(knobs: dict[str, Any]) -> str:
    """What "Show the code" prints."""
    seed, count = knobs["seed"], knobs["count"]
    names = ", ".join(f'"{text.model}"' for text in FAMILIES)
    return f"""
        from gen_core import load
        from gen_core.measure import measure, published

        for name in ({names}):
            model = load(name)
            knobs = published(model)  # those that its Fréchet distance was measured with
            if "steps" in knobs:
                knobs["steps"] = {knobs["steps"]}
            label = model.in_turn(range({count}))  # each class in turn, where it knows classes
            if label is not None:
                knobs["label"] = label
            cost = measure(model, range({seed}, {seed + count}), **knobs)
            print(f"{{name}}: {{cost.milliseconds:.2f}} ms, {{cost.evaluations:g}} evaluations")
    """


def draw(app: App, seed: int, count: int, steps: int) -> Iterator[dict[int, str] | Working]:
    """Yields what is new on the page: the row being drawn, then scatter and table with it.

    Keys are places in `FAMILIES`, and after them the scatter and the table; `Working` is news
    too small to show.
    """
    seeds, results = list(seeds_from(seed, count)), {}
    for place, text in enumerate(FAMILIES):
        try:
            model, shown_at = app.model(text.model), 0.0
            for shown in drawn(text, model, seeds, steps):
                if shown.done:
                    results[text.id] = shown
                    yield {place: row(text, shown, live_note(app), "live"), **summary(results)}
                elif time.monotonic() - shown_at > REFRESH:
                    yield {place: row(text, shown, drawing_note(shown), "drawing")}
                    shown_at = time.monotonic()
                else:
                    yield Working(shown.step, shown.total, text.title)
        except CheckpointError as error:  # the other families are still worth seeing
            yield {place: row(text, None, str(error), "failed")}


def live_note(app: App) -> str:
    return f"live, {device_title(app.device)}"


def drawing_note(shown: Result) -> str:
    return f"drawing, step {shown.step} of {shown.total}"


def summary(results: Mapping[str, Result]) -> dict[int, str]:
    """The scatter and the table, by their place after the rows."""
    there = [(text, results[text.id]) for text in FAMILIES if text.id in results]
    points = [Point(t.title, t.hue, r.milliseconds, r.frechet, r.as_measured) for t, r in there]
    floors = [r.floor for _, r in there if r.floor]
    plot = scatter(points, floors[0] if floors else None)
    card = f"""
    <section class="ov-card"><h3>Quality against time</h3>{plot}
      <p class="ov-foot">{HOW_TO_READ}</p></section>"""
    return {len(FAMILIES): card, len(FAMILIES) + 1: table(results)}


def make_example(app: App) -> dict[str, Any]:
    """The results at the defaults, by family: all four, or CheckpointError."""
    results = {}
    for text in FAMILIES:
        *_, result = drawn(text, app.model(text.model), list(range(COUNT)), STEPS)
        results[text.id] = asdict(result)
    return results


def first_sight() -> list[str]:
    """What the page shows before anything ran: the kept example, or where to press."""
    kept = example(EXAMPLE)
    results = {k: Result(**v) for k, v in kept.value.items()} if kept else {}
    note = kept.note if kept else "press the button above"
    rows = [row(text, results.get(text.id), note, "before") for text in FAMILIES]
    return rows + list(summary(results).values())


def build(app: App) -> None:
    explanation(EXPLANATION)
    knobs = app.add(Knobs("overview", "all", [
        Knob("seed", "Seed", "seed", 0),
        Knob("count", "Pictures from each", "whole", COUNT, 1, 40),
        Knob("steps", "Steps of diffusion and flow matching", "whole", STEPS, 1, 200, advanced=True,
             info=f"The distances were measured at {STEPS}."),
    ]))  # fmt: skip
    with gr.Row(elem_classes=["ov-bar"], equal_height=True):
        with gr.Column(scale=4, min_width=300):
            go, stop = buttons("Draw with all four")
        with gr.Column(scale=3, min_width=220):
            knobs.build("seed")
        with gr.Column(scale=4, min_width=240):
            knobs.build("count", "steps")
    rows = first_sight()
    with gr.Column(elem_classes=["ov-rows"]):
        parts = [gr.HTML(html, apply_default_css=False) for html in rows[: len(FAMILIES)]]
        save = gr.Button("Save these pictures (PNG)", size="sm", elem_classes=["ov-save"])
    with gr.Row(elem_classes=["ov-more"], equal_height=True):
        for html, scale in zip(rows[len(FAMILIES) :], (5, 8), strict=True):
            with gr.Column(scale=scale, min_width=320):
                parts.append(gr.HTML(html, apply_default_css=False))
    code_panel(knobs, code, Meter)
    style, script = ((HERE / f"overview.{kind}").read_text("utf-8") for kind in ("css", "js"))
    gr.HTML(
        f"<style>{style}{read('chart.css')}</style>", js_on_load=script, apply_default_css=False
    )

    def stream(**settings: Any) -> Iterator[dict[Any, Any]]:
        for news in draw(app, **settings):
            shown = not isinstance(news, Working)
            yield {parts[place]: html for place, html in news.items()} if shown else news

    app.on(go.click, stream, knobs, parts, api_name="overview", stop=stop, show_progress="minimal")
    for button, call in ((go, "started"), (stop, "stopped"), (save, "save")):
        js = f"() => noiseToDataOverview.{call}()"
        button.click(None, None, None, js=js, api_visibility="private")


TAB = Tab("overview", "Overview", order=10, build=build)
CACHED = [
    Keep(EXAMPLE, make_example, tuple(text.model for text in FAMILIES), tuple(range(COUNT))),
]
