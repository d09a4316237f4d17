"""What an avatar is made of: every attribute known, each drawn evenly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FACES = ("oval", "round", "square", "heart", "long")
SKINS = {
    "porcelain": (0.98, 0.87, 0.80),
    "light": (0.95, 0.79, 0.68),
    "beige": (0.90, 0.70, 0.55),
    "tan": (0.80, 0.58, 0.42),
    "brown": (0.60, 0.41, 0.29),
    "dark": (0.42, 0.28, 0.21),
}
HAIRS = (
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
)
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
BROWS = ("thin", "thick", "arched")
EYES = ("round", "almond", "narrow")
EYE_COLOURS = {
    "brown": (0.36, 0.21, 0.12),
    "green": (0.30, 0.52, 0.30),
    "blue": (0.24, 0.48, 0.78),
    "grey": (0.45, 0.50, 0.55),
}
LIDS = ("open", "closed", "wink")
MOUTHS = ("shut", "open")
NOSES = ("small", "button", "long", "wide")
BEARDS = ("none", "stubble", "moustache", "goatee", "full beard")
GLASSES = ("none", "round", "square", "sun")
HATS = ("none", "cap", "beanie", "hat", "headscarf", "turban")
COVERING = ("headscarf", "turban")
"""Hats beneath which no hair shows."""
EARRINGS = ("none", "studs", "hoops")
CLOTHES = ("t-shirt", "v-neck", "shirt", "hoodie", "turtleneck", "blazer")
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


def any_avatar(rng: np.random.Generator) -> Avatar:
    """Every value of an attribute about as likely as the others, but for plain ones: half wear no
    hat, most look with both eyes; no beard on children or under a headscarf."""

    def one(choices) -> str:
        return str(rng.choice(list(choices)))

    def even() -> float:
        return float(rng.uniform(-1, 1))

    hat = one(HATS) if rng.random() < 0.5 else "none"
    age = float(rng.uniform())
    beard = one(BEARDS) if hat != "headscarf" and age > 0.25 else "none"
    return Avatar(
        turn=even(),
        tilt=even(),
        face=one(FACES),
        skin=one(SKINS),
        age=age,
        hair=one(HAIRS),
        hair_colour=one(HAIR_COLOURS),
        brows=one(BROWS),
        eyes=one(EYES),
        eye_colour=one(EYE_COLOURS),
        lids=one(LIDS) if rng.random() < 0.35 else "open",
        gaze=(even(), even()),
        nose=one(NOSES),
        smile=even(),
        mouth="open" if rng.random() < 0.35 else "shut",
        beard=beard,
        glasses=one(GLASSES) if rng.random() < 0.6 else "none",
        hat=hat,
        earrings=one(EARRINGS) if rng.random() < 0.6 else "none",
        clothes=one(CLOTHES),
        cloth_colour=one(CLOTH_COLOURS),
        background=one(BACKGROUNDS),
        light=even(),
        warmth=even(),
    )
