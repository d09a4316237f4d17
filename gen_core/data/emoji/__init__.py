"""Emoji as cut-outs: 300 concepts that people ask for first, each drawn in three styles.

Fluent (MIT, Microsoft), Noto (OFL 1.1 / Apache 2.0, Google), Twemoji (CC-BY 4.0, Twitter and
contributors). The project ships none of the pictures; `emoji_fetch` gets them from the sources.
"""

import functools
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gen_core.data.fashion import places
from gen_core.data.images import MissingData

STYLES = ("3d", "noto", "flat")
SIZE = 64
FOLDER = "emoji64"


@dataclass(frozen=True)
class Concept:
    code: str
    """Unicode code points in hexadecimal, joined by "-"."""
    words: tuple[str, ...]
    """What people call it, the usual word first."""

    @property
    def name(self) -> str:
        return self.words[0]


@functools.cache
def concepts() -> tuple[Concept, ...]:
    """The vocabulary, in the order of its file."""
    lines = Path(__file__).with_name("concepts.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" ", 1) for line in lines)
    return tuple(Concept(code, tuple(words.split(", "))) for code, words in pairs)


@dataclass(frozen=True)
class Emoji:
    """All the drawings in memory."""

    pictures: np.ndarray
    """(N, 64, 64, 4) uint8, red, green, blue, opacity."""
    items: tuple[dict, ...]
    """What each is: style, code, name, group, keywords."""

    @functools.cached_property
    def index(self) -> dict[tuple[str, str], int]:
        """(code, style) -> row of `pictures`."""
        return {(item["code"], item["style"]): row for row, item in enumerate(self.items)}

    def cutout(self, concept: Concept, style: str) -> Image.Image:
        """The drawing as an RGBA picture, 64 by 64."""
        return self.at(self.index[concept.code, style])

    def at(self, row: int) -> Image.Image:
        """The drawing in a row of `pictures`, as an RGBA picture."""
        return Image.fromarray(self.pictures[row])


def emoji_here(root: Path | str | None = None) -> bool:
    """Whether `load_emoji` would find them."""
    return _found(root) is not None


def _found(root: Path | str | None) -> Path | None:
    folders = (place / FOLDER for place in places(root))
    return next((folder for folder in folders if (folder / "images.npz").exists()), None)


def load_emoji(root: Path | str | None = None) -> Emoji:
    """Reads emoji64/images.npz and captions.json under `root`, $GEN_DATA or the cache.

    Raises MissingData, with the way out, where they are not.
    """
    folder = _found(root)
    if folder is None:
        looked = ", ".join(str(place / FOLDER) for place in places(root))
        raise MissingData(
            f"no emoji in {looked}: `python -m gen_core fetch` downloads "
            "them; or name the folder that holds emoji64/ with --data or in GEN_DATA"
        )
    items = json.loads((folder / "captions.json").read_text(encoding="utf-8"))["items"]
    with np.load(folder / "images.npz") as file:
        data, offsets = file["png"].tobytes(), file["offsets"]
    pieces = (data[start:end] for start, end in zip(offsets, offsets[1:], strict=False))
    return Emoji(np.stack([_decoded(piece) for piece in pieces]), tuple(items))


def _decoded(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGBA"))
