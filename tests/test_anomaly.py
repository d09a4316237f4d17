"""Anomaly detection: odd pictures, scores, and what a threshold makes of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import Tensor

from core_fixtures import portraits, tiny
from gen_core.data import Batches
from gen_core.data.splits import AVATARS
from gen_core.families.vae import VAE
from gen_core.knobs import KnobError
from gen_core.latent import anomaly
from gen_core.latent.anomaly import area, examine, measure, rates, roc, threshold
from gen_core.latent.corruptions import KINDS, corrupt, erased, pasted, shuffled, upside_down
from gen_core.training.train import fit

CHANCE = {
    "scribbled on",
    "a piece of another",
    "a piece erased",
    "quarters moved",
    "noisy",
    "stripes",
    "one colour",
}


def faces(count: int = 4, size: int = 32) -> Tensor:
    return portraits(count, size).pictures(slice(None))


def scores(count: int, seed: int, shift: float) -> Tensor:
    """With ties: whole numbers."""
    rng = torch.Generator().manual_seed(seed)
    return (3 * torch.randn(count, generator=rng) + shift).round()


# --- odd pictures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_changes_every_picture_and_leaves_what_it_takes(name):
    given = faces()
    before = given.clone()
    made = corrupt(given, KINDS[name], 0)
    assert torch.equal(given, before)
    assert made.shape == given.shape and made.dtype == given.dtype
    assert made.min() >= -1 and made.max() <= 1
    assert ((made - given).abs().amax((1, 2, 3)) > 0.05).all()
    assert corrupt(given[:1], KINDS[name], 0).shape == given[:1].shape


@pytest.mark.parametrize("name", KINDS)
def test_a_seed_is_always_the_same_and_where_chance_plays_another_differs(name):
    first, again, other = (corrupt(faces(), KINDS[name], seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (name not in CHANCE)


def test_pieces_come_from_where_they_should():
    given, rng = faces(2), torch.Generator().manual_seed(0)
    assert torch.equal(upside_down(upside_down(given, rng), rng), given)
    moved = shuffled(given, rng)
    assert torch.equal(moved.flatten(2).sort().values, given.flatten(2).sort().values)
    for half, other in zip(moved.chunk(2, 2), given.chunk(2, 2), strict=True):
        for quarter, was in zip(half.chunk(2, 3), other.chunk(2, 3), strict=True):
            assert (quarter != was).any()
    made = pasted(given, rng)
    changed = (made[0] != given[0]).any(0).nonzero()
    (top, left), (bottom, right) = changed.amin(0).tolist(), (changed.amax(0) + 1).tolist()
    assert bottom - top <= 8 and right - left <= 8  # a quarter of the side
    others = given[1].unfold(1, bottom - top, 1).unfold(2, right - left, 1)
    piece = made[0, :, top:bottom, left:right]
    assert (others == piece[:, None, None]).all(-1).all(-1).all(0).any()
    (hole,) = erased(given[:1], rng)
    changed = (hole != given[0]).any(0)
    assert hole[:, changed].std(1).max() < 1e-6


# --- thresholds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("odd_at", "seed"), [(0, 0), (2, 1), (-3, 2), (9, 3)])
def test_the_area_is_the_chance_to_score_higher_and_the_area_under_the_curve(odd_at, seed):
    normal, odd = scores(57, seed, 0), scores(31, seed + 10, odd_at)
    pairs = (odd[:, None] > normal).double() + 0.5 * (odd[:, None] == normal).double()
    assert area(normal, odd) == pytest.approx(float(pairs.mean()))
    alarms, hits = roc(normal, odd)
    assert area(normal, odd) == pytest.approx(float(torch.trapezoid(hits, alarms)))


def test_the_area_of_what_is_told_apart_of_the_reverse_and_of_the_same():
    low, high = [0.0, 1.0], [2.0, 3.0]
    assert (area(low, high), area(high, low), area(low, low)) == (1, 0, 0.5)


def test_the_curve_is_what_every_threshold_does():
    normal, odd = scores(40, 0, 0), scores(30, 1, 3)
    alarms, hits = roc(normal, odd)
    assert (alarms[0], hits[0], alarms[-1], hits[-1]) == (0, 0, 1, 1)
    assert (alarms.diff() >= 0).all() and (hits.diff() >= 0).all()
    limits = torch.cat([normal, odd]).unique().flip(0)
    for limit, *point in zip(limits, alarms, hits, strict=False):
        false_alarms, missed = rates(normal, odd, float(limit))
        assert point == pytest.approx([false_alarms, 1 - missed])


@pytest.mark.parametrize("allowed", [0, 0.01, 0.1, 0.37, 1])
def test_the_threshold_keeps_its_word_and_is_the_lowest_that_does(allowed):
    normal = scores(50, 4, 0)
    limit = threshold(normal, allowed)
    assert rates(normal, [0.0], limit)[0] <= allowed
    lower = normal[normal < limit]
    if allowed < 1 and len(lower):
        assert rates(normal, [0.0], float(lower.max()))[0] > allowed


@pytest.mark.parametrize("bad", [[], [float("nan")], [1.0, float("inf")]])
def test_scores_that_are_none_are_refused(bad):
    for told in (roc, area, lambda a, b: rates(a, b, 0.0)):
        with pytest.raises(ValueError, match="anomalous scores: takes one finite number or more"):
            told([1.0], bad)
    with pytest.raises(ValueError, match="normal scores"):
        threshold(bad, 0.1)


@pytest.mark.parametrize("allowed", [-0.1, 1.5, float("nan"), "0.1", None])
def test_a_share_that_is_none_is_refused(allowed):
    with pytest.raises(KnobError, match="allowed=.*: choose a number from 0 to 1"):
        threshold([1.0, 2.0], allowed)


# --- scores of pictures ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model() -> VAE:
    """A small VAE that has seen a few portraits, some hundred times."""
    model, data = tiny("vae", channels=3, size=16, latent=8), portraits(128, 16)
    list(fit(model, Batches(data, 32, 0), steps=120, warmup=10))
    return model.eval()


def test_scores_are_what_their_names_say(model):
    x = faces(3, 16)
    copy, scored = examine(model, x, seed=7)
    with torch.inference_mode():
        expected = model.decode(model.encode(x)[0])
        distortion, rate = model.bound(x, torch.Generator().manual_seed(7))
    assert torch.equal(copy, expected)
    off = (expected - x).numpy() / 2
    assert scored["error"].numpy() == pytest.approx(np.sqrt((off**2).mean((1, 2, 3))), rel=1e-5)
    assert torch.equal(scored["bound"], distortion + rate)
    assert torch.equal(examine(model, x, seed=7)[1]["bound"], scored["bound"])
    assert not torch.equal(examine(model, x, seed=8)[1]["bound"], scored["bound"])


def test_a_model_of_portraits_finds_what_is_none(model):
    told = measure(model, 40)
    for score in anomaly.SCORES:
        assert told["area"][score]["kinds"]["negative"] > 0.9
        assert told["area"][score]["all"] > 0.65


def test_what_is_measured_is_plain_small_and_adds_up(model):
    told = measure(model, 43, seed=3)
    assert json.loads(json.dumps(told)) == told
    assert 500 / 43 * len(json.dumps(told)) < 60_000
    assert list(told["odd"]) == list(KINDS)
    for score in anomaly.SCORES:
        odd = [value for kind in told["odd"].values() for value in kind[score]]
        assert len(told["portraits"][score]) == len(odd) == 43
        assert told["area"][score]["all"] == round(area(told["portraits"][score], odd), 4)
    assert measure(model, 43, seed=3) == told
    assert measure(model, 43, seed=4)["odd"] != told["odd"]


def test_further_kinds_are_measured_like_the_others(model):
    told = measure(model, 22, more={"black": lambda pictures, rng: torch.full_like(pictures, -1)})
    assert len(told["odd"]["black"]["error"]) == 2
    assert len(set(told["odd"]["black"]["error"])) == 1
    assert "black" in told["area"]["error"]["kinds"]


def test_portraits_are_measured_that_neither_training_nor_visitors_have_seen():
    assert set(anomaly.UNTOUCHED) <= set(AVATARS["test"]) - set(AVATARS["test"][:5000])
    assert len(anomaly.UNTOUCHED) >= 2 * anomaly.MOST


@pytest.mark.parametrize("count", [0, 9, 2.5, float("nan"), None, 2501])
def test_a_count_that_is_none_is_refused(model, count):
    with pytest.raises(KnobError, match="count=.*: choose a whole number from 10 to 2500"):
        measure(model, count)
