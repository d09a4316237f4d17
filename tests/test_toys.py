"""Toy sets: samples and densities describe the same distribution."""

import math

import pytest
import torch

from gen_core.data.toys import TOYS, Curve, GaussianMixture, TwoMoons, grid, load_toy, ring, spiral
from gen_core.knobs import KnobError


def plane(side: int = 350, reach: float = 3.5) -> tuple[torch.Tensor, float]:
    """Midpoints of a fine grid, and the area of a cell."""
    line = (torch.arange(side, dtype=torch.float64) + 0.5) / side * 2 * reach - reach
    return torch.cartesian_prod(line, line), (2 * reach / side) ** 2


@pytest.mark.parametrize("name", TOYS)
def test_samples_are_float32_seeded_and_in_the_plane(name):
    toy = load_toy(name)
    x = toy.sample(500, torch.Generator().manual_seed(3))
    assert x.shape == (500, 2) and x.dtype == torch.float32
    assert x.abs().max() < 3.5
    assert torch.equal(x, toy.sample(500, torch.Generator().manual_seed(3)))
    assert not torch.equal(x, toy.sample(500, torch.Generator().manual_seed(4)))
    assert torch.isfinite(toy.log_density(x)).all()


@pytest.mark.parametrize("name", TOYS)
def test_the_density_integrates_to_one_and_fits_the_samples(name):
    toy = load_toy(name)
    cells, area = plane()
    mass = torch.cat([toy.log_density(part).exp() for part in cells.split(50_000)]) * area
    assert float(mass.sum()) == pytest.approx(1, abs=0.01)
    # The share of samples in each of 49 squares against the integral of the density there.
    x = toy.sample(20_000, torch.Generator().manual_seed(0))
    squares = ((cells + 3.5).floor().long() * torch.tensor([7, 1])).sum(1)
    expected = torch.bincount(squares, mass, minlength=49)
    found = torch.bincount(((x + 3.5).floor().long() * torch.tensor([7, 1])).sum(1), minlength=49)
    error = (found / 20_000 - expected).abs()
    assert float(error.max()) < 4 * math.sqrt(0.25 / 20_000)


@pytest.mark.parametrize("name", ["ring", "moons", "grid", "spiral"])
def test_the_entropy_of_the_samples_is_that_of_the_density(name):
    toy = load_toy(name)
    cells, area = plane(reach=2.8)
    log_density = torch.cat([toy.log_density(part) for part in cells.split(50_000)])
    entropy = -float((log_density.exp() * log_density).sum() * area)
    x = toy.sample(20_000, torch.Generator().manual_seed(1))
    assert -float(toy.log_density(x).mean()) == pytest.approx(entropy, abs=0.03)


@pytest.mark.parametrize("curve", [TwoMoons, spiral])
def test_the_quadrature_of_a_curve_has_converged(curve, monkeypatch):
    x = torch.cat([curve().sample(2000, torch.Generator().manual_seed(0)), plane(40, 2.0)[0]])
    shipped = curve().log_density(x).exp()
    monkeypatch.setattr(Curve, "NODES", 4 * Curve.NODES)
    finer = curve().log_density(x).exp()
    somewhere = finer > 1e-6
    assert somewhere.sum() > 2000
    assert torch.allclose(shipped[somewhere], finer[somewhere], rtol=1e-9)


def test_counts_of_modes():
    assert ring().means.shape == (8, 2) and grid().means.shape == (25, 2)
    assert torch.allclose(ring().means.norm(dim=1), torch.full((8,), 2.0).double())


@pytest.mark.parametrize("sigma", [0.0, 0.3, 2.0])
def test_the_score_is_the_gradient_of_the_density(sigma):
    toy = ring(std=0.4)
    z = torch.randn(20, 2, generator=torch.Generator().manual_seed(0)).double().requires_grad_()
    (gradient,) = torch.autograd.grad(toy.log_density(z, sigma).sum(), z)
    assert torch.allclose(toy.score(z.detach(), sigma), gradient, atol=1e-9)


def test_the_denoiser_is_the_conditional_mean():
    """Tweedie: E[x | z] = z + sigma^2 score (Efron 2011); and by brute force over samples."""
    toy, sigma = ring(std=0.3), 0.8
    z = torch.tensor([[1.0, 0.5], [0.0, 0.0], [-1.5, 1.0]]).double()
    assert torch.allclose(toy.denoise(z, sigma), z + sigma**2 * toy.score(z, sigma))
    x = toy.sample(200_000, torch.Generator().manual_seed(0)).double()
    weights = (-torch.cdist(z, x).square() / (2 * sigma**2)).softmax(1)
    assert torch.allclose(toy.denoise(z, sigma), weights @ x, atol=0.02)


def test_the_velocity_is_the_conditional_mean_of_the_direction():
    toy, t = GaussianMixture(torch.tensor([[1.0, 0.0], [-1.0, 2.0]]), 0.5), 0.4
    rng = torch.Generator().manual_seed(0)
    x_1 = toy.sample(200_000, rng).double()
    x_t = torch.tensor([[0.2, 0.3], [-0.5, 1.0]]).double()
    # Given x_1, the noise that leads to x_t is x_0 = (x_t - t x_1) / (1 - t).
    x_0 = (x_t[:, None] - t * x_1) / (1 - t)
    weights = (-x_0.square().sum(2) / 2).softmax(1)
    expected = (weights[:, :, None] * (x_1 - x_0)).sum(1)
    assert torch.allclose(toy.velocity(x_t, t), expected, atol=0.03)
    assert torch.allclose(toy.velocity(x_t, 0.0), toy.velocity(x_t, 1e-6), atol=1e-4)


def test_an_unknown_toy_is_named():
    with pytest.raises(KnobError, match="toy='cube': choose one of ring, moons"):
        load_toy("cube")
