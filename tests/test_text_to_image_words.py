"""How the text encoder learns to say what things look like."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from emoji_fixtures import drawn_emoji
from gen_core.data.scenes import Scene, random_scene
from gen_core.text_to_image import training
from gen_core.text_to_image.attention import heat, told_by, watched
from gen_core.text_to_image.batches import KEPT, Latents
from gen_core.text_to_image.denoiser import Denoiser
from gen_core.text_to_image.parts import read_part
from gen_core.text_to_image.patches import NUMBERS, STRENGTH, patched, places, unpatched
from gen_core.text_to_image.sketches import WORDS, SketchBatches, Sketches
from gen_core.text_to_image.tokens import LENGTH, SIDE, TOKENS
from gen_core.text_to_image.words import Words, WordsConfig

WIDTH = 32


@pytest.fixture(scope="module")
def runs(emoji_home):
    return emoji_home / "runs"


@pytest.fixture(scope="module")
def sketches(runs) -> Sketches:
    autoencoder = read_part(runs / "autoencoder/final.safetensors")
    return Sketches(drawn_emoji(), autoencoder.net, WIDTH)


def test_a_thing_looks_the_same_wherever_it_is(sketches):
    cat = Scene((0,), style="flat", background="red", seed=1)
    first = sketches.of(cat)[:12]
    for other in (replace(cat, background="teal", place="left"), replace(cat, seed=5, count=3)):
        assert torch.equal(sketches.of(other)[:12], first)
    assert not torch.allclose(sketches.of(replace(cat, style="3d"))[:12], first)
    two = Scene((7, 0), ("", "red"), "flat", relation="above")
    assert torch.equal(sketches.of(two)[12:24], first)
    assert not sketches.of(cat)[12:24].any()
    assert float(sketches.looks.std()) == pytest.approx(1, abs=1e-4)


def test_all_that_a_caption_says_is_in_the_sketch(sketches):
    scenes = [random_scene(k) for k in range(300)]
    for scene in scenes:
        assert sketches.of(scene).shape == (WIDTH,)
    plain = scenes[0]
    for change in (
        {"background": "teal" if plain.background != "teal" else "red"}, {"fault": "blurry"},
        {"light": "fog"}, {"medium": "watercolour"}, {"count": 4}, {"relation": "above"},
        {"tints": ("pink",)},
    ):  # fmt: skip
        changed = replace(plain, **change)
        if changed != plain:
            assert not torch.equal(sketches.of(changed)[24:], sketches.of(plain)[24:])
    assert len(set(WORDS)) == len(WORDS) == len(sketches.words)


def test_a_third_of_the_lessons_show_two_things(sketches, runs):
    latents = Latents(drawn_emoji(), training.part("autoencoder", runs).net)
    source = SketchBatches(sketches, latents, training.tokenizer(runs), 9, seed=1)
    x, tokens = source[3]
    assert x.shape == (9, WIDTH + 1024) and tokens.shape == (9, TOKENS)
    assert all(torch.equal(a, b) for a, b in zip(source[3], (x, tokens), strict=True))
    assert not torch.equal(source[4][0], x)
    assert x[::3, 12:24].any(1).all() and not x[:, 12:24].any(1).all()
    again, other = source[3 + KEPT]
    assert torch.equal(again, x) and not torch.equal(other, tokens)  # the same in other words


def test_only_what_is_said_after_the_last_word_and_in_the_patches_counts():
    words = Words(WordsConfig(vocabulary=50, width=32, text_layers=1, inner=64)).eval()
    label = torch.tensor([[48, 3, 4] + [49] * 93, [48] + [5] * 30 + [49] * 65])
    x = torch.randn(2, 32 + 1024, generator=torch.Generator().manual_seed(0))
    said = words.net(label).last_hidden_state.detach()
    after = [
        (said[row, first:LENGTH] - x[row, :32]).square().mean() for row, first in ((0, 3), (1, 31))
    ]
    looks = patched(x[:, 32:].unflatten(1, (4, 16, 16)))
    expected = (said[:, LENGTH:, :NUMBERS] - looks).square().mean()
    where = (said[:, LENGTH:, NUMBERS:] - STRENGTH * places()).square().mean()
    losses = {k: v.detach() for k, v in words.loss(x, label, torch.Generator()).items()}
    whole = 0.5 * sum(after) / 2 + expected + 0.1 * where
    assert float(losses["loss"]) == pytest.approx(float(whole), rel=1e-4)
    assert float(losses["patches"]) == pytest.approx(
        float(expected / looks.square().mean()), rel=1e-4
    )


def test_the_words_begin_as_clip_s_text_half(runs):
    """Also with more layers, more neurons and more places: these have next to no say at first."""
    clip = training.part("clip", runs).net.text_model
    tokens = torch.randint(0, 50, (2, 32), generator=torch.Generator().manual_seed(0))
    known = clip(tokens).last_hidden_state.detach()
    for layers, error in ((1, 1e-9), (3, 0.05)):
        config = {"vocabulary": clip.config.vocab_size, "width": 32, "inner": 160}
        recipe = training.Recipe("words", steps=1, config=config | {"text_layers": layers})
        words = training.PartRun("words", recipe, runs / "words")._model(0, "cpu")
        said = words.net(tokens).last_hidden_state.detach()
        assert float((said - known).square().mean()) < error


def test_a_patch_is_two_by_two_latents_and_knows_its_row_and_column():
    x = torch.arange(4 * 16 * 16.0).reshape(1, 4, 16, 16)
    patches = patched(x)
    assert patches.shape == (1, SIDE**2, NUMBERS)
    assert torch.equal(unpatched(patches), x)
    row, column = 3, 5
    there = x[0, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
    assert torch.equal(patches[0, row * SIDE + column], there.flatten())
    assert places()[row * SIDE + column].nonzero().flatten().tolist() == [row, SIDE + column]
    coarse = places(4)  # each place of a 4 x 4 map has four patches
    assert coarse.shape == (16, 2 * SIDE)
    assert coarse[6].nonzero().flatten().tolist() == [2, 3, SIDE + 4, SIDE + 5]


def test_aimed_queries_find_the_patch_at_their_place():
    """By tokens that say nothing but where they are, in an untrained denoiser."""
    torch.manual_seed(0)
    model = Denoiser().eval()
    tokens = torch.zeros(24, TOKENS, 192)
    tokens[:, LENGTH:, NUMBERS : NUMBERS + 2 * SIDE] = STRENGTH * places()
    tokens[:, :LENGTH] = torch.randn(24, LENGTH, 192)
    x = torch.randn(24, 4, 16, 16)
    found = []
    for aimed in (False, True):
        if aimed:
            model.aim(x, tokens)
        with torch.no_grad(), watched(model.net) as maps:
            model.net(x[:4], torch.tensor(900), tokens[:4])
        own = maps[-1][:, :, LENGTH:].diagonal(dim1=1, dim2=2)  # of the last layer, 8 x 8 places
        found.append(float(own.mean()))
    assert found[0] < 0.02 and found[1] > 5 * found[0]


def test_a_place_that_looks_at_a_patch_looks_at_the_words_it_was_told_by():
    reads = torch.eye(TOKENS).repeat(1, 2, 1, 1)
    reads[0, :, LENGTH + 9] = 0
    reads[0, :, LENGTH + 9, 4] = 1  # one patch reads the fifth token, all else reads itself
    told = told_by([reads])
    assert told.shape == (1, SIDE**2, LENGTH) and told[0, 9].argmax() == 4
    assert told[0, 9].sum() == pytest.approx(1)
    maps = torch.zeros(1, SIDE**2, TOKENS)
    maps[0, :, 0], maps[0, 20, 0], maps[0, 20, LENGTH + 9] = 1, 0, 1
    shown = heat([maps], told)
    assert shown[0, 4, 2, 4] == pytest.approx(1) and shown[0, 4].sum() == pytest.approx(1)
