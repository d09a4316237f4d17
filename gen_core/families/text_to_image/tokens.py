"""The vocabulary: byte pairs learned from captions, in the form that CLIP's tokenizer reads; and
which words of a prompt no caption had."""

import difflib
import functools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from gen_core.data import grammar
from gen_core.data.emoji import captions as phrases
from gen_core.data.emoji import concepts
from gen_core.data.emoji.scenes import COLOURS

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

LENGTH = 32
"""Tokens of a caption, the two markers included. The longest captions of ours have 31."""
MERGES = 2000
WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
GLUE = "a an with and emoji background against gray two three four"
MOST_OFFERED = 3


def learned(captions: Iterable[str]) -> "CLIPTokenizer":
    """A tokenizer with whole tokens for the captions' words; other text falls into pieces.

    Laid out as CLIP's own: bytes, bytes that end a word, merged pieces, then the two markers.
    """
    from tokenizers import pre_tokenizers
    from tokenizers.trainers import BpeTrainer
    from transformers import CLIPTokenizer  # heavy

    backend = CLIPTokenizer().backend_tokenizer
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = BpeTrainer(
        vocab_size=2 * len(alphabet) + MERGES,
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    backend.train_from_iterator(captions, trainer)
    merges = [tuple(pair) for pair in json.loads(backend.to_str())["model"]["merges"]][:MERGES]
    pieces = [*alphabet, *(f"{byte}</w>" for byte in alphabet), *map("".join, merges)]
    pieces = [*dict.fromkeys(pieces), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=LENGTH)


def encoded(tokenizer: "CLIPTokenizer", captions: Sequence[str]) -> Tensor:
    """(B, 32) int64, cut or padded."""
    return tokenizer(
        list(captions), padding="max_length", truncation=True, return_tensors="pt"
    ).input_ids


def words_of(tokenizer: "CLIPTokenizer", text: str) -> list[tuple[str, list[int]]]:
    """The words of a text as the model reads them, each with the places of its tokens.

    What was cut off at the end is not among them.
    """
    pieces = tokenizer.convert_ids_to_tokens(encoded(tokenizer, [text])[0].tolist())
    words: list[tuple[str, list[int]]] = []
    places: list[int] = []
    for place, piece in enumerate(pieces[1:], start=1):
        if piece == tokenizer.eos_token:
            break
        places.append(place)
        if piece.endswith("</w>"):
            word = tokenizer.convert_tokens_to_string([pieces[p] for p in places])
            words.append((word.replace("</w>", "").strip(), places))
            places = []
    return words


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
        phrases.STYLE_WORDS,
        phrases.LIGHT_WORDS,
        phrases.MEDIUM_WORDS,
        phrases.FAULT_WORDS,
        phrases.PLACE_WORDS,
        phrases.SIZE_WORDS,
        phrases.RELATION_WORDS,
    )
    names = [word for concept in concepts() for word in concept.words]
    texts = [
        *(phrase for table in tables for some in table.values() for phrase in some),
        *names,
        *map(grammar.plural, names),
        *COLOURS,
        *phrases.PRAISE,
        GLUE,
    ]
    return frozenset(word for text in texts for word in WORD.findall(text.lower()))


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
