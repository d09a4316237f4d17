"""What every family keeps, whoever wrote it: each test runs for all that are registered."""

import dataclasses
import inspect
import math
import threading

import pytest
import torch

from core_fixtures import GENERATIVE, examples, tiny
from gen_core import Frame, Noise, final, fit, record
from gen_core.checks import KnobError
from gen_core.conditions import lots
from gen_core.data import Batches
from gen_core.family import Family, registry

BAD = {
    "steps": ([0, 1001, -1, 2.5, math.nan, math.inf, None, "20", True, [], 10**400],
              "choose a whole number from 1 to 1000"),
    "guidance_scale": ([-0.1, 20.1, math.nan, None, "2", {}], "choose a number from 0 to 20"),
    "eta": ([-0.1, 1.1, math.nan, None, "0"], "choose a number from 0 to 1"),
    "temperature": ([-0.1, 2.1, math.nan, None, "1"], "choose a number from 0 to 2"),
    "truncation_psi": ([-0.1, 2.1, math.nan, None, "1"], "choose a number from 0 to 2"),
    "solver": (["rk45", None, 3, ["ddim"]], "choose one of "),
    "label": ([99, -1, 2.5, "Bag", math.nan, [1, 99, 1]],
              "choose a whole number from 0 to 9"),
}  # fmt: skip
"""What no family takes for a knob, and what the message then offers."""

BY_ATTRIBUTES = {"style-gan"}
"""Families that are asked for a portrait's attributes and not for a class."""


def labels_of(family: str) -> tuple[list, torch.Tensor]:
    """One label and twice another, as a caller writes them and as the network sees them."""
    if family not in BY_ATTRIBUTES:
        return [1, 2, 2], torch.tensor([1, 2, 2])
    wishes = [{"hat": "cap"}, {"skin": "dark"}, {"skin": "dark"}]
    return wishes, lots(wishes, [7, 7, 7])


def knobs_of(family: str) -> dict[str, inspect.Parameter]:
    parameters = dict(inspect.signature(registry.classes[family].sample).parameters)
    return {k: v for k, v in parameters.items() if k not in ("self", "noise")}


def some(family: str, **more) -> dict:
    """Knobs that make a generation short and use all of the network."""
    quick = {"steps": 3, "guidance_scale": 2.0} | more
    return {k: v for k, v in quick.items() if k in knobs_of(family)}


@pytest.fixture(scope="module", params=GENERATIVE)
def model(request) -> Family:
    return tiny(request.param)


@pytest.fixture(scope="module")
def frames(model) -> list[Frame]:
    return list(model.sample(Noise([4, 5, 6]), **some(model.name)))


def test_the_prior_comes_first_and_the_sample_last(model, frames):
    first, last = frames[0], frames[-1]
    assert torch.equal(first.x.cpu(), Noise([4, 5, 6]).randn(*first.x.shape[1:]))
    assert last.x.shape == (3, *model.event)
    assert torch.isfinite(last.x).all()


def test_steps_are_counted_and_the_clock_runs_one_way(model, frames):
    total = some(model.name).get("steps", 1)
    assert [f.step for f in frames] == list(range(total + 1))
    assert {f.total for f in frames} == {total}
    levels = [f.level for f in frames]
    assert levels in (sorted(levels), sorted(levels, reverse=True))
    assert len(set(levels)) == len(levels)


def test_every_frame_but_the_last_says_what_the_network_said(frames):
    for frame in frames[:-1]:
        assert frame.x0.shape == frames[-1].x.shape
        assert frame.out.shape == frames[-1].x.shape
        assert frame.x0.dtype == frame.out.dtype == torch.float32
    assert frames[-1].x0 is None and frames[-1].out is None


def test_the_same_seed_gives_the_same_picture_alone_and_in_a_batch(model):
    """Within 1/255 of a pixel's range, 2/255 in [-1, 1]."""
    knobs = some(model.name)
    together = final(model.sample(Noise(range(20, 28)), **knobs))
    for row, seed in enumerate(range(20, 28)):
        alone = final(model.sample(Noise([seed]), **knobs))
        assert float((alone[0] - together[row]).abs().max()) < 2 / 255
    assert float((together[0] - together[1]).abs().max()) > 2 / 255


def test_knobs_have_defaults_that_work(model):
    assert all(p.default is not inspect.Parameter.empty for p in knobs_of(model.name).values())
    assert all(p.kind is p.KEYWORD_ONLY for p in knobs_of(model.name).values())
    assert final(model.sample(Noise([0]))).shape == (1, *model.event)


@pytest.mark.parametrize("knob", BAD)
def test_a_bad_knob_is_named_with_its_value_and_range(model, knob):
    if knob not in knobs_of(model.name):
        with pytest.raises(TypeError, match=knob):
            final(model.sample(Noise([0]), **{knob: 1}))
        return
    values, offer = BAD[knob]
    if knob == "label" and model.name in BY_ATTRIBUTES:
        offer = "name attributes and"
    for value in values:
        with pytest.raises(KnobError) as caught:
            final(model.sample(Noise([0, 1, 2]), **{knob: value}))
        assert offer in str(caught.value)
        assert str(caught.value).startswith(f"{knob}=") and len(str(caught.value)) < 160


def test_one_label_for_all_or_one_each(model):
    if "label" not in knobs_of(model.name):
        pytest.skip(f"{model.name} takes no label")
    labels, seen = labels_of(model.name)
    each = final(model.sample(Noise([7, 7, 7]), **some(model.name), label=labels))
    for row, label in enumerate(labels):
        alone = final(model.sample(Noise([7]), **some(model.name), label=label))
        assert float((alone[0] - each[row]).abs().max()) < 2 / 255
    assert float((each[0] - each[1]).abs().max()) > 1e-4  # the label matters
    as_tensor = model.sample(Noise([7, 7, 7]), **some(model.name), label=seen)
    assert torch.equal(final(as_tensor), each)
    with pytest.raises(KnobError, match="label has 2 entries: give one, or one per sample"):
        final(model.sample(Noise([7, 7, 7]), label=labels[:2]))


def test_sampling_leaves_gradients_as_they_were_in_every_thread(model):
    """A generator that is paused inside `with no_grad()` would switch training off elsewhere."""
    running = model.sample(Noise([0]), **some(model.name))
    seen = []

    def advance() -> None:
        frame = next(running)
        seen.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled()))
        assert not frame.x.requires_grad

    advance()
    thread = threading.Thread(target=advance)
    thread.start()
    thread.join()
    running.close()
    advance_is_over = (torch.is_grad_enabled(), torch.is_inference_mode_enabled())
    assert [*seen, advance_is_over] == [(True, False)] * 3


def test_a_result_is_an_ordinary_tensor(model):
    """Tensors made in inference mode refuse training and changes in place."""
    x = final(model.sample(Noise([0]), **some(model.name)))
    assert x.dtype == torch.float32 and x.device.type == "cpu"
    x.clamp_(-1, 1)
    kept = record(model.sample(Noise([0]), **some(model.name)))
    for tensor in (x, kept[-1].x, kept[0].x0):
        weight = torch.ones_like(tensor, requires_grad=True)
        (weight * tensor).sum().backward()
        assert weight.grad is not None


def test_frames_already_given_do_not_change_later(model):
    seen, copies = [], []
    for frame in model.sample(Noise([1, 2]), **some(model.name)):
        seen.append(frame)
        copies.append(frame.x.clone())
    assert all(torch.equal(f.x, c) for f, c in zip(seen, copies, strict=True))


@pytest.mark.parametrize("family", registry.classes)
def test_one_training_step_moves_the_weights_of_every_phase(family):
    model = tiny(family)
    before = [[p.detach().clone() for p in phase.parameters] for phase in model.phases()]
    assert before and all(before)
    (step,) = fit(model, Batches(examples(model.name), 16, 0), steps=1, warmup=0)
    for phase, old in zip(model.phases(), before, strict=True):
        assert any(not torch.equal(p, o) for p, o in zip(phase.parameters, old, strict=True))
        assert f"{phase.name}.loss" in step.losses
    assert all(math.isfinite(float(v)) and not v.requires_grad for v in step.losses.values())


@pytest.mark.parametrize("family", registry.classes)
def test_every_weight_is_trained_by_some_phase(family):
    model = tiny(family)
    trained = {id(p) for phase in model.phases() for p in phase.parameters}
    forgotten = [name for name, p in model.named_parameters() if id(p) not in trained]
    assert not forgotten


@pytest.mark.parametrize("family", registry.classes)
def test_a_config_is_frozen_plain_and_travels(family):
    model = tiny(family)
    assert model.name == family and dataclasses.is_dataclass(model.config)
    assert hash(model.config) == hash(dataclasses.replace(model.config))
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.config.channels = 3


@pytest.mark.parametrize("family", registry.classes)
def test_a_new_model_carries_an_empty_card_and_nothing_extra(family):
    model = tiny(family)
    assert model.card == {} and model.extra == {}


def counted(total: int):
    for step in range(total + 1):
        yield Frame(step, total, float(step), torch.full((1, 2), float(step)))


@pytest.mark.parametrize("total", [1, 2, 5, 30, 31, 32, 33, 100, 1000])
@pytest.mark.parametrize("keep", [2, 3, 32])
def test_record_keeps_both_ends_and_spreads_the_rest(total, keep):
    steps = [frame.step for frame in record(counted(total), keep)]
    assert steps[0] == 0 and steps[-1] == total
    assert len(steps) == min(keep, total + 1)
    gaps = [b - a for a, b in zip(steps, steps[1:], strict=False)]
    assert max(gaps) - min(gaps) <= 1


def test_record_and_final_refuse_what_makes_no_sense():
    with pytest.raises(ValueError, match="keep=1: choose 2 or more"):
        record(counted(3), keep=1)
    with pytest.raises(ValueError, match="no frames"):
        final(iter([]))
