"""Words for scenes, in many wordings: what the text encoder and the denoiser read.

A caption may keep silent about style, background, place and size. What changes the whole picture
(light, medium, a fault) and what nobody expects (a tint, a count) is always said.
"""

from collections.abc import Sequence

import numpy as np

from gen_core.data.emoji import concepts
from gen_core.data.emoji.scenes import Scene
from gen_core.data.grammar import article, countable, plural

NUMBERS = {2: "two", 3: "three", 4: "four"}
STYLE_WORDS = {
    "3d": ("3d", "3d rendered", "glossy 3d"),
    "noto": ("noto", "noto style", "cartoon"),
    "flat": ("flat", "flat style", "twemoji"),
}
LIGHT_WORDS = {
    "night": ("at night", "in the dark", "night"),
    "golden hour": ("golden hour", "at sunset", "in warm evening light"),
    "fog": ("in fog", "foggy", "misty"),
}
MEDIUM_WORDS = {
    "pixel art": ("pixel art", "pixelated", "8-bit"),
    "pencil sketch": ("pencil sketch", "pencil drawing", "sketch"),
    "watercolour": ("watercolour", "watercolor", "watercolor painting"),
}
FAULT_WORDS = {
    "blurry": ("blurry", "blurred", "out of focus"),
    "low quality": ("low quality", "jpeg artifacts", "bad quality"),
    "oversaturated": ("oversaturated", "garish colours"),
}
PRAISE = ("sharp", "high quality", "detailed", "best quality", "sharp, high quality")
PLACE_WORDS = {
    "left": ("on the left", "left"),
    "right": ("on the right", "right"),
    "top": ("at the top", "top"),
    "bottom": ("at the bottom", "bottom"),
}
SIZE_WORDS = {"small": ("small", "tiny", "little"), "large": ("large", "big", "huge")}
RELATION_WORDS = {
    "left of": ("left of", "to the left of", "and"),
    "right of": ("right of", "to the right of"),
    "above": ("above", "on top of", "over"),
    "below": ("below", "under", "underneath"),
}
THINGS = ("first thing", "second thing")


class Wording:
    """How one caption is put: each choice has a draw of its own, so that two scenes which differ
    in one thing can be described in the same manner."""

    CHOICES = (
        "say style",
        "say background",
        "say place",
        "say size",
        "style",
        "style first",
        "place",
        "background",
        "grey",
        "light",
        "medium",
        "fault",
        "praise",
        "praised",
        "shuffled",
        "subject last",
        "first thing",
        "second thing",
        "articles",
        "relation",
        "size",
    )

    def __init__(self, seed: int | tuple[int, ...]) -> None:
        rng = np.random.default_rng(seed)
        self.draws = dict(zip(self.CHOICES, rng.random(len(self.CHOICES)), strict=True))
        self.order = rng.permutation(6)

    def happens(self, choice: str, chance: float) -> bool:
        return bool(self.draws[choice] < chance)

    def one(self, choice: str, words: Sequence[str]) -> str:
        return words[int(self.draws[choice] * len(words))]


def caption(scene: Scene, seed: int | tuple[int, ...]) -> str:
    """One of the many ways to describe a scene; the same seed gives the same manner."""
    w = Wording(seed)
    subject = _subject(scene, w)
    style = "" if w.happens("say style", 0.2) else w.one("style", STYLE_WORDS[scene.style])
    if style and w.happens("style first", 0.6):
        subject, style = f"{article(style)} emoji of {subject}", ""
    silent = not scene.place or w.happens("say place", 0.1)
    place = "" if silent else w.one("place", PLACE_WORDS[scene.place])
    details = [style, place, _background(scene, w)]
    for choice, word, words in (
        ("light", scene.light, LIGHT_WORDS),
        ("medium", scene.medium, MEDIUM_WORDS),
        ("fault", scene.fault, FAULT_WORDS),
    ):
        details.append(w.one(choice, words[word]) if word else "")
    if not scene.fault and w.happens("praise", 0.2):
        details[-1] = w.one("praised", PRAISE)
    if w.happens("shuffled", 0.5):
        details = [details[k] for k in w.order]
    parts = [*details, subject] if w.happens("subject last", 0.12) else [subject, *details]
    return ", ".join(part for part in parts if part)


def _subject(scene: Scene, w: Wording) -> str:
    if scene.count > 1:
        words = [word for word in concepts()[scene.things[0]].words if countable(word)]
        noun = plural(w.one("first thing", words))
        return " ".join(part for part in (NUMBERS[scene.count], scene.tints[0], noun) if part)
    nouns = []
    for choice, index, tint in zip(THINGS, scene.things, scene.tints, strict=False):
        noun = w.one(choice, concepts()[index].words)
        unsaid = 0.5 if scene.place else 0.1  # what stands aside is small anyway
        size = "" if scene.relation or w.happens("say size", unsaid) else scene.size
        size = w.one("size", SIZE_WORDS[size]) if size in SIZE_WORDS else ""
        phrase = " ".join(part for part in (size, tint, noun) if part)
        nouns.append(phrase if w.happens("articles", 0.3) else article(phrase, noun))
    if not scene.relation:
        return nouns[0]
    return f" {w.one('relation', RELATION_WORDS[scene.relation])} ".join(nouns)


def _background(scene: Scene, w: Wording) -> str:
    if scene.medium == "pencil sketch" or w.happens("say background", 0.12):
        return ""
    colour = scene.background
    colour = w.one("grey", ("grey", "gray")) if colour == "grey" else colour
    return w.one(
        "background",
        (
            f"on {article(colour)} background",
            f"{colour} background",
            f"against {colour}",
            f"on {colour}",
            f"with {article(colour)} background",
        ),
    )
