"""The drawings from their public sources, for whoever has no folder with them.

python -m gen_core fetch
"""

import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
from PIL import Image

from gen_core.data.emoji import FOLDER, SIZE, STYLES, Concept, concepts
from gen_core.data.images import MissingData
from gen_core.files import in_one_move
from gen_core.progress import Progress, Report, ignore

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


def fetch_emoji(
    place: Path, get: Callable[[str], bytes] | None = None, report: Report = ignore
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
            report(Progress("drawings", len(drawings), len(wanted), "files"))
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
