"""The Without the KL panel: what an autoencoder loses with the KL term, and with the trick by
which its codes are drawn."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import gradio as gr

from demos.cache import Example, Keep, example
from demos.explain import code_panel, explanation
from demos.handlers import App
from demos.knobs import Knob, Knobs
from demos.latent_space import kl_figures
from demos.latent_space.kl_models import (
    FORGOTTEN,
    HEALTHY,
    SEVERED,
    VARIANTS,
    Variant,
    here,
    missing,
)  # fmt: skip
from demos.latent_space.kl_pictures import (
    PORTRAITS_ENDS,
    RANDOM_ENDS,
    SHOWN,
    Ends,
    mistake,
    side_by_side,
    walk,
)  # fmt: skip
from demos.latent_space.models import TAB, UNSEEN_FROM
from demos.layout import buttons, controls, results
from demos.script import LOAD, NOISE, TORCH, script
from demos.texts.latent_kl import KL, WALK, WHY_CUT, WHY_FORGET
from demos.widgets.labelled_grid import LabelledGrid
from demos.widgets.timeline import Timeline
from demos.working import Working
from gen_core.families.vae import VAE

PANEL_ID, TITLE = "kl", "Without the KL"
NAME = f"{TAB}-{PANEL_ID}"
COMPARE, FORGET, SEVER, GO = (
    "Side by side", "Forget the KL", "Draw without the reparameterisation", "Walk",
)  # fmt: skip
TABLE_KNOBS = [
    Knob("portrait", "First portrait", "seed", 3),
    Knob("seed", "First seed", "seed", 0, info="Of the random codes, the same in every model"),
]
WALK_KNOBS = [
    Knob("ends", "Between", "choice", PORTRAITS_ENDS, options=[PORTRAITS_ENDS, RANDOM_ENDS]),
    Knob("a", "From number", "seed", 3),
    Knob("b", "To number", "seed", 11),
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


def build(app: App) -> None:
    """The panel, inside its gr.Tab."""
    explanation(KL)
    found = here()
    if lacking := missing(found):
        gr.Markdown(lacking, elem_classes=["part"])
    if len(found) < 2:
        return
    knobs, kept = app.add(Knobs(TAB, PANEL_ID, [*TABLE_KNOBS, *WALK_KNOBS])), example(NAME)
    events = _tables(app, knobs, found, _before(kept, "table"))
    events += _walks(app, knobs, found, _before(kept, "walk"))
    for event in events:
        app.on(
            event.button.click, event.run, knobs, event.screen, stop=event.stop,
            api_name=NAME.replace("-", "_") + event.ending, show_progress="minimal",
        )  # fmt: skip
    kl_figures.build(NAME, found)
    code_panel(knobs, functools.partial(code, found), VAE.bound)


def _before(kept: Example | None, part: str) -> dict[str, Any] | None:
    """A part of the example, labelled as computed before and standing still."""
    if kept is None:
        return None
    return {**kept.value[part], "provenance": kept.note, "live": False, "autoplay": False}


def _tables(
    app: App, knobs: Knobs, found: Sequence[Variant], first: dict[str, Any] | None
) -> list[Event]:
    """The two mistakes and the comparison of all, which fill the same table."""
    with gr.Row():
        with controls():
            mistakes = _mistake_buttons(found)
            go, stop = buttons(COMPARE)
            knobs.build(*(knob.name for knob in TABLE_KNOBS))
        with results():
            screen = LabelledGrid(
                elem_id=NAME, label="The same portraits and codes in several models", value=first,
                empty="Make a mistake, or put all models side by side.",
            )  # fmt: skip
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


def _walks(
    app: App, knobs: Knobs, found: Sequence[Variant], first: dict[str, Any] | None
) -> list[Event]:
    """The walk through all models; it takes the whole width, for they stand in a row."""
    gr.Markdown(WALK, elem_classes=["part"])
    with gr.Row():
        for names, scale, width in WALK_ROW:
            with gr.Column(scale=scale, min_width=width, elem_classes=["controls"]):
                knobs.build(*names)
        with gr.Column(scale=3, min_width=225):
            go, stop = buttons(GO)
    line = Timeline(elem_id=f"{NAME}-walk", label="The same walk in several models", value=first,
                    empty=f"Press {GO}.")  # fmt: skip
    return [Event("_walk", go, functools.partial(_walk, app, found), line, stop)]


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
        [LOAD, NOISE, TORCH, ("gen_core", "final"), ("gen_core.data.avatars", "avatars"),
         ("gen_core.interpolation", "straight")],
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
    )  # fmt: skip


def keep() -> Keep:
    """The example for the page's first moment: new faces by all models, and a walk through them."""
    table = {knob.name: knob.default for knob in TABLE_KNOBS}
    steps = {knob.name: knob.default for knob in WALK_KNOBS}

    def make(app: App) -> dict[str, Any]:
        *_, compared = _compare(app, VARIANTS, **table)
        *_, line = _walk(app, VARIANTS, **steps)
        return {"table": compared, "walk": line}

    codes, ends = range(table["seed"], table["seed"] + SHOWN), (steps["a"], steps["b"])
    seeds = (*codes, *(UNSEEN_FROM + number for number in ends))
    return Keep(NAME, make, tuple(variant.name for variant in VARIANTS), seeds)
