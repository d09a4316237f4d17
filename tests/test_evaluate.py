"""Evaluation of checkpoints, with tiny models and a classifier that was really trained."""

import json
import shutil

import pytest
import torch

from core_fixtures import tiny, write_fashion
from gen_core import fit, load
from gen_core.data import Batches, MissingData
from gen_core.evaluation import metrics
from gen_core.evaluation.evaluate import draw, evaluate
from gen_core.evaluation.reference import (
    Reference,
    _drawn,
    classified,
    floor,
    measured_floors,
)
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from gen_core.training import checkpoint
from gen_core.training.checkpoint import CheckpointError

CARD = {"data": "fashion", "recipe": {}, "steps": 1, "seed": 0, "hours": 0.0, "metrics": {}}
FEW = {"samples": 100, "batch": 40, "device": "cpu"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a made-up data set and tiny checkpoints; the classifier knows the classes."""
    folder = tmp_path_factory.mktemp("weights")
    sets = write_fashion(folder, train=320, test=200)
    judge = tiny("judge")
    for step in fit(judge, Batches(sets["train"], 32, 0), steps=80, warmup=10, ema=0.9):
        trained = step.trainer.ema
    checkpoint.save(trained, folder / "judge-fashion.safetensors", CARD)
    for family in ("vae", "gan", "diffusion"):
        checkpoint.save(tiny(family), folder / f"{family}-fashion.safetensors", CARD)
    game = tiny("gan", classes=0)
    kept = {
        f"snapshot.{step}.{k}": v.half()
        for step in (10, 2)
        for k, v in tiny("gan", seed=step, classes=0).generator.state_dict().items()
    }
    checkpoint.save(game, folder / "gan-fashion-x.safetensors", CARD, extra=kept)
    return folder


@pytest.fixture
def measured(place):
    """The same, after the classifier was evaluated."""
    evaluate("judge-fashion", folder=place, data_root=place, device="cpu", write=True)
    return place


def test_the_classifier_carries_what_others_are_measured_against(place):
    before, _ = checkpoint.read("judge-fashion", place)
    result = evaluate("judge-fashion", folder=place, data_root=place, device="cpu", write=True)
    judge = load("judge-fashion", "cpu", place)
    assert judge.card["metrics"] == result
    assert result["samples"] == 200 and result["accuracy"] > 0.25  # guessing: 0.1
    test = judge.extra["features.test"]
    assert test.shape == (200, 16) and test.dtype == torch.float16
    after, _ = checkpoint.read("judge-fashion", place)
    assert all(torch.equal(before[k], after[k]) for k in before if not k.startswith("extra."))


def test_a_classifier_without_its_data_is_an_error(place, tmp_path, monkeypatch):
    monkeypatch.delenv("GEN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("gen_core.data.fashion._fetch", _offline)
    with pytest.raises(MissingData, match="offline"):
        evaluate("judge-fashion", folder=place, device="cpu")


def _offline(*args, **kwargs):
    raise MissingData("offline")


def test_others_need_an_evaluated_classifier(place, tmp_path):
    checkpoint.save(tiny("vae"), tmp_path / "vae-fashion.safetensors", CARD)
    with pytest.raises(CheckpointError, match="no weights named 'judge-fashion'"):
        evaluate("vae-fashion", folder=tmp_path, **FEW)
    checkpoint.save(tiny("judge"), tmp_path / "judge-fashion.safetensors", CARD)
    with pytest.raises(CheckpointError, match="evaluate judge-fashion --write"):
        evaluate("vae-fashion", folder=tmp_path, **FEW)


def test_a_conditional_model_is_asked_for_all_classes_in_turn(measured):
    told = []
    result = evaluate(
        "diffusion-fashion",
        folder=measured,
        steps=2,
        seed=7,
        **FEW,
        progress=told.append,
    )
    assert result["knobs"] == {"steps": 2, "guidance_scale": 1.2} and result["seed"] == 7
    assert told == [Progress("samples", n, 100, "pictures") for n in (40, 80, 100)]
    reference = Reference.of("fashion", "cpu", measured)
    model = load("diffusion-fashion", "cpu", measured)
    fake = classified(reference.classifier, draw(model, 100, 100, 7, result["knobs"]))
    wanted = torch.arange(100) % 10
    assert result["accuracy"] == pytest.approx(metrics.accuracy(fake.logits, wanted), abs=0.02)
    distance = metrics.frechet_distance(fake.features, reference.features)
    assert result["frechet"] == pytest.approx(distance, rel=0.02)
    assert 1 <= result["inception_score"] <= 10
    features = fake.features, reference.features
    assert result["kernel_distance"] == pytest.approx(metrics.kernel_distance(*features), rel=0.05)
    extrapolated = metrics.extrapolated_frechet(*features)
    assert result["extrapolated_frechet"] == pytest.approx(extrapolated, rel=0.05)
    expected = metrics.density_coverage(*reversed(features))
    assert (result["density"], result["coverage"]) == pytest.approx(expected, abs=0.05)
    assert result["floor"] is None
    assert result["left_out"] == {"floor": "measured for these numbers of samples: none"}
    assert sum(result["class_shares"]) == pytest.approx(1, abs=1e-4)


def test_a_result_does_not_depend_on_the_batch(measured):
    first, second = (
        evaluate("gan-fashion", folder=measured, samples=100, batch=b, device="cpu")
        for b in (100, 30)
    )
    for key in ("frechet", "inception_score", "accuracy"):
        assert first[key] == pytest.approx(second[key], rel=0.02)


@pytest.fixture
def floored(measured, tmp_path, monkeypatch):
    """A copy, in which the floor is known for 100, 120 and 200 samples."""
    monkeypatch.setattr("gen_core.evaluation.reference.FLOOR_SAMPLES", (100, 120, 1000))
    folder = shutil.copytree(measured, tmp_path / "weights")
    judge = load("judge-fashion", "cpu", folder)
    floors = measured_floors(judge, measured)
    checkpoint.amend("judge-fashion", floors, folder=folder, section="floors")
    return folder


def test_the_floor_is_that_of_as_many_real_pictures(floored):
    reference = Reference.of("fashion", "cpu", floored)
    draws = reference.floors["draws"]
    assert reference.floors["references"] == 200
    assert list(draws) == ["100", "120", "200"]  # of 320 training pictures
    assert all(len(of) == 5 and len(set(of)) == 5 for of in draws.values())
    few, more = floor(reference.floors, 100), floor(reference.floors, 200)
    assert few > more > 0 and few == sorted(draws["100"])[2]
    result = evaluate("vae-fashion", folder=floored, data_root=floored, **FEW)
    assert result["floor"] == pytest.approx(few) and "floor" not in result["left_out"]
    result = evaluate("vae-fashion", folder=floored, data_root=floored, **FEW | {"samples": 101})
    assert result["floor"] is None
    assert result["left_out"]["floor"] == "measured for these numbers of samples: 100, 120, 200"


def test_the_floor_goes_with_the_classifier_that_it_was_measured_with(floored):
    before = checkpoint.card("judge-fashion", floored)
    place = floored / "judge-fashion.safetensors"
    checkpoint.save(tiny("judge", seed=3), place, CARD)
    assert "floors" in before and "floors" not in checkpoint.card("judge-fashion", floored)


@pytest.mark.parametrize("count", [100, 95])
def test_the_floor_s_pictures_are_balanced_and_drawn_once(count):
    labels = torch.arange(10).repeat_interleave(torch.arange(20, 30))
    rows = _drawn(labels, count, seed=0)
    shares = torch.bincount(labels[rows], minlength=10)
    assert len(set(rows.tolist())) == len(rows) == count
    assert shares.max() - shares.min() == (count % 10 > 0)
    assert not torch.equal(rows, _drawn(labels, count, seed=1))
    several = torch.zeros(300, 4)
    assert len(set(_drawn(several, count, seed=0).tolist())) == count


def test_real_pictures_are_no_further_than_the_floor(floored):
    """The metrics themselves, fed with pictures of the test set instead of samples."""
    measured = floored
    reference = Reference.of("fashion", "cpu", measured)
    sets = write_fashion(measured, train=320, test=200)
    real = classified(reference.classifier, [sets["test"].pictures(slice(None))])
    assert metrics.frechet_distance(real.features, reference.features) < 0.01 * floor(
        reference.floors, 200
    )
    assert metrics.accuracy(real.logits, sets["test"].labels) == reference.accuracy


def test_a_vae_is_also_asked_to_reconstruct_where_the_data_is(measured, tmp_path, monkeypatch):
    monkeypatch.delenv("GEN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = evaluate("vae-fashion", folder=measured, data_root=measured, **FEW)
    assert result["reconstruction_error"] > 0 and result["elbo"] < 0
    assert "accuracy" not in result and result["knobs"] == {}
    without = evaluate("vae-fashion", folder=measured, **FEW)
    assert "not on this machine" in without["left_out"]["reconstruction"]
    assert "elbo" not in without and without["frechet"] == result["frechet"]


def test_the_reconstruction_error_is_the_mean_square(measured, monkeypatch):
    result = evaluate("vae-fashion", folder=measured, data_root=measured, **FEW)
    model = load("vae-fashion", "cpu", measured)
    x = write_fashion(measured, 320, 200)["test"].pictures(slice(None))
    with torch.no_grad():
        again = model.decode(model.encode(x)[0])
    few, whole = ((x - again)[:n].square().mean() for n in (100, 200))
    assert result["reconstruction_error"] == pytest.approx(float(few), rel=0.02)
    assert result["left_out"]["reconstruction"].startswith("100 of 200 test pictures")
    monkeypatch.setattr("gen_core.evaluation.evaluate.COMPLETE", 100)
    result = evaluate("vae-fashion", folder=measured, data_root=measured, **FEW)
    assert result["reconstruction_error"] == pytest.approx(float(whole), rel=0.02)
    assert "reconstruction" not in result["left_out"]


def test_snapshots_of_a_game_are_measured_in_order(measured, monkeypatch):
    monkeypatch.setattr("gen_core.evaluation.evaluate.COMPLETE", 100)
    monkeypatch.setattr("gen_core.families.gan.SNAPSHOT_SAMPLES", 60)
    result = evaluate("gan-fashion-x", folder=measured, write=True, **FEW)
    assert "accuracy" not in result
    assert [row["step"] for row in result["snapshots"]] == [2, 10]
    for row in result["snapshots"]:
        assert row["samples"] == 60 and row["frechet"] > 0 and 0 <= row["recall"] <= 1
        assert sum(row["class_shares"]) == pytest.approx(1, abs=1e-4)
        assert row["classes_alive"] == sum(s >= 0.01 for s in row["class_shares"])
    assert load("gan-fashion-x", "cpu", measured).card["metrics"] == json.loads(json.dumps(result))


def test_a_glance_draws_no_more_pictures_than_it_was_asked_for_and_says_so(measured):
    result = evaluate("gan-fashion-x", folder=measured, **FEW)
    assert "snapshots" not in result
    assert "take 2,000 samples or more" in result["left_out"]["snapshots"]


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"samples": 99}, "samples=99: choose a whole number from 100 to 100000"),
        ({"samples": 10**9}, "samples=1000000000: choose"),
        ({"batch": 0}, "batch=0: choose"),
        ({"steps": 5}, "steps=5: the knobs of vae-fashion are temperature"),
        ({"temperature": 9}, "temperature=9: choose a number from 0 to 2"),
    ],
)
def test_bad_knobs_are_named(measured, knobs, said):
    with pytest.raises(KnobError, match=said):
        evaluate("vae-fashion", folder=measured, **FEW | knobs)


def test_the_standard_fid_is_an_option_that_compares_with_the_test_set(measured, monkeypatch):
    def first_pixels(batches, device):
        return torch.cat([x[:, 0, 10, 10:14] for x in batches]).cpu()

    monkeypatch.setattr("gen_core.evaluation.evaluate.inception_features", first_pixels)
    result = evaluate("vae-fashion", folder=measured, data_root=measured, inception=True, **FEW)
    real = write_fashion(measured, 320, 200)["test"].pictures(slice(None))[:, 0, 10, 10:14]
    model = load("vae-fashion", "cpu", measured)
    fake = torch.cat(list(draw(model, 100, 40, 0, {})))[:, 0, 10, 10:14]
    assert result["fid_inception_v3"] == pytest.approx(metrics.frechet_distance(real, fake))
