"""The chooser of a portrait's attributes: each one is asked for or left open.

The widget's value is text, "hat:cap;smile:0.8": what is left out stays open, and "" asks for
anybody. One parser, `parse_attributes`, checks it: from the page, a link or the API.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demos.page.controls import Knob
from demos.page.image_io import png_data_url
from demos.widgets.live_knob import LiveKnob, LivePicture, milliseconds
from gen_core.data.avatars import Avatar, portrait, random_avatar, schema
from gen_core.data.avatars.schema import CATEGORICAL, CONTINUOUS, HELD_OUT, hidden
from gen_core.data.splits import AVATARS
from gen_core.evaluation.compositionality import in_sight
from gen_core.knobs import KnobError, choice, shown, whole

Attributes = Mapping[str, str | float]
"""Attribute -> value, such as {"hat": "cap", "smile": 0.8}."""

JUDGE = "judge-avatars"
"""The checkpoint that sees the attributes of a portrait."""
LONGEST = 1000
"""Characters of a wish."""
SIDE = 64
"""Pixels along each side of the person drawn by a program: as many as the models draw."""
STEP = 0.05
"""Of the sliders, and of what `somebody` asks for."""
NUMBERS = 1_000_000
"""`somebody` and `unseen` take a number below this one."""
GROUPS = {
    "Face": (
        "face",
        "eyes",
        "brows",
        "lids",
        "nose",
        "mouth",
        "skin",
        "eye_colour",
        "smile",
        "age",
        "turn",
        "tilt",
    ),
    "Hair": ("hair", "beard", "hair_colour"),
    "Worn": ("glasses", "hat", "earrings"),
    "Clothes and background": ("clothes", "cloth_colour", "background"),
    "Light": ("light", "warmth"),
}
COLOURS = {
    "skin": schema.SKINS,
    "hair_colour": schema.HAIR_COLOURS,
    "eye_colour": schema.EYE_COLOURS,
    "cloth_colour": schema.CLOTH_COLOURS,
    "background": schema.BACKGROUNDS,
}
"""Attributes that are chosen by their colour."""
TITLES = {"face": "Shape", "cloth_colour": "Their colour"}
"""Of attributes that are not called by their name."""
ENDS = {
    "turn": ("left", "right"),
    "tilt": ("left", "right"),
    "age": ("child", "old"),
    "smile": ("frowning", "smiling"),
    "light": ("left", "right"),
    "warmth": ("cold", "warm"),
}
"""What a measure is at its two ends."""
NEVER = "Never seen in training"
"""What is said of a combination in `TOGETHER`."""
TOGETHER = sorted(
    tuple(zip(names, values, strict=True)) for names, pairs in HELD_OUT.items() for values in pairs
)
"""Every combination that training leaves out: ((attribute, value), (attribute, value))."""


def title(name: str) -> str:
    """ "hair_colour" -> "Hair colour" """
    return TITLES.get(name, name.replace("_", " ").capitalize())


def _knob(name: str) -> Knob:
    if name in CATEGORICAL:
        return Knob(name, title(name), "choice", None, options=CATEGORICAL[name])
    return Knob(name, title(name), "number", 0.0, *CONTINUOUS[name], step=STEP)


KNOBS = {name: _knob(name) for name in (*CATEGORICAL, *CONTINUOUS)}
"""How each attribute is checked."""


def parse_attributes(text: Any) -> dict[str, str | float]:
    """ "hat:cap;smile:0.8" as {"hat": "cap", "smile": 0.8}. Raises KnobError."""
    if not isinstance(text, str) or len(text) > LONGEST:
        raise KnobError(
            f"wish={shown(text)}: takes attributes and values, 'hat:cap;smile:0.8', of at "
            f"most {LONGEST} characters"
        )
    wish: dict[str, str | float] = {}
    for asked in filter(None, text.split(";")):
        name, _, value = asked.partition(":")
        choice("attribute", name, list(KNOBS))
        if name in wish:
            raise KnobError(f"{name} is asked for twice: choose one value")
        wish[name] = KNOBS[name].from_text(value)
    return wish


def written(wish: Attributes) -> str:
    """The text that `parse_attributes` reads."""
    return ";".join(f"{name}:{_shown(value)}" for name, value in wish.items())


def in_words(name: str, value: str | float) -> str:
    """ "hair colour: blond", "smile: 0.8", "no hat" """
    plain = name.replace("_", " ")
    return f"no {plain}" if value == "none" else f"{plain}: {_shown(value)}"


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def never_together(wish: Attributes) -> list[str]:
    """The combinations in it that no training picture shows: "hair: afro together with ..."."""
    return [
        " together with ".join(in_words(*part) for part in pair)
        for pair in TOGETHER
        if all(wish.get(name) == value for name, value in pair)
    ]


@dataclass(frozen=True)
class Drawn(LivePicture):
    """The person asked for, drawn by a program, plain in all that is open.

    never: the combinations that training never showed
    asked: attributes that are asked for
    """

    never: Sequence[str] = ()
    asked: int = 0
    all: int = len(KNOBS)


class AttributePicker:
    """What the widget asks the server; each answer is JSON or a `Value`."""

    def describe(self, request: Any = None) -> dict[str, Any]:
        """The groups of fields, in their order."""
        groups = [
            {"title": group, "fields": [_field(name) for name in names]}
            for group, names in GROUPS.items()
        ]
        return {"groups": groups, "numbers": NUMBERS}

    def draw(self, text: Any) -> Drawn:
        """Attributes as text -> the person who has them."""
        asked, started = parse_attributes(text), time.perf_counter()
        picture = portrait(Avatar(**asked), SIDE)
        ms = milliseconds(started)
        return Drawn(picture, ms, never=never_together(asked), asked=len(asked))

    def somebody(self, number: Any) -> dict[str, Any]:
        """All that can be seen of a person who was not in the training set, as a wish."""
        avatar = random_avatar(AVATARS["asked"][whole("number", number, 0, NUMBERS - 1)])
        seen = [name for name in KNOBS if name not in hidden(avatar)]
        values = {name: getattr(avatar, name) for name in seen}
        even = {n: round(round(v / STEP) * STEP, 2) for n, v in values.items() if n in CONTINUOUS}
        return {"wish": written(values | even)}

    def unseen(self, number: Any) -> dict[str, Any]:
        """One of the combinations that training leaves out, as a wish, in sight."""
        pair = dict(TOGETHER[whole("number", number, 0, NUMBERS - 1) % len(TOGETHER)])
        return {"wish": written(in_sight(pair))}


def _field(name: str) -> dict[str, Any]:
    """One attribute, for the page."""
    knob = KNOBS[name]
    field = {"name": name, "title": knob.label}
    if name in CONTINUOUS:
        low, high = ENDS[name]
        ends = {"low": knob.low, "high": knob.high, "step": STEP, "ends": f"{low} to {high}"}
        return {**field, "kind": "measure", "start": getattr(Avatar(), name), **ends}
    if name not in COLOURS:
        return {**field, "kind": "select", "options": list(knob.options)}
    shares = {value: [round(255 * c) for c in rgb] for value, rgb in COLOURS[name].items()}
    return {**field, "kind": "colour", "options": list(shares), "colours": list(shares.values())}


@dataclass(frozen=True)
class AttributeKnob(LiveKnob):
    """A knob whose component is the attribute picker: what is asked for travels in links and into
    the lines shown. The person it asks for stands there at once."""

    def component(self) -> gr.components.Component:
        picker = AttributePicker()
        return self.widget(
            "attribute_picker",
            [picker.describe, picker.draw, picker.somebody, picker.unseen],
            {"FIRST_PICTURE": png_data_url(picker.draw(self.default).picture)},
        )

    def check(self, value: Any) -> dict[str, str | float]:
        return parse_attributes(value)

    def from_text(self, text: str) -> str:
        return written(self.check(text))
