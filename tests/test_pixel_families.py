"""Pictures pixel by pixel, by convolutions or by a transformer: an exact likelihood, no pixel that
is missed or seen too early, and a quick way to draw that gives what the slow one gives."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import time

import pytest
import torch
from torch.nn import functional as F

from core_fixtures import tiny, write_fashion
from gen_core import Noise, final, fit
from gen_core.data import Batches, load_data
from gen_core.engine import Engine
from gen_core.evaluation.evaluate import Evaluation
from gen_core.families.pixels import PixelFamily
from gen_core.families.token_sampler import TokenSampler
from gen_core.family import Family, registry
from gen_core.knobs import KnobError
from gen_core.training.recipes import RECIPES

COUNT = 28 * 28
FAMILIES = sorted(n for n, kind in registry.classes.items() if issubclass(kind, PixelFamily))
RECIPE = {"pixel-cnn": "autoregressive-fashion", "pixel-transformer": "pixel-transformer-fashion"}


def some_pictures(model: Family, count: int) -> torch.Tensor:
    """Grey levels by chance."""
    rng = torch.Generator().manual_seed(3)
    levels = torch.randint(model.event.levels, (count, math.prod(model.event.shape)), generator=rng)
    return model.picture(levels)


def firm(model: Family) -> Family:
    """The same model of stronger opinions than a network has that knows nothing."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 2
    return model


def in_size(family: str, size: str) -> Family:
    """A tiny one, or one as large as the recipe's."""
    if size == "tiny":
        return tiny(family)
    config = registry.classes[family].Config(**RECIPES[RECIPE[family]].config)
    return tiny(family, **dataclasses.asdict(config))


@pytest.fixture(scope="module", params=FAMILIES)
def family(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(family) -> Family:
    return firm(tiny(family))


# --- likelihood -----------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [None, 7])
def test_the_probabilities_of_all_pictures_add_up_to_one(family, label):
    model = tiny(family, size=2, levels=4)
    levels = torch.tensor([*itertools.product(range(4), repeat=4)])
    labels = None if label is None else torch.full((len(levels),), label)
    p = model.log_prob(model.picture(levels), labels).double().exp()
    assert len(p) == 256 and float(p.std()) > 1e-5
    assert float(p.sum()) == pytest.approx(1, abs=1e-5)


def test_pictures_come_as_often_as_their_probability_says(family):
    model = firm(tiny(family, size=2, levels=2))
    x = final(model.sample(Noise(range(4000))))
    codes = (model.levels(x) * torch.tensor([8, 4, 2, 1])).sum(1)
    seen = torch.bincount(codes, minlength=16) / 4000
    every = torch.tensor([*itertools.product(range(2), repeat=4)])
    p = model.log_prob(model.picture(every)).exp()
    assert float(p.max() - p.min()) > 0.03
    assert float((seen - p).abs().max()) < 4 * math.sqrt(0.25 / 4000)


def test_the_likelihood_of_a_picture_is_that_of_its_pixels(model):
    x, label = some_pictures(model, 2), torch.tensor([1, 4])
    *frames, _ = model.sample(Noise([0, 1]), label=[1, 4], temperature=0)
    logits = model.logits(x, label)
    nats = F.cross_entropy(logits.transpose(1, 2), model.levels(x), reduction="none").sum(1)
    assert torch.allclose(model.log_prob(x, label), -nats, atol=1e-3)
    assert not torch.allclose(model.log_prob(x), -nats, atol=1e-3)  # the class tells something
    assert frames[0].out.shape == (2, 256)


def test_grey_levels_go_there_and_back(model):
    levels = torch.arange(256)[None]
    event = tiny("pixel-cnn", size=16)
    assert torch.equal(event.levels(event.picture(levels)), levels)
    as_files = torch.arange(256).view(1, 1, 16, 16) / 127.5 - 1
    assert torch.equal(event.levels(as_files), levels)


def test_training_minimises_the_likelihood_of_the_pixels(family, monkeypatch):
    model, x = tiny(family), some_pictures(tiny(family), 3)
    label = torch.tensor([1, 4, 9])
    monkeypatch.setattr(model.condition, "dropout", lambda label, rng: label)
    loss = model.loss(x, label, torch.Generator())["loss"].item()
    assert loss == pytest.approx(-float(model.log_prob(x, label).mean()) / 64, rel=1e-5)


# --- what a pixel sees ----------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 3, 27, 36, 63])
def test_the_convolutions_say_a_pixel_from_all_those_before_it_and_from_no_other(place):
    """The gradient of its logits by each pixel of the picture; with layers enough to see it all."""
    model = tiny("pixel-cnn", depth=6)
    x = some_pictures(model, 1).requires_grad_()
    logits = model.net(x, torch.tensor([3])).flatten(1, 2)[0, place]
    (gradient,) = torch.autograd.grad(logits.square().sum(), x)
    touched = gradient.flatten() != 0
    assert touched[:place].all(), "a blind spot"
    assert not touched[place:].any(), "it sees what it is to say"


@torch.no_grad()
@pytest.mark.parametrize("place", [0, 3, 27, 63])
def test_a_changed_pixel_changes_what_is_said_after_it_and_nothing_before(family, place):
    model = firm(tiny(family, depth=6))
    x = some_pictures(model, 1)
    changed = x.clone()
    changed.view(-1)[place] = model.picture(255 - model.levels(x)).view(-1)[place]
    said = model.logits(torch.cat([x, changed]), torch.tensor([3, 3]))
    same = (said[0] == said[1]).all(-1)
    assert same[: place + 1].all() and not same[place + 1 :].any()


# --- sampling with what is kept -------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("size", ["tiny", "as trained"])
def test_what_is_kept_changes_nothing(family, size):
    model = in_size(family, size)
    *frames, last = model.sample(Noise([1, 2]), label=[0, 9])
    said = torch.stack([frame.out for frame in frames], 1)
    full = model.logits(last.x, torch.tensor([0, 9]))
    assert float(full.std()) > 0.01
    assert float((said - full).abs().max()) < 1e-4


def without_keeping(model: Family, seeds: list[int], pixels: int) -> None:
    """Draws the first pixels by asking the network about the whole picture each time."""
    x = torch.full((len(seeds), COUNT), -1)
    label = torch.zeros(len(seeds), dtype=torch.long)

    def ask(drawn: torch.Tensor) -> torch.Tensor:
        whole = F.pad(drawn, (0, COUNT - drawn.shape[1]))
        return model.logits(model.picture(whole), label)[:, drawn.shape[1]]

    u = Noise(seeds).rand(COUNT, dtype=torch.float64)
    for _ in TokenSampler(ask).frames(x, u, 0, pixels):
        continue


@torch.inference_mode()
def test_keeping_is_at_least_five_times_as_fast(family):
    """By the processor's time, which does not count what others do on it."""
    model = in_size(family, "as trained")
    rows = 56
    kept = model.sample(Noise([0]), label=0)
    next(kept)  # what is done once
    began = time.process_time()
    for _ in itertools.islice(kept, rows):
        continue
    quick = time.process_time() - began
    began = time.process_time()
    without_keeping(model, [0], rows)
    slow = time.process_time() - began
    print(f"{1000 * quick / rows:.2f} ms a pixel, without what is kept {1000 * slow / rows:.1f}")
    assert slow > 5 * quick


@pytest.mark.parametrize("count", [3, 64])
def test_a_picture_is_the_same_in_any_company(family, count):
    model = tiny(family, size=16)
    together = final(model.sample(Noise(range(count)), label=2))
    for seed in (0, count // 2, count - 1):
        assert torch.equal(final(model.sample(Noise([seed]), label=2))[0], together[seed])


def test_requests_share_passes_wherever_each_one_is(model):
    """An engine puts rows together, of convolutions also where the pixels are in different places;
    a transformer has read more there."""
    half = from_place(final(model.sample(Noise([9]))), 20)[0]
    asked = [{"label": 1}, {"label": 2}, {}, {"given": half}]

    def draw(model: Family, seed: int) -> torch.Tensor:
        return final(model.sample(Noise([seed]), **asked[seed]))

    engine, alone = Engine(), [draw(model, seed) for seed in range(4)]
    shared = engine.share_passes(firm(tiny(model.name)))
    tickets = [engine.submit(functools.partial(draw, shared, seed)) for seed in range(4)]
    assert all(torch.equal(t.result(), x) for t, x in zip(tickets, alone, strict=True))
    engine.close()
    assert max(engine.passes.rows) > 1


def test_new_weights_are_noticed(family):
    model = tiny(family)
    before = final(model.sample(Noise([0])))
    model.load_state_dict(tiny(family, seed=1).state_dict())
    after = final(model.sample(Noise([0])))
    assert not torch.equal(before, after)
    assert torch.equal(after, final(tiny(family, seed=1).sample(Noise([0]))))


# --- going on from a picture ----------------------------------------------------------------------


def from_place(x: torch.Tensor, place: int) -> torch.Tensor:
    """The picture with all from a place on to be drawn."""
    given = x.clone()
    given.flatten(1)[:, place:] = math.nan
    return given


@pytest.mark.parametrize("place", [1, 7, 8, 32, 37, 63])
def test_going_on_with_the_same_seed_gives_the_same_picture(model, place):
    whole = final(model.sample(Noise([5, 6]), label=1))
    frames = [*model.sample(Noise([5, 6]), label=1, given=from_place(whole, place))]
    assert torch.equal(frames[-1].x, whole)
    assert [frame.level for frame in frames] == [*range(place, 65)]
    assert frames[0].total == model.total({"given": from_place(whole, place)}) == 64 - place
    assert torch.equal(frames[0].x.flatten(1)[:, place:], torch.full((2, 64 - place), -1.0))


def test_an_edited_pixel_and_all_before_it_stay_and_what_follows_hears_of_it(model):
    whole, place = final(model.sample(Noise([5]), label=1)), 20
    edited = from_place(whole, place + 1)
    edited.flatten()[place] = model.picture(255 - model.levels(whole)).flatten()[place]
    again = final(model.sample(Noise([5]), label=1, given=edited))
    stays = slice(0, place + 1)
    assert torch.equal(again.flatten()[stays], edited.flatten()[stays])
    assert not torch.equal(again.flatten()[place + 1 :], whole.flatten()[place + 1 :])


def test_a_pixel_that_stands_further_on_is_read_when_its_turn_comes(model):
    whole, place = final(model.sample(Noise([5, 6]), label=1)), 20
    alone = torch.full_like(whole, math.nan)
    other = model.picture(255 - model.levels(whole)).flatten(1)
    alone.flatten(1)[0, place] = other[0, place]
    frames = [*model.sample(Noise([5, 6]), label=1, given=alone)]
    assert frames[0].total == model.total({"given": alone}) == 64
    edited = from_place(whole, place + 1)[:1]
    edited.flatten()[place] = other[0, place]
    again = final(model.sample(Noise([5]), label=1, given=edited))
    assert torch.equal(frames[-1].x, torch.cat([again, whole[1:]]))


def test_one_half_picture_is_completed_in_many_ways(model):
    half = from_place(some_pictures(model, 1), 32)[0]
    made = final(model.sample(Noise([1, 2, 3]), given=half))
    assert torch.equal(made[:, 0, :4], half[:, :4].expand(3, -1, -1))
    assert len(torch.unique(made.flatten(1), dim=0)) == 3


def test_a_picture_without_anything_to_draw_is_the_result(model):
    x = some_pictures(model, 2)
    (only,) = model.sample(Noise([1, 2]), given=x)
    assert torch.allclose(only.x, x, atol=1e-6) and only.out is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (torch.zeros(1, 7, 8), r"given of shape \(1, 7, 8\): give pictures \(2, 1, 8, 8\)"),
        (torch.zeros(1, 8, 8, dtype=torch.long), "given of shape .*: give pictures"),
        (torch.full((1, 8, 8), 1.5), "given: choose pixels from -1 to 1, or NaN to draw one"),
        (torch.full((1, 8, 8), math.inf), "given: choose pixels from -1 to 1"),
    ],
)
def test_what_cannot_be_gone_on_from_is_refused(model, given, message):
    with pytest.raises(KnobError, match=message):
        next(model.sample(Noise([0, 1]), given=given))


# --- training and figures -------------------------------------------------------------------------


def test_training_lowers_the_cost_of_what_it_saw(family, tmp_path):
    write_fashion(tmp_path)
    train = load_data("fashion", "train", tmp_path)
    model = tiny(family, size=28)
    *_, last = fit(model, Batches(train, 4, 0), steps=40, warmup=5, ema=0.9)
    average = last.trainer.ema
    model_before = tiny(family, size=28)
    average.card["data"] = model_before.card["data"] = "fashion"
    asked = Evaluation(None, 100, 50, 0, str(tmp_path), lambda progress: None)
    bits = [m.extra_metrics(asked)["bits_per_dimension"] for m in (model_before, average)]
    assert bits[0] > 7.5 and bits[1] < bits[0] - 0.3


def test_figures_tell_what_was_left_out(family, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GEN_DATA", raising=False)
    model = tiny(family, size=28)
    model.card["data"] = "fashion"
    asked = Evaluation(None, 20, 50, 0, str(tmp_path), lambda progress: None)
    missing = model.extra_metrics(asked)
    assert "bits_per_dimension" not in missing and "not on this machine" in str(missing)
    write_fashion(tmp_path)
    some = model.extra_metrics(asked)
    assert some["bits_per_dimension"] > 5
    assert some["left_out"]["bits_per_dimension"] == "44 of 64 test pictures: take more samples"


def test_the_recipes_are_of_comparable_size():
    sizes = {}
    for recipe in RECIPES.values():
        if recipe.family in FAMILIES:
            model = registry.classes[recipe.family]
            net = model(model.Config(**recipe.config)).net
            sizes.setdefault(recipe.family, set()).add(sum(p.numel() for p in net.parameters()))
    assert sizes.keys() == RECIPE.keys()
    (convolutions,), (transformer,) = (sizes[family] for family in RECIPE)
    assert 0.8e6 < convolutions < 0.95e6
    assert 0.6e6 < transformer < 0.9e6
