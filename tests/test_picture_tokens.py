"""Pictures as tokens: there and back, an exact likelihood, and a cache that gives what the slow way
gives, alone and in company."""

from __future__ import annotations

import functools
import itertools
import math

import pytest
import torch

from core_fixtures import ATTRIBUTES, portraits, tiny
from gen_core import Noise, final, fit, load
from gen_core.data import Batches, ImageSet
from gen_core.engine import Engine
from gen_core.evaluation.evaluate import Evaluation
from gen_core.evaluation.reference import Reference
from gen_core.families.vq_vae import DETAIL, detail
from gen_core.family import UNDRAWN, Family, registry
from gen_core.knobs import KnobError
from gen_core.training import checkpoint, recipes
from gen_core.training.recipes import RECIPES, Recipe

CODES, TOKENS = 32, 16
"""Of the tiny model."""


def firm(model: Family) -> Family:
    """The same model of stronger opinions than a network has that knows nothing."""
    with torch.no_grad():
        for parameter in model.net.parameters():
            parameter *= 5
    return model


@pytest.fixture(scope="module")
def model() -> Family:
    return firm(tiny("picture-tokens"))


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return portraits(6, 16).pictures(slice(None))


def some_tokens(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(CODES, (count, TOKENS), generator=torch.Generator().manual_seed(seed))


def asked(*wishes: dict) -> torch.Tensor:
    return ATTRIBUTES.encode(wishes, len(wishes))


# --- pictures and tokens --------------------------------------------------------------------------


def test_a_picture_becomes_a_row_of_tokens_and_comes_back_in_range(model, pictures):
    tokens = model.encode(pictures)
    assert tokens.shape == (6, TOKENS) and tokens.dtype == torch.int64
    assert int(tokens.min()) >= 0 and int(tokens.max()) < CODES and len(tokens.unique()) > 4
    again = model.decode(tokens)
    assert again.shape == pictures.shape and float(again.abs().max()) <= 1


def test_tokens_stand_row_by_row_and_the_picture_is_dark_where_none_is(model):
    tokens = some_tokens(1)
    for drawn in (0, 1, 6, 16):
        begun = torch.where(torch.arange(TOKENS) < drawn, tokens, UNDRAWN)
        squares = model.decode(begun).unfold(2, 4, 4).unfold(3, 4, 4)  # (1, 3, 4, 4, 4, 4)
        dark = (squares == UNDRAWN).all((1, 4, 5)).flatten()
        assert dark.tolist() == [place >= drawn for place in range(TOKENS)]


def test_squares_of_a_few_colours_come_back_after_a_short_training():
    generator = torch.Generator().manual_seed(0)
    colours = torch.tensor([*itertools.product((30, 220), repeat=3)])
    squares = torch.randint(8, (64, 4, 4), generator=generator)
    images = colours[squares].movedim(-1, 1).repeat_interleave(4, 2).repeat_interleave(4, 3)
    data = ImageSet("squares", images.byte(), torch.zeros(64, dtype=torch.long), ())
    kind = registry.classes["picture-tokens/autoencoder"]
    model, x = kind(kind.tiny()), data.pictures(slice(None))
    *_, last = fit(model, Batches(data, 16, 0), steps=120, warmup=5, ema=0.9)
    again = last.trainer.ema.decode(last.trainer.ema.encode(x))
    as_it_was, mirrored = (float((again - other).abs().mean()) for other in (x, x.flip(3)))
    assert as_it_was < 0.45 and mirrored > 0.6


def test_a_pixel_counts_more_where_much_happens():
    x = torch.zeros(1, 3, 16, 16)
    x[..., 8:] = 1  # an edge down the middle: each pixel left of it is a step of 1 away
    weight = detail(x)[0, 0]
    assert torch.equal(weight[:, :5], torch.ones(16, 5))
    assert torch.allclose(weight[4:12, 5:10], torch.tensor(1 + DETAIL / 5))
    assert torch.equal(weight[:, 10:], torch.ones(16, 6))


# --- likelihood -----------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [{}, {"hat": "cap", "smile": 0.5}])
def test_the_probabilities_of_all_pictures_add_up_to_one(label):
    model = firm(tiny("picture-tokens", size=8, codes=4))
    every = torch.tensor([*itertools.product(range(4), repeat=4)])
    p = model.log_prob(every, asked(label).expand(256, -1)).double().exp()
    assert len(p) == 256 and float(p.std()) > 1e-5
    assert float(p.sum()) == pytest.approx(1, abs=1e-5)


def test_pictures_come_as_often_as_their_probability_says():
    model = firm(tiny("picture-tokens", size=8, codes=2))
    *_, last = model.sample(Noise(range(4000)))
    codes = (last.tokens * torch.tensor([8, 4, 2, 1])).sum(1)
    seen = torch.bincount(codes, minlength=16) / 4000
    p = model.log_prob(torch.tensor([*itertools.product(range(2), repeat=4)])).exp()
    assert float(p.max() - p.min()) > 0.03
    assert float((seen - p).abs().max()) < 4 * math.sqrt(0.25 / 4000)


def test_the_loss_is_the_likelihood_of_the_tokens(model, pictures, monkeypatch):
    rows = asked(*[{"hat": "cap"}] * 6)
    monkeypatch.setattr(model.condition, "dropout", lambda label, rng: label)
    loss = model.loss(pictures, rows, torch.Generator())["loss"]
    nats = -model.log_prob(model.encode(pictures), rows).mean() / TOKENS
    assert loss.item() == pytest.approx(float(nats), rel=1e-5)
    assert loss.item() != pytest.approx(float(-model.log_prob(model.encode(pictures)).mean() / 16))


def test_what_is_asked_for_matters_to_the_first_token(model):
    """Each attribute by itself, one that is a number by its value."""
    none, *said = (
        next(model.sample(Noise([0]), label=label)).out
        for label in (None, {"hat": "cap"}, {"hat": "beanie"}, {"age": 0.0}, {"age": 0.9})
    )
    for one, other in itertools.combinations([none, *said], 2):
        assert float((one - other).abs().max()) > 1e-3


def test_a_token_is_said_from_those_before_it_and_from_no_other(model):
    tokens, label = some_tokens(1), asked({})
    before, _ = model.net(label, tokens[:, :-1])
    for place in (0, 5, 14):
        other = tokens.clone()
        other[0, place] = (other[0, place] + 1) % CODES
        changed = (model.net(label, other[:, :-1])[0] - before).abs().amax(-1)[0] > 1e-7
        assert not changed[: place + 1].any() and changed[place + 1 :].all()


def test_the_autoencoder_stands_still_while_the_transformer_learns(pictures):
    model = tiny("picture-tokens")
    before = {k: v.clone() for k, v in model.autoencoder.state_dict().items()}
    *_, last = fit(model, Batches(portraits(16, 16), 8, 0), steps=3, warmup=0)
    for trained in (model, last.trainer.ema):
        kept = trained.autoencoder.state_dict()
        assert all(torch.equal(before[k], kept[k]) for k in before)


# --- sampling with what is kept -------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("scale", [0.0, 1.0, 3.0])
def test_what_is_kept_changes_nothing(model, scale):
    """The logits of each frame are those of the network that reads all tokens anew, guided."""
    wish = {"glasses": "round", "age": 0.8}
    *frames, last = model.sample(Noise([1, 2]), label=wish, guidance_scale=scale)
    said = torch.stack([frame.out for frame in frames], 1)
    without, given = (
        model.net(rows, last.tokens[:, :-1])[0] for rows in (asked({}, {}), asked(wish, wish))
    )
    guided = without + scale * (given - without)
    assert float(guided.std()) > 0.01
    assert float((said - guided).abs().max()) < 1e-4
    assert last.evaluations == TOKENS * (2 if scale == 3 else 1)


def test_frames_have_the_tokens_and_the_last_one_the_picture(model):
    frames = [*model.sample(Noise([3]))]
    assert len(frames) == TOKENS + 1
    for place, frame in enumerate(frames):
        assert frame.level == place == int((frame.tokens >= 0).sum())
    assert torch.equal(frames[-1].x, model.decode(frames[-1].tokens))


def test_only_what_is_looked_at_is_decoded(model, monkeypatch):
    asked_for = []
    decode = model.autoencoder.decode
    monkeypatch.setattr(model.autoencoder, "decode", lambda x: asked_for.append(1) or decode(x))
    frames = [*model.sample(Noise([3]))]
    assert len(asked_for) == 1
    assert model.decode(frames[7].tokens).shape == (1, 3, 16, 16) and len(asked_for) == 2


@pytest.mark.parametrize("count", [3, 64])
def test_a_picture_is_the_same_in_any_company(model, count):
    knobs = {"label": {"hat": "cap"}, "guidance_scale": 2.0}
    *_, together = model.sample(Noise(range(count)), **knobs)
    for seed in (0, count // 2, count - 1):
        *_, alone = model.sample(Noise([seed]), **knobs)
        assert torch.equal(alone.tokens[0], together.tokens[seed])


def test_requests_share_passes_wherever_each_one_is(model):
    *_, whole = model.sample(Noise([9]))
    begun = whole.tokens[0].clone()
    begun[6:] = UNDRAWN
    wishes = [{"label": {"hat": "cap"}}, {"label": {"age": 0.3}}, {}, {"given": begun}]

    def draw(model: Family, seed: int) -> torch.Tensor:
        return final(model.sample(Noise([seed]), **wishes[seed]))

    engine, alone = Engine(), [draw(model, seed) for seed in range(4)]
    shared = engine.share_passes(firm(tiny("picture-tokens")))
    tickets = [engine.submit(functools.partial(draw, shared, seed)) for seed in range(4)]
    for ticket, x in zip(tickets, alone, strict=True):
        assert torch.allclose(ticket.result(), x, atol=1e-4)
    engine.close()
    assert max(engine.passes.rows) > 1


# --- going on from tokens -------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1, 7, 15])
def test_going_on_with_the_same_seed_gives_the_same_picture(model, place):
    *_, whole = model.sample(Noise([5, 6]), label={"hat": "cap"})
    begun = whole.tokens.clone()
    begun[:, place:] = UNDRAWN
    frames = [*model.sample(Noise([5, 6]), label={"hat": "cap"}, given=begun)]
    assert torch.equal(frames[-1].x, whole.x)
    assert [frame.level for frame in frames] == [*range(place, TOKENS + 1)]
    assert frames[0].total == model.total({"given": begun}) == TOKENS - place


def test_an_edited_token_and_all_before_it_stay_and_what_follows_hears_of_it(model):
    (*_, whole), place = model.sample(Noise([5])), 6
    edited = whole.tokens[0].clone()
    edited[place + 1 :] = UNDRAWN
    followed = []
    for code in range(CODES):
        edited[place] = code
        *_, again = model.sample(Noise([5]), given=edited)
        assert torch.equal(again.tokens[0, : place + 1], edited[: place + 1])
        followed.append(again.tokens[0, place + 1 :])
    assert len(torch.stack(followed).unique(dim=0)) > 1


def test_a_token_that_stands_further_on_is_read_when_its_turn_comes(model):
    *_, whole = model.sample(Noise([5, 6]))
    alone, edited, place = torch.full((2, TOKENS), UNDRAWN), whole.tokens[0].clone(), 6
    alone[0, place] = edited[place] = (edited[place] + 1) % CODES
    edited[place + 1 :] = UNDRAWN
    *_, again = model.sample(Noise([5, 6]), given=alone)
    *_, step_by_step = model.sample(Noise([5]), given=edited)
    assert torch.equal(again.tokens, torch.cat([step_by_step.tokens, whole.tokens[1:]]))


def test_tokens_without_anything_to_draw_are_the_result(model):
    tokens = some_tokens(2)
    (only,) = model.sample(Noise([1, 2]), given=tokens)
    assert torch.equal(only.x, model.decode(tokens)) and only.out is None


@pytest.mark.parametrize("given", [torch.zeros(1, 3, 16, 16), torch.full((TOKENS,), CODES)])
def test_what_cannot_be_gone_on_from_is_refused(model, given):
    with pytest.raises(KnobError, match="given"):
        next(model.sample(Noise([0, 1]), given=given))


# --- training and figures -------------------------------------------------------------------------

SMALL = {"codes": 64, "code_width": 4, "widths": (16, 16)}


@pytest.fixture
def recipes_in_small(monkeypatch, tmp_path):
    """Both recipes, of a few steps each."""
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path / "weights"))
    data = portraits(32, 64)
    monkeypatch.setattr(recipes, "load_data", lambda *_: data)
    part = Recipe("picture-tokens/autoencoder", 5, SMALL, "avatars", batch=4)
    small = SMALL | {"width": 32, "depth": 1, "heads": 2}
    whole = Recipe("picture-tokens", 4, small, "avatars", batch=4)
    monkeypatch.setitem(RECIPES, "tokens-avatars/autoencoder", part)
    monkeypatch.setitem(RECIPES, "tokens-avatars", whole)
    return tmp_path / "runs"


def train(name: str, folder) -> None:
    for _ in recipes.run(name, folder).train(device="cpu"):
        continue


def test_two_trainings_one_after_the_other_become_one_checkpoint(recipes_in_small):
    with pytest.raises(FileNotFoundError, match="train tokens-avatars/autoencoder` makes it"):
        train("tokens-avatars", recipes_in_small)
    train("tokens-avatars/autoencoder", recipes_in_small)
    assert not checkpoint.available()  # a part is no model to draw with
    train("tokens-avatars", recipes_in_small)
    model = load("tokens-avatars", "cpu")
    part = checkpoint.load("final", "cpu", recipes_in_small / "tokens-avatars" / "autoencoder")
    for name, value in part.state_dict().items():
        kept = model.autoencoder.state_dict()[name]
        assert torch.allclose(kept, value, rtol=2e-3, atol=1e-4), name  # in half precision
    assert model.card["parts"]["autoencoder"]["steps"] == 5 and model.card["steps"] == 4
    assert model.card["hours"] >= model.card["parts"]["autoencoder"]["hours"]
    assert recipes.deviation("tokens-avatars", model.card) == recipes.AS_WRITTEN
    assert final(model.sample(Noise([0]))).shape == (1, 3, 64, 64)


def test_figures_tell_what_comes_back_and_what_was_left_out(model, monkeypatch):
    data, judge = portraits(12, 16), tiny("avatar-judge")
    monkeypatch.setattr("gen_core.evaluation.evaluate.load_data", lambda *_, **__: data)
    monkeypatch.setitem(model.card, "data", "avatars")
    asked = Evaluation(Reference(judge, torch.empty(0), {}, 0.9), 8, 4, 0, None, lambda _: None)
    found = model.extra_metrics(asked)
    x = data.pictures(slice(8))
    tokens = model.encode(x)
    again = model.decode(tokens)
    assert found["reconstruction_error"] == pytest.approx(float((x - again).square().mean()))
    right = judge.agreement(judge(again), data.labels[:8])["accuracy"]
    assert found["reconstruction_accuracy"] == pytest.approx(right)
    bits = -model.log_prob(tokens, data.labels[:8]).mean() / TOKENS / math.log(2)
    assert found["bits_per_token"] == pytest.approx(float(bits), rel=1e-4)
    assert found["codes_in_use"] == len(tokens.unique()) >= found["perplexity"] > 1
    assert found["left_out"].keys() == {"composing", "reconstruction"}


def test_both_parts_fit_into_a_file_of_nine_and_a_half_megabytes():
    model = registry.classes["picture-tokens"](None)
    size = sum(v.numel() * 2 for v in model.state_dict().values())
    assert 8e6 < size < 9.4e6
