"""A sample depends on its seed alone."""

import math

import pytest
import torch

from gen_core import Noise
from gen_core.knobs import KnobError


def test_a_row_is_the_same_in_any_batch_and_order():
    together = Noise([5, 6, 7, 8])
    first, second = together.randn(3, 4), together.randn(2)
    for row, seed in enumerate([5, 6, 7, 8]):
        alone = Noise([seed])
        assert torch.equal(alone.randn(3, 4)[0], first[row])
        assert torch.equal(alone.randn(2)[0], second[row])
    assert torch.equal(Noise([8, 5]).randn(3, 4), first[[3, 0]])


def test_draws_go_on_and_global_randomness_is_left_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    noise = Noise([0])
    assert not torch.equal(noise.randn(4), noise.randn(4))
    assert torch.equal(torch.rand(3), expected)


def test_it_is_standard_normal_and_differs_between_neighbouring_seeds():
    x = Noise(range(200)).randn(500)
    assert x.dtype == torch.float32 and x.shape == (200, 500)
    assert abs(float(x.mean())) < 4 / math.sqrt(x.numel())
    assert abs(float(x.std()) - 1) < 4 / math.sqrt(2 * x.numel())
    between = torch.corrcoef(x) - torch.eye(200)
    assert float(between.abs().max()) < 0.25


@pytest.mark.parametrize("seed", [2.5, math.nan, None, "3", -1, 2**32, 10**400])
def test_a_bad_seed_is_named(seed):
    with pytest.raises(KnobError, match=r"seed=.*: choose a whole number from 0 to 4294967295"):
        Noise([0, seed])


def test_seeds_may_come_from_a_tensor():
    assert Noise(torch.tensor([3, 4])).seeds == [3, 4]
