"""The classifier of portraits: one answer for each attribute that shows."""

import pytest
import torch
from torch.nn import functional as F

from core_fixtures import portraits, tiny
from gen_core import fit
from gen_core.data import Batches
from gen_core.data.avatars import Avatar
from gen_core.data.avatars.schema import CATEGORICAL, CONTINUOUS, attribute_labels
from gen_core.nets.attributes import SCALE


def test_it_answers_for_every_attribute():
    judge = tiny("avatar-judge")
    logits, numbers = judge.answers(judge(torch.zeros(2, 3, 64, 64)))
    assert {name: values.shape for name, values in logits.items()} == {
        name: (2, len(values)) for name, values in CATEGORICAL.items()
    }
    assert numbers.shape == (2, len(CONTINUOUS))


def test_what_is_hidden_is_not_asked():
    judge, rng = tiny("avatar-judge"), torch.Generator().manual_seed(0)
    x = torch.rand(1, 3, 64, 64, generator=rng) * 2 - 1
    hats = ("turban", "none")
    for hat, same in zip(hats, (True, False), strict=True):
        losses = [
            float(
                judge.loss(x, attribute_labels([Avatar(hat=hat, hair=hair)]), rng)["loss"].detach()
            )
            for hair in ("afro", "bob")
        ]
        assert (losses[0] == losses[1]) is same, hat


def test_what_is_told_of_it_names_every_attribute():
    judge, data = tiny("avatar-judge"), portraits(8)
    sizes = [len(values) for values in CATEGORICAL.values()]
    shown = data.labels[:, : len(CATEGORICAL)].clamp(min=0).T
    logits = [10 * F.one_hot(a, n).float() for a, n in zip(shown, sizes, strict=True)]
    numbers = data.labels[:, len(CATEGORICAL) :] / SCALE
    told = judge.agreement(torch.cat([*logits, numbers + 0.5], dim=1), data.labels)
    assert told["accuracy"] == pytest.approx(1)
    assert told["right"] == dict.fromkeys(CATEGORICAL, 1)
    assert told["off"] == pytest.approx(dict.fromkeys(CONTINUOUS, 0.5))


def test_a_census_counts_every_value_and_spreads_the_measures():
    judge, rng = tiny("avatar-judge"), torch.Generator().manual_seed(0)
    out = torch.randn(50, judge.outputs, generator=rng)
    out[:, -len(CONTINUOUS) :] = torch.linspace(-1.5, 1.5, 50)[:, None]
    told = judge.census(out)
    assert {name: len(shares) for name, shares in told["shares"].items()} == {
        name: len(values) for name, values in CATEGORICAL.items()
    }
    logits, _ = judge.answers(out)
    first = float((logits["hat"].argmax(1) == 0).double().mean())
    assert told["shares"]["hat"][0] == pytest.approx(first)
    assert all(sum(parts) == pytest.approx(1) for parts in told["spread"].values())
    assert told["spread"]["smile"][0] > told["spread"]["smile"][4], (
        "what is beyond counts at the end"
    )


@pytest.mark.heavy
def test_it_learns_to_tell_people_apart():
    steps = list(fit(tiny("avatar-judge"), Batches(portraits(32), 32, 0), steps=80, warmup=5))
    first, last = (steps[k].losses for k in (0, -1))
    assert last["classify.accuracy"] > 0.7 > 0.5 > first["classify.accuracy"]
    assert last["classify.off"] < 0.7 * first["classify.off"]
