"""The census of the GAN's portraits: which values it draws too often, too seldom or never."""

from __future__ import annotations

import math

import pytest
import torch

from core_fixtures import tiny
from demos.tabs.gan import portraits
from demos.tabs.gan.portraits import NAMES, Count
from gan_portraits_fixtures import HATS, metrics
from gen_core.training.checkpoint import CheckpointError


@pytest.mark.parametrize(
    ("samples", "data", "ratio", "remark"),
    [
        (0.2, 0.1, 2.0, ""),  # just within
        (0.05, 0.1, 0.5, ""),
        (0.21, 0.1, 2.1, "2.1×"),
        (0.03, 0.1, 0.3, "0.30×"),
        (0.0001, 0.1, 0.001, "<0.01×"),
        (0.0, 0.1, 0.0, "missing"),
        (0.1, 0.0, math.inf, "not in the data"),
        (0.0, 0.0, 1.0, ""),
    ],
)
def test_a_value_is_told_apart_beyond_a_factor_of_two(samples, data, ratio, remark):
    count = Count("hat", "cap", samples, data)
    assert count.ratio == pytest.approx(ratio) and count.remark == remark


def test_the_furthest_off_come_first_and_what_is_missing_before_all():
    pairs = {"a": (0.0, 0.1), "b": (0.9, 0.1), "c": (0.1, 0.1), "d": (0.0, 0.2), "e": (0.01, 0.1)}
    found = [Count("hat", value, *shares) for value, shares in pairs.items()]
    assert [count.value for count in portraits.furthest(found)] == ["d", "a", "e", "b"]
    assert portraits.summary(found) == (
        "1 of 5 values are drawn about as often as in the data (at least half, at most twice as "
        "often), 2 never. Furthest off: d (hat, missing), a (hat, missing) and e (hat, 0.10×)."
    )
    assert portraits.summary(found[2:3]).endswith(
        "1 values are drawn about as often as in the data (at least half, at most twice as often)."
    )


def test_the_names_fit_what_the_judge_counts():
    judge = tiny("avatar-judge")
    out = torch.zeros(3, judge.outputs)
    out[:, -6:] = 0.95  # every measure, near the top of its range
    told = judge.census(out)
    for kind, names in NAMES.items():
        assert portraits.counts(told[kind], told[kind], names)
    spread = portraits.counts(told["spread"], told["spread"], NAMES["spread"])
    assert {c.value for c in spread if c.samples == 1} == {"0.8 to 1.0", "0.9 to 1.0"}


@pytest.mark.parametrize("shares", [{}, {"hat": [0.5, 0.5]}])
def test_counts_of_other_attributes_are_refused(shares):
    with pytest.raises(CheckpointError, match=r"hat: [02] shares for 6 values"):
        portraits.counts(shares, shares, {"hat": NAMES["shares"]["hat"]})


def test_the_section_names_every_value_and_what_it_was_measured_on():
    html = portraits.section(metrics(hat=HATS), metrics())
    every = [value for names in NAMES.values() for values in names.values() for value in values]
    assert html.count('scope="row"') == len(every)
    assert all(f'<th scope="row">{value}</th>' in html for value in every)
    assert html.count("<b>missing</b>") == 3 and html.count("<b>3.0×</b>") == 1
    assert (
        "10,000 generated portraits, seeds 0 to 9,999, ψ = 1, beside the 10,000 test portraits"
        in html
    )
