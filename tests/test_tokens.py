"""Texts as tokens, there and back, and texts to learn from."""

from __future__ import annotations

import pytest
import torch

from gen_core.data.text import SOURCES, TextData, Windows, in_paragraphs, load_text
from gen_core.data.tokenizers import (
    CHARACTERS,
    PIECE,
    Tokenizer,
    in_ascii,
    learn_merges,
    tokenizer,
    tokenizers,
)
from text_fixtures import BIRD

# --- tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", tokenizers())
def test_every_text_in_plain_english_comes_back(name):
    words = tokenizer(name)
    text = BIRD + "".join(CHARACTERS) + "   x\n\n\n 12,345 -- 'tis!?"
    assert words.decode(words.encode(text)) == text
    assert len({*words.tokens}) == len(words) and words.decode([5, -1, 7]) == words.tokens[5]


def test_letters_that_are_not_read_are_brought_to_some_that_are_or_told():
    assert in_ascii("“Café” — naïve… ﬁne\r\nß") == ('"Cafe" -- naive... fine\nss', "")
    assert in_ascii("a 日本 b 🦊🦊") == ("a  b ", "日本🦊")
    assert in_ascii("<b>&amp;</b>") == ("<b>&amp;</b>", "")


def test_byte_pairs_are_the_commonest_first():
    assert learn_merges("abab ab", 1) == [("a", "b")]
    assert learn_merges("low low lower lowest", 3) == [("l", "o"), ("lo", "w"), (" ", "low")]
    assert learn_merges("ab", 9) == [("a", "b")]


def test_byte_pairs_are_those_of_the_tokenizers_library():
    library = pytest.importorskip("tokenizers")
    merges = learn_merges(BIRD * 3, 60)
    ours = Tokenizer(merges)
    theirs = library.Tokenizer(library.models.BPE(vocab=ours.index, merges=merges))
    theirs.pre_tokenizer = library.pre_tokenizers.Split(library.Regex(PIECE.pattern), "isolated")
    for text in (BIRD, "the king's kings, and 33 birds\n\n  sang"):
        assert ours.encode(text) == theirs.encode(text).ids


def test_merges_are_learned_as_the_tokenizers_library_learns_them():
    """Ties aside, of which this text has none among the first."""
    library = pytest.importorskip("tokenizers")
    theirs = library.Tokenizer(library.models.BPE())
    theirs.pre_tokenizer = library.pre_tokenizers.Split(library.Regex(PIECE.pattern), "isolated")
    text = "the then them the " * 40 + "a cat sat at a mat " * 9 + "on " * 5
    trainer = library.trainers.BpeTrainer(
        vocab_size=len({*text}) + 4, initial_alphabet=[*CHARACTERS][:0], show_progress=False
    )
    theirs.train_from_iterator([text], trainer)
    learned = sorted(theirs.get_vocab().items(), key=lambda pair: pair[1])[len({*text}) :]
    assert [first + second for first, second in learn_merges(text, 4)] == [w for w, _ in learned]


# --- texts to learn from --------------------------------------------------------------------------


def test_broken_lines_become_paragraphs_and_poems_stay_poems():
    text = "A king had\na bird.  \nIt sang:\n\n   Tra la,\n   tra la!\n\n\n\nThe end.\n"
    assert in_paragraphs(text) == "A king had a bird. It sang:\n\nTra la,\ntra la!\n\nThe end."


@pytest.mark.parametrize("name", SOURCES)
def test_nine_tenths_are_for_training_and_the_rest_for_tests(tmp_path, name):
    source = SOURCES[name]
    (tmp_path / "text").mkdir()
    text = "".join(f"{n:04d} " for n in range(1600))
    (tmp_path / "text" / source.file).write_text(text)
    train, test = (load_text(name, split, tmp_path, False).text for split in ("train", "test"))
    assert len(train) + len(test) == len(in_paragraphs(text) if name == "tales" else text)
    assert abs(len(test) / len(text) - 0.1) < 0.01
    known = {train[k : k + 12] for k in range(len(train))}
    inside = [test[k : k + 12] for k in range(0, len(test) - 12, 3)]
    assert not known & {*inside}


def test_windows_begin_everywhere():
    data = TextData("x", "abcdefgh").windows(tokenizer("characters"), 3)
    assert isinstance(data, Windows) and len(data) == 6
    x, label = data.batch(torch.tensor([0, 5]))
    assert [tokenizer("characters").decode(row) for row in x.tolist()] == ["abc", "fgh"]
    assert label.tolist() == [0, 0]
