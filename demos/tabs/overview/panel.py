"""The Overview: all families at work on the same data, from the same seeds."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from demos.page.controls import Knob
from demos.page.examples import Keep, example
from demos.page.handlers import App
from demos.page.panel import Page, Panel
from demos.page.runs import buttons, example_of, run_state
from demos.page.script import script
from demos.tabs.overview import memorization
from demos.tabs.overview.results import Film, Result, drawn, filmed, named, on_offer
from demos.tabs.overview.rows import against_the_rule, asked_row, row, scatter, table
from demos.tabs.overview.texts import (
    EXPLANATION,
    FAMILIES,
    FASHION,
    HOW_TO_READ,
    PORTRAITS,
    PORTRAITS_MORE,
    SETS,
    DataText,
    FamilyText,
    families_of,
)
from demos.widgets.attribute_picker import JUDGE
from demos.widgets.card import read
from demos.widgets.card.export import export_file
from gen_core.families.guided import GuidedFamily
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from gen_core.sampling import Meter, seeds_from
from gen_core.training.checkpoint import CheckpointError, available

HERE = Path(__file__).parent
COUNT, STEPS = 6, GuidedFamily.measured_with["steps"]
"""As many pictures as stand large in a line, at the steps that published distances were measured
with."""
REFRESH = 0.25
"""Seconds between two looks at a picture that is still noise."""
ASKED, SCATTER, TABLE = "asked", "scatter", "table"
"""The parts of the page besides the families' rows, which are called by their ids."""
ROWS = (ASKED, *(text.id for text in FAMILIES))
PARTS = (*ROWS, SCATTER, TABLE)


def code(knobs: dict[str, Any]) -> str:
    """What "Show the code" prints: for the models that are here."""
    seed, count = knobs["seed"], knobs["count"]
    data = named(knobs.get("data", FASHION.title))  # no knob where only one is here
    every = [text.model(data.id) for text in families_of(data)]
    each = "all attributes of each person" if data.colour else "each class"
    return script(
        f"for name in {[name for name in every if name in available()] or every}:",
        "    model = load(name)",
        "    knobs = model.published  # those that its Fréchet distance was measured with",
        '    if "steps" in knobs:',
        f'        knobs["steps"] = {knobs["steps"]}',
        f"    label = model.condition.balanced(range({count}))  # {each} in turn",
        "    if label is not None:",
        '        knobs["label"] = label',
        f"    cost = cost_of(model, range({seed}, {seed + count}), **knobs)",
        '    print(f"{name}: {cost.milliseconds:.2f} ms, {cost.evaluations:g} evaluations")',
    )


def draw(
    app: App, seed: int, count: int, steps: int, data: str = FASHION.title
) -> Iterator[dict[str, str] | Progress]:
    """Yields what is new on the page, by part: the row being drawn, then with it all that sums up
    the rows. data: a title. `Progress` is news too small to show."""
    seeds, results, chosen = list(seeds_from(seed, count)), {}, named(data)
    others = dict.fromkeys((text.id for text in FAMILIES if text not in families_of(chosen)), "")
    yield {ASKED: asked_row(chosen, count, results), **others}
    for text in families_of(chosen):
        if text.model(chosen.id) not in available():
            note = absent_note(text.model(chosen.id))
            yield {text.id: row(chosen, text, None, note, "absent")}
            continue
        try:
            yield from _draw_row(app, chosen, text, seeds, steps, results)
        except CheckpointError as error:  # the other families are still worth seeing
            yield {text.id: row(chosen, text, None, str(error), "failed")}


def _draw_row(
    app: App,
    data: DataText,
    text: FamilyText,
    seeds: list[int],
    steps: int,
    results: dict[str, Result],
) -> Iterator[dict[str, str] | Progress]:
    """One family's share of `draw`; its result joins the others'."""
    shown_at = 0.0
    for shown in drawn(text, app.model(text.model(data.id)), seeds, steps):
        if shown.done:
            results[text.id] = shown
            note = f"live, {app.device_title}"
            yield {
                ASKED: asked_row(data, len(seeds), results),
                text.id: row(data, text, shown, note, "live"),
                **summary(data, results),
            }
        elif time.monotonic() - shown_at > REFRESH:
            note = f"drawing, step {shown.step} of {shown.total}"
            yield {text.id: row(data, text, shown, note, "drawing")}
            shown_at = time.monotonic()
        else:
            yield Progress(text.title, shown.step, shown.total)


def absent_note(name: str) -> str:
    return f"not trained yet: python -m gen_core train {name}"


def summary(data: DataText, results: Mapping[str, Result]) -> dict[str, str]:
    """The scatter and the table."""
    there = [(text, results[text.id]) for text in FAMILIES if text.id in results]
    card = f"""
    <section class="ov-card"><h3>Quality against time</h3>{scatter(there)}
      <p class="ov-foot">{HOW_TO_READ} {against_the_rule(data, results)}</p></section>"""
    return {SCATTER: card, TABLE: table(results)}


def make_example(data: DataText, app: App) -> dict[str, Any]:
    """The results at the defaults, and the films of those that take steps, by family: all of them,
    or CheckpointError."""
    made = {"results": {}, "films": {}}
    for text in families_of(data):
        run = drawn(text, app.model(text.model(data.id)), list(range(COUNT)), STEPS)
        last, film = filmed(list(run))
        made["results"][text.id] = asdict(last)
        if film:
            made["films"][text.id] = asdict(film)
    return made


def first_sight(data: DataText) -> dict[str, str]:
    """What the page shows before anything ran: the kept example, or where to press."""
    kept = example(data.example)
    results = {k: Result(**v) for k, v in kept.value["results"].items()} if kept else {}
    films = {k: Film(**v) for k, v in kept.value["films"].items()} if kept else {}
    rows = dict.fromkeys((text.id for text in FAMILIES), "")
    for text in families_of(data):
        shown, name = results.get(text.id), text.model(data.id)
        if shown is None and name not in available():
            rows[text.id] = row(data, text, None, absent_note(name), "absent")
            continue
        note, about = ("Example", kept.note) if kept else ("press the button above", "")
        film = films.get(text.id)
        rows[text.id] = row(data, text, shown, note, "before", about=about, film=film)
    return {ASKED: asked_row(data, COUNT, results), **rows, **summary(data, results)}


class OverviewPanel(Panel):
    """It has parts in place of one screen, and a data set to choose where there are two."""

    @property
    def name(self) -> str:
        return self.tab

    def build(self, app: App) -> list[Any]:
        sets = on_offer()
        more = PORTRAITS_MORE if PORTRAITS in sets else ""
        paragraph = f"{self.text.paragraph}\n\n{more}".rstrip()
        text = replace(self.text, paragraph=paragraph)
        trained = (*(f.model(data.id) for data in sets for f in families_of(data)), JUDGE)
        panel = replace(self, knobs=_knobs(sets), text=text, trained=trained)
        return Panel.build(panel, app)

    def layout(self, page: Page) -> None:
        knobs = page.knobs
        portraits = "data" in [knob.name for knob in knobs.knobs]
        if portraits:
            with gr.Row(elem_classes=["ov-data"]):
                knobs.build("data")
        with gr.Row(elem_classes=["ov-bar"], equal_height=True):
            with gr.Column(scale=4, min_width=300):
                page.go, page.stop = buttons(self.button, self.name)
            with gr.Column(scale=3, min_width=220):
                knobs.build("seed")
            with gr.Column(scale=4, min_width=240):
                knobs.build("count", "steps")
        with gr.Column(elem_classes=["ov-rows"]):
            page.state = run_state(self.name)
            page.outputs = _htmls(page, ROWS)
            save = gr.Button("Save these pictures (PNG)", size="sm", elem_classes=["ov-save"])
        if portraits:
            with gr.Column(elem_classes=["ov-copies"]):
                looked_for = memorization.PANEL.build(page.app)
            page.stop.click(None, None, None, cancels=looked_for, api_visibility="private")
        with gr.Row(elem_classes=["ov-more"], equal_height=True):
            for name, scale in ((SCATTER, 5), (TABLE, 8)):
                with gr.Column(scale=scale, min_width=320):
                    page.outputs += _htmls(page, [name])
        _tell(save, "save")

    def connect(self, page: Page) -> list[Any]:
        events = super().connect(page)
        if "data" in page.knobs.built:
            _follow(page, dict(zip(PARTS, page.outputs, strict=True)), *events)
        _tell(page.go, "started")
        _tell(page.stop, "stopped")
        return events

    def values(self, page: Page, /, **settings: Any) -> Iterator[dict[Any, Any] | Progress]:
        """All parts that are new in this run: whoever is slow, or joins late, gets the newest of
        what is yielded, and not all."""
        parts, so_far = dict(zip(PARTS, page.outputs, strict=True)), {}
        for news in self.run(page.app, **settings):
            if isinstance(news, Progress):
                yield news
                continue
            so_far |= {parts[name]: html for name, html in news.items()}
            yield dict(so_far)

    def at_first(self, app: App) -> dict[str, str]:
        return first_sight(on_offer()[0])

    def keeps(self) -> list[Keep]:
        own = [
            Keep(
                data.example,
                partial(make_example, data),
                tuple(text.model(data.id) for text in families_of(data)),
                tuple(range(COUNT)),
            )
            for data in SETS
        ]
        return [*own, *(keep for part in self.parts for keep in part.keeps())]


def _knobs(sets: Sequence[DataText]) -> list[Knob]:
    """With a choice of the data set where there is one."""
    return [
        *([_choice(sets)] if len(sets) > 1 else []),
        Knob("seed", "Seed", "seed", 0, fresh=True),
        Knob("count", "Pictures from each", "whole", COUNT, 1, 40),
        Knob(
            "steps",
            "Steps of diffusion and flow matching",
            "whole",
            STEPS,
            1,
            200,
            advanced=True,
            info=f"The Fréchet distances were measured with {STEPS} steps.",
        ),
    ]


def _choice(sets: Sequence[DataText]) -> Knob:
    titles = [data.title for data in sets]
    names = {data.title: data.linked for data in sets}
    return Knob("data", "Pictures of", "choice", titles[0], options=titles, names=names)


def _htmls(page: Page, names: Sequence[str]) -> list[gr.HTML]:
    """Parts of the page, as at first sight."""
    return [gr.HTML(page.first[name], apply_default_css=False) for name in names]


def _tell(button: gr.Button, call: str) -> None:
    """A button also calls the script that goes with the rows."""
    button.click(
        None, None, None, js=f"() => noiseToDataOverview.{call}()", api_visibility="private"
    )


def _style_and_script(app: App) -> None:
    style = read(HERE / "overview.css", "chart/chart.css")
    gr.HTML(
        f"<style>{style}</style>",
        js_on_load=read(HERE / "overview.js", HERE / "film.js"),
        server_functions=[export_file],
        apply_default_css=False,
    )


def _follow(page: Page, parts: Mapping[str, gr.HTML], run: Any) -> None:
    """Another data set: what is being drawn ends, and its example takes its place."""
    choice = page.knobs.built["data"]

    def shown(title: Any) -> dict[gr.HTML, str]:
        try:
            sight = first_sight(named(title))
        except KnobError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return {parts[name]: html for name, html in sight.items()}

    # In this order: Gradio runs them one after the other, and a run that somebody starts on seeing
    # the example must not be stopped by the choice before it.
    choice.change(None, None, None, cancels=[run], api_visibility="private")
    choice.change(
        shown,
        choice,
        list(parts.values()),
        js=example_of(page.state, page.knobs, "data"),
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )


PANEL = OverviewPanel(
    tab="overview",
    id="all",
    title="Overview",
    button="Draw with all",
    text=EXPLANATION,
    run=draw,
    code=code,
    calls=Meter,
    further=_style_and_script,
    parts=(memorization.PANEL,),
)
