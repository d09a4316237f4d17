"""Sliders along directions of latent space: by meaning, and by variance. The face follows.

The widget's value is text, "12;smile:1.5;pc2:-0.8": which face, and how far it is moved along what.
One parser, `parse_move`, checks it, whether it comes from the page, a link or the API.
"""

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from torch import Tensor

from demos.page.handlers import App
from demos.page.image_io import Value, made_by, png_data_url
from demos.widgets.live_knob import LiveKnob, milliseconds
from gen_core.engine import aside
from gen_core.knobs import KnobError, as_number, choice, number, shown, whole
from gen_core.latent.analyze import decoded, seen_traits, spreads
from gen_core.latent.atlas import Atlas
from gen_core.latent.traits import TRAITS
from gen_core.sampling import pixels

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


@dataclass(frozen=True)
class Faces:
    """What the sliders move: portraits by number, in the latent space of a model.

    judge: the classifier that sees what changes
    count: their numbers are below this one
    atlas: (app, model) -> what the model's checkpoint knows of its latent space
    code_of: (app, number) -> (1, latent), on the CPU
    """

    model: str
    judge: str
    count: int
    atlas: Callable[[App, str], Atlas]
    code_of: Callable[[App, int], Tensor]

    def moved_code(self, app: App, move: Move) -> Tensor:
        """(1, latent): where the move ends."""
        known, by = self.atlas(app, self.model), dict(move.by)
        z = known.regressor.moved(self.code_of(app, move.face), by)
        for name, far in by.items():
            if name not in TRAITS:
                axis = axis_of(name)
                z = z + far * known.scales[axis] * known.axes[axis].float()
        return z


def parse_move(text: Any, faces: int) -> Move:
    """ "face;direction:far;..." as a Move of a face below number `faces`. Raises KnobError."""
    if not isinstance(text, str) or len(text) > LONGEST:
        raise KnobError(f"move={shown(text)}: takes a face and directions, '12;smile:1.5'")
    face, *moves = text.split(";")
    steps: dict[str, float] = {}
    for move in moves:
        name, _, far = move.partition(":")
        choice("direction", name, DIRECTIONS)
        steps[name] = number(name, as_number(far), -REACH, REACH)
    return Move(whole("face", as_number(face), 0, faces - 1), tuple(steps.items()))


def axis_of(name: str) -> int:
    """ "pc3" is the third principal component, number 2."""
    return int(name.removeprefix("pc")) - 1


@dataclass(frozen=True)
class Moved(Value):
    """A moved face.

    picture: a data URL
    start: the face that it starts from
    changes: what the classifier sees change, by trait, in standard deviations
    """

    picture: str
    start: str
    changes: Mapping[str, float]
    ms: float
    made: Mapping[str, str]


class Mover:
    """What the widget asks the server; each answer is JSON or a `Value`."""

    def __init__(self, app: App, faces: Faces) -> None:
        self.app, self.faces = app, faces

    def describe(self, request: Any = None) -> dict[str, Any]:
        """The directions, how far sliders go, and how many faces there are."""
        scales = self.faces.atlas(self.app, self.faces.model).scales
        shares = (scales.square() / scales.square().sum())[:AXES]
        return {
            "traits": [{"name": t.name, "low": t.low, "high": t.high} for t in TRAITS.values()],
            "axes": [round(share, 4) for share in shares.tolist()],
            "reach": REACH,
            "faces": self.faces.count,
        }

    def move(self, text: Any) -> Moved:
        """A move as text -> its picture, the one it starts from, and what changes."""
        move = parse_move(text, self.faces.count)
        started = time.perf_counter()
        start, start_traits = self._seen(Move(move.face))
        picture, traits = self._seen(move)
        with aside():  # the first one to ask draws thousands of people
            unit = spreads()
        changes = (traits - start_traits) / unit
        return Moved(
            picture,
            start,
            {name: round(v, 2) for name, v in zip(TRAITS, changes.tolist(), strict=True)},
            milliseconds(started),
            made_by(self.faces.model, {"move": str(move)}),
        )

    @functools.lru_cache(maxsize=64)  # noqa: B019 - as long as the page, as the mover itself
    def _seen(self, move: Move) -> tuple[str, Tensor]:
        """A move's picture as a data URL, and its traits (T,)."""
        app, faces = self.app, self.faces
        x = decoded(app.model(faces.model), faces.moved_code(app, move))
        return png_data_url(pixels(x)[0]), seen_traits(app.model(faces.judge), x)[0]


@dataclass(frozen=True)
class MoveKnob(LiveKnob):
    """A knob whose component is the sliders: the move travels in links and into the lines shown."""

    faces: Faces | None = None

    def component(self) -> gr.components.Component:
        before, mover = self.before(), Mover(self.app, self.faces)
        shown = before.value if before else {"picture": "", "start": ""}
        return self.widget(
            "meaning_sliders",
            [mover.describe, mover.move],
            {
                "FIRST_NOTE": before.note if before else "",
                "FIRST_START": shown["start"],
                "FIRST_PICTURE": shown["picture"],
            },
            styles=["latent_sliders/latent_sliders.css"],
        )

    def check(self, value: Any) -> Move:
        return parse_move(value, self.faces.count)
