"""Composing or remembering: pairs of values that training did not show, and pairs that it did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core_fixtures import tiny
from gen_core import Frame
from gen_core.data.avatars import Avatar, portrait, random_avatar
from gen_core.data.avatars.schema import (
    CATEGORICAL,
    HELD_OUT,
    any_avatar,
    attribute_labels,
    is_held_out,
)
from gen_core.evaluation.compositionality import (
    SIDE,
    _anybody,
    _by_rule,
    compositionality,
    held_out_pairs,
    seen_pairs,
    shown,
)
from gen_core.progress import Progress
from gen_core.sampling import pixels

NAMES = [*CATEGORICAL]


class Obedient:
    """Draws pictures whose first row of pixels spells what was asked for; of "cap" it draws
    nothing but beanies."""

    def sample(self, noise, *, label, steps=1):
        x = torch.zeros(len(label), 3, 16, 32)
        for row, wish in enumerate(label):
            for name, value in wish.items():
                drawn = "beanie" if value == "cap" else value
                x[row, 0, 0, NAMES.index(name)] = CATEGORICAL[name].index(drawn) + 1
        yield Frame(0, 1, 0.0, x)


class Reader:
    """Reads it."""

    device = torch.device("cpu")

    def __call__(self, x):
        return x[:, 0, 0]

    def answers(self, out):
        said = {
            name: torch.nn.functional.one_hot(
                (out[:, place].long() - 1).clamp(min=0), len(CATEGORICAL[name])
            ).float()
            for place, name in enumerate(NAMES)
        }
        return said, torch.zeros(len(out), 6)


def test_held_out_pairs_are_all_there_and_seen_ones_are_others():
    left_out, seen = held_out_pairs(), seen_pairs()
    assert len(left_out) == len(seen) == sum(map(len, HELD_OUT.values()))
    assert all(is_held_out(Avatar(**wish)) for wish in left_out)
    assert all(tuple(wish.items()) not in [tuple(w.items()) for w in left_out] for wish in seen)
    assert [tuple(wish) for wish in seen] == [tuple(wish) for wish in left_out]
    assert seen_pairs(1) != seen == seen_pairs(0)


@pytest.mark.heavy
def test_seen_pairs_do_occur_in_training():
    people = [random_avatar(seed) for seed in range(20_000)]
    for wish in seen_pairs():
        assert any(all(getattr(p, k) == v for k, v in wish.items()) for p in people), wish


def test_who_does_as_told_but_for_caps_is_told_so():
    told = []
    found = compositionality(Obedient(), Reader(), each=2, progress=told.append)
    left_out = held_out_pairs()
    caps = [wish for wish in left_out if "cap" in wish.values()]
    assert caps and found["held_out"]["share"] == pytest.approx(1 - len(caps) / len(left_out))
    assert found["held_out"]["by_pair"] == [[w, 0 if w in caps else 1] for w in left_out]
    assert [pair for pair, _ in found["seen"]["by_pair"]] == seen_pairs()  # no two are mixed up
    assert found["held_out"]["pictures"] == 2 * len(left_out)
    assert found["knobs"] == {}
    assert told[-1] == Progress("combinations", 4 * len(left_out), 4 * len(left_out), "pictures")


def test_what_would_hide_one_of_the_two_is_kept_away():
    asked: list[dict[str, str]] = []

    class Listening(Obedient):
        def sample(self, noise, *, label):
            asked.extend(label)
            return super().sample(noise, label=label)

    compositionality(Listening(), Reader(), each=1)
    assert {"hair": "afro", "hair_colour": "blond", "hat": "none"} in asked
    assert {"skin": "dark", "eye_colour": "blue", "lids": "open", "glasses": "none"} in asked
    assert {"hat": "cap", "glasses": "sun"} in asked


def test_a_share_by_rule_is_what_the_judge_finds_in_drawn_portraits():
    judge, (pair, *_) = tiny("avatar-judge"), held_out_pairs()
    asked = pair | {"hat": "none"}
    x = _by_rule([asked] * 3, range(3))
    assert x.shape == (3, 3, SIDE, SIDE) and -1 <= x.min() < x.max() <= 1
    assert not torch.equal(x[0], x[1])  # the rest is anybody's
    trained_on = portrait(replace(any_avatar(np.random.default_rng(0)), **asked), SIDE)
    assert np.abs(pixels(x)[0].astype(int) - trained_on).mean() > 1, "the judge knows that one"
    with torch.inference_mode():
        logits, _ = judge.answers(judge(x))
    for place, (name, value) in enumerate(pair.items()):
        expected = logits[name].argmax(1) == CATEGORICAL[name].index(value)
        assert shown(judge, x, [pair] * 3)[:, place].tolist() == expected.tolist()


def test_nobody_by_rule_hides_what_was_asked_for():
    for seed in range(100):  # old age turns hair grey
        person = _anybody({"hair": "quiff", "hair_colour": "black", "hat": "none"}, seed)
        assert (person.hair, person.hair_colour, person.hat) == ("quiff", "black", "none")
        assert person.age <= 0.9


def test_a_real_model_and_a_real_judge_go_together():
    sizes = tuple(len(values) for values in CATEGORICAL.values())
    model = tiny("flow", channels=3, size=16, classes=0, choices=sizes, measures=6)
    found = compositionality(model, tiny("avatar-judge"), each=1, steps=1)
    assert 0 <= found["seen"]["share"] <= min(found["seen"]["alone"]) <= 1
    assert attribute_labels([Avatar()]).shape[1] == len(sizes) + 6
