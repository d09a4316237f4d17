"""Our solvers against diffusers' schedulers: the same state after every step.

diffusers counts t from 999 to 0 where we count from 1000 to 1, so its t is our t - 1.
"""

import math

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
)

from gen_core import Noise
from gen_core.solvers import DIFFUSION_SOLVERS, NoiseSchedule, Prediction

SCHEDULE = NoiseSchedule.linear()
EVENT = (3, 4)
COMMON = {"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}
TRAILING = {**COMMON, "timestep_spacing": "trailing"}


def network(x: torch.Tensor, t: float) -> torch.Tensor:
    """A made-up predicted noise, not linear in x and different at each t: (B, ...) -> (B, ...)"""
    return 0.8 * torch.sin(1.3 * x) + 0.3 * math.cos(t / 150) + 0.1 * x.flip(-1)


def predict(x_t: torch.Tensor, t: float) -> Prediction:
    signal, spread = SCHEDULE.scales_at(t)
    eps = network(x_t, t)
    return Prediction((x_t - spread * eps) / signal, eps)


def our_states(solver: str, steps: int, seed: int = 0, eta: float = 0.0) -> list[torch.Tensor]:
    noise = Noise([seed])
    x = noise.randn(*EVENT).double()
    frames = DIFFUSION_SOLVERS[solver](predict, x, SCHEDULE, steps, noise, eta=eta)
    return [frame.x for frame in frames]


def library_states(scheduler, steps: int, seed: int = 0, **options) -> list[torch.Tensor]:
    """The loop of diffusers' documentation; its noise comes from the sample's own generator."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(1, *EVENT, generator=generator).double()
    scheduler.set_timesteps(steps)
    states = [x]
    for t in scheduler.timesteps:
        if isinstance(scheduler, DDPMScheduler | DDIMScheduler):
            options["generator"] = generator
        x = scheduler.step(network(x, float(t) + 1), t, x, **options).prev_sample
        states.append(x)
    return states


def assert_same(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> None:
    """diffusers keeps its betas in float32, hence the tolerance."""
    assert len(ours) == len(theirs)
    for step, (x, y) in enumerate(zip(ours, theirs, strict=True)):
        torch.testing.assert_close(x, y, rtol=2e-4, atol=2e-4, msg=lambda m, s=step: f"{s}: {m}")


@pytest.mark.parametrize("steps", [1, 7, 10, 50, 1000])
def test_ddpm(steps):
    library = DDPMScheduler(**TRAILING, clip_sample=False, variance_type="fixed_small")
    assert_same(our_states("ddpm", steps), library_states(library, steps))


@pytest.mark.parametrize("steps", [1, 10, 50, 1000])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim(steps, eta):
    """diffusers' DDIM takes whole strides, so the steps here divide 1000."""
    library = DDIMScheduler(**TRAILING, clip_sample=False)
    ours = our_states("ddim", steps, eta=eta)
    theirs = library_states(library, steps, eta=eta)
    assert_same(ours, theirs)


@pytest.mark.parametrize("steps", [1, 2, 7, 20, 50])
def test_dpm_solver_2m(steps):
    library = DPMSolverMultistepScheduler(
        **TRAILING, algorithm_type="dpmsolver++", solver_order=2, final_sigmas_type="zero"
    )
    assert_same(our_states("dpm++2m", steps), library_states(library, steps))


def karras_states(scheduler, steps: int) -> list[torch.Tensor]:
    """diffusers walks z = x_t / sqrt(alpha_bar); these are its states as x_t, one a step."""
    scheduler.set_timesteps(steps)
    z = Noise([0]).randn(*EVENT).double() * math.sqrt(1 + float(scheduler.sigmas[0]) ** 2)
    states, last = [], None
    for t in scheduler.timesteps:
        x = scheduler.scale_model_input(z, t)
        if not getattr(scheduler, "dt", None):  # Heun's second look is no state of its own
            states.append(x)
        z = scheduler.step(network(x, float(t) + 1), t, z).prev_sample
        last = z
    return [*states, last]


@pytest.mark.parametrize("steps", [1, 2, 10, 30])
def test_euler(steps):
    """Karras' noise levels between the schedule's own ends, as `karras_sigmas` documents."""
    library = EulerDiscreteScheduler(
        **TRAILING,
        use_karras_sigmas=True,
        sigma_min=SCHEDULE.sigma(1),
        sigma_max=SCHEDULE.sigma(1000),
    )
    assert_same(our_states("euler", steps), karras_states(library, steps))


@pytest.mark.parametrize("steps", [2, 10, 30])
def test_heun(steps):
    """With linear spacing the ends that diffusers' Heun takes from its grid are the schedule's."""
    library = HeunDiscreteScheduler(**COMMON, timestep_spacing="linspace", use_karras_sigmas=True)
    assert_same(our_states("heun", steps), karras_states(library, steps))
