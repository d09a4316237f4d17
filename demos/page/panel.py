"""A panel of a tab: declared once, it puts itself on the page, runs, and makes its example."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr

from demos.page.controls import Knob, Knobs
from demos.page.examples import Keep, example
from demos.page.explain import Explanation, code_panel, explanation
from demos.page.handlers import App, Keeps
from demos.page.image_input import Source
from demos.page.image_io import CardValue, as_json, made_by, values_to_json
from demos.page.runs import buttons, compared, run_state, together
from demos.page.saving import run_of, save_button
from demos.page.training_code import recipes_of
from gen_core import available
from gen_core.progress import Progress
from gen_core.sampling import seeds_from


@dataclass
class Page:
    """A panel where it stands on one page."""

    panel: "Panel"
    app: App
    knobs: Knobs
    sources: Sequence[Source]
    go: gr.Button | None = None
    stop: gr.Button | None = None
    state: gr.HTML | None = None
    """Says where its run is; None where it has no button."""
    states: list[gr.HTML] = field(default_factory=list)
    """The same of a panel whose buttons start runs of their own."""
    inputs: dict[str, gr.components.Component] = field(default_factory=dict)
    """What a run takes besides the knobs, by name."""
    outputs: list[gr.components.Component] = field(default_factory=list)

    @functools.cached_property
    def first(self) -> Any:
        """The example as the screen shows it; None where nobody has made one."""
        return self.panel.at_first(self.app)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel of a tab: controls left, one screen right, which is filled from the start.

    A subclass overrides `controls`, `screens`, `layout` or `triggers` where the page is another,
    and `drawn` where the screen does not take what `run` yields.
    """

    tab: str
    id: str
    """Stands in links: ?tab=<tab>&panel=<id>"""
    title: str
    text: Explanation | str
    """What stands above all else; a str (Markdown) heads a part of another panel."""
    knobs: Sequence[Knob | Callable[[App], Source]] = ()
    """In the order of the API. The first one stands above the button (above both columns if it is
    wide), the other wide ones under the result."""
    run: Callable[..., Iterator[Any]]
    """run(app, *sources, /, **inputs, **validated knobs) yields what the screen shows, and between
    `Progress` or skips."""
    code: Callable[..., str] | None = None
    """code(*sources, validated knobs): the lines that do the same."""
    calls: Any = None
    """What these lines call, to be read."""
    button: str = ""
    """What the main button says; "" for none."""
    screen: Callable[..., gr.HTML] | None = None
    """The widget's constructor, such as Timeline."""
    shows: str = ""
    """What the widget shows, for screen readers."""
    empty: str = ""
    """What the widget says before it has a value, if not "Press <button>."."""
    example: Mapping[str, Any] | None = field(default_factory=dict)
    """What `run` takes besides the knobs, which are the page's first, for the example that was
    computed before; None: there is no example."""
    models: tuple[str, ...] = ()
    """The checkpoints that draw the example."""
    trained: tuple[str, ...] = ()
    """What else was trained, by checkpoint or recipe, besides these and those its knobs offer."""
    seeds: Sequence[int] | None = None
    """Those of the example, where they do not follow from the knobs seed and count."""
    needs: tuple[str, ...] = ()
    """Checkpoints without which the panel is left out."""
    after: Callable[[Knobs], None] | None = None
    """after(knobs) connects knobs with each other, once they are on the page."""
    above: tuple[str, ...] = ()
    """Further knobs that stand above the button."""
    beneath: Callable[[App, Knobs], Callable[[], None] | None] | None = None
    """beneath(app, knobs) puts what helps with the first knobs under the button; what it returns is
    called once all knobs are on the page, to connect them."""
    below: Callable[[App], None] | None = None
    """below(app) puts more on the page, between the result and the code."""
    further: Callable[[App], None] | None = None
    """further(app) puts more on the page, below all else."""
    parts: "Sequence[Panel]" = ()
    """Panels within this one, which `below` or `further` puts on the page."""
    used: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    """used(validated knobs): those that had an effect, of which files tell."""
    generates: bool = True
    """Whether models drew what it shows: files made of the widget say so in their metadata."""
    saves: bool = False
    """Whether a button under the widget saves the pictures of a run (see `demos.page.saving`)."""
    live: tuple[str, ...] = ()
    """Knobs that run it too, while they move: the newest value wins."""
    apart: tuple[str, ...] = ()
    """Knobs whose values the browser applies to the result by itself, without a run."""
    relative_cost: float = 1.0
    """The work of a step of one picture, of that of a picture of 28 by 28."""
    own_process: bool = False
    """Whether it runs in a process of its own, without the device."""
    at_home: bool = False
    """Whether it needs what only the page's process has."""

    @property
    def name(self) -> str:
        """Of its widget and its example; with underscores, of its endpoint."""
        return f"{self.tab}-{self.id}"

    @property
    def here(self) -> bool:
        """Whether there is something to show on this machine."""
        return set(self.needs) <= set(available())

    def rare(self, app: App) -> bool:
        """Whether few need it on this machine: then it stands behind "More"."""
        return False

    # --- on the page --------------------------------------------------------------------------

    def build(self, app: App) -> list[Any]:
        """Puts the panel on the page, inside its gr.Tab; returns the events that run it."""
        if isinstance(self.text, str):
            gr.Markdown(self.text, elem_classes=["part"])
        else:
            explanation(self.text, self.title)
        knobs, sources = self.declared(app)
        listed = app.add(Knobs(self.tab, self.id, knobs, self.relative_cost))
        page = Page(self, app, listed, sources)
        self.layout(page)
        if self.after:
            self.after(page.knobs)
        events = self.connect(page)
        if self.below:
            self.below(app)
        if self.code:
            lines = functools.partial(self.code, *sources)
            code_panel(
                page.knobs,
                lines,
                self.calls,
                together(self.watched(page)),
                self.recipes(knobs),
                of=self.title if isinstance(self.text, str) else "",
            )
        if self.further:
            self.further(app)
        return events

    def declared(self, app: App) -> tuple[list[Knob], list[Source]]:
        """The knobs as they stand on a page of this app, those of the sources among them."""
        made = [part.within(app) if isinstance(part, Knob) else part(app) for part in self.knobs]
        sources = [part for part in made if not isinstance(part, Knob)]
        groups = [[part] if isinstance(part, Knob) else part.knobs for part in made]
        return [knob for group in groups for knob in group], sources

    def recipes(self, knobs: Sequence[Knob]) -> list[str]:
        """Those of all models that show something here; knobs: the panel's, of which some offer
        models."""
        offered = (knob.names.get(name, name) for knob in knobs for name in knob.choices)
        return recipes_of([*self.trained, *self.models, *offered])

    def layout(self, page: Page) -> None:
        """Puts controls and screen on the page, and the wide knobs above and below them."""
        first = self.knobs[0] if self.knobs else None
        if isinstance(first, Knob) and first.wide:
            self.start(page)  # it fills the first screen
            page.knobs.build(first.name)
        if self.screen:
            with gr.Row():
                with controls():
                    self.controls(page)
                with results():
                    page.state = run_state(self.name) if self.button else None
                    page.outputs = self.screens(page)
        page.knobs.build()

    def controls(self, page: Page) -> None:
        """Fills the left column."""
        if self.knobs and isinstance(self.knobs[0], Knob):
            page.knobs.build(self.knobs[0].name, *self.above)
        if not page.go:
            self.start(page)
        connect = self.beneath(page.app, page.knobs) if self.beneath else None
        for source in page.sources:
            source.build(page.knobs)
            page.inputs |= source.inputs
        if narrow := [knob.name for knob in page.knobs.knobs if not knob.wide]:
            page.knobs.build(*narrow)
        if connect:
            connect()

    def start(self, page: Page) -> None:
        """Puts the buttons on the page, where it has one."""
        if self.button:
            page.go, page.stop = buttons(self.button, self.name)

    def screens(self, page: Page) -> list[gr.components.Component]:
        """Fills the right column; returns what a run fills."""
        screen = self.screen(
            elem_id=self.name,
            label=self.shows,
            empty=self.empty or f"Press {self.button}.",
            value=page.first,
        )
        if self.saves:
            save_button(page.app, self.name)
        return [screen]

    def triggers(self, page: Page) -> dict[str, Callable]:
        """What starts a run, by the ending of its endpoint's name."""
        pressed = {"": page.go.click} if page.go else {}
        return pressed | {f"_{name}": page.knobs.built[name].input for name in self.live}

    def connect(self, page: Page) -> list[Any]:
        """Makes an endpoint of each trigger; returns the events."""
        return [
            page.app.on(
                trigger,
                functools.partial(self.values, page),
                page.knobs,
                page.outputs,
                inputs=page.inputs,
                api_name=self.name.replace("-", "_") + ending,
                stop=page.stop,
                state=page.state,
                own_process=self.own_process,
                at_home=self.at_home,
                about=self.text if isinstance(self.text, str) else self.text.sentence,
                trigger_mode="always_last" if ending or not self.button else "once",
            )
            for ending, trigger in self.triggers(page).items()
        ]

    def watched(self, page: Page) -> list[str]:
        """Scripts that look at the knobs' `values` whenever one changes."""
        if not page.state:
            return []
        before = example(self.name)
        seconds = before.seconds if before else None
        own = {source.knobs[0].name: (source.drawing, source.upload) for source in page.sources}
        return [compared(page.state, page.knobs, self.apart, seconds, own)]

    def values(self, page: Page, /, **settings: Any) -> Iterator[Any]:
        """What the outputs take, while it runs; settings: inputs and validated knobs."""
        knobs = {name: value for name, value in settings.items() if name not in page.inputs}
        for value in self.run(page.app, *page.sources, **settings):
            yield self.shown(page.app, value, knobs) if is_value(value) else value

    def shown(self, app: App, value: Any, settings: Mapping[str, Any]) -> Any:
        """What the outputs take for a value of a run; settings: validated knobs."""
        drawn = self.signed(self.drawn(value, app.device_title, live=True), settings)
        if not self.saves:
            return drawn
        run = run_of(self.maker(settings), self.used(settings), drawn)
        return Keeps(drawn, self.name, run)

    def drawn(self, value: Any, note: str, live: bool) -> Any:
        """What the screen takes for a value of a run, or of the example, which stands still.

        note: where and when it was computed."""
        if live:
            return value
        return {**value, "provenance": note, "live": False, "autoplay": False}

    def signed(self, value: Any, settings: Mapping[str, Any]) -> Any:
        """The value of a card, or its JSON, with what files made of it say of themselves."""
        made = made_by(self.maker(settings), self.used(settings)) if self.generates else {}
        if made and isinstance(value, CardValue):
            return replace(value, made=made)
        return value | {"made": made} if made and is_card(value) else value

    def maker(self, settings: Mapping[str, Any]) -> str:
        """The model, or models, that drew the pictures of a run with these settings."""
        return settings.get("model") or ", ".join(self.models)

    # --- the example --------------------------------------------------------------------------

    def at_first(self, app: App) -> Any:
        """The example as the screen shows it; None without."""
        before = example(self.name)
        if before is None:
            return None
        drawn = self.drawn(before.value, before.note, live=False)
        value = as_json(self.signed(drawn, self.first_settings(app)))
        return value | {"example": True} if is_card(value) else value

    def kept(self, app: App) -> dict[str, Any]:
        """What `run` takes for the example."""
        return self.first_settings(app) | dict(self.example or {})

    def first_settings(self, app: App) -> dict[str, Any]:
        """The knobs as the page begins with them, validated."""
        knobs, _ = self.declared(app)
        return {knob.name: knob.check(knob.default) for knob in knobs}

    def finished(self, app: App) -> Any:
        """The last value of the example's run."""
        *_, value = self.run(app, *self.declared(app)[1], **self.kept(app))
        return values_to_json(value)

    def keeps(self) -> list[Keep]:
        """The examples for the page's first moment, those of its parts among them."""
        own = [] if self.example is None else [self.keep()]
        return own + [keep for part in self.parts for keep in part.keeps()]

    def keep(self) -> Keep:
        """The panel's own example."""
        seeds = self.seeds
        if seeds is None:
            own = [part for part in self.knobs if isinstance(part, Knob)]
            first = {knob.name: knob.default for knob in own}
            seeds = seeds_from(first["seed"], first.get("count", 1))
        return Keep(self.name, self.finished, self.models, tuple(seeds), self.kept)


def is_value(piece: Any) -> bool:
    """Whether what a run yields is to be shown, not only a turn for others."""
    skips = isinstance(piece, dict) and piece.get("__type__") == "update"
    return not (skips or isinstance(piece, Progress))


def is_card(value: Any) -> bool:
    """Whether it is the JSON of what a card shows."""
    return isinstance(value, dict) and "provenance" in value


def controls() -> gr.Column:
    """The narrow left column with knobs and buttons."""
    return gr.Column(scale=1, min_width=260, elem_classes=["controls"])


def results() -> gr.Column:
    """The wide right column with pictures."""
    return gr.Column(scale=3, min_width=320, elem_classes=["results"])
