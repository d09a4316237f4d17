"""Emoji for tests: a shape of its own for each concept, told apart by colour and corners."""

import functools
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from gen_core.data.emoji import STYLES, Emoji, concepts


@functools.cache
def drawn_emoji() -> Emoji:
    """All 300 concepts in three styles, where the real drawings are not at hand."""
    pictures, items = [], []
    for number, concept in enumerate(concepts()):
        for row, style in enumerate(STYLES):
            picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
            pen = ImageDraw.Draw(picture)
            colour = tuple(100 + (number * step) % 150 for step in (37, 91, 53))
            pen.regular_polygon((32, 32, 28), 3 + number % 5, fill=(*colour, 255))
            pen.rectangle((26, 26, 30 + 4 * row, 32 + number // 50), fill=(255, 255, 255, 255))
            pictures.append(np.asarray(picture))
            items.append({"code": concept.code, "style": style, "name": concept.name})
    return Emoji(np.stack(pictures), tuple(items))


@functools.cache
def few_emoji() -> Emoji:
    """The first twenty of these concepts in three styles."""
    return Emoji(drawn_emoji().pictures[:60], drawn_emoji().items[:60])


def write_emoji(root: Path) -> None:
    """The drawn emoji in the files of the data set."""
    emoji, pieces = drawn_emoji(), []
    for pixels in emoji.pictures:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG", compress_level=1)
        pieces.append(file.getvalue())
    offsets = np.cumsum([0, *map(len, pieces)])
    (root / "emoji64").mkdir(parents=True)
    png = np.frombuffer(b"".join(pieces), np.uint8)
    np.savez(root / "emoji64/images.npz", png=png, offsets=offsets)
    told = json.dumps({"items": emoji.items})
    (root / "emoji64/captions.json").write_text(told, encoding="utf-8")
