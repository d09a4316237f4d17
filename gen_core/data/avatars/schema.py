"""What an avatar is made of: every attribute with its values, what hides what, and which
combinations training leaves out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gen_core.data.schema import Schema
from gen_core.data.splits import AVATARS
from gen_core.nets.attributes import IGNORE_INDEX, SCALE

SKINS = {
    "porcelain": (0.98, 0.87, 0.80),
    "light": (0.95, 0.79, 0.68),
    "beige": (0.90, 0.70, 0.55),
    "tan": (0.80, 0.58, 0.42),
    "brown": (0.60, 0.41, 0.29),
    "dark": (0.42, 0.28, 0.21),
}
HAIR_COLOURS = {
    "black": (0.13, 0.11, 0.13),
    "brown": (0.36, 0.22, 0.14),
    "auburn": (0.58, 0.25, 0.13),
    "blond": (0.88, 0.69, 0.36),
    "grey": (0.66, 0.67, 0.70),
    "white": (0.93, 0.92, 0.90),
    "pink": (0.93, 0.48, 0.64),
    "blue": (0.28, 0.44, 0.80),
}
EYE_COLOURS = {
    "brown": (0.36, 0.21, 0.12),
    "green": (0.30, 0.52, 0.30),
    "blue": (0.24, 0.48, 0.78),
    "grey": (0.45, 0.50, 0.55),
}
COVERING = ("headscarf", "turban")
"""Hats beneath which no hair shows."""
CLOTH_COLOURS = {
    "red": (0.80, 0.26, 0.25),
    "orange": (0.93, 0.56, 0.24),
    "yellow": (0.96, 0.79, 0.33),
    "green": (0.33, 0.60, 0.40),
    "teal": (0.20, 0.58, 0.60),
    "blue": (0.25, 0.42, 0.75),
    "purple": (0.50, 0.36, 0.70),
    "white": (0.94, 0.94, 0.95),
    "black": (0.17, 0.18, 0.22),
}
BACKGROUNDS = {
    "rose": (0.96, 0.74, 0.74),
    "peach": (0.99, 0.82, 0.66),
    "lemon": (0.98, 0.91, 0.64),
    "mint": (0.70, 0.90, 0.78),
    "sky": (0.66, 0.84, 0.96),
    "lavender": (0.80, 0.75, 0.95),
    "sand": (0.87, 0.81, 0.72),
    "slate": (0.45, 0.52, 0.62),
}


@dataclass(frozen=True)
class Avatar:
    turn: float = 0.0
    """-1 to 1: to the left of the picture, to its right."""
    tilt: float = 0.0
    """-1 to 1"""
    face: str = "oval"
    skin: str = "light"
    age: float = 0.35
    """0, a child, to 1, an old person."""
    hair: str = "short"
    hair_colour: str = "brown"
    brows: str = "thin"
    eyes: str = "round"
    eye_colour: str = "brown"
    lids: str = "open"
    gaze: tuple[float, float] = (0.0, 0.0)
    """To the right and down, each -1 to 1."""
    nose: str = "small"
    smile: float = 0.5
    """-1 to 1"""
    mouth: str = "shut"
    beard: str = "none"
    glasses: str = "none"
    hat: str = "none"
    earrings: str = "none"
    clothes: str = "t-shirt"
    cloth_colour: str = "blue"
    background: str = "sky"
    light: float = -0.5
    """-1 to 1: from the left, from the right."""
    warmth: float = 0.0
    """-1 to 1: of the light, cold to warm."""


CATEGORICAL: dict[str, tuple[str, ...]] = {
    "face": ("oval", "round", "square", "heart", "long"),
    "skin": (*SKINS,),
    "hair": (
        "bald",
        "buzz cut",
        "short",
        "side part",
        "quiff",
        "curly",
        "afro",
        "fringe",
        "bob",
        "long",
        "wavy",
        "ponytail",
        "bun",
        "braids",
        "mohawk",
        "receding",
    ),
    "hair_colour": (*HAIR_COLOURS,),
    "brows": ("thin", "thick", "arched"),
    "eyes": ("round", "almond", "narrow"),
    "eye_colour": (*EYE_COLOURS,),
    "lids": ("open", "closed", "wink"),
    "nose": ("small", "button", "long", "wide"),
    "mouth": ("shut", "open"),
    "beard": ("none", "stubble", "moustache", "goatee", "full beard"),
    "glasses": ("none", "round", "square", "sun"),
    "hat": ("none", "cap", "beanie", "hat", "headscarf", "turban"),
    "earrings": ("none", "studs", "hoops"),
    "clothes": ("t-shirt", "v-neck", "shirt", "hoodie", "turtleneck", "blazer"),
    "cloth_colour": (*CLOTH_COLOURS,),
    "background": (*BACKGROUNDS,),
}
"""Attributes with names for their values."""
CONTINUOUS = {
    name: (0.0 if name == "age" else -1.0, 1.0)
    for name in ("turn", "tilt", "age", "smile", "light", "warmth")
}
"""Attributes that are numbers, from where to where."""

HELD_OUT: dict[tuple[str, str], frozenset[tuple[str, str]]] = {
    ("hair", "hair_colour"): frozenset(
        {
            ("afro", "blond"),
            ("mohawk", "brown"),
            ("bob", "pink"),
            ("long", "grey"),
            ("curly", "blue"),
            ("ponytail", "white"),
            ("quiff", "black"),
            ("braids", "auburn"),
        }
    ),
    ("cloth_colour", "background"): frozenset(
        {
            ("red", "mint"),
            ("orange", "sky"),
            ("yellow", "lavender"),
            ("green", "rose"),
            ("teal", "peach"),
            ("blue", "lemon"),
            ("purple", "sand"),
            ("black", "slate"),
        }
    ),
    ("hat", "glasses"): frozenset({("cap", "sun"), ("turban", "round"), ("beanie", "square")}),
    ("beard", "glasses"): frozenset({("goatee", "round"), ("moustache", "sun")}),
    ("skin", "eye_colour"): frozenset({("dark", "blue"), ("porcelain", "brown")}),
}
"""By two attributes the pairs of values that no training picture shows: they tell composing from
remembering. Each value stands in one of them at most (but for beards, glasses and hats, which have
few), so that all stay about as frequent as without."""
HIDING = ("hat", "hair", "age", "glasses", "lids", "beard")
"""The attributes that may keep others out of sight."""
ATTEMPTS = 100
"""To find what goes with what is asked for; one in five or more shows even a rare value."""


def _grows_beard(age: float, hat: str) -> bool:
    return hat != "headscarf" and age > 0.25


def any_avatar(rng: np.random.Generator) -> Avatar:
    """Every value of an attribute about as likely as the others, but for plain ones: half wear no
    hat, most look with both eyes; no beard on children or under a headscarf."""

    def one(name: str) -> str:
        values = CATEGORICAL[name]
        return values[int(rng.integers(len(values)))]  # as rng.choice draws, five times as fast

    def even() -> float:
        return float(rng.uniform(-1, 1))

    hat = one("hat") if rng.random() < 0.5 else "none"
    age = float(rng.uniform())
    beard = one("beard") if _grows_beard(age, hat) else "none"
    return Avatar(
        turn=even(),
        tilt=even(),
        face=one("face"),
        skin=one("skin"),
        age=age,
        hair=one("hair"),
        hair_colour=one("hair_colour"),
        brows=one("brows"),
        eyes=one("eyes"),
        eye_colour=one("eye_colour"),
        lids=one("lids") if rng.random() < 0.35 else "open",
        gaze=(even(), even()),
        nose=one("nose"),
        smile=even(),
        mouth="open" if rng.random() < 0.35 else "shut",
        beard=beard,
        glasses=one("glasses") if rng.random() < 0.6 else "none",
        hat=hat,
        earrings=one("earrings") if rng.random() < 0.6 else "none",
        clothes=one("clothes"),
        cloth_colour=one("cloth_colour"),
        background=one("background"),
        light=even(),
        warmth=even(),
    )


def is_held_out(avatar: Avatar) -> bool:
    """Whether it is one of the combinations that training leaves out, even where it hardly shows:
    a hat does not hide all hair, age does not turn it grey at once."""
    return any(_values(avatar, pair) in left_out for pair, left_out in HELD_OUT.items())


def _values(avatar: Avatar, pair: tuple[str, str]) -> tuple[str, ...]:
    return tuple(getattr(avatar, name) for name in pair)


def random_avatar(seed: int) -> Avatar:
    """A person for training: none of the combinations that are held out."""
    rng = np.random.default_rng(seed)
    while is_held_out(avatar := any_avatar(rng)):
        pass
    return avatar


def hidden(avatar: Avatar) -> frozenset[str]:
    """The attributes of `CATEGORICAL` that the picture does not show, or hardly."""
    rules: tuple[tuple[bool, set[str]], ...] = (
        (avatar.hat in COVERING, {"hair", "hair_colour"}),
        (avatar.hair == "bald", {"hair_colour"}),
        (avatar.age > 0.9, {"hair_colour"}),  # it has turned grey
        (avatar.hat == "headscarf", {"earrings", "clothes", "face"}),
        (avatar.glasses == "sun", {"eyes", "eye_colour", "lids"}),
        (avatar.lids == "closed", {"eyes", "eye_colour"}),
        (avatar.beard == "full beard", {"face"}),
    )
    return frozenset().union(*(names for hides, names in rules if hides))


def attribute_labels(people: Sequence[Avatar]) -> Tensor:
    """(N, len(CATEGORICAL) + len(CONTINUOUS)) int64: a row of labels for each, `IGNORE_INDEX` where
    the picture does not show a value."""
    rows = [[getattr(avatar, name) for name in CONTINUOUS] for avatar in people]
    numbers = torch.tensor(rows, dtype=torch.float32).reshape(len(rows), len(CONTINUOUS))
    codes = [
        [
            IGNORE_INDEX if name in out_of_sight else values.index(getattr(avatar, name))
            for name, values in CATEGORICAL.items()
        ]
        for avatar, out_of_sight in ((avatar, hidden(avatar)) for avatar in people)
    ]
    values = torch.tensor(codes, dtype=torch.int64).reshape(len(rows), len(CATEGORICAL))
    return torch.cat([values, (numbers * SCALE).round().long()], dim=1)


def complete(asked: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> Tensor:
    """As `Schema.complete`: what is left open and goes with nobody in the data is drawn anew."""
    return attribute_labels([_person(*pair) for pair in zip(asked, seeds, strict=True)])


def _person(asked: Mapping[str, Any], seed: int) -> Avatar:
    person = replace(random_avatar(AVATARS["asked"][seed]), **asked)
    rng = np.random.default_rng(seed)
    for _ in range(ATTEMPTS):
        wrong = _unlike_the_data(person, asked) - asked.keys()
        if not wrong:
            break
        other = any_avatar(rng)
        person = replace(person, **{name: getattr(other, name) for name in wrong})
    return person


def _unlike_the_data(person: Avatar, asked: Mapping[str, Any]) -> set[str]:
    """The attributes to blame where something hides what is asked for, where a beard grows on who
    has none, and where two that are not both asked for are a combination that training left out."""
    wrong: set[str] = set()
    to_show = asked.keys() - hidden(Avatar(**asked))  # a turban hides the hair that is asked for
    shaven = "beard" in asked or person.beard == "none"
    if to_show & hidden(person) or not (shaven or _grows_beard(person.age, person.hat)):
        wrong.update(HIDING)
    for pair, left_out in HELD_OUT.items():
        if not asked.keys() >= {*pair} and _values(person, pair) in left_out:
            wrong.update(pair)
    return wrong


SCHEMA = Schema(CATEGORICAL, CONTINUOUS, complete, example={"hat": "cap", "smile": 0.8})
