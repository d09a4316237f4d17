"""How the text encoder learns to say what things look like."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from emoji_fixtures import drawn_emoji
from gen_core.data.emoji.scenes import Scene, random_scene
from gen_core.families.text_to_image import training
from gen_core.families.text_to_image.batches import WORDS, TextTargetBatches, TextTargets
from gen_core.families.text_to_image.folder import NAME
from gen_core.families.text_to_image.parts import TextEncoder, TextEncoderConfig
from gen_core.training.recipes import Recipe

WIDTH = 32


@pytest.fixture(scope="module")
def runs(emoji_home):
    return emoji_home / "runs" / NAME


@pytest.fixture(scope="module")
def sketches() -> TextTargets:
    return TextTargets(drawn_emoji(), WIDTH)


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
        {"background": "teal" if plain.background != "teal" else "red"},
        {"fault": "blurry"},
        {"light": "fog"},
        {"medium": "watercolour"},
        {"count": 4},
        {"relation": "above"},
        {"tints": ("pink",)},
    ):
        changed = replace(plain, **change)
        if changed != plain:
            assert not torch.equal(sketches.of(changed)[24:], sketches.of(plain)[24:])
    assert len(set(WORDS)) == len(WORDS) == len(sketches.words)


def test_half_of_the_lessons_show_two_things(sketches, runs):
    source = TextTargetBatches(sketches, training.tokenizer(runs), 8, seed=1)
    x, tokens = source[3]
    assert x.shape == (8, WIDTH) and tokens.shape == (8, 32)
    assert all(torch.equal(a, b) for a, b in zip(source[3], (x, tokens), strict=True))
    assert not torch.equal(source[4][0], x)
    assert x[1::2, 12:24].any(1).all() and not x[::2, 12:24].any(1).all()


def test_only_what_is_said_after_the_last_word_counts():
    words = TextEncoder(TextEncoderConfig(vocabulary=50, width=32, text_layers=1)).eval()
    label = torch.tensor([[48, 3, 4] + [49] * 29, [48] + [5] * 30 + [49]])
    x = torch.randn(2, 32)
    said = words.net(label).last_hidden_state.detach()
    one, other = ((said[row, first:] - x[row]).square().mean() for row, first in ((0, 3), (1, 31)))
    losses = {k: v.detach() for k, v in words.loss(x, label, torch.Generator()).items()}
    assert float(losses["loss"]) == pytest.approx(float(one + other) / 2, rel=1e-4)
    assert float(losses["share"]) == pytest.approx(
        float(losses["loss"] / x.square().mean()), rel=1e-5
    )


def test_clip_s_text_half_begins_as_the_words(runs):
    words = training.part("words", runs).net
    config = training.part("clip", runs).card["config"]
    recipe = Recipe("text-to-image/clip", steps=1, config=config)
    clip = training.PartRun("clip", recipe, runs / "clip")._model(0, "cpu").net.text_model
    tokens = torch.randint(0, 50, (2, 32), generator=torch.Generator().manual_seed(0))
    assert torch.equal(words(tokens).last_hidden_state, clip(tokens).last_hidden_state)
