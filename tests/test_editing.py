"""Edits without training: what is kept is kept exactly, ways back lead back, steps have their
order, and what cannot be edited is refused in words."""

from __future__ import annotations

import math

import pytest
import torch
from diffusers import DDIMInverseScheduler
from torch import Tensor

from core_fixtures import striped, tiny
from gen_core import Noise, final
from gen_core.editing import (
    Edit,
    fill,
    invert,
    path_of,
    recast,
    redraw,
    return_from,
    round_trip,
)
from gen_core.editing.path import Path, ahead, ahead_twice, ancestral, walk
from gen_core.knobs import KnobError
from gen_core.sampling import Meter
from gen_core.solvers import NoiseSchedule, Prediction, ddim, ddpm, flow_euler

SCHEDULE = NoiseSchedule.linear()
FAMILIES = ("diffusion", "flow")


def picture(number: int = 2) -> Tensor:
    """(1, 1, 28, 28)"""
    return striped(10).pictures(torch.tensor([number]))


def hole() -> Tensor:
    """A mask over a quarter of it."""
    mask = torch.zeros(1, 1, 28, 28)
    mask[..., 7:21, 7:21] = 1
    return mask


def made_up(scales, ends) -> Path:
    """The path of pixels that are about 0.6 or -0.6, with everything known exactly."""
    centre, width = 0.6, 0.4

    def guess(x: Tensor, t: float) -> Prediction:
        signal, spread = scales(t)
        variance = (width * signal) ** 2 + spread**2
        nearest = centre * torch.tanh(signal * centre * x / variance)
        beyond = (x - signal * nearest) / variance
        return Prediction(nearest + width**2 * signal * beyond, spread * beyond)

    network = path_of(tiny("diffusion"), 1, None, 0.0).network
    return Path(guess, scales, ends, network)


DIFFUSION = made_up(SCHEDULE.scales_at, (1000.0, 0.0))
FLOW = made_up(lambda t: (t, 1 - t), (0.0, 1.0))


# --- steps along the path -------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_model_says_of_a_noisy_picture_adds_up_to_it(family):
    model = tiny(family)
    path, x = path_of(model, 3, [1, 2, 3], 2.0), Noise(range(3)).randn(1, 28, 28)
    for t in path.levels(5)[:-1]:
        guess = path.guess(x, t)
        assert torch.allclose(path.mixed(guess.x0, guess.eps, t), x, atol=1e-4)


def test_a_first_order_walk_is_ddim_and_euler_s_method():
    x = Noise([4]).randn(3, 4)[None]
    theirs = final(ddim(DIFFUSION.guess, x, SCHEDULE, 8, Noise([4])))
    assert torch.allclose(final(walk(DIFFUSION, x, DIFFUSION.levels(8))), theirs, atol=1e-4)

    def velocity(x: Tensor, t: Tensor) -> Tensor:
        guess = FLOW.guess(x, float(t[0]))
        return guess.x0 - guess.eps

    theirs = final(flow_euler(velocity, x, 8))
    assert torch.allclose(final(walk(FLOW, x, FLOW.levels(8))), theirs, atol=1e-4)


def test_an_ancestral_walk_is_ddpm():
    path, noise = DIFFUSION, Noise([4])
    x = noise.randn(3, 4)[None]
    ours = final(walk(path, x, path.levels(10), lambda p, x, g, t, s: ancestral(p, g, t, s, noise)))
    noise = Noise([4])
    x = noise.randn(3, 4)[None]
    assert torch.allclose(ours, final(ddpm(path.guess, x, SCHEDULE, 10, noise)), atol=1e-4)


def test_noise_between_two_levels_makes_up_the_difference():
    for path, times in ((DIFFUSION, [999, 500, 20]), (FLOW, [0.0, 0.3, 0.9])):
        for t, s in zip(times, times[1:], strict=False):
            kept, added = path.between(t, s)
            signal, spread = path.scales(s)
            assert kept * signal == pytest.approx(path.scales(t)[0])
            assert math.hypot(kept * spread, added) == pytest.approx(path.scales(t)[1])


@pytest.mark.parametrize(("path", "start", "end"), [(DIFFUSION, 896, 128), (FLOW, 0.02, 0.95)])
@pytest.mark.parametrize(("step", "order"), [(ahead, 1), (ahead_twice, 2)])
@pytest.mark.parametrize("back", [False, True], ids=["to the picture", "to the noise"])
def test_steps_have_their_order_on_both_ways(path, start, end, step, order, back):
    x = torch.linspace(-1, 1, 12, dtype=torch.float64).view(1, 1, 3, 4)

    def arrived(steps: int) -> Tensor:
        levels = torch.linspace(start, end, steps + 1, dtype=torch.float64).tolist()
        *_, frame = walk(path, x, levels[::-1] if back else levels, step)
        return frame.x

    truth = arrived(768)
    errors = [float((arrived(n) - truth).abs().max()) for n in (32, 64, 128)]
    slopes = [math.log2(a / b) for a, b in zip(errors, errors[1:], strict=False)]
    assert min(slopes) > order - 0.25, slopes


def test_inversion_is_that_of_diffusers():
    """Its scheduler is given the network's answer at the level where the step begins."""
    scheduler = DDIMInverseScheduler(
        beta_start=1e-4,
        beta_end=0.02,
        beta_schedule="linear",
        timestep_spacing="leading",
        clip_sample=False,
    )
    steps = 10
    scheduler.set_timesteps(steps)
    x = theirs = Noise([1]).randn(3, 4)[None].double()
    times = [0.0, *(float(t) + 1 for t in scheduler.timesteps)]  # it counts from 0
    for s, t in zip(times[1:-1], scheduler.timesteps[1:], strict=True):
        theirs = scheduler.step(DIFFUSION.guess(theirs, s).eps, t, theirs).prev_sample
    ours = final(walk(DIFFUSION, x, times[1:]))
    assert torch.allclose(ours, theirs.float(), atol=1e-4)


# --- filling in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("rounds", [1, 3])
def test_what_is_not_painted_over_stays_bit_for_bit(family, rounds):
    x, mask = picture(), hole()
    drawn = final(
        fill(tiny(family), Noise([5, 6]), picture=x, mask=mask, steps=4, rounds=rounds, label=3)
    )
    kept = (mask < 0.5).expand(2, 1, 28, 28)
    assert torch.equal(drawn[kept], x.expand(2, 1, 28, 28)[kept])
    assert not torch.equal(drawn[:1][mask > 0.5], drawn[1:][mask > 0.5])
    assert drawn.abs().max() <= 1


def test_known_pixels_have_the_noise_of_their_level_meanwhile():
    x, mask, model = picture(), hole(), tiny("diffusion")
    frames = [*fill(model, Noise(range(60)), picture=x, mask=mask, steps=4, rounds=2)]
    for frame in frames[:-1]:
        signal, spread = model.schedule.scales_at(frame.level)
        noise = (frame.x - signal * x)[..., :7, :] / spread
        assert noise.mean().abs() < 0.05 and noise.std() == pytest.approx(1, abs=0.05)


def test_each_round_asks_the_network_once_more():
    shared = {"picture": picture(), "mask": hole(), "steps": 3}
    for rounds in (1, 4):
        *_, last = fill(tiny("diffusion"), Noise([0]), rounds=rounds, **shared)
        assert last.evaluations == 3 * rounds


# --- drawing anew ---------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_little_strength_keeps_more_of_the_picture(family):
    x, model = picture(), tiny(family)
    starts = [next(redraw(model, Noise([0]), picture=x, strength=s)).x for s in (0.1, 0.5, 1.0)]
    alike = [float((start * x).sum()) for start in starts]
    assert alike == sorted(alike, reverse=True)
    noise = Noise([0]).randn(1, 28, 28)
    assert torch.allclose(starts[-1], noise, atol=0.01)


def test_a_row_depends_on_its_own_seed_alone():
    x, model = picture(), tiny("diffusion")
    many = final(redraw(model, Noise([7, 8, 9]), picture=x, steps=3))
    assert torch.allclose(
        many[1:2], final(redraw(model, Noise([8]), picture=x, steps=3)), atol=1e-5
    )


# --- to noise and back ----------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_the_way_back_leads_back_the_better_the_more_steps(family):
    model = tiny(family)
    x = final(model.sample(Noise([1, 2]), steps=40))  # what the model itself draws
    errors = [
        float((final(round_trip(model, picture=x, steps=steps, strength=0.9)) - x).abs().mean())
        for steps in (5, 20, 80)
    ]
    assert errors[0] > errors[1] > errors[2] and errors[2] < 0.01


def test_both_ways_are_one_run():
    model, x = tiny("diffusion"), picture()
    frames = [*recast(model, Noise([0]), picture=x, shows=2, label=5, steps=4)]
    assert [frame.step for frame in frames] == [*range(9)] and {f.total for f in frames} == {8}
    assert [frame.level for frame in frames] == [0, 250, 500, 750, 1000, 750, 500, 250, 0]
    assert torch.equal(frames[0].x, x)
    *_, there = invert(model, picture=x, label=2, steps=4)
    assert torch.equal(frames[4].x, there.x)
    assert torch.equal(frames[-1].x, final(return_from(model, there.x, label=5, steps=4)))


def test_as_the_same_class_it_is_the_round_trip():
    model, x = tiny("flow"), picture()
    cast = final(recast(model, Noise([0]), picture=x, shows=2, label=2, steps=6))
    assert torch.equal(cast, final(round_trip(model, picture=x, label=2, steps=6)))


# --- who watches, and what is refused -------------------------------------------------------------


def test_a_meter_takes_an_edit_for_a_family():
    model = tiny("diffusion")
    meter = Meter(Edit(model, redraw), [3, 4], picture=picture(), steps=3, guidance_scale=2.0)
    frames = [*meter.frames()]
    assert len(frames) == 4 and meter.evaluations == 3 and meter.seconds > 0
    expected = redraw(model, Noise([3, 4]), picture=picture(), steps=3, guidance_scale=2.0)
    assert torch.equal(meter.x, final(expected))


BROKEN = picture().clone()
BROKEN[0, 0, 0, 0] = math.nan


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mask": torch.zeros(1, 1, 28, 28)}, "nothing is painted"),
        ({"mask": None}, "nothing is painted"),
        ({"mask": torch.ones(1, 1, 28, 28)}, "all is painted"),
        ({"mask": torch.ones(1, 1, 64, 64)}, r"mask of \(1, 1, 64, 64\)"),
        ({"mask": torch.full((1, 1, 28, 28), math.nan)}, "mask: its values"),
        ({"picture": BROKEN}, "picture: its values"),
        ({"picture": 300 * picture()}, "picture: its values"),
        ({"picture": torch.zeros(1, 3, 64, 64)}, r"picture of \(1, 3, 64, 64\)"),
        ({"picture": "a shoe"}, "picture of str"),
        ({"label": 10}, "label=10"),
        ({"guidance_scale": math.nan}, "guidance_scale=nan"),
        ({"steps": 0}, "steps=0"),
        ({"rounds": 99}, "rounds=99"),
    ],
)
def test_what_cannot_be_filled_in_is_refused(changes, message):
    given = {"picture": picture(), "mask": hole(), "steps": 2}
    with pytest.raises(KnobError, match=message):
        final(fill(tiny("diffusion"), Noise([0]), **given | changes))


def test_other_values_are_refused_too():
    model, x = tiny("diffusion"), picture()
    with pytest.raises(KnobError, match="strength=0"):
        final(redraw(model, Noise([0]), picture=x, strength=0))
    with pytest.raises(KnobError, match="method='magic'"):
        final(round_trip(model, picture=x, method="magic"))
    with pytest.raises(KnobError, match="takes a diffusion or a flow model"):
        path_of(tiny("gan"), 1, None, 1.0)
