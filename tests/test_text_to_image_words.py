"""How the text encoder learns to say what things look like."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from emoji_fixtures import drawn_emoji
from gen_core.data.scenes import Scene, random_scene
from gen_core.text_to_image import training
from gen_core.text_to_image.attention import heat, told_by, watched
from gen_core.text_to_image.denoiser import Denoiser
from gen_core.text_to_image.parts import read_part
from gen_core.text_to_image.patches import (
    NUMBERS,
    NUMBERS_AT,
    PLACE_AT,
    STRENGTH,
    patched,
    places,
    shown_by,
    unpatched,
)  # fmt: skip
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


def test_half_of_the_lessons_show_two_things(sketches, runs):
    source = SketchBatches(sketches, training.tokenizer(runs), 8, seed=1)
    x, tokens = source[3]
    assert x.shape == (8, WIDTH) and tokens.shape == (8, TOKENS)
    assert all(torch.equal(a, b) for a, b in zip(source[3], (x, tokens), strict=True))
    assert not torch.equal(source[4][0], x)
    assert x[1::2, 12:24].any(1).all() and not x[::2, 12:24].any(1).all()


def test_only_what_is_said_after_the_last_word_counts():
    words = Words(WordsConfig(vocabulary=50, width=32, text_layers=1)).eval()
    label = torch.tensor([[48, 3, 4] + [49] * 93, [48] + [5] * 30 + [49] * 65])
    x = torch.randn(2, 32)
    said = words.net(label[:, :LENGTH]).last_hidden_state.detach()
    one, other = ((said[row, first:] - x[row]).square().mean() for row, first in ((0, 3), (1, 31)))
    losses = {k: v.detach() for k, v in words.loss(x, label, torch.Generator()).items()}
    assert float(losses["loss"]) == pytest.approx(float(one + other) / 2, rel=1e-4)
    assert float(losses["share"]) == pytest.approx(
        float(losses["loss"] / x.square().mean()), rel=1e-5
    )


def test_the_words_begin_as_clip_s_text_half(runs):
    clip = training.part("clip", runs).net.text_model
    config = {"vocabulary": clip.config.vocab_size, "width": 64, "text_layers": 1, "inner": 256}
    recipe = training.Recipe("words", steps=1, config=config)
    words = training.PartRun("words", recipe, runs / "words")._model(0, "cpu")
    tokens = torch.randint(0, 50, (2, 32), generator=torch.Generator().manual_seed(0))
    assert torch.equal(words.net(tokens).last_hidden_state, clip(tokens).last_hidden_state)


def test_unfolded_words_say_in_space_what_the_end_marker_knows():
    """Twenty things, named by a word among others, and a look of its own for each."""
    torch.manual_seed(0)
    words = Words(WordsConfig(vocabulary=60, width=96, text_layers=2, inner=384)).eval()
    rng = torch.Generator().manual_seed(0)
    things = torch.randint(0, 20, (400,), generator=rng)
    looks = torch.randn(20, SIDE**2, NUMBERS, generator=rng)[things]
    tokens = torch.full((400, TOKENS), 59)
    for row, thing in enumerate(things):
        tokens[row, : 4 + row % 9] = 20 + torch.randint(0, 30, (4 + row % 9,), generator=rng)
        tokens[row, 0], tokens[row, 1 + row % 3] = 58, thing
    unfolded = words.unfolded(tokens[:300], looks[:300])
    with torch.no_grad():
        before = words.net(tokens[300:, :LENGTH]).last_hidden_state
        after = unfolded.net(tokens[300:]).last_hidden_state
    assert (after[:, :LENGTH] - before).abs().median() < 1e-3
    assert (after[:, :LENGTH] - before).square().mean() < 0.02
    said, wanted = after[:, LENGTH:, NUMBERS_AT].flatten(1), looks[300:].flatten(1)
    with torch.no_grad():  # what the end marker knows, by a regression of its own
        ends = F.pad(words.net(tokens[:, :LENGTH]).last_hidden_state[:, -1], (0, 1), value=1.0)
    known = ends[300:] @ torch.linalg.lstsq(ends[:300], looks[:300].flatten(1)).solution
    match, best = (F.cosine_similarity(x, wanted).mean() for x in (said, known))
    assert match > 0.75 * best and best > 0.5  # a third of this width is taken by the places
    place = after[:, LENGTH:, PLACE_AT]
    on = places().bool()
    assert place[:, on].min() > place[:, ~on].max() + STRENGTH / 2


def test_a_patch_is_two_by_two_latents_and_knows_its_row_and_column():
    x = torch.arange(4 * 16 * 16.0).reshape(1, 4, 16, 16)
    patches = patched(x)
    assert patches.shape == (1, SIDE**2, NUMBERS)
    assert torch.equal(unpatched(patches), x)
    row, column = 3, 5
    there = x[0, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
    assert torch.equal(patches[0, row * SIDE + column], there.flatten())
    assert places()[row * SIDE + column].nonzero().flatten().tolist() == [row, SIDE + column]


def test_each_place_knows_which_patch_of_the_thing_it_shows():
    middle = shown_by(Scene((0,))).unflatten(0, (SIDE, SIDE))
    inside = middle[1:7, 1:7].flatten(0, 1)
    assert torch.equal(inside, places().unflatten(0, (SIDE, SIDE))[1:7, 1:7].flatten(0, 1))
    assert not middle[0].any() and not middle[:, 7].any()
    two = shown_by(Scene((0, 1), ("", ""), relation="above")).unflatten(0, (SIDE, SIDE))
    assert two[:4].any() and not two[4:].any()  # the first thing alone
    three = shown_by(Scene((0,), count=3)).unflatten(0, (SIDE, SIDE))
    assert all(part.any() for part in (three[:4, 2:6], three[4:, :4], three[4:, 4:]))
    large = shown_by(Scene((0,), size="large"))
    rows = large.unflatten(0, (SIDE, SIDE))[:, 4, :SIDE] @ torch.arange(SIDE, dtype=torch.float)
    assert rows.tolist() == sorted(rows.tolist()) and (rows.diff()[1:-1] < 1).all()  # stretched


def test_aimed_queries_find_the_patch_at_their_place():
    """By tokens that say nothing but where they are, in an untrained denoiser."""
    torch.manual_seed(0)
    model = Denoiser().eval()
    tokens = torch.zeros(24, TOKENS, 192)
    tokens[:, LENGTH:, PLACE_AT] = STRENGTH * places()
    tokens[:, :LENGTH] = torch.randn(24, LENGTH, 192)
    x = torch.randn(24, 4, 16, 16)
    found = []
    for aimed in (False, True):
        if aimed:
            model.aim(x, tokens, places().expand(24, -1, -1))
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
