"""Emoji as cut-outs: 300 concepts that people ask for first, each drawn in three styles.

Fluent (MIT, Microsoft), Noto (OFL 1.1 / Apache 2.0, Google), Twemoji (CC-BY 4.0, Twitter and
contributors). The project ships none of the pictures, only what the model keeps of them:
`python -m gen_core fetch` downloads them from their public sources, for whoever has no folder with
them.
"""

import functools
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
from PIL import Image

from gen_core.data.fashion import places
from gen_core.data.images import MissingData
from gen_core.files import in_one_move
from gen_core.progress import Progress, Report, ignore

STYLES = ("3d", "noto", "flat")
SIZE = 64
FOLDER = "emoji64"
RAW = "https://raw.githubusercontent.com"
SOURCES = {
    "3d": "shuding/fluentui-emoji-unicode/7a40f1a2d0/assets/{dashed}_3d.png",
    "noto": "googlefonts/noto-emoji/b3e3051a08/png/128/emoji_u{underlined}.png",
    "flat": "jdecked/twemoji/v15.1.0/assets/72x72/{dashed}.png",
}
"""Of each style: the repository, its state, and the path of a drawing's file."""
AT_ONCE = 16
SECONDS = 30
"""After which a file that does not come has failed."""


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


def fetch_emoji(
    place: Path, get: Callable[[str], bytes] | None = None, progress: Report = ignore
) -> Path:
    """Downloads the concepts' drawings, 900 small files, to `place`/emoji64; returns that folder.

    get(url) returns a file and raises FileNotFoundError where there is none. Raises MissingData
    where a drawing cannot be had.
    """
    folder, get = place / FOLDER, get or _from_the_network
    wanted = [(concept, style) for style in STYLES for concept in concepts()]
    drawings = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for drawing in pool.map(lambda pair: _drawing(*pair, get), wanted):
            drawings.append(drawing)
            progress(Progress("drawings", len(drawings), len(wanted), "files"))
    items = [
        {"style": style, "code": c.code, "name": c.name, "keywords": list(c.words)}
        for c, style in wanted
    ]
    _write(folder, drawings, items)
    return folder


def _from_the_network(url: str) -> bytes:
    try:
        with urlopen(url, timeout=SECONDS) as answer:
            return answer.read()
    except HTTPError as error:
        if error.code == 404:
            raise FileNotFoundError(url) from error
        raise


def _drawing(concept: Concept, style: str, get: Callable[[str], bytes]) -> bytes:
    """A concept's drawing as a PNG of 64 by 64 pixels."""
    for url in _addresses(concept, style):
        try:
            return _small(get(url))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise MissingData(f"{url} could not be fetched ({error}): try again") from error
    raise MissingData(f"no drawing of {concept.name!r} in style {style!r}: {url} is not there")


def _addresses(concept: Concept, style: str) -> Iterator[str]:
    """The file of a concept; some sources keep the mark that asks for colour, others do not."""
    for code in (concept.code, f"{concept.code}-fe0f"):
        path = SOURCES[style].format(dashed=code, underlined=code.replace("-", "_"))
        yield f"{RAW}/{path}"


def _small(png: bytes) -> bytes:
    with Image.open(io.BytesIO(png)) as picture:
        small = picture.convert("RGBA").resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="PNG")
    return buffer.getvalue()


def _write(folder: Path, drawings: list[bytes], items: list[dict]) -> None:
    """The pictures last and in one move: a folder that has them is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "captions.json").write_text(json.dumps({"items": items}), encoding="utf-8")
    offsets = np.cumsum([0, *map(len, drawings)])
    with in_one_move(folder / "images.npz") as partial, open(partial, "wb") as file:
        np.savez(file, png=np.frombuffer(b"".join(drawings), np.uint8), offsets=offsets)
