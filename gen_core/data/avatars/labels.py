"""An avatar's attributes as numbers and as words: what a classifier or a caption can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from gen_core.data.avatars import attributes as known
from gen_core.data.avatars.attributes import Avatar
from gen_core.data.grammar import article
from gen_core.data.images import UNSEEN

CHOICES: dict[str, tuple[str, ...]] = {
    "face": known.FACES,
    "skin": (*known.SKINS,),
    "hair": known.HAIRS,
    "hair_colour": (*known.HAIR_COLOURS,),
    "brows": known.BROWS,
    "eyes": known.EYES,
    "eye_colour": (*known.EYE_COLOURS,),
    "lids": known.LIDS,
    "nose": known.NOSES,
    "mouth": known.MOUTHS,
    "beard": known.BEARDS,
    "glasses": known.GLASSES,
    "hat": known.HATS,
    "earrings": known.EARRINGS,
    "clothes": known.CLOTHES,
    "cloth_colour": (*known.CLOTH_COLOURS,),
    "background": (*known.BACKGROUNDS,),
}
"""Attributes with names for their values."""
MEASURES = ("turn", "tilt", "age", "smile", "light", "warmth")
"""Attributes that are numbers."""
THOUSANDTHS = 1000
"""In which `facts` counts the measures."""


def hidden(avatar: Avatar) -> frozenset[str]:
    """The attributes of `CHOICES` that cannot be told from the picture, or hardly."""
    covered: set[str] = set()
    if avatar.hat in known.COVERING:
        covered |= {"hair", "hair_colour"}
    if avatar.hair == "bald" or avatar.age > 0.9:  # then it has turned grey
        covered |= {"hair_colour"}
    if avatar.hat == "headscarf":
        covered |= {"earrings", "clothes", "face"}
    if avatar.glasses == "sun":
        covered |= {"eyes", "eye_colour", "lids"}
    if avatar.lids == "closed":
        covered |= {"eyes", "eye_colour"}
    if avatar.beard == "full beard":
        covered |= {"face"}
    return frozenset(covered)


def codes(people: Sequence[Avatar]) -> Tensor:
    """(N, len(CHOICES)) int64: the place of each value in its list, `UNSEEN` where hidden."""
    rows = [
        [
            UNSEEN if name in out_of_sight else values.index(getattr(avatar, name))
            for name, values in CHOICES.items()
        ]
        for avatar, out_of_sight in ((avatar, hidden(avatar)) for avatar in people)
    ]
    return torch.tensor(rows, dtype=torch.int64).reshape(len(rows), len(CHOICES))


def measures(people: Sequence[Avatar]) -> Tensor:
    """(N, len(MEASURES)) float32, each in its attribute's own range."""
    rows = [[getattr(avatar, name) for name in MEASURES] for avatar in people]
    return torch.tensor(rows, dtype=torch.float32).reshape(len(rows), len(MEASURES))


def facts(people: Sequence[Avatar]) -> Tensor:
    """(N, len(CHOICES) + len(MEASURES)) int64: `codes`, and the measures in thousandths."""
    thousandths = (measures(people) * THOUSANDTHS).round().long()
    return torch.cat([codes(people), thousandths], dim=1)


def caption(avatar: Avatar) -> str:
    """What is seen, in words: "an old person with tan skin, a bob and round glasses, smiling"."""
    worn = list(_worn(avatar, hidden(avatar)))
    *most, last = worn or [""]
    worn_words = f"{', '.join(most)} and {last}" if most else last
    person = article(f"{_age(avatar)} with {avatar.skin} skin")
    ground = f"on {article(f'{avatar.background} background')}"
    parts = (person, worn_words, _mood(avatar), _clothes(avatar), ground)
    return ", ".join(part for part in parts if part)


def _worn(avatar: Avatar, out_of_sight: frozenset[str]) -> Iterator[str]:
    """What is on the head and the face."""
    if "hair" not in out_of_sight:
        yield _hair(avatar, out_of_sight)
    if avatar.beard != "none":
        yield "stubble" if avatar.beard == "stubble" else article(avatar.beard)
    if avatar.glasses != "none":
        yield "sunglasses" if avatar.glasses == "sun" else f"{avatar.glasses} glasses"
    if avatar.hat != "none":
        yield article(avatar.hat)
    if avatar.earrings != "none" and "earrings" not in out_of_sight:
        yield "earrings"


def _clothes(avatar: Avatar) -> str:
    if "clothes" in hidden(avatar):
        return ""
    return f"in {article(f'{avatar.cloth_colour} {avatar.clothes}')}"


def _age(avatar: Avatar) -> str:
    if avatar.age < 0.25:
        return "child"
    return "young person" if avatar.age < 0.5 else "person" if avatar.age < 0.75 else "old person"


def _hair(avatar: Avatar, out_of_sight: frozenset[str]) -> str:
    if avatar.hair == "bald":
        return "a bald head"
    colour = "" if "hair_colour" in out_of_sight else avatar.hair_colour
    kind = avatar.hair if avatar.hair in _NAMED else f"{avatar.hair} hair"
    phrase = f"{colour} {kind}".strip()
    return article(phrase) if avatar.hair in _NAMED and avatar.hair != "braids" else phrase


_NAMED = (
    "buzz cut",
    "side part",
    "quiff",
    "afro",
    "fringe",
    "bob",
    "ponytail",
    "bun",
    "braids",
    "mohawk",
)
"""Styles that are called by their name alone."""


def _mood(avatar: Avatar) -> str:
    mood = "smiling" if avatar.smile > 0.33 else "frowning" if avatar.smile < -0.33 else ""
    lids = (
        ""
        if avatar.glasses == "sun"
        else {"closed": "with closed eyes", "wink": "winking"}.get(avatar.lids, "")
    )
    return ", ".join(part for part in (mood, lids) if part)
