"""An avatar in words."""

from collections.abc import Iterator

from gen_core.data.avatars.schema import Avatar, hidden
from gen_core.data.grammar import article


def caption(avatar: Avatar) -> str:
    """What is seen, in words: "an old person with tan skin, a bob and round glasses, smiling"."""
    out_of_sight = hidden(avatar)
    worn = list(_worn(avatar, out_of_sight))
    *most, last = worn or [""]
    worn_words = f"{', '.join(most)} and {last}" if most else last
    person = article(f"{_age(avatar)} with {avatar.skin} skin")
    ground = f"on {article(f'{avatar.background} background')}"
    clothes = f"in {article(f'{avatar.cloth_colour} {avatar.clothes}')}"
    clothes = "" if "clothes" in out_of_sight else clothes
    parts = (person, worn_words, _mood(avatar), clothes, ground)
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
    lids = {"closed": "with closed eyes", "wink": "winking"}.get(avatar.lids, "")
    seen = (mood, "" if avatar.glasses == "sun" else lids)
    return ", ".join(part for part in seen if part)
