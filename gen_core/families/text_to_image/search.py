"""Search: the emoji that fit some words best, by their names first and then by the CLIP score.

What search needs is computed once, where the drawings are, and travels with the weights: names,
keywords, a vector of each drawing, and its latents, of which the model's decoder makes a picture.
"""

import functools
import json
import lzma
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from gen_core.conditions import Text
from gen_core.data.emoji import Emoji, concepts
from gen_core.data.emoji.captions import STYLE_WORDS
from gen_core.data.emoji.scenes import COLOURS, portrait
from gen_core.data.grammar import plural
from gen_core.families.text_to_image.clip_score import ClipScorer
from gen_core.families.text_to_image.folder import EMOJI
from gen_core.families.text_to_image.tokens import GLUE, WORD
from gen_core.files import in_one_move
from gen_core.knobs import text, whole
from gen_core.sampling import in_range
from gen_core.training.checkpoint import CheckpointError

BATCH = 256
LATENT = (16, 16, 4)
"""Of a drawing, channels last: packed like this they take a tenth less."""
LEVELS, LARGEST = 24, 3.5
"""Latents are kept in steps from -3.5 to 3.5: a quarter of a kilobyte a drawing, and pixels that
are 3.5 of 255 off on average, where the autoencoder itself is 3.0 off."""
BY_KEYWORD = 0.5
"""What a keyword counts, beside a name."""


class Item(NamedTuple):
    """One drawing, as the data set names it."""

    code: str
    style: str
    name: str


class Found(NamedTuple):
    """One answer of a search."""

    name: str
    style: str
    score: float
    """100 times the cosine of the words' vector and the drawing's (see `embedded`), or 0."""
    index: int
    """Its place in `Search.items`."""


class Search:
    """All drawings by their names, keywords, vectors and latents, and the encoder of the words."""

    def __init__(
        self,
        scorer: ClipScorer,
        vectors: Tensor,
        items: list[Item],
        keywords: dict[str, list[str]] | None = None,
        latents: np.ndarray | None = None,
    ) -> None:
        """vectors (N, shared), one for each of `items`, of length 1 but for rounding; keywords: by
        code; latents: (N, 16, 16, 4) uint8, as `packed` makes them, None for weights without"""
        self.scorer, self.items = scorer, items
        self.vectors = F.normalize(vectors.float(), dim=1).to(scorer.net.device)
        self.keywords, self.packed = keywords or {}, latents

    @classmethod
    def open(
        cls,
        folder: Path | str,
        device: torch.device | str = "cpu",
        scorer: ClipScorer | None = None,
    ) -> "Search":
        """From a pipeline folder; scorer: the folder's own, where it is open already. Raises
        CheckpointError where a file of it is missing."""
        scorer, path = scorer or ClipScorer.open(folder, device), Path(folder) / EMOJI
        if not path.exists():
            raise CheckpointError(
                f"{EMOJI} is missing: these weights came without the emoji's vectors; "
                "`python -m gen_core export --data FOLDER` adds them"
            )
        try:
            with safe_open(path, "pt") as file:
                told = file.metadata()
                items = [Item(*item) for item in json.loads(told["items"])]
                vectors = file.get_tensor("vectors")
                packed = file.get_tensor("latents") if "latents" in file.keys() else None  # noqa: SIM118
            if vectors.shape != (len(items), scorer.net.config.projection_dim):
                raise ValueError(f"{tuple(vectors.shape)} numbers are of another encoder")
            latents = None if packed is None else _unpacked(packed.numpy().tobytes(), len(items))
            return cls(scorer, vectors, items, json.loads(told.get("keywords", "{}")), latents)
        except (SafetensorError, OSError, ValueError, TypeError, KeyError, lzma.LZMAError) as error:
            raise CheckpointError(f"{EMOJI} is damaged ({error}): fetch it again") from error

    def nearest(self, words: str, k: int = 12) -> list[Found]:
        """The k drawings that fit best, best first: those whose name or keywords hold the words
        come first, then those of a style that is asked for, then by the score. Raises KnobError."""
        k = whole("k", k, 1, len(self.items))
        words = text("words", words, Text.prompt.longest)
        score = (100 * self.vectors @ self.scorer.of_words([words])[0]).clamp(min=0).tolist()
        asked, styles = _asked(words)
        named = {code: self._named(asked, code) for code in {item.code for item in self.items}}

        def rank(index: int) -> tuple[float, bool, float]:
            item = self.items[index]
            return named[item.code], item.style in styles, score[index]

        best = sorted(range(len(self.items)), key=rank, reverse=True)[:k]
        return [Found(self.items[i].name, self.items[i].style, score[i], i) for i in best]

    def pictures(self, rows: Sequence[int], decode: Callable[[Tensor], Tensor]) -> Tensor:
        """(B, 3, 64, 64) in [-1, 1]: drawings as the model's decoder makes them of their latents;
        decode: `TextToImage.decode`. Raises CheckpointError for weights without latents."""
        if self.packed is None:
            raise CheckpointError(
                f"{EMOJI} has no pictures: `python -m gen_core export --data FOLDER` adds them"
            )
        levels = torch.from_numpy(self.packed[list(rows)]).permute(0, 3, 1, 2)
        return decode((2 * levels.float() / LEVELS - 1) * LARGEST).cpu()

    def _named(self, asked: frozenset[str], code: str) -> float:
        """How much of what is asked for the drawing's names say, and nothing else (Jaccard), and,
        counted less, how much its keywords."""
        if not asked:
            return 0.0
        names = self._names[code]
        alike = max(len(asked & name) / len(asked | name) for name in names)
        every = frozenset(self.keywords.get(code, ())).union(*names)
        return round(alike + BY_KEYWORD * len(asked & every) / len(asked), 3)

    @functools.cached_property
    def _names(self) -> dict[str, list[frozenset[str]]]:
        """By code the words of each name that a drawing has."""
        names: dict[str, list[frozenset[str]]] = {}
        for code, name in [
            *((item.code, item.name) for item in self.items),
            *((concept.code, word) for concept in concepts() for word in concept.words),
        ]:
            for form in (name, plural(name)):
                names.setdefault(code, []).append(frozenset(WORD.findall(form.lower())))
        return names


def _asked(words: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words that name something, and the styles that are asked for."""
    said = frozenset(WORD.findall(words.lower()))
    style_words = {style: set(" ".join(some).split()) for style, some in STYLE_WORDS.items()}
    styles = frozenset(style for style, some in style_words.items() if said & some)
    return said - set(GLUE.split()).union({"on", "of", "the"}, *style_words.values()), styles


# --- written once ---------------------------------------------------------------------------------


def write_index(
    scorer: ClipScorer, emoji: Emoji, folder: Path | str, encode: Callable[[Tensor], Tensor]
) -> None:
    """Writes what `Search.open` reads of all drawings of the data set; encode:
    `TextToImage.encode`."""
    rows = range(len(emoji.items))
    pieces = [rows[k : k + BATCH] for k in rows[::BATCH]]
    vectors = torch.cat([embedded(scorer, emoji, some) for some in pieces]).half().cpu()
    latents = torch.cat([encode(_portraits(emoji, some, "white")) for some in pieces])
    items = [[item["code"], item["style"], item["name"]] for item in emoji.items]
    told = {"items": json.dumps(items), "keywords": json.dumps(_keywords(emoji))}
    with in_one_move(Path(folder) / EMOJI) as partial:
        save_file({"vectors": vectors, "latents": _packed(latents)}, partial, told)


def embedded(scorer: ClipScorer, emoji: Emoji, rows: Sequence[int]) -> Tensor:
    """Vectors of some drawings (rows, shared), each the mean over the twelve backgrounds.

    On one background alone, what the picture has of that colour outweighs what it shows: of 900
    drawings whose style and name were asked for, 61% were among the first 12 of 4,763 with white,
    81% with all twelve.
    """
    views = [scorer.of_pictures(_portraits(emoji, rows, colour)) for colour in COLOURS]
    return F.normalize(torch.stack(views).mean(0), dim=1)


def _portraits(emoji: Emoji, rows: Sequence[int], colour: str) -> Tensor:
    """(rows, 3, 64, 64) in [-1, 1]"""
    return in_range(np.stack([portrait(emoji.at(row), colour) for row in rows]))


def _keywords(emoji: Emoji) -> dict[str, list[str]]:
    """By code all words that the data set's sources give."""
    found: dict[str, set[str]] = {}
    for item in emoji.items:
        said = " ".join(item.get("keywords", ())).replace("_", " ").lower()
        found.setdefault(item["code"], set()).update(WORD.findall(said))
    return {code: sorted(words) for code, words in found.items() if words}


def _packed(latents: Tensor) -> Tensor:
    """(N, 4, 16, 16) as bytes, compressed: neighbours are alike, and grounds all the same."""
    shares = (latents.cpu().permute(0, 2, 3, 1) / LARGEST).clamp(-1, 1)
    levels = ((shares + 1) / 2 * LEVELS).round().byte().contiguous()
    return torch.frombuffer(bytearray(lzma.compress(levels.numpy().tobytes())), dtype=torch.uint8)


def _unpacked(packed: bytes, count: int) -> np.ndarray:
    """(count, 16, 16, 4) uint8. Raises ValueError where there are not so many."""
    return np.frombuffer(lzma.decompress(packed), np.uint8).reshape(count, *LATENT)
