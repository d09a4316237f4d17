"""The vocabulary: byte pairs learned from captions, in the form that CLIP's tokenizer reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

LENGTH = 32
"""Tokens of a caption, the two markers included. The longest captions of ours have 31."""
MERGES = 2000


def learned(captions: Iterable[str]) -> CLIPTokenizer:
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


def encoded(tokenizer: CLIPTokenizer, captions: Sequence[str]) -> Tensor:
    """(B, 32) int64, cut or padded."""
    return tokenizer(
        list(captions), padding="max_length", truncation=True, return_tensors="pt"
    ).input_ids


def words_of(tokenizer: CLIPTokenizer, text: str) -> list[tuple[str, list[int]]]:
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
