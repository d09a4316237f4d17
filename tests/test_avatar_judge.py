"""The classifier of portraits: one answer for each attribute that shows."""

import torch

from core_fixtures import portraits, tiny
from gen_core import fit
from gen_core.data import Batches
from gen_core.data.avatars import Avatar
from gen_core.data.avatars.labels import CHOICES, MEASURES, facts


def test_it_answers_for_every_attribute():
    judge = tiny("avatar-judge")
    logits, numbers = judge.answers(judge(torch.zeros(2, 3, 64, 64)))
    assert {name: values.shape for name, values in logits.items()} == {
        name: (2, len(values)) for name, values in CHOICES.items()
    }
    assert numbers.shape == (2, len(MEASURES))


def test_what_is_hidden_is_not_asked():
    judge, rng = tiny("avatar-judge"), torch.Generator().manual_seed(0)
    x = torch.rand(1, 3, 64, 64, generator=rng) * 2 - 1
    hats = ("turban", "none")
    for hat, same in zip(hats, (True, False), strict=True):
        losses = [
            float(judge.loss(x, facts([Avatar(hat=hat, hair=hair)]), rng)["loss"].detach())
            for hair in ("afro", "bob")
        ]
        assert (losses[0] == losses[1]) is same, hat


def test_it_learns_to_tell_people_apart():
    steps = list(fit(tiny("avatar-judge"), Batches(portraits(32), 32, 0), steps=80, warmup=5))
    first, last = (steps[k].losses for k in (0, -1))
    assert last["classify.accuracy"] > 0.7 > 0.5 > first["classify.accuracy"]
    assert last["classify.off"] < 0.7 * first["classify.off"]
