"""Vector quantisation: by hand, in two dimensions, and that no code stays unused."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from gen_core.nets.vector_quantizer import DEAD, DECAY, REBORN, VectorQuantizer


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def compass() -> VectorQuantizer:
    """Four codes, to the east, north, west and south, each of which stood for ten vectors."""
    quantizer = VectorQuantizer(4, 2)
    quantizer.uses.fill_(10)
    quantizer.sums.copy_(10 * torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]]))
    return quantizer


def vectors(*points: tuple[float, float]) -> torch.Tensor:
    """One picture of these in a row: (1, 2, 1, n)"""
    return torch.tensor(points).T[None, :, None]


def test_a_vector_becomes_the_code_in_its_direction_however_long_it_is():
    said = compass().eval()(vectors((100.0, 1.0), (0.01, 0.02), (-3.0, -4.0)))
    assert said.tokens.tolist() == [[[0, 1, 3]]]
    assert torch.equal(said.vectors, vectors((1.0, 0.0), (0.0, 1.0), (0.0, -1.0)))


def test_commitment_and_perplexity_by_hand():
    """(3, 4) / 5 is (0.6, 0.8): to the north, 0.6^2 + 0.2^2 = 0.4 away; (2, 0) is 0 away."""
    said = compass().eval()(vectors((3.0, 4.0), (2.0, 0.0)))
    assert said.tokens.tolist() == [[[1, 0]]]
    assert said.commitment.item() == pytest.approx((0.4 + 0) / 2)
    assert said.perplexity.item() == pytest.approx(2)
    said = compass().eval()(vectors((1.0, 0.0), (1.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert said.perplexity.item() == pytest.approx(math.exp(entropy))


def test_gradients_pass_the_choice_as_if_it_were_none():
    z = vectors((3.0, 4.0), (1.0, -0.2)).requires_grad_()
    weight = vectors((2.0, -1.0), (0.5, 3.0))
    (through,) = torch.autograd.grad((compass()(z, rng()).vectors * weight).sum(), z)
    (straight,) = torch.autograd.grad((F.normalize(z, dim=1) * weight).sum(), z)
    torch.testing.assert_close(through, straight)


def test_the_commitment_moves_vectors_and_not_codes():
    z = vectors((3.0, 4.0)).requires_grad_()
    quantizer = compass()
    quantizer(z, rng()).commitment.backward()
    assert float(z.grad[0, 0, 0, 0]) > 0 > float(z.grad[0, 1, 0, 0])  # to the north
    assert not [*quantizer.parameters()]


def test_a_code_is_the_moving_average_of_its_vectors():
    """Appendix A.1, eq. 6 to 8, of two vectors to the north."""
    quantizer = compass()
    quantizer(vectors((3.0, 4.0), (0.0, 7.0)), rng())
    uses = DECAY * 10 + (1 - DECAY) * torch.tensor([0.0, 2.0, 0.0, 0.0])
    sums = DECAY * torch.tensor([0.0, 10.0]) + (1 - DECAY) * torch.tensor([0.6, 0.8 + 1.0])
    torch.testing.assert_close(quantizer.uses, uses)
    torch.testing.assert_close(quantizer.sums[1], sums)
    torch.testing.assert_close(quantizer.codes[1], sums / sums.norm())
    torch.testing.assert_close(quantizer.codes[0], torch.tensor([1.0, 0.0]))


def test_nothing_is_learned_outside_of_training():
    quantizer = compass().eval()
    before = {name: value.clone() for name, value in quantizer.state_dict().items()}
    quantizer(vectors((3.0, 4.0)))
    assert all(torch.equal(before[k], v) for k, v in quantizer.state_dict().items())


def test_a_dead_code_begins_again_as_one_of_the_vectors():
    quantizer = compass()
    quantizer.uses[2] = DEAD / 4 / 2  # of two vectors for four codes, half of what lets it live
    quantizer(vectors((3.0, 4.0), (3.0, 4.0)), rng())
    torch.testing.assert_close(quantizer.codes[2], torch.tensor([0.6, 0.8]))
    assert quantizer.uses[2].item() == pytest.approx(REBORN * 2 / 4)
    torch.testing.assert_close(quantizer.codes[3], torch.tensor([0.0, -1.0]))  # it lives


def test_all_codes_come_into_use_where_all_begin_far_from_the_vectors():
    """Vectors in one corner of a sphere in eight dimensions, codes everywhere."""
    quantizer, generator = VectorQuantizer(64, 8), rng(3)

    def some(count: int) -> torch.Tensor:
        z = torch.randn(count, 8, 8, 8, generator=generator) * 0.3
        z[:, 0] += 1
        return z

    before = quantizer.eval()(some(16))
    for _ in range(100):
        quantizer.train()(some(4), generator)
    after = quantizer.eval()(some(16))
    assert before.perplexity < 0.3 * 64
    assert len(after.tokens.unique()) > 0.95 * 64 and after.perplexity > 0.7 * 64


def test_no_code_is_as_a_negative_token_says():
    vectors = compass().vectors(torch.tensor([[[1, -1]]]))
    assert vectors[0, :, 0].T.tolist() == [[0.0, 1.0], [0.0, 0.0]]


def test_what_is_not_finite_reaches_no_code():
    quantizer = compass()
    quantizer(vectors((math.nan, 1.0), (1.0, 0.0)), rng())
    assert all(value.isfinite().all() for value in quantizer.state_dict().values())
