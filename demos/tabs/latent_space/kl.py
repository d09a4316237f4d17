"""What breaks a VAE, a panel: what an autoencoder loses with the KL term, and with the trick by
which its codes are drawn."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from demos.page.controls import Knob
from demos.page.explain import explanation
from demos.page.handlers import App
from demos.page.panel import Page, Panel, controls, results
from demos.page.runs import buttons, compared, run_state
from demos.page.script import script
from demos.tabs.latent_space import kl_figures
from demos.tabs.latent_space.kl_pictures import (
    FORGOTTEN,
    HEALTHY,
    PORTRAITS_ENDS,
    RANDOM_ENDS,
    SEVERED,
    SHOWN,
    VARIANTS,
    Run,
    Variant,
    here,
    missing,
    mistake,
    side_by_side,
    walk,
)
from demos.tabs.latent_space.mix import FIRST
from demos.tabs.latent_space.models import TAB, UNSEEN_FROM
from demos.tabs.latent_space.texts import KL, WALK, WHY_CUT, WHY_FORGET
from demos.widgets.labelled_grid import LabelledGrid
from demos.widgets.timeline import Timeline
from gen_core.families.vae import VAE
from gen_core.progress import Progress

NAME = f"{TAB}-kl"
COMPARE, FORGET, SEVER, GO = (
    "Compare all",
    "Leave out the KL term",
    "Leave out the reparameterisation trick",
    "Walk",
)
MISTAKES = (("_forget", FORGET, FORGOTTEN, WHY_FORGET), ("_cut", SEVER, SEVERED, WHY_CUT))
"""The ending of each one's name in the API, its button, its model, and a sentence of why."""
TABLE_KNOBS = [
    Knob("portrait", "First portrait", "seed", 3),
    Knob("seed", "First seed", "seed", 0, info="Of the random codes; the same in every model"),
]
WALK_KNOBS = [
    Knob("ends", "Between", "choice", PORTRAITS_ENDS, options=[PORTRAITS_ENDS, RANDOM_ENDS]),
    Knob("a", "From number", "seed", FIRST["a"]),
    Knob("b", "To number", "seed", FIRST["b"]),
    Knob("count", "Pictures on the way", "whole", 25, 2, 40, advanced=True),
]


Start = tuple[str, gr.Button, gr.Button, gr.HTML, gr.HTML, Callable[[Mapping[str, Any]], Run]]
"""What one button starts, as `KLPanel._connect` takes it."""


class KLPanel(Panel):
    """A table with three buttons and a walk with one; there where two models are."""

    @property
    def here(self) -> bool:
        return len(here()) > 1

    def build(self, app: App) -> list[Any]:
        if self.here:
            return super().build(app)
        explanation(KL, self.title)
        gr.Markdown(missing(here()), elem_classes=["part"])
        return []

    def layout(self, page: Page) -> None:
        found, first = here(), page.first or {"table": None, "walk": None}
        if lacking := missing(found):
            gr.Markdown(lacking, elem_classes=["part"])
        starts = self._tables(page, found, first["table"])
        starts.append(self._walk(page, found, first["walk"]))
        for start in starts:  # once all knobs are on the page
            self._connect(page, *start)
        page.states = [starts[0][3], starts[-1][3]]
        kl_figures.build(NAME, found)

    def connect(self, page: Page) -> list[Any]:
        return []  # each button has a run of its own

    def watched(self, page: Page) -> list[str]:
        others = zip(page.states, (WALK_KNOBS, TABLE_KNOBS), strict=True)
        return [compared(state, page.knobs, [k.name for k in knobs]) for state, knobs in others]

    def drawn(self, value: Any, note: str, live: bool) -> dict[str, Any]:
        one = super().drawn
        return {part: one(shown, note, live) for part, shown in value.items()}

    def signed(self, value: Any, settings: Mapping[str, Any]) -> Any:
        """One part, or both of the example. The count is the walk's: not one of seeds."""
        one, settings = super().signed, {k: v for k, v in settings.items() if k != "count"}
        both = isinstance(value, dict) and "walk" in value
        return {k: one(v, settings) for k, v in value.items()} if both else one(value, settings)

    def _tables(
        self, page: Page, found: Sequence[Variant], first: dict[str, Any] | None
    ) -> list[Start]:
        """The two mistakes and the comparison of all, which fill the same table."""
        app, broken = page.app, {}
        with gr.Row():
            with controls():
                go, stop = buttons(COMPARE, NAME)
                for ending, title, variant, why in MISTAKES:
                    if {HEALTHY, variant} <= {*found}:
                        press = gr.Button(title, elem_id=f"{NAME}-run{ending}")
                        broken[ending] = press, (HEALTHY, variant)
                        gr.Markdown(why, elem_classes=["aside"])
                page.knobs.build(*(knob.name for knob in TABLE_KNOBS))
            with results():
                state = run_state(NAME)
                screen = LabelledGrid(
                    elem_id=NAME,
                    label="The same portraits and codes in several models",
                    value=first,
                    empty="Press a button to break the model, or compare them all.",
                )
        starts = [("", go, stop, state, screen, lambda k: side_by_side(app, found, k["seed"]))]
        for ending, (press, pair) in broken.items():

            def compared(k: Mapping[str, Any], pair: Sequence[Variant] = pair) -> Run:
                return mistake(app, pair, k["portrait"], k["seed"])

            starts.append((ending, press, stop, state, screen, compared))
        return starts

    def _walk(self, page: Page, found: Sequence[Variant], first: dict[str, Any] | None) -> Start:
        """The walk through all models; it takes the whole width, for they stand in a row."""
        gr.Markdown(WALK, elem_classes=["part"])
        with gr.Row():
            for names, scale, width in (
                (("ends", "count"), 4, 380),
                (("a",), 3, 200),
                (("b",), 3, 200),
            ):
                with gr.Column(scale=scale, min_width=width, elem_classes=["controls"]):
                    page.knobs.build(*names)
            with gr.Column(scale=3, min_width=225):
                go, stop = buttons(GO, f"{NAME}-walk")
        with gr.Column():
            state = run_state(f"{NAME}-walk")
            line = Timeline(
                elem_id=f"{NAME}-walk",
                label="The same walk in several models",
                value=first,
                empty=f"Press {GO}.",
            )
        return "_walk", go, stop, state, line, lambda k: walk(page.app, found, k)

    def _connect(
        self,
        page: Page,
        ending: str,
        press: gr.Button,
        stop: gr.Button,
        state: gr.HTML,
        screen: gr.HTML,
        run: Callable[[Mapping[str, Any]], Run],
    ) -> None:
        """A button fills a screen with what `run` of the validated knobs returns at its end.

        ending: of its name in the API."""

        def values(**knobs: Any) -> Iterator[Any]:
            yield self.signed((yield from run(knobs)), knobs)

        page.app.on(
            press.click,
            values,
            page.knobs,
            screen,
            stop=stop,
            state=state,
            press=press,
            api_name=NAME.replace("-", "_") + ending,
            about=self.text.sentence,
        )


def code(found: Sequence[Variant], k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    first, seed, count = UNSEEN_FROM + k["portrait"], k["seed"], k["count"]
    names = ", ".join(f'"{variant.name}"' for variant in found)
    if k["ends"] == PORTRAITS_ENDS:
        a, b = UNSEEN_FROM + k["a"], UNSEEN_FROM + k["b"]
        ends = [f"ends = avatars([{a}, {b}])[0].float() / 127.5 - 1"]
        codes = "model.encode(ends.to(model.device))[0]"
    else:
        ends, codes = [], f"Noise([{k['a']}, {k['b']}]).randn(model.config.latent).to(model.device)"
    return script(
        f"x = avatars(range({first}, {first + SHOWN}))[0].float() / 127.5 - 1",
        *ends,
        f"t = torch.linspace(0, 1, {count})",
        f"for name in ({names}):",
        "    model = load(name)",
        "    again = model.decode(model.encode(x.to(model.device))[0])  # copies",
        f"    new = final(model.sample(Noise(range({seed}, {seed + SHOWN}))))"
        f"  # ({SHOWN}, 3, 64, 64)",
        f"    z_a, z_b = {codes}",
        f"    walk = model.decode(straight(z_a, z_b, t))  # ({count}, 3, 64, 64)",
    )


def new_faces_and_a_walk(app: App, **knobs: Any) -> Iterator[dict[str, Any] | Progress]:
    """Yields the table and the timeline of all models: the example."""
    table = yield from side_by_side(app, VARIANTS, knobs["seed"])
    yield {"table": table, "walk": (yield from walk(app, VARIANTS, knobs))}


PANEL = KLPanel(
    tab=TAB,
    id="kl",
    title="What breaks a VAE",
    text=KL,
    knobs=[*TABLE_KNOBS, *WALK_KNOBS],
    run=new_faces_and_a_walk,
    code=lambda k: code(here(), k),
    calls=VAE.bound,
    models=tuple(variant.name for variant in VARIANTS),
    seeds=(*range(SHOWN), UNSEEN_FROM + FIRST["a"], UNSEEN_FROM + FIRST["b"]),
)
