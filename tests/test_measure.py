"""Measured sampling: evaluations are counted where they happen, time is the sampler's alone."""

from __future__ import annotations

import pytest
import torch

from core_fixtures import GENERATIVE, tiny
from gen_core import Noise, final
from gen_core import sampling as cost
from gen_core.knobs import KnobError

SEEDS = range(3)


@pytest.mark.parametrize(
    ("family", "knobs", "evaluations"),
    [
        ("vae", {}, 1),
        ("gan", {"label": 3}, 1),
        ("diffusion", {"steps": 5}, 5),
        ("diffusion", {"label": 3, "steps": 5, "guidance_scale": 2.0}, 10),
        ("diffusion", {"label": 3, "steps": 5, "guidance_scale": 0.0}, 5),
        ("flow", {"steps": 4}, 4),
        ("flow", {"steps": 4, "solver": "midpoint"}, 8),
        ("flow", {"label": 3, "steps": 4, "solver": "midpoint", "guidance_scale": 3.0}, 16),
        ("flow", {"steps": 4, "solver": "midpoint", "guidance_scale": 3.0}, 8),
    ],
)
def test_evaluations_are_those_that_ran(family, knobs, evaluations):
    assert cost.cost_of(tiny(family), SEEDS, **knobs).evaluations == evaluations


@pytest.mark.parametrize("solver", ["ddpm", "ddim", "dpm++2m", "euler", "heun"])
def test_evaluations_agree_with_a_count_inside_the_network(solver):
    model, calls = tiny("diffusion"), []
    forward = model.net.forward
    model.net.forward = lambda x, time, label: (calls.append(len(x)), forward(x, time, label))[1]
    final(model.sample(Noise(SEEDS), steps=6, solver=solver))
    inside = sum(calls) / len(SEEDS)
    assert cost.cost_of(model, SEEDS, steps=6, solver=solver).evaluations == inside


@pytest.mark.parametrize("family", GENERATIVE)
def test_measuring_changes_neither_the_pictures_nor_the_model(family):
    model = tiny(family)
    measured = cost.cost_of(model, SEEDS)
    assert torch.equal(measured.x, final(model.sample(Noise(SEEDS))))
    assert not any(module._forward_hooks for module in model.modules())


def test_only_the_samplers_own_time_counts(monkeypatch):
    now = 0.0
    monkeypatch.setattr(cost, "device_clock", lambda: now)
    model = tiny("flow")
    forward = model.net.forward

    def slow(*inputs):
        nonlocal now
        now += 2.0
        return forward(*inputs)

    model.net.forward = slow
    meter = cost.Meter(model, SEEDS, steps=3)
    meter.warm_up()
    assert (meter.seconds, meter.evaluations) == (0, 0)
    for _ in meter.frames():
        now += 100.0  # the watcher is in no hurry
    assert meter.seconds == pytest.approx(6.0)  # three evaluations
    assert meter.milliseconds == pytest.approx(2000.0)


def test_whoever_watches_need_not_wait_for_a_run_that_is_not_shown():
    model, calls = tiny("flow"), []
    forward = model.net.forward
    model.net.forward = lambda *inputs: (calls.append(1), forward(*inputs))[1]
    frames = cost.Meter(model, SEEDS, steps=3).frames()
    next(frames)
    assert len(calls) <= 1


def test_what_others_do_between_two_frames_is_not_counted():
    model = tiny("flow")
    meter = cost.Meter(model, SEEDS, steps=3)
    for _ in meter.frames():
        final(model.sample(Noise(range(5)), steps=2))
    assert meter.evaluations == 3


def test_a_broken_off_measurement_leaves_no_hook():
    model = tiny("flow")
    frames = cost.Meter(model, SEEDS, steps=3).frames()
    next(frames)
    frames.close()
    assert not any(module._forward_hooks for module in model.modules())


def test_bad_knobs_say_what_they_take():
    with pytest.raises(KnobError, match="steps=2.5: choose a whole number from 1 to 1000"):
        cost.cost_of(tiny("flow"), SEEDS, steps=2.5)
