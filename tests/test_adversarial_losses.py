"""What GANs descend, against closed forms, against autograd, and in stacks."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.nets.adversarial_losses import (
    LOSSES,
    between,
    cross_entropy,
    off_unit_slope,
    saturating,
    squared_slope,
    wasserstein,
)

LINE = torch.linspace(-12, 14, 40_001, dtype=torch.float64)


def normal(mean: float) -> Tensor:
    """The density on the line."""
    return torch.exp(-((LINE - mean) ** 2) / 2) / math.sqrt(2 * math.pi)


def integral(values: Tensor) -> Tensor:
    return torch.trapezoid(values, LINE)


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    m = (p + q) / 2
    return (integral(torch.special.xlogy(p, p / m)) + integral(torch.special.xlogy(q, q / m))) / 2


def at_quantiles(density: Tensor, count: int = 20_000) -> Tensor:
    """Points that stand for a density: each for an equal share of it."""
    mass = torch.cumulative_trapezoid(density, LINE)
    levels = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return LINE[1:][torch.searchsorted(mass, levels).clamp(max=len(mass) - 1)]


@pytest.mark.parametrize("apart", [0.0, 0.5, 2.0, 4.0])
def test_the_best_discriminator_measures_the_jensen_shannon_divergence(apart):
    x, y = at_quantiles(normal(0)), at_quantiles(normal(apart))

    def value(scale: float, shift: float) -> float:
        """Of N(0, 1) against N(apart, 1), with logits scale * log(p / q) + shift."""
        return -cross_entropy(*(scale * (apart**2 / 2 - apart * v) + shift for v in (x, y))).item()

    truth = 2 * jensen_shannon(normal(0), normal(apart)).item() - math.log(4)
    assert value(1, 0) == pytest.approx(truth, abs=2e-4)
    others = [value(1.1, 0), value(0.9, 0), value(1, 0.1), value(1, -0.1), value(0, 0)]
    assert max(others) <= value(1, 0) + 1e-6


def test_minimax_moves_the_generator_down_that_divergence():
    """At the best discriminator, the gradient of the generator's loss by the fakes' mean is that of
    2 JSD."""
    apart, step = 1.5, 1e-3
    mean = torch.tensor(apart, dtype=torch.float64, requires_grad=True)
    fake = at_quantiles(normal(0)) + mean  # one and the same discriminator, moved fakes
    (gradient,) = torch.autograd.grad(saturating(apart**2 / 2 - apart * fake), mean)
    ends = [jensen_shannon(normal(0), normal(apart + d)) for d in (-step, step)]
    assert gradient.item() == pytest.approx(float(ends[1] - ends[0]) / step, rel=1e-3)


def test_the_best_critic_of_slope_one_measures_the_wasserstein_distance():
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(400, generator=rng, dtype=torch.float64)
    y = 3 + torch.randn(400, generator=rng, dtype=torch.float64) / 2
    truth = (x.sort().values - y.sort().values).abs().mean()  # of point clouds on a line
    grid = torch.cat([x, y]).sort().values
    # Its slope is the sign of the difference of both cumulative distributions.
    above = torch.searchsorted(x.sort().values, grid, right=True) > torch.searchsorted(
        y.sort().values, grid, right=True
    )
    steps = torch.where(above[:-1], -1.0, 1.0) * grid.diff()
    critic = torch.cat([torch.zeros(1), steps.cumsum(0)]).double()
    real, fake = (critic[torch.searchsorted(grid, v)] for v in (x, y))
    assert -wasserstein(real, fake).item() == pytest.approx(truth.item(), rel=1e-9)
    assert -wasserstein(-x, -y) <= truth + 1e-9  # another critic of slope one


@pytest.mark.parametrize("name", LOSSES)
def test_losses_have_the_gradients_that_finite_differences_have(name):
    loss, rng = LOSSES[name], torch.Generator().manual_seed(1)
    real, fake = torch.randn(2, 3, 7, generator=rng, dtype=torch.float64).unbind()
    real.requires_grad_()
    fake.requires_grad_()
    assert torch.autograd.gradcheck(loss.discriminator, (real, fake))
    assert torch.autograd.gradcheck(loss.generator, (fake, real))


@pytest.mark.parametrize("name", LOSSES)
def test_a_stack_of_runs_gives_each_its_own_loss(name):
    loss, rng = LOSSES[name], torch.Generator().manual_seed(2)
    real, fake = torch.randn(2, 5, 16, generator=rng, dtype=torch.float64).unbind()
    for player, pair in ((loss.discriminator, (real, fake)), (loss.generator, (fake, real))):
        alone = [player(a, b) for a, b in zip(*pair, strict=True)]
        assert alone[0].shape == () and torch.equal(player(*pair), torch.stack(alone))


@pytest.mark.parametrize("name", LOSSES)
def test_the_players_want_opposite_things_of_a_forgery(name):
    loss, zero = LOSSES[name], torch.zeros(8, dtype=torch.float64, requires_grad=True)
    real = torch.zeros(8, dtype=torch.float64)
    (caught,) = torch.autograd.grad(loss.discriminator(real, zero + 0.2), zero)
    (passed,) = torch.autograd.grad(loss.generator(zero + 0.2, real), zero)
    assert (caught > 0).all() and (passed < 0).all()


def test_where_the_discriminator_is_sure_minimax_has_no_gradient_left():
    fake = torch.full((4,), -10.0, dtype=torch.float64, requires_grad=True)
    slopes = {
        name: torch.autograd.grad(LOSSES[name].generator(fake, fake.detach()), fake)[0].abs().sum()
        for name in ("minimax", "non-saturating")
    }
    assert slopes["minimax"] < 1e-4 and slopes["non-saturating"] > 0.999


def net(inputs: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(inputs, 6), nn.Tanh(), nn.Linear(6, 1)).double()


def test_slopes_are_those_of_each_point_by_itself():
    critic, x = net(2), torch.randn(3, 5, 2, dtype=torch.float64)
    found = squared_slope(critic(x.requires_grad_())[..., 0], x)
    for run in range(3):
        for k in range(5):
            jacobian = torch.autograd.functional.jacobian(critic, x[run, k].detach())
            assert found[run, k].item() == pytest.approx(jacobian.square().sum().item())
    unit = off_unit_slope(critic(x)[..., 0], x)
    assert torch.allclose(unit, (found.sqrt() - 1).square())


def test_slopes_of_pictures_go_over_all_their_pixels():
    kernel = torch.randn(3, 4, 4, dtype=torch.float64)
    x = torch.randn(5, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    found = squared_slope((x * kernel).sum((1, 2, 3)), x)
    assert found.shape == (5,) and torch.allclose(found, kernel.square().sum().expand(5))


@pytest.mark.parametrize("penalty", [squared_slope, off_unit_slope])
def test_penalties_can_be_trained_on(penalty):
    """Second derivatives, by the weights of a network, against finite differences."""
    rng = torch.Generator().manual_seed(3)
    x = torch.randn(4, 2, generator=rng, dtype=torch.float64)
    first, second = torch.randn(2, 2, 5, generator=rng, dtype=torch.float64).unbind()

    def total(first: Tensor, second: Tensor) -> Tensor:
        point = x.clone().requires_grad_()
        hidden = F.softplus(point @ first)
        return penalty((hidden * second[0]).sum(-1), point).mean()

    weights = first.requires_grad_(), second.requires_grad_()
    assert torch.autograd.gradcheck(total, weights)


def test_points_between_lie_on_the_lines_from_forgeries_to_data():
    real, fake = torch.randn(2, 3, 6, 2).unbind()
    assert torch.equal(between(real, fake, torch.zeros(3, 6, 1)), fake)
    assert torch.allclose(between(real, fake, torch.ones(3, 6, 1)), real)
    half = between(real, fake, torch.full((3, 6, 1), 0.5))
    assert torch.allclose(half, (real + fake) / 2)
