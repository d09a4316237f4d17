"""Solvers where the answer is known: with a perfect network they must reach it, at their order."""

import math

import numpy as np
import pytest
import torch

from core_fixtures import exact
from gen_core import Noise, final
from gen_core.data.toys import GaussianMixture, ring
from gen_core.solvers import DIFFUSION_SOLVERS, FLOW_SOLVERS, NoiseSchedule

SCHEDULE = NoiseSchedule.linear()
CENTRE, WIDTH = 1.5, 0.5
GAUSSIAN = GaussianMixture(torch.tensor([[CENTRE]]), WIDTH)
STARTS = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
NONE = Noise([])


def diffuse(solver: str, steps: int, x: torch.Tensor, noise: Noise = NONE, toy=GAUSSIAN, eta=0.0):
    """(B, D) noise -> (B, D) samples, in float64"""
    predict = exact(toy, SCHEDULE)
    *_, last = DIFFUSION_SOLVERS[solver](predict, x, SCHEDULE, steps, noise, eta=eta)
    return last.x


def diffusion_error(solver: str, steps: int) -> float:
    """Against the closed form of the probability-flow ODE on one Gaussian.

    In z = x_t / sqrt(alpha_bar) it keeps (z - centre) / sqrt(width^2 + sigma^2) constant.
    """
    sigma = SCHEDULE.sigma(SCHEDULE.total)
    z = STARTS * math.sqrt(1 + sigma**2)
    truth = CENTRE + (z - CENTRE) * WIDTH / math.sqrt(WIDTH**2 + sigma**2)
    return float((diffuse(solver, steps, STARTS) - truth).abs().max())


@pytest.mark.parametrize(
    ("solver", "order"), [("ddim", 1), ("euler", 1), ("dpm++2m", 2), ("heun", 2)]
)
def test_diffusion_solvers_converge_with_their_order(solver, order):
    errors = [diffusion_error(solver, steps) for steps in (20, 40, 80, 160)]
    orders = [math.log2(a / b) for a, b in zip(errors, errors[1:], strict=False)]
    assert errors[-1] < 0.02
    assert order - 0.2 < np.mean(orders) < order + 0.5, (errors, orders)


def flow_error(solver: str, steps: int) -> float:
    """The flow of one Gaussian: x_t = t centre + sqrt((1 - t)^2 + t^2 width^2) x_0."""
    truth = CENTRE + WIDTH * STARTS

    def velocity(x, t):
        return GAUSSIAN.velocity(x, float(t[0]))

    *_, last = FLOW_SOLVERS[solver](velocity, STARTS, steps)
    return float((last.x - truth).abs().max())


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("midpoint", 3), ("heun", 2)])
def test_flow_solvers_converge_with_their_order(solver, order):
    """On one Gaussian the midpoint's leading error cancels, and it gains an order."""
    errors = [flow_error(solver, steps) for steps in (10, 20, 40, 80)]
    orders = [math.log2(a / b) for a, b in zip(errors, errors[1:], strict=False)]
    assert errors[-1] < 0.02
    assert order - 0.2 < np.mean(orders) < order + 0.3, (errors, orders)


def test_flow_frames_follow_the_closed_form_path():
    frames = list(FLOW_SOLVERS["heun"](lambda x, t: GAUSSIAN.velocity(x, float(t[0])), STARTS, 50))
    for frame in frames:
        t = frame.level
        path = t * CENTRE + math.sqrt((1 - t) ** 2 + (t * WIDTH) ** 2) * STARTS
        torch.testing.assert_close(frame.x, path, atol=2e-3, rtol=0)


@pytest.mark.parametrize("solver", DIFFUSION_SOLVERS)
def test_diffusion_reaches_the_mixture(solver):
    """From noise to the ring of eight: every mode as often, and as wide, as it is.

    DDPM's posterior variance is that of a known x_0, which leaves it a little too narrow.
    """
    toy, count, steps = ring(std=0.2), 1000, 100
    noise = Noise(range(count))
    x = diffuse(solver, steps, noise.randn(2).double(), noise, toy)
    nearest = torch.cdist(x, toy.means).argmin(1)
    shares = torch.bincount(nearest, minlength=8) / count
    assert float((shares - 1 / 8).abs().max()) < 4 * math.sqrt(0.125 / count)
    spread = float((x - toy.means[nearest]).std())
    assert spread == pytest.approx(0.2, rel=0.2 if solver == "ddpm" else 0.07)


@pytest.mark.parametrize("solver", FLOW_SOLVERS)
def test_flow_reaches_the_mixture(solver):
    toy, count = ring(std=0.2), 1000
    x = Noise(range(count)).randn(2).double()
    *_, last = FLOW_SOLVERS[solver](lambda x, t: toy.velocity(x, float(t[0])), x, 100)
    nearest = torch.cdist(last.x, toy.means).argmin(1)
    shares = torch.bincount(nearest, minlength=8) / count
    assert float((shares - 1 / 8).abs().max()) < 4 * math.sqrt(0.125 / count)
    assert float((last.x - toy.means[nearest]).std()) == pytest.approx(0.2, rel=0.07)


def test_ancestral_sampling_has_the_right_variance_at_full_length():
    toy, noise = GaussianMixture(torch.full((1, 100), CENTRE), WIDTH), Noise(range(50))
    x = diffuse("ddpm", 1000, noise.randn(100).double(), noise, toy)
    assert float(x.mean()) == pytest.approx(CENTRE, abs=4 * WIDTH / math.sqrt(x.numel()))
    assert float(x.std()) == pytest.approx(WIDTH, rel=4 / math.sqrt(2 * x.numel()))


@pytest.mark.parametrize("steps", [1, 7, 50])
def test_ddim_with_eta_1_is_ddpm(steps):
    """Song et al. 2021, section 4.1: the same posterior, so the same numbers."""
    states = []
    for solver in ("ddpm", "ddim"):
        noise = Noise(range(5))
        states.append(diffuse(solver, steps, noise.randn(1).double(), noise, eta=1.0))
    torch.testing.assert_close(states[0], states[1], atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("solver", ["ddim", "dpm++2m", "euler", "heun"])
def test_solvers_of_the_ode_draw_no_noise(solver):
    noise = Noise([0])
    diffuse(solver, 5, noise.randn(1).double(), noise)
    fresh = Noise([0])
    fresh.randn(1)
    assert torch.equal(noise.randn(4), fresh.randn(4))


@pytest.mark.parametrize("solver", DIFFUSION_SOLVERS)
def test_a_frame_holds_the_guess_made_from_its_own_state(solver):
    predict = exact(GAUSSIAN, SCHEDULE)
    noise = Noise(range(9))
    frames = list(DIFFUSION_SOLVERS[solver](predict, STARTS, SCHEDULE, 6, noise, eta=0.5))
    assert [frame.step for frame in frames] == list(range(7))
    assert frames[0].level == pytest.approx(1000) and frames[-1].level == 0
    torch.testing.assert_close(frames[0].x, STARTS, rtol=1e-6, atol=1e-6)
    for frame in frames[:-1]:
        guess = predict(frame.x, frame.level)
        torch.testing.assert_close(frame.x0, guess.x0, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(frame.out, guess.eps, rtol=1e-6, atol=1e-6)
    assert frames[-1].x0 is None and frames[-1].out is None


@pytest.mark.parametrize(
    ("solver", "calls"), [("ddpm", 8), ("ddim", 8), ("dpm++2m", 8), ("euler", 8), ("heun", 15)]
)
def test_network_evaluations_of_eight_steps(solver, calls):
    counted = []

    def predict(x, t):
        counted.append(t)
        return exact(GAUSSIAN, SCHEDULE)(x, t)

    noise = Noise(range(9))
    final(DIFFUSION_SOLVERS[solver](predict, STARTS, SCHEDULE, 8, noise))
    assert len(counted) == calls
    assert all(0 < t <= 1000 for t in counted)


@pytest.mark.parametrize(("solver", "calls"), [("euler", 8), ("midpoint", 16), ("heun", 16)])
def test_flow_evaluations_of_eight_steps(solver, calls):
    counted = []
    final(FLOW_SOLVERS[solver](lambda x, t: counted.append(t) or -x, STARTS, 8))
    assert len(counted) == calls
    assert all(0 <= float(t[0]) <= 1 for t in counted)


def test_the_schedule_is_that_of_the_paper():
    """Ho et al. 2020, section 4: beta from 1e-4 to 0.02, almost no signal left at T."""
    beta = 1 - SCHEDULE.alpha_bar[1:] / SCHEDULE.alpha_bar[:-1]
    np.testing.assert_allclose(beta, np.linspace(1e-4, 0.02, 1000), rtol=1e-9)
    assert SCHEDULE.alpha_bar[0] == 1 and 0 < SCHEDULE.alpha_bar[-1] < 1e-4


@pytest.mark.parametrize("t", [1, 2, 1.5, 17, 500.25, 999.9, 1000])
def test_sigma_and_time_are_inverse(t):
    assert SCHEDULE.time(SCHEDULE.sigma(t)) == pytest.approx(t, rel=1e-9)
    signal, spread = SCHEDULE.scales_at(t)
    assert signal**2 + spread**2 == pytest.approx(1)
    assert SCHEDULE.sigma(0) == 0 == SCHEDULE.time(0) and SCHEDULE.scales_at(0) == (1, 0)


def test_times_and_noise_levels_fall_from_end_to_end_whatever_the_steps():
    for steps in range(1, 1001):
        times, sigmas = SCHEDULE.even_times(steps), SCHEDULE.karras_sigmas(steps)
        for walk in (times, sigmas):
            assert len(walk) == steps + 1
            assert all(a > b for a, b in zip(walk, walk[1:], strict=False)), steps
            assert walk[-1] == 0
        assert times[0] == 1000
        assert sigmas[0] == pytest.approx(SCHEDULE.sigma(1000))


def test_adding_noise_has_the_stated_share_of_signal():
    x_0, eps = torch.full((3, 1, 2, 2), 2.0), torch.full((3, 1, 2, 2), -1.0)
    x_t = SCHEDULE.add_noise(x_0, eps, torch.tensor([0, 500, 1000]))
    for row, t in zip(x_t, [0, 500, 1000], strict=True):
        signal, spread = SCHEDULE.scales_at(t)
        torch.testing.assert_close(row, torch.full((1, 2, 2), 2 * signal - spread))
