"""Text as rows of whole numbers: a character each, or byte pairs.

Both know plain English: printable ASCII and the line break. What a visitor types in other letters
is brought to these where it can be (é to e, curly quotes to straight ones); what cannot is left out
and told.
"""

import functools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from gen_core.knobs import choice

CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))
"""The alphabet: token i is its i-th character."""
FOLDER = Path(__file__).parent / "merges"
PIECE = re.compile(r" ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+")
"""No byte pair reaches across these: a word with the space before it, figures, signs, white space
(a simpler form of GPT-2's)."""
LOOKS_LIKE = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "--", "…": "..."}
    | {"\t": " ", "\r": "\n", "ß": "ss", "æ": "ae", "Æ": "Ae", "ø": "o", "Ø": "O"}
)

Pair = tuple[str, str]


def in_ascii(text: str) -> tuple[str, str]:
    """A text in the alphabet above, and what of it could not be brought there, each once."""
    plain = unicodedata.normalize("NFKD", text.replace("\r\n", "\n").translate(LOOKS_LIKE))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    unread = dict.fromkeys(letter for letter in plain if letter not in CHARACTERS)
    return "".join(letter for letter in plain if letter in CHARACTERS), "".join(unread)


class Tokenizer:
    """Byte-pair encoding (Sennrich et al. 2016): starts from single characters, and joins the pairs
    that were commonest in the text it was learned from, in the order in which they were learned.
    Without merges a token is a character."""

    def __init__(self, merges: Sequence[Pair] = ()) -> None:
        self.merges = {pair: rank for rank, pair in enumerate(merges)}
        self.tokens = [*CHARACTERS, *(first + second for first, second in merges)]
        """What each token writes."""
        self.index = {token: index for index, token in enumerate(self.tokens)}
        self._of_piece = functools.lru_cache(100_000)(self._encode_piece)

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """The tokens of a text; what is not in the alphabet is left out."""
        plain, _ = in_ascii(text)
        if not self.merges:
            return [self.index[letter] for letter in plain]
        return [token for piece in PIECE.findall(plain) for token in self._of_piece(piece)]

    def decode(self, tokens: Iterable[int]) -> str:
        """The text up to the first token that is not drawn yet."""
        written = []
        for token in tokens:
            if token < 0:
                break
            written.append(self.tokens[token])
        return "".join(written)

    def _encode_piece(self, piece: str) -> tuple[int, ...]:
        parts = [*piece]
        while len(parts) > 1:
            ranks = [self.merges.get(pair, len(self.merges)) for pair in pairwise(parts)]
            best = min(ranks)
            if best == len(self.merges):
                break
            parts = _joined(parts, ranks, best)
        return tuple(self.index[part] for part in parts)


def _joined(parts: list[str], ranks: list[int], best: int) -> list[str]:
    """The parts with the pair of the rank `best` joined wherever it stands, from the left."""
    joined, place = [], 0
    while place < len(parts):
        pair = place < len(ranks) and ranks[place] == best
        joined.append("".join(parts[place : place + 1 + pair]))
        place += 1 + pair
    return joined


def learn_merges(text: str, count: int) -> list[Pair]:
    """The `count` merges of byte-pair encoding that a text teaches: again and again its commonest
    pair; of equals the first in the alphabet."""
    words = {tuple(piece): n for piece, n in Counter(PIECE.findall(in_ascii(text)[0])).items()}
    merges: list[Pair] = []
    for _ in range(count):
        pairs: Counter[Pair] = Counter()
        for word, n in words.items():
            for pair in pairwise(word):
                pairs[pair] += n
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for word in [word for word in words if best in pairwise(word)]:
            ranks = [int(pair != best) for pair in pairwise(word)]
            words[tuple(_joined([*word], ranks, 0))] = words.pop(word)
    return merges


@functools.cache
def tokenizer(name: str) -> Tokenizer:
    """By name: "characters", or byte pairs whose merges are kept beside this file."""
    choice("tokenizer", name, tokenizers())
    if name == "characters":
        return Tokenizer()
    merges = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Tokenizer([tuple(pair) for pair in merges])


def tokenizers() -> list[str]:
    """The names of all."""
    return ["characters", *sorted(path.stem for path in FOLDER.glob("*.json"))]
