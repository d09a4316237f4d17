"""Texts written token by token and everywhere at once: draws that depend on the seed alone, and
likelihoods that sum to one."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from core_fixtures import tiny
from gen_core import Noise, final
from gen_core.data.tokenizers import (
    in_ascii,
)
from gen_core.families.gpt import GPT
from gen_core.families.masked_diffusion import MaskedDiffusion
from gen_core.families.token_sampler import inverse_cdf, probabilities
from gen_core.knobs import KnobError
from gen_core.nets.transformer import KeyValueCache
from text_fixtures import opinionated

# --- drawing a token ------------------------------------------------------------------------------


def test_temperature_top_k_and_top_p():
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    assert torch.allclose(probabilities(logits), logits.double().exp())
    assert probabilities(logits, temperature=0).tolist() == [1, 0, 0, 0]
    assert torch.equal(probabilities(logits, top_k=1), probabilities(logits, temperature=0))
    expected = torch.tensor([0.25, 0.09, 0.0225, 0.0025], dtype=torch.float64)
    cold = probabilities(logits, temperature=0.5)
    assert torch.allclose(cold, expected / expected.sum(), atol=1e-6)
    two = torch.tensor([0.625, 0.375, 0, 0], dtype=torch.float64)
    for knobs in ({"top_k": 2}, {"top_p": 0.6}, {"top_p": 0.8}, {"top_k": 3, "top_p": 0.8}):
        assert torch.allclose(probabilities(logits, **knobs), two, atol=1e-6)
    assert probabilities(logits, top_p=0.0).tolist() == [1, 0, 0, 0]
    assert probabilities(torch.zeros(4), temperature=0).tolist() == [1, 0, 0, 0]


def test_top_k_and_top_p_are_those_of_transformers():
    library = pytest.importorskip("transformers")
    logits = torch.randn(5, 50, generator=torch.Generator().manual_seed(0)) * 3
    for knobs, warp in (
        ({"top_k": 7}, library.TopKLogitsWarper(7)),
        ({"top_p": 0.7}, library.TopPLogitsWarper(0.7)),
        ({"temperature": 0.6}, library.TemperatureLogitsWarper(0.6)),
    ):
        theirs = warp(None, logits.clone()).double().softmax(-1)
        assert torch.allclose(probabilities(logits, **knobs), theirs, atol=1e-6)


def test_a_uniform_number_picks_the_token_where_the_sum_passes_it():
    p = torch.tensor([[0.25, 0.0, 0.5, 0.25, 0.0]], dtype=torch.float64)
    for u, token in ((0.0, 0), (0.2499, 0), (0.25, 2), (0.7499, 2), (0.75, 3), (1 - 1e-16, 3)):
        assert int(inverse_cdf(p, torch.tensor([u], dtype=torch.float64))) == token


def test_tokens_come_as_often_as_they_are_likely():
    p = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
    u = Noise(range(4)).rand(5000, dtype=torch.float64).flatten()
    share = inverse_cdf(p.expand(len(u), -1), u).bincount() / len(u)
    assert torch.allclose(share.double(), p, atol=4 * math.sqrt(0.25 / len(u)))


# --- GPT ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gpt() -> GPT:
    return opinionated("gpt")


def differs(one: torch.Tensor, other: torch.Tensor) -> bool:
    return not torch.equal(one, other)


def test_a_seed_writes_the_same_alone_with_others_and_without_the_cache(gpt, monkeypatch):
    """Float32 sums differ in their last digits with the batch; a token may flip where its uniform
    number lies at a boundary: in at most 1 of 200 seeds."""
    seeds = range(192)
    together = torch.cat([final(gpt.sample(Noise(seeds[k : k + 64]))) for k in (0, 64, 128)])
    threes = torch.cat([final(gpt.sample(Noise(seeds[k : k + 3]))) for k in range(0, 192, 3)])
    monkeypatch.setattr(KeyValueCache, "add", lambda self, new: None)  # nothing is remembered
    without = torch.cat([final(gpt.sample(Noise(seeds[k : k + 64]))) for k in (0, 64, 128)])
    assert sum(map(differs, together, threes)) <= 1
    assert sum(map(differs, together, without)) <= 1
    assert sum(map(differs, together, together.roll(1, 0))) == 192


def test_where_two_draws_part_the_number_lies_at_a_boundary(gpt):
    """As close to it as the two answers differ."""
    u = Noise(range(200)).rand(gpt.config.length, dtype=torch.float64)
    logits = torch.randn(200, 96, generator=torch.Generator().manual_seed(0))
    nudged = logits + 1e-5 * torch.randn(200, 96, generator=torch.Generator().manual_seed(1))
    p, q = probabilities(logits), probabilities(nudged)
    parted = (inverse_cdf(p, u[:, 0]) != inverse_cdf(q, u[:, 0])).nonzero().flatten()
    for row in parted:
        assert (p[row].cumsum(0) - u[row, 0]).abs().min() < 1e-4
    assert len(parted) <= 2


def test_top_k_of_one_is_the_likeliest_token_whatever_the_seed(gpt):
    greedy = final(gpt.sample(Noise([1, 2]), prompt="Ab", temperature=0.0))
    assert torch.equal(greedy, final(gpt.sample(Noise([3, 4]), prompt="Ab", top_k=1)))
    assert torch.equal(greedy[0], greedy[1])


def test_one_goes_on_from_an_edit_and_all_before_it_stays(gpt):
    x = final(gpt.sample(Noise([5, 6])))
    edited = x.clone()
    edited[:, 9] = (x[:, 9] + 1) % 96
    edited[:, 10:] = -1
    again = final(gpt.sample(Noise([5, 6]), given=edited))
    assert torch.equal(again[:, :10], edited[:, :10]) and differs(again[:, 10:], x[:, 10:])
    edited[:, 9] = x[:, 9]
    assert torch.equal(final(gpt.sample(Noise([5, 6]), given=edited)), x)  # undone
    assert torch.equal(final(gpt.sample(Noise([6]), given=edited[1])), x[1:])


def test_a_token_that_stands_further_on_is_read_when_its_turn_comes(gpt):
    x = final(gpt.sample(Noise([5, 6])))
    given = torch.full((2, 24), -1)
    given[0, 9] = (x[0, 9] + 1) % 96  # and nothing of the other row
    again = final(gpt.sample(Noise([5, 6]), given=given))
    assert torch.equal(again[0, :9], x[0, :9]) and torch.equal(again[1], x[1])
    assert again[0, 9] == given[0, 9] and differs(again[0, 10:], x[0, 10:])
    step_by_step = x[0].clone()
    step_by_step[9], step_by_step[10:] = given[0, 9], -1
    assert torch.equal(final(gpt.sample(Noise([5]), given=step_by_step))[0], again[0])


def test_the_total_is_told_before(gpt):
    given, gaps = torch.full((24,), -1), torch.full((2, 24), -1)
    given[:3] = gaps[0, :5] = gaps[1, :4] = gaps[:, 20] = 5
    for knobs in ({}, {"tokens": 4}, {"prompt": "Ab"}, {"given": given}, {"given": gaps[1]}):
        *_, last = gpt.sample(Noise([0]), **knobs)
        assert last.total == gpt.total(knobs)


def test_a_prompt_beside_rows_to_go_on_from_is_refused(gpt):
    with pytest.raises(KnobError, match="leave the prompt out"):
        final(gpt.sample(Noise([0]), prompt="A", given=torch.full((24,), -1)))


def test_what_one_cannot_go_on_from_is_refused(gpt):
    wrong = (torch.zeros(7, dtype=torch.long), torch.zeros(24))
    for given in (*wrong, torch.full((24,), 96), torch.full((24,), -2)):
        with pytest.raises(KnobError, match="given"):
            final(gpt.sample(Noise([0, 1]), given=given))


def test_a_beginning_is_kept_and_of_a_long_one_its_end(gpt):
    text = gpt.text(final(gpt.sample(Noise([0, 1]), prompt="King: ", tokens=4)))
    assert all(t.startswith("King: ") and len(t) == 10 for t in text)
    long = "".join(itertools.islice(itertools.cycle("abcdef"), 20_000))
    (written,) = gpt.text(final(gpt.sample(Noise([0]), prompt=long, tokens=3)))
    assert written[:12] == long[-12:] and len(written) == 15
    with pytest.raises(KnobError, match="20,001 characters"):
        gpt.sample(Noise([0]), prompt="a" * 20_001)


@pytest.mark.parametrize("prompt", ["", "日本語", "<script>alert(1)</script>", "\x00\ud800", "   "])
@pytest.mark.parametrize("family", ["gpt", "masked-diffusion"])
def test_any_text_can_be_a_beginning(family, prompt):
    model = tiny(family)
    (written,) = model.text(final(model.sample(Noise([0]), prompt=prompt)))
    read = in_ascii(prompt.encode("utf-8", "replace").decode())[0][-12:]
    assert written.startswith(read) and len(written) == 24


@torch.inference_mode()
def test_the_probabilities_of_all_texts_sum_to_one():
    small = opinionated("gpt", length=2)
    every = torch.cartesian_prod(torch.arange(96), torch.arange(96))
    assert math.isclose(float(small.log_prob(every).exp().sum()), 1, abs_tol=1e-4)


def test_dropout_follows_from_the_generator_and_touches_no_other_numbers():
    model = tiny("gpt", dropout=0.5).train()
    x, rng = torch.randint(96, (4, 24)), torch.Generator()
    before = torch.get_rng_state()
    losses = [model.loss(x, x[:, 0], rng.manual_seed(seed))["loss"] for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]
    assert torch.equal(torch.get_rng_state(), before)


# --- masked diffusion -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def diffusion() -> MaskedDiffusion:
    return opinionated("masked-diffusion")


def test_as_many_tokens_appear_in_each_step_as_chance_has_it(diffusion):
    frames = list(diffusion.sample(Noise(range(50)), steps=8))
    drawn = [int((frame.x >= 0).sum()) / frame.x.numel() for frame in frames]
    assert drawn[0] == 0 and drawn[-1] == 1
    assert all(abs(share - k / 8) < 0.06 for k, share in enumerate(drawn))


def test_tokens_appear_everywhere_and_the_beginning_stays(diffusion):
    frames = list(diffusion.sample(Noise([0]), prompt="Once", steps=6))
    assert all(diffusion.text(f.x)[0].startswith("Once") for f in frames)
    middle = frames[3].x[0, 4:] >= 0
    assert middle.any() and not middle.all() and (middle.diff() != 0).sum() > 2
    assert all((f.x0 >= 0).all() for f in frames[:-1])


@torch.inference_mode()
def test_the_bound_of_a_network_that_knows_nothing_is_that_of_chance():
    model = tiny("masked-diffusion")
    model.net.tokens.weight.zero_()
    x = torch.randint(96, (3, 24), generator=torch.Generator().manual_seed(0))
    assert torch.allclose(model.bound(x), torch.full((3,), 24 * math.log(96)), rtol=1e-5)


@torch.inference_mode()
def test_the_bound_is_the_mean_over_all_orders_in_which_tokens_can_be_drawn(diffusion):
    """Of two tokens: either the first and then the second, which sees it, or the other way round
    (Hoogeboom et al. 2022, eq. 3)."""
    model = opinionated("masked-diffusion", length=2)
    x = torch.tensor([[30, 41]])
    hidden = torch.tensor([[-1, -1], [30, -1], [-1, 41]])
    log_p = model._logits(hidden).log_softmax(-1)
    first_alone, second_alone = log_p[0, 0, 30], log_p[0, 1, 41]
    orders = [first_alone + log_p[1, 1, 41], second_alone + log_p[2, 0, 30]]
    rng = torch.Generator().manual_seed(0)
    bounds = model.bound(x.expand(4000, -1), rng)
    expected = -float(torch.stack(orders).mean())
    assert math.isclose(float(bounds.mean()), expected, abs_tol=5 * float(bounds.std()) / 4000**0.5)
    losses = torch.stack(
        [model.loss(x.expand(64, -1), x[:, 0], rng.manual_seed(k))["loss"] for k in range(60)]
    )
    spread = float(losses.std()) / 60**0.5
    assert math.isclose(2 * float(losses.mean()), expected, abs_tol=10 * spread)
