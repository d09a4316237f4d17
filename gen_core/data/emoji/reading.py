"""How a text is read: emoji of ours by their names, and what nobody sees not at all.

What a person takes for one character may be several code points: a base, the mark that asks for
colour, a skin tone, others that joiners tie to it (Unicode Technical Standard 51, section 1.4).
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from gen_core.data.emoji import Concept, concepts

UNSEEN = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
"""Control characters and marks without a shape: they come along when text is pasted."""
_VARIANT = "\ufe00-\ufe0f"
"""Asks for one of several shapes of the same character."""
_AFTER = f"[{_VARIANT}\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
"""A variant, a frame of a key, a skin tone, the letters of a region's flag."""
_LETTERS = rf"[^\W_](?:[{UNSEEN}]*[^\W_]|[\u0300-\u036f])*"
"""Accents may be characters of their own."""
WORD = rf"{_LETTERS}(?:[-']{_LETTERS})*"
_KEY, _FLAG = "[0-9#*]\ufe0f?\u20e3", "[\U0001f1e6-\U0001f1ff]{2}"
_SYMBOL = rf"[^\w\s{UNSEEN}]{_AFTER}"
PIECE = re.compile(
    rf"{_KEY}|{_FLAG}|(?P<word>{WORD})|{_SYMBOL}(?:\u200d{_SYMBOL})*|_|(?P<unseen>[{UNSEEN}]+)"
)


@dataclass(frozen=True)
class Piece:
    """A word of a text, or one symbol as a person sees it."""

    start: int
    """Its first character, and the one after its last: code points of the text."""
    end: int
    text: str
    read: str
    """What it is read as; "" where nothing of it is."""
    is_word: bool
    concept: Concept | None = None
    """Which emoji of ours it is."""


def pieces(text: str) -> Iterator[Piece]:
    """All of a text but the space between them."""
    for found in PIECE.finditer(text):
        whole, concept = found.group(), None
        read = whole
        if found["word"] or found["unseen"]:
            read = re.sub(f"[{UNSEEN}]", "", whole)
        elif concept := _by_code().get(_code(whole)):
            read = concept.name
        yield Piece(*found.span(), whole, read, bool(found["word"]), concept)


def as_read(text: str) -> tuple[str, list[int]]:
    """The text as it is read, and for each of its characters the place where `text` has it."""
    if text.isascii() and text.isprintable():
        return text, [*range(len(text))]
    read, places, end = "", [], 0
    for piece in pieces(text):
        read += text[end : piece.start]
        places += range(end, piece.start)
        # A name is a word of its own, whatever it stands beside.
        said = f" {piece.read} " if piece.concept else piece.read
        own = range(piece.start, piece.end)
        places += own if said == piece.text else [piece.start] * len(said)
        read, end = read + said, piece.end
    return read + text[end:], [*places, *range(end, len(text))]


@functools.lru_cache(maxsize=1024)
def alike(symbol: str) -> tuple[str, ...]:
    """Names of ours that a symbol's own name holds, or what it is a variant of: "dog" for another
    drawing of a dog, "thumbs up" for one with a skin tone."""
    if without := _by_code().get(_code(symbol[0])):
        return (without.name,)
    said = unicodedata.name(symbol[0], "").lower()
    return tuple(c.name for c in concepts() if re.search(rf"\b{re.escape(c.name)}\b", said))


def _code(symbol: str) -> str:
    """As `Concept.code`, which has no variants."""
    return "-".join(f"{ord(point):x}" for point in re.sub(f"[{_VARIANT}]", "", symbol))


@functools.cache
def _by_code() -> dict[str, Concept]:
    return {concept.code: concept for concept in concepts()}
