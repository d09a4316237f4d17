"""What every family keeps, whoever wrote it: each test runs for all that are registered, and reads
what to expect from their declarations."""

from __future__ import annotations

import dataclasses
import math
import threading
from collections import Counter
from typing import Any

import pytest
import torch

from core_fixtures import GENERATIVE, TRAINED, batches, tiny
from gen_core import Frame, Noise, final, fit, record
from gen_core.conditions import Attributes, Classes
from gen_core.family import Empty, Family, Tokens, registry
from gen_core.knobs import Knob, KnobError

TWO_OF_255 = 2 / 255
"""A pixel's range is 2 wide: from -1 to 1."""


def labels_of(model: Family) -> tuple[list, torch.Tensor] | None:
    """One label and twice another, as a caller writes them and as the network sees them; None
    where nothing can be asked for."""
    if isinstance(model.condition, Classes):
        return [1, 2, 2], torch.tensor([1, 2, 2])
    if isinstance(model.condition, Attributes):
        wishes = [{"hat": "cap"}, {"skin": "dark"}, {"skin": "dark"}]
        return wishes, model.condition.read({"label": wishes}, [7, 7, 7])
    return None


def some(model: Family, **more: Any) -> dict[str, Any]:
    """Knobs that make a generation short and use all of the network."""
    quick = {"steps": 3, "guidance_scale": 2.0} | more
    return {knob.name: quick[knob.name] for knob in model.every_knob if knob.name in quick}


def drawn(model: Family, seeds: list[int], **knobs: Any) -> torch.Tensor:
    return final(model.sample(Noise(seeds), **some(model) | knobs))


def alike(model: Family, one: torch.Tensor, other: torch.Tensor) -> bool:
    """Pictures within 1/255 of a pixel's range, tokens one and all."""
    if isinstance(model.event, Tokens):
        return torch.equal(one, other)
    return float((one - other).abs().max()) < TWO_OF_255


def kinds_of(model: Family) -> int:
    """Values that a token, or a pixel, may have."""
    event = model.prior.event if isinstance(model.prior, Empty) else model.event
    return event.vocabulary if isinstance(event, Tokens) else event.levels


@pytest.fixture(scope="module", params=GENERATIVE)
def model(request) -> Family:
    return tiny(request.param)


@pytest.fixture(scope="module")
def frames(model) -> list[Frame]:
    return list(model.sample(Noise([4, 5, 6]), **some(model)))


def test_the_prior_comes_first_and_the_sample_last(model, frames):
    first, last = frames[0], frames[-1]
    assert torch.equal(first.x.cpu(), model.prior.draw(Noise([4, 5, 6])))
    assert last.x.shape == (3, *model.event.shape)
    assert last.x.dtype == model.event.dtype
    if isinstance(model.event, Tokens):
        assert int(last.x.min()) >= 0 and int(last.x.max()) < model.event.vocabulary
    else:
        assert torch.isfinite(last.x).all()


def test_what_is_not_drawn_yet_is_marked_as_such(model, frames):
    if not isinstance(model.prior, Empty):
        pytest.skip(f"{model.name} begins with noise")
    tokens = isinstance(model.prior.event, Tokens)
    *states, last = frames if model.prior.event == model.event else frames[:-1]
    for earlier, later in zip(states, [*states[1:], last], strict=True):
        settled = earlier.x >= 0 if tokens else earlier.x > -1
        assert torch.equal(earlier.x[settled], later.x[settled])  # what is drawn stays


def test_steps_are_counted_and_the_clock_runs_one_way(model, frames):
    declared = {knob.name: knob.default for knob in model.every_knob}
    total = model.total(declared | some(model))
    assert [f.step for f in frames] == list(range(total + 1))
    assert {f.total for f in frames} == {total}
    levels = [f.level for f in frames]
    assert levels == sorted(set(levels), reverse=model.clock.falling)


def test_every_frame_but_the_last_says_what_the_network_said(model, frames):
    shape = frames[-1].x.shape
    for frame in frames[:-1]:
        if model.out == "logits":  # of the next token, or of all of them
            kinds = kinds_of(model)
            assert frame.out.shape in ((shape[0], kinds), (*shape, kinds))
        else:
            assert frame.out.shape == frame.x0.shape
            assert frame.x0.shape in (shape, frame.x.shape)  # a sample, or one as a latent
        assert frame.out.dtype == torch.float32
    assert frames[-1].x0 is None and frames[-1].out is None


def test_evaluations_are_those_that_ran(model):
    """Every layer that has weights is watched, those of a copy in another precision too: the one
    that ran most often tells the truth."""
    rows: Counter[torch.nn.Module] = Counter()
    here = threading.get_ident()  # others, of engines that have not closed yet, may compute too

    def count(module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> None:
        own = threading.get_ident() == here and not [*module.children()]
        if own and [*module.parameters()]:
            rows[module] += len(output)

    with torch.nn.modules.module.register_module_forward_hook(count):
        *_, last = model.sample(Noise([0, 1]), **some(model) | asked_of(model))
    assert last.evaluations == max(rows.values()) / 2 > 0


def asked_of(model: Family) -> dict[str, Any]:
    """A label for each of two samples, where the model takes any."""
    return model.balanced(range(2))


def test_the_same_seed_gives_the_same_sample_alone_and_in_a_batch(model):
    together = drawn(model, [*range(20, 28)])
    for row, seed in enumerate(range(20, 28)):
        assert alike(model, drawn(model, [seed])[0], together[row])
    assert not alike(model, together[0], together[1])


def test_knobs_have_defaults_that_work(model):
    assert drawn(model, [0]).shape == (1, *model.event.shape)
    for knob in model.every_knob:
        assert knob.default is None or knob.check(knob.default) == knob.default
        assert knob.takes and knob.title


def every_knob() -> list[tuple[str, Knob]]:
    return [(name, knob) for name in GENERATIVE for knob in tiny(name).every_knob]


@pytest.mark.parametrize(
    ("family", "knob"), every_knob(), ids=lambda part: getattr(part, "name", part)
)
def test_a_bad_knob_is_named_with_its_value_and_range(family, knob):
    model = tiny(family)
    assert knob.bad_values()
    for value in knob.bad_values():
        with pytest.raises(KnobError) as caught:
            model.sample(Noise([0, 1, 2]), **{knob.name: value})
        message = str(caught.value)
        ways_out = ("choose", "give", "name", "write")
        assert len(message) < 240 and any(way in message for way in ways_out)
        assert message.startswith((f"{knob.name}=", f"{knob.name} ")) or knob.name == "label"


@pytest.mark.parametrize(
    ("family", "knob"), every_knob(), ids=lambda part: getattr(part, "name", part)
)
def test_both_ends_of_a_knob_are_taken(family, knob):
    model = tiny(family)
    for value in knob.examples():
        few = {"steps": 2} if "steps" in some(model) and knob.name != "steps" else {}
        if value != getattr(knob, "high", None) or knob.name != "steps":  # a thousand take long
            x = final(model.sample(Noise([0]), **{**few, knob.name: value}))
            assert x.shape == (1, *model.event.shape)


def test_a_knob_that_no_family_has_is_refused_with_those_that_it_has(model):
    with pytest.raises(KnobError, match="wings=2: the knobs of ") as caught:
        model.sample(Noise([0]), wings=2)
    assert all(knob.name in str(caught.value) for knob in model.every_knob)


def test_one_label_for_all_or_one_each(model):
    if labels_of(model) is None:
        pytest.skip(f"{model.name} can be asked for nothing")
    labels, seen = labels_of(model)
    each = drawn(model, [7, 7, 7], label=labels)
    for row, label in enumerate(labels):
        assert alike(model, drawn(model, [7], label=label)[0], each[row])
    said = next(model.sample(Noise([7, 7, 7]), **some(model), label=labels)).out
    assert float((said[0] - said[1]).abs().max()) > 1e-4  # the label matters
    assert torch.equal(drawn(model, [7, 7, 7], label=seen), each)
    with pytest.raises(KnobError, match="label has 2 entries: give one, or one per sample"):
        drawn(model, [7, 7, 7], label=labels[:2])


def test_sampling_leaves_gradients_as_they_were_in_every_thread(model):
    """A generator that is paused inside `with no_grad()` would switch training off elsewhere."""
    running = model.sample(Noise([0]), **some(model))
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
    x = final(model.sample(Noise([0]), **some(model)))
    assert x.dtype == model.event.dtype and x.device.type == "cpu"
    x.clamp_(-1, 1)
    kept = record(model.sample(Noise([0]), **some(model)))
    for tensor in (x.float(), kept[-1].x.float(), kept[0].out):
        weight = torch.ones_like(tensor, requires_grad=True)
        (weight * tensor).sum().backward()
        assert weight.grad is not None


def test_frames_already_given_do_not_change_later(model):
    seen, copies = [], []
    for frame in model.sample(Noise([1, 2]), **some(model)):
        seen.append(frame)
        copies.append(frame.x.clone())
    assert all(torch.equal(f.x, c) for f, c in zip(seen, copies, strict=True))


@pytest.mark.parametrize("family", TRAINED)
def test_one_training_step_moves_the_weights_of_every_phase(family):
    model = tiny(family)
    before = [[p.detach().clone() for p in phase.parameters] for phase in model.phases()]
    assert before and all(before)
    (step,) = fit(model, batches(family), steps=1, warmup=0)
    for phase, old in zip(model.phases(), before, strict=True):
        assert any(not torch.equal(p, o) for p, o in zip(phase.parameters, old, strict=True))
        assert f"{phase.name}.loss" in step.losses
    assert all(math.isfinite(float(v)) and not v.requires_grad for v in step.losses.values())


@pytest.mark.parametrize("family", TRAINED)
def test_every_weight_that_does_not_stand_still_is_trained_by_some_phase(family):
    model = tiny(family)
    trained = {id(p) for phase in model.phases() for p in phase.parameters}
    moving = {n: p for n, p in model.named_parameters() if p.requires_grad}
    assert not [name for name, p in moving.items() if id(p) not in trained]


def test_a_family_of_parts_leaves_training_to_them():
    families = [name for name, kind in registry.classes.items() if kind.parts]
    assert families
    for name in families:
        assert tiny(name).phases() == []
        for part, kind in registry.classes[name].parts.items():
            assert kind is registry.classes[f"{name}/{part}"] and kind.name in TRAINED


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
