"""Combinations that no training picture shows: they tell composing from remembering.

Each value of an attribute stands in one of them at most (but for beards, glasses and hats, which
have few), so that all stay about as frequent as without.
"""

from __future__ import annotations

import numpy as np

from gen_core.data.avatars.attributes import Avatar, any_avatar

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
"""By the two attributes: pairs of values."""


def is_held_out(avatar: Avatar) -> bool:
    """Whether it is one of the combinations that training leaves out, even where it hardly shows:
    a hat does not hide all hair, age does not turn it grey at once."""
    return any(
        (getattr(avatar, one), getattr(avatar, other)) in pairs
        for (one, other), pairs in HELD_OUT.items()
    )


def random_avatar(seed: int) -> Avatar:
    """A person for training: none of the combinations that are held out."""
    rng = np.random.default_rng(seed)
    while is_held_out(avatar := any_avatar(rng)):
        pass
    return avatar
