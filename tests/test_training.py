"""Training: resumed runs arrive at the same place, averages and rates follow their formulas."""

import dataclasses
import json
import math

import pytest
import torch
from safetensors.torch import load_file

from core_fixtures import TRAINED, batches, striped, tiny, write_fashion
from gen_core import fit, load
from gen_core.data import Batches, MissingData
from gen_core.family import Family, Phase, registry
from gen_core.knobs import KnobError
from gen_core.training import checkpoint, recipes
from gen_core.training.recipes import Recipe, Run
from gen_core.training.train import NotFinite, Trainer

pytestmark = pytest.mark.heavy


def train(family, steps, *, at=None, save=None, resume=None, layout=torch.contiguous_format):
    """Trains a tiny model and saves its state after `at` steps; returns its trainer."""
    model = tiny(family).to(memory_format=layout)
    for step in fit(model, batches(family), steps=steps, seed=5, warmup=2, resume=resume):
        if step.step == at:
            step.trainer.save(save)
    return step.trainer


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("family", TRAINED)
def test_a_resumed_run_arrives_at_the_same_place_bit_for_bit(family, layout, tmp_path):
    """Ten steps cross an epoch (four batches each) and the lazy phases of a GAN (every eighth)."""
    state = tmp_path / "state.safetensors"
    straight = train(family, 10, layout=layout, at=5, save=state)
    resumed = train(family, 10, layout=layout, resume=state)
    assert resumed.step == straight.step == 10
    for part in ("model", "ema"):
        ours, theirs = getattr(straight, part).state_dict(), getattr(resumed, part).state_dict()
        assert all(torch.equal(ours[k], theirs[k]) for k in ours)


def test_training_depends_on_its_seed_alone():
    torch.manual_seed(1)
    first = train("vae", 3).model.state_dict()
    torch.manual_seed(2)
    torch.rand(5)
    again = train("vae", 3).model.state_dict()
    assert all(torch.equal(first[k], again[k]) for k in first)


def test_a_state_of_another_seed_is_refused(tmp_path):
    train("vae", 4, at=2, save=tmp_path / "s.safetensors")
    with pytest.raises(ValueError, match="was begun with seed=5, not 6: use that seed"):
        next(
            fit(
                tiny("vae"),
                Batches(striped(), 16, 0),
                steps=4,
                seed=6,
                resume=tmp_path / "s.safetensors",
            )
        )


class Line(Family):
    """One weight whose gradient is always 1."""

    name, Config = "line", tuple

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def phases(self):
        loss = lambda x, label, rng: {"loss": self.weight.sum()}  # noqa: E731
        return [Phase("fall", [self.weight], loss, lr=0.1)]


def test_the_average_follows_its_formula():
    """decay = min(ema, step / (step + 9)): early steps forget the untrained start faster."""
    model, expected = Line(), 0.0
    for step in fit(model, Batches(striped(), 16, 0), steps=60, ema=0.8, warmup=0):
        decay = min(0.8, step.step / (step.step + 9))
        expected = decay * expected + (1 - decay) * model.weight.item()
        assert step.trainer.ema.weight.item() == pytest.approx(expected, rel=1e-4)
    assert not step.trainer.ema.weight.requires_grad


def test_the_rate_warms_up_and_falls_to_zero():
    rates = []
    for step in fit(Line(), Batches(striped(), 16, 0), steps=100, warmup=10):
        rates.append(step.trainer.optimisers["fall"].param_groups[0]["lr"])
    assert rates[:10] == pytest.approx([0.01 * k for k in range(1, 11)])
    cosine = [0.05 * (1 + math.cos(math.pi * k / 90)) for k in range(90)]
    assert rates[10:] == pytest.approx(cosine)
    assert rates[-1] < 1e-4


def test_a_phase_moves_nobody_elses_weights():
    """The generator's loss goes through the discriminator, which must not learn from it."""
    model = tiny("gan")
    trainer = next(fit(model, Batches(striped(), 16, 0), steps=2, warmup=0)).trainer
    turn = next(phase for phase in trainer.phases if phase.name == "generator")
    critic = [p.detach().clone() for p in model.discriminator.parameters()]
    painter = [p.detach().clone() for p in model.generator.parameters()]
    x, label = Batches(striped(), 16, 0)[0]
    rng = torch.Generator().manual_seed(0)
    trainer._run(turn, x, label, rng)
    assert all(
        torch.equal(a, b) for a, b in zip(critic, model.discriminator.parameters(), strict=True)
    )
    assert any(
        not torch.equal(a, b) for a, b in zip(painter, model.generator.parameters(), strict=True)
    )


def test_a_penalty_joins_each_so_manyth_update_as_many_times_as_heavy():
    """By the step: processes that share gradients would wait for each other if it were by lot."""
    model, joined = Line(), []

    def penalty(x, label, rng):
        joined.append(trainer.step)
        return -2 * model.weight.sum()

    (fall,) = model.phases()
    lazy = dataclasses.replace(fall, every=2, penalty=penalty, penalty_every=3)
    model.phases = lambda: [lazy]
    trainer = Trainer(model, steps=100, seed=0, ema=0.9, warmup=0)
    gradients, losses = [], []
    for step in range(12):
        loss = trainer.update(*Batches(striped(), 16, 0)[step])
        if loss:
            losses.append(loss["fall.loss"].item())
            gradients.append(model.weight.grad.item())
    assert joined == [0, 6]  # of the updates at 0, 2, 4, ... the first of three
    assert gradients == [1 - 3 * 2, 1, 1] * 2
    assert losses[0] == 0 and len(losses) == 6  # what is logged is the loss without it


class Given(torch.autograd.Function):
    """0, with a gradient that is known and lies in memory in a given order."""

    @staticmethod
    def forward(ctx, weight, order):
        ctx.order, ctx.shape = order, weight.shape
        return weight.new_zeros(())

    @staticmethod
    def backward(ctx, _):
        rng = torch.Generator().manual_seed(1)
        return torch.randn(ctx.shape, generator=rng).to(memory_format=ctx.order), None


class Filters(Family):
    """The weights of a convolution, whose gradient lies as `order` says."""

    name, Config, order = "filters", tuple, torch.contiguous_format

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(6, 5, 3, 3))

    def phases(self):
        loss = lambda x, label, rng: {"loss": Given.apply(self.weight, self.order)}  # noqa: E731
        return [Phase("fall", [self.weight], loss, lr=0.1)]


def test_a_step_does_not_depend_on_how_gradients_lie_in_memory():
    """Fused AdamW would give each weight the gradient of another one."""
    after = []
    for order in (torch.contiguous_format, torch.channels_last):
        model = Filters().to(memory_format=torch.channels_last)
        model.order = order
        list(fit(model, Batches(striped(), 16, 0), steps=3, warmup=0))
        after.append(model.weight.detach())
    assert torch.equal(*after) and after[0].any()


@pytest.mark.parametrize("family", ["flow", "vae"])
def test_training_lowers_the_loss(family):
    steps = list(fit(tiny(family), Batches(striped(640), 32, 0), steps=40, warmup=5))
    losses = [float(next(v for k, v in s.losses.items() if k.endswith(".loss"))) for s in steps]
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a made-up data set, to which checkpoints are written."""
    folder = tmp_path_factory.mktemp("place")
    write_fashion(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_WEIGHTS", str(folder / "not" / "yet" / "weights"))
        patch.setenv("GEN_DATA", str(folder))
        yield folder


GAME = Recipe(
    "gan",
    steps=36,
    batch=16,
    warmup=2,
    snapshots=(26, 31, 36),
    config={"widths": (32, 16, 16), "latent": 8, "discriminator_width": 8},
)


@pytest.fixture(scope="module")
def straight(place):
    """The steps of a run that nobody interrupts."""
    return [s.step for s in Run("straight", GAME, place / "straight").train(device="cpu")]


def test_a_recipe_becomes_a_checkpoint(straight):
    assert straight == list(range(1, 37))
    model = load("straight", "cpu")
    assert model.snapshots == list(GAME.snapshots)
    assert model.card["steps"] == 36 and model.card["recipe"]["batch"] == 16
    assert {"data", "seed", "hardware", "hours", "metrics"} <= model.card.keys()
    assert len(model.extra["curve.step"]) == len(model.extra["curve.generator.loss"]) > 0
    last = model.at_snapshot(36).generator.state_dict()
    for name, value in model.generator.state_dict().items():
        if name != "mean_style":
            assert torch.equal(value, last[name]), name
    assert not torch.equal(
        model.at_snapshot(model.snapshots[0]).generator.enter.weight, last["enter.weight"]
    )


@pytest.mark.usefixtures("straight")
def test_an_interrupted_run_gives_the_same_checkpoint(place):
    run = Run("resumed", GAME, place / "resumed")
    for step in run.train(device="cpu", save_every=13):
        if step.step == 28:  # the state is of step 26, the log may be of later ones
            break
    list(Run("resumed", GAME, place / "resumed").train(device="cpu", save_every=13))
    ours, theirs = (checkpoint.read(name)[0] for name in ("straight", "resumed"))
    assert ours.keys() == theirs.keys()
    different = [k for k in ours if not torch.equal(ours[k].nan_to_num(), theirs[k].nan_to_num())]
    assert not different
    logged = [json.loads(line)["step"] for line in run.log.read_text().splitlines()]
    assert logged == sorted(set(logged))


NEGLECT = {"discriminator_every": 4, "r1": 0.0}
TURNED = dataclasses.replace(GAME, switch_step=31, config_after_switch=NEGLECT)


@pytest.fixture(scope="module")
def turned(place):
    """The steps of a run that is neglected from its 31st step on."""
    return list(Run("turned", TURNED, place / "turned").train(device="cpu"))


@pytest.mark.usefixtures("straight")
def test_a_run_is_the_same_as_its_twin_until_its_turn(turned):
    assert [s.step for s in turned] == list(range(1, 37))
    assert [s.step for s in turned[31:] if "discriminator.loss" in s.losses] == [
        33
    ]  # update 32 is a 4th
    one, two = load("straight", "cpu"), load("turned", "cpu")
    assert two.config.discriminator_every == 4 and two.config.r1 == 0 < one.config.r1
    step, loss = (two.extra[f"curve.{name}"] for name in ("step", "discriminator.loss"))
    assert step[loss.isfinite()].max() == 33  # logged after the turn too
    for step, same in ((26, True), (31, True), (36, False)):
        ours, theirs = (m.at_snapshot(step).generator.enter.weight for m in (one, two))
        assert torch.equal(ours, theirs) is same, step


@pytest.mark.usefixtures("turned")
def test_a_run_interrupted_after_its_turn_gives_the_same_checkpoint(place):
    for step in Run("turned-twice", TURNED, place / "again").train(device="cpu", save_every=1):
        if step.step == 33:
            break
    list(Run("turned-twice", TURNED, place / "again").train(device="cpu"))
    ours, theirs = (checkpoint.read(name)[0] for name in ("turned", "turned-twice"))
    different = [k for k in ours if not torch.equal(ours[k].nan_to_num(), theirs[k].nan_to_num())]
    assert ours.keys() == theirs.keys() and not different


@pytest.mark.usefixtures("straight")
def test_a_finished_run_can_be_asked_for_again(place):
    assert list(Run("straight", GAME, place / "straight").train(device="cpu")) == []
    assert load("straight", "cpu").card["steps"] == 36


@pytest.mark.usefixtures("straight")
def test_a_state_file_holds_all_that_a_run_must_remember(place):
    names = [k.split(".") for k in load_file(place / "straight" / "state.safetensors")]
    assert {part[0] for part in names} == {"model", "ema", "optimiser"}
    played = {part[1] for part in names if part[0] == "optimiser"}
    assert played == {"discriminator", "generator"}  # by name: phases may come, go and move


def test_a_recipe_without_its_data_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.delenv("GEN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("gen_core.data.fashion._fetch", refuse)
    with pytest.raises(MissingData, match="offline"):
        next(recipes.run("vae-fashion", tmp_path / "runs").train(device="cpu"))


def refuse(*args, **kwargs):
    raise MissingData("offline")


def test_an_unknown_recipe_is_named():
    with pytest.raises(KnobError, match="recipe='nope': choose one of .*flow-fashion"):
        recipes.run("nope")


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_recipe_fits_its_family(name):
    recipe = recipes.RECIPES[name]
    for step in (0, recipe.switch_step):
        assert hash(registry.classes[recipe.family].Config(**recipe.config_after(step)))
    assert 0 <= recipe.switch_step < recipe.steps
    assert bool(recipe.switch_step) == bool(recipe.config_after_switch)
    if marks := recipe.snapshots:
        assert list(marks) == sorted(set(marks))
        assert marks[-1] == recipe.steps and len(marks) >= 12


# --- a training that runs away --------------------------------------------------------------------


def test_a_loss_that_is_not_finite_stops_the_training_and_the_last_good_state_stays(
    place, tmp_path
):
    """A weight becomes NaN, as when the learning rate is too high."""
    recipe = Recipe("vae", steps=200, batch=16, warmup=0, config={"widths": (16, 32), "latent": 4})
    good = Run("vae-x", recipe, tmp_path / "run")
    steps = good.train(device="cpu", save_every=2)
    for _ in range(5):
        step = next(steps)
    kept = load_file(good.state)
    poison = step.trainer.model.log_sigma
    with torch.no_grad():
        poison.fill_(math.nan)
    with pytest.raises(NotFinite, match=r"vae-x, step 6: the loss is NaN or infinite\. .*step 4"):
        next(steps)
    assert good.steps_done() == 4 and not good.result.exists()
    after = load_file(good.state)
    assert all(torch.equal(kept[name], after[name]) for name in kept)
    assert next(Run("vae-x", recipe, tmp_path / "run").train(device="cpu")).step == 5  # and goes on


@pytest.mark.parametrize("family", TRAINED)
def test_what_is_not_finite_in_the_data_never_reaches_the_weights(family):
    model = tiny(family)
    trainer = Trainer(model, steps=10, seed=0, ema=0.9, warmup=1)
    x, label = batches(family)[0]
    if not x.is_floating_point():
        return  # tokens are whole numbers
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(NotFinite, match="step 1: the loss is NaN or infinite"):
        trainer.update(torch.full_like(x, math.nan), label)
    assert all(value.isfinite().all() for value in model.state_dict().values())
    first = trainer.phases[0].parameters
    names = [name for name, p in model.named_parameters() if any(p is q for q in first)]
    assert all(torch.equal(before[name], model.state_dict()[name]) for name in names)


def test_ruined_weights_do_not_replace_a_good_state(tmp_path):
    """As on a GPU, whose losses the host looks at now and then only."""
    trainer = train("vae", 4, at=2, save=tmp_path / "s.safetensors")
    kept = (tmp_path / "s.safetensors").read_bytes()
    with torch.no_grad():
        trainer.ema.log_sigma.fill_(math.inf)
    with pytest.raises(NotFinite, match="step 4: the weights are NaN or infinite"):
        trainer.save(tmp_path / "s.safetensors")
    trainer = train("vae", 4)
    trainer.diverged = torch.tensor(True)
    with pytest.raises(NotFinite, match="the loss is NaN or infinite"):
        trainer.save(tmp_path / "s.safetensors")
    assert (tmp_path / "s.safetensors").read_bytes() == kept


# --- recipes as written ---------------------------------------------------------------------------


def test_one_run_from_the_start_is_the_recipe_as_written(place, tmp_path, monkeypatch):
    monkeypatch.setitem(recipes.RECIPES, "gan-x", GAME)
    interrupted = Run("gan-x", GAME, tmp_path / "run").train(device="cpu", save_every=10)
    for step in interrupted:
        if step.step == 15:
            break
    list(Run("gan-x", GAME, tmp_path / "run").train(device="cpu"))
    card = checkpoint.card("gan-x")
    assert "deviation" not in card and recipes.deviation("gan-x", card) == "as written"
    changed = dataclasses.replace(GAME, config=GAME.config | {"r1": 1.0})
    for other in (changed, dataclasses.replace(GAME, batch=32)):
        monkeypatch.setitem(recipes.RECIPES, "gan-x", other)
        assert recipes.deviation("gan-x", card) == "settings changed"


@pytest.mark.parametrize(
    ("then", "kind", "why"),
    [
        ({"steps": 31}, "continued", "until step 31 with other steps"),
        ({"steps": 31, "batch": 32}, "settings changed", "until step 31 with other batch, steps"),
    ],
)
def test_a_run_that_went_on_after_its_end_is_marked_so(
    place, tmp_path, monkeypatch, then, kind, why
):
    monkeypatch.setitem(recipes.RECIPES, "gan-x", GAME)
    first = dataclasses.replace(GAME, **then, snapshots=(26, 31))
    list(Run("gan-x", first, tmp_path / "run").train(device="cpu", replace=True))
    list(Run("gan-x", GAME, tmp_path / "run").train(device="cpu"))
    card = checkpoint.card("gan-x")
    assert card["deviation"] == {"kind": kind, "why": why}
    assert recipes.deviation("gan-x", card) == kind
