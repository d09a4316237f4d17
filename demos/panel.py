"""What most panels have in common: knobs left, result right."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demos.cache import Keep, example
from demos.explain import Explanation, code_panel, explanation
from demos.handlers import App
from demos.knobs import Knob, Knobs
from demos.layout import buttons, controls, results
from demos.pictures import seeds_from
from demos.saving import run_of
from gen_core.provenance import about

Entry = tuple[str, str, Callable[[App], None]]
"""A panel's title, its id in links, and build(app), called inside its gr.Tab."""


def panel_tabs(app: App, tab: str, entries: Sequence[Entry]) -> None:
    """The panels of a tab, one behind the other, within reach of links."""
    with gr.Tabs(elem_classes=["panels"], overflow_behavior="wrap") as panels:
        app.panels[tab] = panels
        for title, panel_id, build in entries:
            with gr.Tab(title, id=panel_id):
                build(app)


@dataclass(frozen=True)
class Panel:
    """One panel of a tab. Its result is one widget, which stands there filled from the start."""

    tab: str
    id: str
    title: str
    button: str
    """What the main button says."""
    text: Explanation
    knobs: Sequence[Knob]
    """The first one stands above the button, those that are wide under the result."""
    run: Callable[..., Iterator[Any]]
    """run(app, **validated knobs) yields the widget's values, and skips between them."""
    code: Callable[[Mapping[str, Any]], str]
    """The lines that do the same, for the knobs."""
    source: Any
    """What these lines call, to be read."""
    screen: Callable[..., gr.HTML]
    """The widget's constructor: Timeline or LabelledGrid."""
    shows: str
    """What the widget shows, for screen readers."""
    kept: Mapping[str, Any]
    """Validated knobs of the example that was computed before."""
    models: tuple[str, ...]
    """The checkpoints that it needs."""
    after: Callable[[Knobs], None] | None = None
    """after(knobs) connects knobs with each other, once they are on the page."""
    beneath: Callable[[App, Knobs], None] | None = None
    """beneath(app, knobs) puts what helps with the first knob under it."""
    further: Callable[[App], None] | None = None
    """further(app) puts more on the page, below all else."""
    made_by: str = ""
    """The model that drew the pictures: files made of the widget then say so in their metadata."""
    saves: Callable[[App, str], gr.State] | None = None
    """saves(app, name) puts a button under the widget that saves the pictures of a run, and returns
    the state in which it finds them (see `demos.saving`)."""
    live: tuple[str, ...] = ()
    """Knobs that run it too, while they move: the newest value wins."""

    @property
    def name(self) -> str:
        return f"{self.tab}-{self.id}"

    @property
    def entry(self) -> Entry:
        """What `panel_tabs` takes."""
        return self.title, self.id, self.build

    def build(self, app: App) -> None:
        """Puts the panel on the page, inside its gr.Tab."""
        explanation(self.text)
        knobs = app.add(Knobs(self.tab, self.id, [knob.within(app) for knob in self.knobs]))
        with gr.Row():
            with controls():
                knobs.build(self.knobs[0].name)
                if self.beneath:
                    self.beneath(app, knobs)
                go, stop = buttons(self.button)
                knobs.build(*(knob.name for knob in self.knobs if not knob.wide))
            with results():
                screen = self.screen(
                    elem_id=self.name, label=self.shows, empty=f"Press {self.button}.",
                    value=self._signed(as_before(self.name), self.kept),
                )  # fmt: skip
                kept = [self.saves(app, self.name)] if self.saves else []
        knobs.build()
        if self.after:
            self.after(knobs)
        triggers = {"": go.click} | {f"_{k}": knobs.built[k].input for k in self.live}
        for ending, trigger in triggers.items():
            app.on(
                trigger, functools.partial(self._values, app), knobs, [screen, *kept],
                api_name=self.name.replace("-", "_") + ending, stop=stop, show_progress="minimal",
                trigger_mode="always_last" if ending else "once",
            )  # fmt: skip
        code_panel(knobs, self.code, self.source)
        if self.further:
            self.further(app)

    def _values(self, app: App, **knobs: Any) -> Iterator[Any]:
        """What `run` yields, its values with what belongs to them."""
        for value in self.run(app, **knobs):
            if not is_value(value):
                yield value
                continue
            signed = self._signed(value, knobs)
            yield (signed, run_of(self.made_by, knobs, signed)) if self.saves else signed

    def _signed(self, value: dict[str, Any] | None, knobs: Mapping[str, Any]) -> Any:
        """The value with what files made of it shall say of themselves."""
        if value is None or not self.made_by:
            return value
        return {**value, "about": about(self.made_by, knobs)}

    def keep(self) -> Keep:
        """The example for the page's first moment."""
        seeds = tuple(seeds_from(self.kept["seed"], self.kept.get("count", 1)))
        return Keep(self.name, self.finished, models=self.models, seeds=seeds)

    def finished(self, app: App) -> Any:
        """The last of the example's values."""
        *_, value = self.run(app, **self.kept)
        return value


def is_value(piece: Any) -> bool:
    """Whether what a run yields is a widget's value, not only a turn for others."""
    return isinstance(piece, dict) and "provenance" in piece


def as_before(name: str) -> dict[str, Any] | None:
    """The example of that name, labelled as computed before and standing still; None without."""
    before = example(name)
    if before is None:
        return None
    return {**before.value, "provenance": before.note, "live": False, "autoplay": False}
