"""The vocabulary: byte pairs learned from captions, in the form that CLIP's tokenizer reads; and
which words of a prompt no caption had."""

import difflib
import functools
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from gen_core.data import grammar
from gen_core.data.emoji import captions as phrases
from gen_core.data.emoji import concepts, reading
from gen_core.data.emoji.scenes import COLOURS

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import CLIPTokenizer

LENGTH = 32
"""Tokens of a caption, the two markers included. The longest captions of ours have 31."""
MERGES = 2000
WORD = re.compile(reading.WORD)
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
    """(B, 32) int64, cut or padded. Emoji of ours are read as their names."""
    texts = [reading.as_read(text)[0] for text in captions]
    return tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids


@functools.lru_cache(maxsize=2)
def tokenizer_alone(folder: Path) -> "Tokenizer":
    """That of a pipeline's folder, which opens in no time; it cuts and pads nothing."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer/tokenizer.json"))


def room(tokenizer: "Tokenizer", text: str) -> int:
    """How much of a text there is room for, in characters: all of it, or what its first 30 tokens
    hold. tokenizer: one that cuts nothing."""
    read, places = reading.as_read(text)
    tokens = tokenizer.encode(read.encode("utf-8", "replace").decode(), add_special_tokens=False)
    most = LENGTH - 2
    return len(text) if len(tokens) <= most else places[tokens.offsets[most][0]]


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
    """The words of a prompt that the model has never met, in order, and symbols that it cannot
    read: emoji that are none of ours, signs that stand alone."""
    unknown: list[Unknown] = []
    for piece in reading.pieces(prompt):
        if _is_known(piece, prompt):
            continue
        found = Unknown(piece.start, piece.end, piece.text, _instead_of(piece))
        last = unknown[-1] if unknown else None
        if last and last.end == found.start and not (last.nearest or found.nearest):
            # A word whose vowels are marks of their own; "!!!".
            unknown[-1] = Unknown(last.start, found.end, last.word + found.word, ())
        else:
            unknown.append(found)
    return unknown


def _is_known(piece: reading.Piece, prompt: str) -> bool:
    """Whether a caption may hold it, or it changes little: what punctuates a word."""
    if piece.concept or not piece.read or piece.read.lower() in known_words() | {","}:
        return True
    if piece.is_word or not _punctuates(piece.text):
        return False
    before, after = prompt[: piece.start], prompt[piece.end :]
    around = re.match(r"\S*", before[::-1]).group() + re.match(r"\S*", after).group()
    return any(map(str.isalnum, around))


def _punctuates(sign: str) -> bool:
    return sign.isascii() or unicodedata.category(sign[0]).startswith("P")


def _instead_of(piece: reading.Piece) -> tuple[str, ...]:
    """Known words for an unknown one."""
    numbers = {str(count): word for count, word in phrases.NUMBERS.items()}
    if piece.is_word:
        return (numbers[piece.read],) if piece.read in numbers else _nearest(piece.read.lower())
    return () if _punctuates(piece.text) else reading.alike(piece.text)[:MOST_OFFERED]


@functools.lru_cache(maxsize=4096)
def _nearest(word: str) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(word, sorted(known_words()), MOST_OFFERED, cutoff=0.6))
