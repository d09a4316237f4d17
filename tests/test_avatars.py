"""Drawn portraits: seeded, known in every attribute, the same at any size."""

from __future__ import annotations

import dataclasses
import itertools
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import torch

from conftest import ROOT
from gen_core.data import Batches, MissingData, load_data
from gen_core.data.avatars import Avatar, avatars, dataset, portrait, random_avatar
from gen_core.data.avatars.captions import caption
from gen_core.data.avatars.schema import (
    CATEGORICAL,
    CONTINUOUS,
    HELD_OUT,
    any_avatar,
    attribute_labels,
    hidden,
    is_held_out,
)
from gen_core.knobs import KnobError
from gen_core.nets.attributes import IGNORE_INDEX, SCALE

pytestmark = pytest.mark.heavy


def test_a_seed_is_one_picture_whatever_else_is_drawn():
    x, people = avatars(range(6))
    assert x.shape == (6, 3, 64, 64) and x.dtype == torch.uint8
    again, same = avatars([4, 2])
    assert torch.equal(again, x[[4, 2]]) and same == [people[4], people[2]]
    assert len({bytes(picture.numpy()) for picture in x}) == 6
    none, nobody = avatars([], size=32)
    assert none.shape == (0, 3, 32, 32) and nobody == []


def test_every_attribute_shows():
    plain = Avatar()
    for name, values in CATEGORICAL.items():
        pictures = {portrait(dataclasses.replace(plain, **{name: v})).tobytes() for v in values}
        assert len(pictures) == len(values), name
    for name, ends in CONTINUOUS.items():
        low, high = (portrait(dataclasses.replace(plain, **{name: end})) for end in ends)
        assert (low != high).mean() > 0.002, name
    right, down = (portrait(dataclasses.replace(plain, gaze=g)) for g in ((1, 0), (0, 1)))
    assert (right != down).any()
    assert {field.name for field in dataclasses.fields(Avatar)} == {
        *CATEGORICAL,
        *CONTINUOUS,
        "gaze",
    }


def test_a_change_stays_in_its_place():
    plain, size = Avatar(background="mint"), 64
    for change, rows in (
        ({"smile": -1.0}, slice(20, 50)),
        ({"hat": "cap"}, slice(0, 40)),
        ({"clothes": "shirt"}, slice(40, 64)),
        ({"beard": "goatee"}, slice(30, 54)),
    ):
        changed = (portrait(dataclasses.replace(plain, **change)) != portrait(plain)).any(2)
        outside = np.ones(size, bool)
        outside[rows] = False
        assert changed.any() and not changed[outside].any(), change


def test_every_value_is_drawn_about_as_often_as_the_others():
    people = [random_avatar(seed) for seed in range(4000)]
    for name, values in CATEGORICAL.items():
        counts = Counter(getattr(person, name) for person in people)
        usual = [counts[v] for v in values if v not in ("none", "open", "shut")]
        assert counts.keys() == set(values), name
        assert not usual or max(usual) < 1.6 * min(usual), name
    for name, (low, high) in CONTINUOUS.items():
        drawn = np.array([getattr(person, name) for person in people])
        assert low <= drawn.min() and drawn.max() <= high, name
        assert drawn.mean() == pytest.approx((low + high) / 2, abs=0.04), name


def test_held_out_combinations_exist_and_no_training_picture_shows_one():
    assert not any(is_held_out(random_avatar(seed)) for seed in range(3000))
    for (one, other), pairs in HELD_OUT.items():
        assert all(a in CATEGORICAL[one] and b in CATEGORICAL[other] for a, b in pairs)
        for a, b in pairs:
            assert is_held_out(Avatar(**{one: a, other: b})), (a, b)
            assert is_held_out(Avatar(**{one: a, other: b, "age": 0.8})), (a, b)
    drawn = [any_avatar(np.random.default_rng(seed)) for seed in range(1000)]
    assert 0.02 < np.mean([is_held_out(avatar) for avatar in drawn]) < 0.3


@pytest.mark.heavy
def test_the_data_set_is_drawn_once_and_then_read(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(dataset.AVATARS, "test", range(7, 12))
    monkeypatch.setattr(dataset, "CHUNK", 2)
    older = tmp_path / "noise-to-data/avatars-older/test.safetensors"
    older.parent.mkdir(parents=True)
    older.touch()
    data = load_data("avatars", "test")
    pictures, people = avatars(range(7, 12))
    assert torch.equal(data.images, pictures) and torch.equal(data.labels, attribute_labels(people))
    monkeypatch.setattr(dataset, "_drawn", lambda seeds: pytest.fail("drawn again"))
    assert torch.equal(load_data("avatars", "test").images, pictures)
    x, label = Batches(data, 3, seed=0)[0]
    assert x.shape == (3, 3, 64, 64) and label.shape == (3, len(CATEGORICAL) + len(CONTINUOUS))
    assert not older.exists()
    (kept,) = tmp_path.rglob("test.safetensors")
    kept.write_bytes(b"half a file")
    with pytest.raises(MissingData, match="is damaged .*: delete it, and it is drawn again"):
        load_data("avatars", "test")


@pytest.mark.heavy
def test_a_script_without_a_guard_is_told_what_to_do(tmp_path):
    script = "from gen_core.data import load_data; load_data('avatars', 'test')"
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    answer = subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        capture_output=True,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )
    assert answer.returncode == 1
    assert 'put the script\'s code under `if __name__ == "__main__":`' in answer.stderr


def test_no_beard_under_a_scarf_or_on_a_child():
    for person in map(random_avatar, range(2000)):
        assert person.beard == "none" or (person.hat != "headscarf" and person.age > 0.25)


@pytest.mark.parametrize("seed", range(6))
def test_a_larger_picture_is_the_same_one_finer(seed):
    person = random_avatar(seed)
    small, large = (portrait(person, size).astype(float) for size in (64, 128))
    shrunk = large.reshape(64, 2, 64, 2, 3).mean((1, 3))
    assert abs(shrunk - small).mean() < 2.5


@pytest.mark.parametrize("hat", ["none", "cap", "beanie", "headscarf"])
def test_a_head_that_turns_the_other_way_is_the_mirror_image(hat):
    person = Avatar(
        turn=0.8,
        tilt=0.5,
        light=0.6,
        hair="bald",
        lids="closed",
        nose="long",
        beard="full beard",
        earrings="hoops",
        clothes="v-neck",
        hat=hat,
    )
    other = dataclasses.replace(person, turn=-0.8, tilt=-0.5, light=-0.6)
    left, right = portrait(person).astype(int), portrait(other)[:, ::-1].astype(int)
    assert abs(left - right).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1], 8), "size=8: choose a whole number from 16 to 1024"),
        (([-1], 64), "seed=-1: choose a whole number from 0"),
        ((["x"], 64), "seed='x'"),
    ],
)
def test_wrong_wishes_are_refused(arguments, message):
    with pytest.raises(KnobError, match=message):
        avatars(*arguments)


def test_what_is_hidden_does_not_show():
    """A picture is the same whatever the value of an attribute that is said to be hidden."""
    for avatar in (
        Avatar(hat="headscarf", earrings="hoops", lids="closed"),
        Avatar(hat="turban"),
        Avatar(glasses="sun"),
        Avatar(hat="cap", lids="closed"),
        Avatar(hair="bald"),
    ):
        for name in hidden(avatar) - {"face"}:  # of which the outline shows a little
            assert farthest(avatar, name) < 40, (avatar, name)
    old = Avatar(age=1.0)
    assert "hair_colour" in hidden(old) and differing(old, "hair_colour", "grey", "pink") == 0


@pytest.mark.parametrize("hat", CATEGORICAL["hat"])
@pytest.mark.heavy
def test_what_is_not_hidden_shows(hat):
    avatar = Avatar(hat=hat, age=0.85)
    for name in {"hair", "hair_colour"} - hidden(avatar):
        for one, other in itertools.combinations(CATEGORICAL[name], 2):
            assert differing(avatar, name, one, other) > 8, (one, other)


def farthest(avatar: Avatar, name: str) -> int:
    """Pixels by which the values of an attribute differ from the first one, at most."""
    first, *others = CATEGORICAL[name]
    return max(differing(avatar, name, first, other) for other in others)


def differing(avatar: Avatar, name: str, one: str, other: str) -> int:
    """Pixels, of 4096, that change visibly from one value of an attribute to another."""
    pictures = (portrait(dataclasses.replace(avatar, **{name: v})) for v in (one, other))
    a, b = (picture.astype(int) for picture in pictures)
    return int((abs(a - b).max(2) > 20).sum())


def test_labels_say_what_the_picture_shows():
    people = [random_avatar(seed) for seed in range(200)]
    told = attribute_labels(people)
    labels, numbers = told[:, : len(CATEGORICAL)], told[:, len(CATEGORICAL) :] / SCALE
    assert labels.shape == (200, len(CATEGORICAL)) and numbers.shape == (200, len(CONTINUOUS))
    for avatar, row, line in zip(people, labels.tolist(), numbers.tolist(), strict=True):
        for (name, values), code in zip(CATEGORICAL.items(), row, strict=True):
            assert (code == IGNORE_INDEX) is (name in hidden(avatar))
            assert code == IGNORE_INDEX or values[code] == getattr(avatar, name)
        assert line == pytest.approx([getattr(avatar, name) for name in CONTINUOUS], abs=6e-4)
    assert told.dtype == torch.int64
    assert attribute_labels([]).shape == (0, len(CATEGORICAL) + len(CONTINUOUS))


def test_a_caption_says_what_is_seen_and_nothing_else():
    plain = Avatar(age=0.6, hair="bob", hair_colour="auburn", glasses="round", smile=0.9)
    assert caption(plain) == (
        "a person with light skin, an auburn bob and round glasses, smiling, in a blue t-shirt, "
        "on a sky background"
    )
    covered = dataclasses.replace(plain, hat="headscarf", glasses="sun", smile=-1.0, age=0.1)
    assert caption(covered) == (
        "a child with light skin, sunglasses and a headscarf, frowning, on a sky background"
    )
    said = {caption(random_avatar(seed)) for seed in range(300)}
    assert len(said) > 290 and not any("  " in s or ", ," in s or "none" in s for s in said)
