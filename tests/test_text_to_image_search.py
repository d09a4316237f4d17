"""Search: names first, then the encoder; the decoder draws what is found."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from demos.page.handlers import App
from demos.tabs.text_to_image import search
from demos.tabs.text_to_image.generate import MODEL
from emoji_fixtures import few_emoji
from gen_core import load
from gen_core.data.emoji.scenes import COLOURS, portrait
from gen_core.families.text_to_image.folder import EMOJI, export
from gen_core.families.text_to_image.search import LARGEST, LEVELS, Search
from gen_core.knobs import KnobError
from gen_core.sampling import in_range, pixels
from gen_core.training.checkpoint import CheckpointError
from sampling_fixtures import picture


@pytest.fixture
def app(emoji_home, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(emoji_home / "weights"))
    return App("cpu")


@pytest.mark.heavy
def test_an_emoji_is_found_by_its_own_vector_and_with_the_matcher_s_score(
    emoji_weights, monkeypatch
):
    index = Search.open(emoji_weights)
    assert len(index.items) == 60
    for row in (0, 31, 59):
        monkeypatch.setattr(index.scorer, "of_words", lambda texts, row=row: index.vectors[[row]])
        first = index.nearest("itself", 3)[0]
        assert first.score == pytest.approx(100, abs=0.1)
        assert index.vectors[first.index] == pytest.approx(index.vectors[row], abs=1e-3)
    monkeypatch.undo()
    words = "something red"  # which is nobody's name
    found = index.nearest(words, 20)
    drawn = [few_emoji().at(f.index) for f in found]
    views = [
        index.scorer.of_pictures(in_range(np.stack([portrait(d, colour) for d in drawn])))
        for colour in COLOURS
    ]
    mean = F.normalize(sum(views), dim=1)
    expected = 100 * mean @ index.scorer.of_words([words])[0]
    assert [f.score for f in found] == pytest.approx(expected.clamp(min=0).tolist(), abs=0.1)
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)
    names = [(i.name, i.style) for i in (index.items[f.index] for f in found)]
    assert names == [(f.name, f.style) for f in found]


@pytest.mark.parametrize(
    ("words", "k", "message"),
    [
        ("a cat", 0, "k=0: choose a whole number from 1 to 60"),
        (None, 3, "words=None: write some"),
        ("a" * 2001, 3, "words has 2,001 characters"),
    ],
)
def test_a_search_that_cannot_be_is_refused(emoji_weights, words, k, message):
    with pytest.raises(KnobError, match=message):
        Search.open(emoji_weights).nearest(words, k)


def test_weights_without_vectors_say_how_to_get_them(emoji_home, own_weights):
    export(emoji_home / "runs" / MODEL, own_weights)  # without the drawings
    assert not (own_weights / EMOJI).exists()
    with pytest.raises(CheckpointError, match="came without the emoji's vectors.*export --data"):
        Search.open(own_weights)
    (own_weights / EMOJI).write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(CheckpointError, match=f"{EMOJI} is damaged"):
        Search.open(own_weights)
    alien = {"vectors": torch.zeros(1, 7)}
    save_file(alien, own_weights / EMOJI, {"items": '[["1f431", "3d", "cat"]]'})
    with pytest.raises(CheckpointError, match="of another encoder"):
        Search.open(own_weights)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("a 3d dog", ("dog", "3d")),
        ("a flat puppy", ("dog", "flat")),
        ("two FOXES, noto", ("fox", "noto")),
        ("the bunny", ("rabbit", "3d noto flat")),
    ],
)
def test_what_is_called_so_comes_first_in_the_style_that_is_asked_for(emoji_weights, words, first):
    name, styles = first
    found = Search.open(emoji_weights).nearest(words, 60)
    assert found[0].name == name and found[0].style in styles.split()
    assert {f.name for f in found[:3]} == {name}


def test_a_keyword_finds_what_no_name_says(emoji_weights):
    """More than a score, and less than a name."""
    index = Search.open(emoji_weights)
    fox = next(item.code for item in index.items if item.name == "fox")
    index.keywords = {fox: ["cunning", "cat"]}
    assert index.nearest("cunning", 1)[0].name == "fox"
    assert [f.name for f in index.nearest("cat", 6)] == ["cat"] * 3 + ["fox"] * 3


def test_the_decoder_draws_a_drawing_from_what_the_weights_keep_of_it(emoji_weights):
    index, model = Search.open(emoji_weights), load(MODEL, "cpu", emoji_weights.parent)
    rows = [0, 31, 59]
    shown = in_range(np.stack([portrait(few_emoji().at(row)) for row in rows]))
    latents = model.encode(shown).clamp(-LARGEST, LARGEST)
    kept = []
    index.pictures(rows, lambda z: kept.append(z) or z)
    assert (kept[0] - latents).abs().max() <= LARGEST / LEVELS + 1e-5
    x = index.pictures(rows, model.decode)
    assert x.shape == (3, 3, 64, 64) and x.abs().max() <= 1


def test_found_emoji_have_names_and_pictures(app, emoji_home):
    shown = search.nearest(app, "a red cat").to_json()
    index = Search.open(emoji_home / "weights" / MODEL)
    found = index.nearest("a red cat", search.SHOWN)
    assert [tile["title"] for tile in shown["tiles"]] == [f.name for f in found]
    assert shown["tiles"][0]["note"] == f"{found[0].style} · score {found[0].score:.1f}"
    assert "of 60 emoji" in shown["headline"] and search.CREDIT in shown["provenance"]
    drawn = pixels(index.pictures([f.index for f in found], app.model(MODEL).decode))
    assert (picture(shown["tiles"][0]["picture"]) == drawn[0]).all()


def test_older_weights_find_names_alone(app, own_weights):
    index = Search.open(own_weights)
    items = [list(item) for item in index.items]
    save_file({"vectors": index.vectors.half()}, own_weights / EMOJI, {"items": json.dumps(items)})
    shown = search.nearest(app, "a red cat").to_json()
    assert shown["tiles"][0]["title"] == "cat" and not any(t["picture"] for t in shown["tiles"])
