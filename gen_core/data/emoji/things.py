"""Which of the known things a prompt names, and where."""

import functools
import re
from dataclasses import dataclass

from gen_core.data.emoji import concepts
from gen_core.data.emoji.captions import MEDIUM_WORDS
from gen_core.data.grammar import countable, plural


@dataclass(frozen=True)
class Named:
    """A thing that a text names."""

    concept: int
    """Its place in `concepts()`."""
    start: int
    """Its first character in the text, and the one after its last."""
    end: int


def things_in(text: str) -> list[Named]:
    """The things that a text names, in its order, each word counted once: a palm tree is no tree
    besides, a pencil sketch no pencil."""
    found = ((_names()[" ".join(m.group().lower().split())], m) for m in _pattern().finditer(text))
    return [Named(concept, m.start(), m.end()) for concept, m in found if concept is not None]


@functools.cache
def _names() -> dict[str, int | None]:
    """What things are called, one or several of them; None for a medium that is called like one."""
    words = [(word, k) for k, concept in enumerate(concepts()) for word in concept.words]
    several = {plural(word): k for word, k in words if countable(word)}
    media = dict.fromkeys(word for words in MEDIUM_WORDS.values() for word in words)
    return several | dict(words) | media


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Any of them as whole words, the longest first."""
    longest = sorted(_names(), key=len, reverse=True)
    names = (r"\s+".join(map(re.escape, name.split())) for name in longest)
    return re.compile(rf"(?<!\w)(?:{'|'.join(names)})(?![\w'])", re.IGNORECASE)
