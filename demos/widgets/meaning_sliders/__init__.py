"""Sliders along directions of latent space: by meaning, and by variance. The face follows.

The widget's value is text, "12;smile:1.5;pc2:-0.8": which face, and how far it is moved along what.
One parser, `parse_move`, checks it, whether it comes from the page, a link or the API.
"""

from __future__ import annotations

import functools
import html
import time
from dataclasses import dataclass
from typing import Any

import gradio as gr
from torch import Tensor

from demos.page.figures import pixels, png_data_url
from demos.page.handlers import App
from demos.tabs.latent_space.models import (
    JUDGE,
    MOST_PORTRAITS,
    PORTRAITS,
    atlas,
    code_of,
    portrait,
)
from demos.widgets.card import read
from demos.widgets.latent_sliders import unaided_thread
from demos.widgets.live_knob import LiveKnob
from gen_core.checks import KnobError, choice, number, whole
from gen_core.latent.disentanglement import decoded, seen_traits, spreads
from gen_core.latent.traits import TRAITS

REACH = 3.0
"""Standard deviations that a slider goes each way."""
AXES = 12
"""Principal components with a slider."""
LONGEST = 1000
"""Characters of a move."""
DIRECTIONS = [*TRAITS, *(f"pc{k + 1}" for k in range(AXES))]


@dataclass(frozen=True)
class Move:
    """A face, and how far it goes along which directions, in standard deviations."""

    face: int
    by: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        return ";".join([str(self.face), *(f"{name}:{far:g}" for name, far in self.by)])


def parse_move(text: Any) -> Move:
    """ "face;direction:far;..." as a Move. Raises KnobError."""
    if not isinstance(text, str) or len(text) > LONGEST:
        raise KnobError(f"move={str(text)[:40]!r}: takes a face and directions, '12;smile:1.5'")
    face, *moves = text.split(";")
    steps: dict[str, float] = {}
    for move in moves:
        name, _, far = move.partition(":")
        choice("direction", name, DIRECTIONS)
        steps[name] = number(name, _as_number(far), -REACH, REACH)
    return Move(whole("face", _as_number(face), 0, MOST_PORTRAITS - 1), tuple(steps.items()))


def _as_number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def moved_code(app: App, move: Move) -> Tensor:
    """(1, latent): where the move ends."""
    known, by = atlas(app, PORTRAITS), dict(move.by)
    z = known.regressor.moved(_start(app, move.face), by)
    for name, far in by.items():
        if name not in TRAITS:
            axis = axis_of(name)
            z = z + far * known.scales[axis] * known.axes[axis].float()
    return z


def axis_of(name: str) -> int:
    """ "pc3" is the third principal component, number 2."""
    return int(name.removeprefix("pc")) - 1


@functools.lru_cache(maxsize=64)
def _start(app: App, face: int) -> Tensor:
    return code_of(app, PORTRAITS, portrait(face))


class Mover:
    """What the widget asks the server; each answer is plain JSON."""

    def __init__(self, app: App) -> None:
        self.app, self.alone = app, unaided_thread()

    def describe(self, request: Any = None) -> dict[str, Any]:
        """The directions, how far sliders go, and how many faces there are."""
        scales = atlas(self.app, PORTRAITS).scales
        shares = (scales.square() / scales.square().sum())[:AXES]
        return {
            "traits": [{"name": t.name, "low": t.low, "high": t.high} for t in TRAITS.values()],
            "axes": [round(share, 4) for share in shares.tolist()],
            "reach": REACH,
            "faces": MOST_PORTRAITS,
        }

    def move(self, text: Any) -> dict[str, Any]:
        """A move as text -> its picture, the one it starts from, and what the judge sees change."""
        move = parse_move(text)
        started = time.perf_counter()
        start, start_traits = self._seen(Move(move.face))
        picture, traits = self._seen(move)
        changes = (traits - start_traits) / spreads()
        return {
            "picture": picture,
            "start": start,
            "changes": {n: round(v, 2) for n, v in zip(TRAITS, changes.tolist(), strict=True)},
            "ms": round(1000 * (time.perf_counter() - started), 1),
        }

    @functools.lru_cache(maxsize=64)  # noqa: B019 - as long as the page, as the mover itself
    def _seen(self, move: Move) -> tuple[str, Tensor]:
        """A move's picture as a data URL, and its traits (T,)."""
        return self.alone.submit(_looked_at, self.app, move).result()


def _looked_at(app: App, move: Move) -> tuple[str, Tensor]:
    x = decoded(app.model(PORTRAITS), moved_code(app, move))
    return png_data_url(pixels(x)[0]), seen_traits(app.model(JUDGE), x)[0]


def MeaningSliders(
    app: App, value: str, *, first: dict[str, Any] | None = None, note: str = "", **options: Any
) -> gr.HTML:
    """A gr.HTML whose value is a move as text; `first` is what `Mover.move` gave for it, shown
    until a live answer is there, and `note` where it comes from."""
    mover = Mover(app)
    template = read("meaning_sliders/meaning_sliders.html")
    first = first or {"picture": "", "start": ""}
    baked = {"PICTURE": first["picture"], "START": first["start"], "NOTE": note}
    for place, text in baked.items():
        template = template.replace(f"FIRST_{place}", html.escape(text))
    return gr.HTML(
        value=value,
        html_template=template,
        css_template=read(
            "card/card.css",
            "latent_sliders/latent_sliders.css",
            "meaning_sliders/meaning_sliders.css",
        ),
        js_on_load=read(
            "card/png_text.js", "card/card.js", "card/live.js", "meaning_sliders/meaning_sliders.js"
        ),
        apply_default_css=False,
        server_functions=[app.serve(function) for function in (mover.describe, mover.move)],
        **options,
    )


@dataclass(frozen=True)
class MoveKnob(LiveKnob):
    """A knob whose component is the sliders: the move travels in links and into the lines shown."""

    def _component(self) -> gr.components.Component:
        before = self.before()
        return MeaningSliders(
            self.app,
            self.default,
            label=self.label,
            first=before.value if before else None,
            note=before.note if before else "",
        )

    def check(self, value: Any) -> Move:
        return parse_move(value)
