"""Which words of a prompt the model has met in training, and what to say instead of the others."""

from __future__ import annotations

import difflib
import functools
import re
from dataclasses import dataclass

from gen_core.data import grammar
from gen_core.data.emoji import captions, concepts
from gen_core.data.emoji.scenes import COLOURS

WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
GLUE = "a an with and emoji background against gray two three four"
MOST_OFFERED = 3


@dataclass(frozen=True)
class Unknown:
    """A word of the prompt that no caption had."""

    start: int
    """Its first character in the prompt, and the one after its last."""
    end: int
    word: str
    nearest: tuple[str, ...]
    """Known words that look like it, the likeliest first; none may be near."""


@functools.cache
def known_words() -> frozenset[str]:
    """Every word, in lower case, that a caption may hold."""
    tables = (
        captions.STYLE_WORDS,
        captions.LIGHT_WORDS,
        captions.MEDIUM_WORDS,
        captions.FAULT_WORDS,
        captions.PLACE_WORDS,
        captions.SIZE_WORDS,
        captions.RELATION_WORDS,
    )
    phrases = [p for table in tables for words in table.values() for p in words]
    phrases += [word for concept in concepts() for word in concept.words]
    phrases += [grammar.plural(word) for concept in concepts() for word in concept.words]
    phrases += [*COLOURS, *captions.PRAISE, *GLUE.split()]
    return frozenset(word for phrase in phrases for word in WORD.findall(phrase.lower()))


def unknown_words(prompt: str) -> list[Unknown]:
    """The words of a prompt that the model has never met, in order."""
    known = known_words()
    return [
        Unknown(found.start(), found.end(), found.group(), _nearest(found.group().lower()))
        for found in WORD.finditer(prompt)
        if found.group().lower() not in known
    ]


@functools.lru_cache(maxsize=4096)
def _nearest(word: str) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(word, sorted(known_words()), MOST_OFFERED, cutoff=0.6))
