"""Little pictures with a known meaning: emoji composed into scenes, 64 by 64 pixels.

A `Scene` is what a caption can say of a picture; `random_scene` draws one from a seed, `paint`
makes the picture. Everything is made on the fly: no two pictures need ever be the same.
"""

import functools
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageEnhance, ImageFilter

from gen_core.data.emoji import SIZE, STYLES, Emoji, concepts
from gen_core.data.grammar import countable

COLOURS = {
    "red": (222, 66, 58),
    "orange": (240, 142, 52),
    "yellow": (246, 210, 74),
    "green": (92, 170, 84),
    "teal": (58, 168, 166),
    "blue": (66, 118, 214),
    "purple": (140, 92, 196),
    "pink": (240, 150, 186),
    "brown": (134, 92, 64),
    "grey": (142, 146, 152),
    "black": (34, 36, 42),
    "white": (246, 246, 244),
}
TINTS = ("red", "orange", "yellow", "green", "blue", "purple", "pink")
"""Colours a thing can be painted in."""
SIZES = {"small": 32, "medium": 48, "large": 64}
"""Side in pixels of the square that a single drawing fills; of several, each is a small one."""
MIDDLE = 32
"""Of the picture, in pixels."""
NEAR, FAR = 16, 48
"""Where the centre of a small drawing may be, from the left or from above. A denoiser that halves
latents twice sees in steps of 16 pixels: with these, what it learns of a drawing holds wherever
the drawing stands. With eleven places of no such order, each had to be learned by itself."""
PLACES = {
    "": (MIDDLE, MIDDLE),
    "left": (NEAR, MIDDLE),
    "right": (FAR, MIDDLE),
    "top": (MIDDLE, NEAR),
    "bottom": (MIDDLE, FAR),
}
"""Of a small drawing that stands alone; larger ones are in the middle."""
RELATIONS = {"left of": (-1, 0), "right of": (1, 0), "above": (0, -1), "below": (0, 1)}
"""Where the first of two things is, seen from the second."""
LAYOUTS = {
    2: ((NEAR, MIDDLE), (FAR, MIDDLE)),
    3: ((MIDDLE, NEAR), (NEAR, FAR), (FAR, FAR)),
    4: ((NEAR, NEAR), (FAR, NEAR), (NEAR, FAR), (FAR, FAR)),
}
LIGHTS = ("night", "golden hour", "fog")
MEDIA = ("pixel art", "pencil sketch", "watercolour")
FAULTS = ("blurry", "low quality", "oversaturated")
PAPER = (246, 242, 232)


@dataclass(frozen=True)
class Scene:
    things: tuple[int, ...]
    """One or two places in `concepts()`."""
    tints: tuple[str, ...] = ("",)
    """A colour for each thing, "" for its own."""
    style: str = "3d"
    background: str = "white"
    size: str = "medium"
    place: str = ""
    """From `PLACES`; "" is the centre."""
    relation: str = ""
    """Of two things, from `RELATIONS`."""
    count: int = 1
    light: str = ""
    medium: str = ""
    fault: str = ""
    seed: int = 0
    """Of the shade of the background, of which no caption speaks."""


@functools.cache
def held_out() -> dict[str, frozenset]:
    """Combinations that no training picture shows: they tell composing from remembering.

    "background" and "tint": pairs of a concept's name and a colour; "pair": two names, sorted.
    """
    path = Path(__file__).with_name("held_out.json")
    listed = json.loads(path.read_text(encoding="utf-8"))
    return {kind: frozenset(map(tuple, pairs)) for kind, pairs in listed.items()}


def is_held_out(scene: Scene) -> bool:
    """Whether the scene shows one of the combinations that training leaves out."""
    kept, names = held_out(), [concepts()[i].name for i in scene.things]
    return (
        any((name, scene.background) in kept["background"] for name in names)
        or any(pair in kept["tint"] for pair in zip(names, scene.tints, strict=True))
        or (len(names) == 2 and tuple(sorted(names)) in kept["pair"])
    )


def random_scene(seed: int | tuple[int, ...]) -> Scene:
    """A scene for training: none of the combinations that are held out."""
    rng = np.random.default_rng(seed)
    while is_held_out(scene := any_scene(rng)):
        pass
    return scene


def any_scene(rng: np.random.Generator) -> Scene:
    """A scene of any kind, those that training leaves out among them."""
    two, many = rng.random() < 0.2, rng.random() < 0.1
    things = tuple(int(i) for i in rng.choice(len(concepts()), 1 + two, replace=False))
    many = many and not two and any(map(countable, concepts()[things[0]].words))
    medium = _now_and_then(rng, 0.1, MEDIA)
    plain = not two and not many
    size = str(rng.choice(list(SIZES), p=(0.25, 0.6, 0.15))) if plain else "medium"
    if medium == "pixel art":  # of a small thing, a few dots would be left
        size, medium = ("large", medium) if plain else (size, "")
    return Scene(
        things=things,
        tints=tuple(_now_and_then(rng, 0.15, TINTS) for _ in things),
        style=str(rng.choice(STYLES)),
        background=str(rng.choice(list(COLOURS))),
        size=size,
        place=_now_and_then(rng, 0.7, list(PLACES)[1:]) if size == "small" else "",
        relation=str(rng.choice(list(RELATIONS))) if two else "",
        count=int(rng.integers(2, 5)) if many else 1,
        light=_now_and_then(rng, 0.08, LIGHTS) if medium != "pencil sketch" else "",
        medium=medium,
        fault=_now_and_then(rng, 0.1, FAULTS),
        seed=int(rng.integers(2**31)),
    )


def _now_and_then(rng: np.random.Generator, chance: float, choices) -> str:
    return str(rng.choice(choices)) if rng.random() < chance else ""


def paint(scene: Scene, emoji: Emoji) -> np.ndarray:
    """The picture of a scene: (64, 64, 3) uint8."""
    picture = _background(scene.background, np.random.default_rng(scene.seed))
    for cutout, x, y in _placed(scene, emoji):
        picture.paste(cutout, (x, y), cutout)
    for word, change in ((scene.medium, _MEDIA), (scene.light, _LIGHTS), (scene.fault, _FAULTS)):
        if word:
            picture = change[word](picture)
    return np.asarray(picture)


def portrait(cutout: Image.Image, background: str = "white") -> np.ndarray:
    """One drawing, any of them, in the middle, as a scene would show it: (64, 64, 3) uint8."""
    picture = _background(background, np.random.default_rng(0))
    side = SIZES["medium"]
    corner = (SIZE - side) // 2
    drawn = cutout.resize((side, side), Image.Resampling.BICUBIC)
    picture.paste(drawn, (corner, corner), drawn)
    return np.asarray(picture)


def _background(name: str, rng: np.random.Generator) -> Image.Image:
    """The colour, a little off, and a little lighter at the top."""
    colour = np.array(COLOURS[name]) + rng.normal(0, 5, 3)
    shaded = colour * np.linspace(1.05, 0.94, SIZE)[:, None, None] * np.ones((1, SIZE, 1))
    return Image.fromarray(shaded.clip(0, 255).astype("u1"))


def _placed(scene: Scene, emoji: Emoji) -> Iterator[tuple[Image.Image, int, int]]:
    """(cutout, left, top) of each drawing."""
    which, side = list(zip(scene.things, scene.tints, strict=True)), SIZES["small"]
    if len(scene.things) == 2:
        dx, dy = RELATIONS[scene.relation]
        centres = [(MIDDLE + far * dx, MIDDLE + far * dy) for far in (NEAR, -NEAR)]
    elif scene.count > 1:
        centres, which = LAYOUTS[scene.count], which * scene.count
    else:
        centres, side = [PLACES[scene.place]], SIZES[scene.size]
    for (thing, tint), (x, y) in zip(which, centres, strict=True):
        cutout = emoji.cutout(concepts()[thing], scene.style)
        cutout = _tinted(cutout, COLOURS[tint]) if tint else cutout
        yield cutout.resize((side, side), Image.Resampling.BICUBIC), x - side // 2, y - side // 2


def _tinted(cutout: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """In shades of one colour: its dark stays dark, its light becomes pale."""
    grey, opacity = cutout.convert("L"), cutout.getchannel("A")
    shades = [grey.point(_shades(channel)) for channel in colour]
    return Image.merge("RGBA", (*shades, opacity))


@functools.cache
def _shades(channel: int) -> list[int]:
    """What each level of grey becomes: black to the colour up to the middle, then towards white."""
    middle = 150
    rising = [round(channel * level / middle) for level in range(middle)]
    paler = [(255 - channel) * 0.75 * k / (255 - middle) for k in range(256 - middle)]
    return rising + [round(channel + more) for more in paler]


def _plain(picture: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", picture.size, colour)


def _golden(picture: Image.Image) -> Image.Image:
    """Low sun from the right."""
    glow = np.linspace(0, 1, SIZE)[None, :, None] * np.array((70, 34, 0))
    warm = np.asarray(picture) * np.array((0.98, 0.82, 0.58)) + glow
    return Image.fromarray(warm.clip(0, 255).astype("u1"))


def _pixel_art(picture: Image.Image) -> Image.Image:
    small = picture.resize((SIZE // 4, SIZE // 4), Image.Resampling.BOX)
    return small.resize(picture.size, Image.Resampling.NEAREST)


def _pencil(picture: Image.Image) -> Image.Image:
    """Grey lines where the brightness changes, on paper."""
    lines = picture.convert("L").filter(ImageFilter.SMOOTH).filter(ImageFilter.CONTOUR)
    lines = ImageEnhance.Contrast(lines.crop((1, 1, SIZE - 1, SIZE - 1))).enhance(1.6)
    page = Image.new("L", picture.size, 255)
    page.paste(lines, (1, 1))
    return ImageChops.multiply(page.convert("RGB"), _plain(picture, PAPER))


def _watercolour(picture: Image.Image) -> Image.Image:
    """Flat, pale patches that run into each other at their edges."""
    patches = picture.filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.GaussianBlur(0.6))
    return Image.blend(patches, _plain(picture, PAPER), 0.35)


def _low_quality(picture: Image.Image) -> Image.Image:
    """Squeezed through a JPEG of the lowest quality."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=6)
    return Image.open(file).convert("RGB")


_LIGHTS = {
    "night": lambda picture: ImageChops.multiply(picture, _plain(picture, (88, 100, 168))),
    "golden hour": _golden,
    "fog": lambda picture: Image.blend(picture, _plain(picture, (206, 212, 218)), 0.6),
}
_MEDIA = {"pixel art": _pixel_art, "pencil sketch": _pencil, "watercolour": _watercolour}
_FAULTS = {
    "blurry": lambda picture: picture.filter(ImageFilter.GaussianBlur(2)),
    "low quality": _low_quality,
    "oversaturated": lambda picture: ImageEnhance.Contrast(
        ImageEnhance.Color(picture).enhance(3.0)
    ).enhance(1.5),
}


def twin(scene: Scene, seed: int | tuple[int, ...]) -> Scene:
    """The same scene with one thing changed: what tells a pair apart is the lesson."""
    rng = np.random.default_rng(seed)
    while True:
        other = any_scene(rng)
        changes = [{"background": other.background}, {"style": other.style}]
        if len(scene.things) == 2:
            swapped = {"things": scene.things[::-1], "tints": scene.tints[::-1]}
            changes += [swapped, swapped, {"tints": (*other.tints, "")[:2]}]
        else:
            changes.append({"tints": other.tints[:1]})
            changes += [{"things": other.things[:1]}] if scene.count == 1 else []
            if scene.count == 1 and scene.size == "small":
                changes.append({"place": _now_and_then(rng, 0.8, list(PLACES)[1:])})
        changed = replace(scene, **changes[rng.integers(len(changes))])
        if changed != scene and not is_held_out(changed):
            return changed
