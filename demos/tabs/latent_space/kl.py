"""The Without the KL panel: what an autoencoder loses with the KL term, and with the trick by
which its codes are drawn."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import gradio as gr

from demos.page.controls import Knob
from demos.page.explain import explanation
from demos.page.handlers import App
from demos.page.layout import buttons, controls, results
from demos.page.panel import Page, Panel
from demos.page.progress import Working
from demos.page.script import LOAD, NOISE, TORCH, script
from demos.tabs.latent_space import kl_figures
from demos.tabs.latent_space.between import FIRST, SECOND
from demos.tabs.latent_space.kl_models import (
    FORGOTTEN,
    HEALTHY,
    SEVERED,
    VARIANTS,
    Variant,
    here,
    missing,
)
from demos.tabs.latent_space.kl_pictures import (
    PORTRAITS_ENDS,
    RANDOM_ENDS,
    SHOWN,
    Ends,
    mistake,
    side_by_side,
    walk,
)
from demos.tabs.latent_space.kl_texts import KL, WALK, WHY_CUT, WHY_FORGET
from demos.tabs.latent_space.models import TAB, UNSEEN_FROM
from demos.widgets.labelled_grid import LabelledGrid
from demos.widgets.timeline import Timeline
from gen_core.families.vae import VAE

NAME = f"{TAB}-kl"
COMPARE, FORGET, SEVER, GO = (
    "Side by side",
    "Forget the KL",
    "Draw without the reparameterisation",
    "Walk",
)
TABLE_KNOBS = [
    Knob("portrait", "First portrait", "seed", 3),
    Knob("seed", "First seed", "seed", 0, info="Of the random codes, the same in every model"),
]
WALK_KNOBS = [
    Knob("ends", "Between", "choice", PORTRAITS_ENDS, options=[PORTRAITS_ENDS, RANDOM_ENDS]),
    Knob("a", "From number", "seed", FIRST),
    Knob("b", "To number", "seed", SECOND),
    Knob("count", "Pictures on the way", "whole", 25, 2, 40, advanced=True),
]
WALK_ROW = ((("ends", "count"), 4, 380), (("a",), 3, 200), (("b",), 3, 200))
"""Its columns: their knobs, their share of the width, and how narrow they may be."""


class Event(NamedTuple):
    """What one button starts."""

    ending: str
    """Of its name in the API."""
    button: gr.Button
    run: Callable[..., Iterator[Any]]
    """Takes the validated knobs."""
    screen: gr.HTML
    stop: gr.Button


class KLPanel(Panel):
    """A table with three buttons and a walk with one; there where two models are."""

    @property
    def here(self) -> bool:
        return len(here()) > 1

    def build(self, app: App) -> list[Any]:
        if self.here:
            return super().build(app)
        explanation(KL)
        gr.Markdown(missing(here()), elem_classes=["part"])
        return []

    def layout(self, page: Page) -> None:
        found, first = here(), page.first or {"table": None, "walk": None}
        if lacking := missing(found):
            gr.Markdown(lacking, elem_classes=["part"])
        events = _tables(page, found, first["table"]) + _walks(page, found, first["walk"])
        for event in events:
            page.app.on(
                event.button.click,
                event.run,
                page.knobs,
                event.screen,
                stop=event.stop,
                api_name=NAME.replace("-", "_") + event.ending,
                show_progress=self.progress,
            )
        kl_figures.build(NAME, found)

    def connect(self, page: Page) -> list[Any]:
        return []  # each button has a run of its own

    def drawn(self, value: Any, note: str, live: bool) -> dict[str, Any]:
        one = super().drawn
        return {part: one(shown, note, live) for part, shown in value.items()}


def _tables(page: Page, found: Sequence[Variant], first: dict[str, Any] | None) -> list[Event]:
    """The two mistakes and the comparison of all, which fill the same table."""
    app, knobs = page.app, page.knobs
    with gr.Row():
        with controls():
            mistakes = _mistake_buttons(found)
            go, stop = buttons(COMPARE)
            knobs.build(*(knob.name for knob in TABLE_KNOBS))
        with results():
            screen = LabelledGrid(
                elem_id=NAME,
                label="The same portraits and codes in several models",
                value=first,
                empty="Make a mistake, or put all models side by side.",
            )
    compare = functools.partial(_compare, app, found)
    broken = {"_forget": FORGOTTEN, "_cut": SEVERED}
    return [Event("", go, compare, screen, stop)] + [
        Event(ending, press, functools.partial(_broken, app, broken[ending]), screen, stop)
        for ending, press in mistakes.items()
    ]


def _mistake_buttons(found: Sequence[Variant]) -> dict[str, gr.Button]:
    """Those whose models are here, each with a sentence of why, by the ending of their names."""
    made = {}
    if HEALTHY not in found:
        return made
    if FORGOTTEN in found:
        made["_forget"] = gr.Button(FORGET)
        gr.Markdown(WHY_FORGET, elem_classes=["aside"])
    if SEVERED in found:
        made["_cut"] = gr.Button(SEVER)
        gr.Markdown(WHY_CUT, elem_classes=["aside"])
    return made


def _walks(page: Page, found: Sequence[Variant], first: dict[str, Any] | None) -> list[Event]:
    """The walk through all models; it takes the whole width, for they stand in a row."""
    gr.Markdown(WALK, elem_classes=["part"])
    with gr.Row():
        for names, scale, width in WALK_ROW:
            with gr.Column(scale=scale, min_width=width, elem_classes=["controls"]):
                page.knobs.build(*names)
        with gr.Column(scale=3, min_width=225):
            go, stop = buttons(GO)
    line = Timeline(
        elem_id=f"{NAME}-walk",
        label="The same walk in several models",
        value=first,
        empty=f"Press {GO}.",
    )
    return [Event("_walk", go, functools.partial(_walk, page.app, found), line, stop)]


def _compare(
    app: App, found: Sequence[Variant], *, seed: int, **others: Any
) -> Iterator[dict[str, Any] | Working]:
    yield (yield from side_by_side(app, found, seed))


def _broken(
    app: App, variant: Variant, *, portrait: int, seed: int, **others: Any
) -> Iterator[dict[str, Any] | Working]:
    yield (yield from mistake(app, (HEALTHY, variant), portrait, seed))


def _walk(
    app: App, found: Sequence[Variant], *, ends: str, a: int, b: int, count: int, **others: Any
) -> Iterator[dict[str, Any] | Working]:
    yield (yield from walk(app, found, Ends(ends, a, b), count))


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
        [
            LOAD,
            NOISE,
            TORCH,
            ("gen_core", "final"),
            ("gen_core.data.avatars", "avatars"),
            ("gen_core.latent.interpolation", "straight"),
        ],
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


def new_faces_and_a_walk(
    app: App, *, seed: int, ends: str, a: int, b: int, count: int, **others: Any
) -> Iterator[dict[str, Any] | Working]:
    """Yields the table and the timeline of all models: the example."""
    table = yield from side_by_side(app, VARIANTS, seed)
    line = yield from walk(app, VARIANTS, Ends(ends, a, b), count)
    yield {"table": table, "walk": line}


PANEL = KLPanel(
    tab=TAB,
    id="kl",
    title="Without the KL",
    text=KL,
    knobs=[*TABLE_KNOBS, *WALK_KNOBS],
    run=new_faces_and_a_walk,
    code=lambda k: code(here(), k),
    calls=VAE.bound,
    models=tuple(variant.name for variant in VARIANTS),
    seeds=(*range(SHOWN), UNSEEN_FROM + FIRST, UNSEEN_FROM + SECOND),
)
