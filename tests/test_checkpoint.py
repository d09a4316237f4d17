"""Saved and loaded models agree bit for bit, and a bad file says what is wrong with it."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from core_fixtures import TRAINED, batches, tiny
from gen_core import Noise, available, final, load
from gen_core.knobs import KnobError
from gen_core.training import checkpoint
from gen_core.training.checkpoint import CheckpointError
from gen_core.training.train import Trainer

CARD = {"data": "fashion", "steps": 7, "seed": 3, "hours": 0.1, "metrics": {}}


@pytest.fixture(params=TRAINED)
def model(request):
    return tiny(request.param, seed=4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_weights_come_back_bit_for_bit_in_the_stored_precision(model, dtype, tmp_path):
    checkpoint.save(model, tmp_path / "a.safetensors", CARD, dtype=dtype)
    loaded = load("a", "cpu", tmp_path)
    stored = {k: v.to(dtype) for k, v in model.state_dict().items()}
    for name, value in loaded.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, stored[name].float()), name
    checkpoint.save(loaded, tmp_path / "b.safetensors", CARD, dtype=dtype)
    first, _ = checkpoint.read("a", tmp_path)
    second, _ = checkpoint.read("b", tmp_path)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[k], second[k]) and first[k].dtype == dtype for k in first)


def test_a_loaded_model_is_ready_and_says_what_it_is(model, tmp_path):
    extra = {"curve.loss": torch.tensor([3.0, 2.0])}
    checkpoint.save(model, tmp_path / "a.safetensors", CARD, extra=extra)
    loaded = load("a", "cpu", tmp_path)
    assert loaded.config == model.config and type(loaded) is type(model)
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    assert CARD.items() <= loaded.card.items() and loaded.card["family"] == model.name
    assert torch.equal(loaded.extra["curve.loss"], extra["curve.loss"])
    assert checkpoint.card("a", tmp_path) == loaded.card


def test_a_loaded_model_draws_the_same_pictures(tmp_path):
    model = tiny("gan").half().float()
    checkpoint.save(model, tmp_path / "a.safetensors", CARD)
    loaded = load("a", "cpu", tmp_path)
    model.to(memory_format=torch.channels_last)
    ours, theirs = (final(m.sample(Noise([1, 2]), label=3)) for m in (model, loaded))
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("family", ["gan", "style-gan"])
def test_a_file_with_the_names_of_old_opens(family, tmp_path):
    """As they were called when the shipped weights were trained."""
    model = tiny(family, seed=4).half().float()
    if family == "style-gan":  # as far from what a fresh one has as can be
        model.generator.convs[0].noise_strength.data.fill_(0.5)
    checkpoint.save(
        model, tmp_path / "new.safetensors", CARD, extra={"curve.discriminator.loss": torch.ones(2)}
    )
    tensors, meta = checkpoint.read("new", tmp_path)
    old = {new: old for old, new in type(model).renamed.items()}
    assert {"discriminator", "discriminator_every"} <= old.keys()

    def as_of_old(values: dict) -> dict:
        return {
            ".".join(old.get(part, part) for part in k.split(".")): v for k, v in values.items()
        }

    meta["config"] = as_of_old(meta["config"])
    before = as_of_old(tensors)
    assert "extra.curve.critic.loss" in before and "critic_every" in meta["config"]
    assert not any("discriminator" in name for name in [*before, *meta["config"]])
    if family == "style-gan":
        assert {"shown", "matched"} <= meta["config"].keys()
        assert "generator.convs.0.grain" in before and "generator.wish.values.weight" in before
    texts = {k: json.dumps(v) for k, v in meta.items()}
    save_file(before, tmp_path / "old.safetensors", texts)
    again = load("old", "cpu", tmp_path)
    assert again.config == model.config
    assert again.extra.keys() == {"curve.discriminator.loss"}
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_a_run_that_began_under_the_names_of_old_goes_on(tmp_path):
    x, label = batches("gan")[0]
    how = {"steps": 4, "seed": 0, "ema": 0.9, "warmup": 1}
    begun, again = (Trainer(tiny("gan", seed=seed), **how) for seed in (1, 2))
    begun.update(x, label)
    begun.save(tmp_path / "state.safetensors")
    tensors = {
        k.replace("discriminator", "critic"): v
        for k, v in load_file(tmp_path / "state.safetensors").items()
    }
    assert any(name.startswith("optimiser.critic.") for name in tensors)
    save_file(tensors, tmp_path / "old.safetensors", {"step": "1", "seed": "0"})
    again.restore(tmp_path / "old.safetensors")
    for trainer in (begun, again):
        trainer.update(x, label)
    for name, value in begun.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name]), name


def test_amend_changes_the_metrics_and_nothing_else(model, tmp_path):
    extra = {"curve.loss": torch.tensor([3.0])}
    checkpoint.save(model, tmp_path / "a.safetensors", CARD, extra=extra)
    before, meta = checkpoint.read("a", tmp_path)
    checkpoint.amend("a", {"frechet": 1.5}, {"features.test": torch.ones(2)}, tmp_path)
    after, changed = checkpoint.read("a", tmp_path)
    assert after.keys() - before.keys() == {"extra.features.test"}
    assert all(
        torch.equal(before[k], after[k]) and before[k].dtype == after[k].dtype for k in before
    )
    assert changed == meta | {"metrics": {"frechet": 1.5}}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.safetensors"]


def test_figures_are_of_the_weights_that_they_were_measured_of(model, tmp_path):
    place = tmp_path / "a.safetensors"
    checkpoint.save(model, place, CARD)
    stored = place.read_bytes()
    checkpoint.amend("a", {"frechet": 1.5}, folder=tmp_path)
    checkpoint.amend("a", {"points": 3}, folder=tmp_path, section="latent")
    assert place.read_bytes() == stored, "a figure leaves the file as it is"
    card = checkpoint.card("a", tmp_path)
    assert card["metrics"] == {"frechet": 1.5} and card["latent"] == {"points": 3}
    assert load("a", "cpu", tmp_path).card == card
    checkpoint.amend("a", {"points": 4}, {"map": torch.ones(2)}, tmp_path, section="latent")
    card = checkpoint.card("a", tmp_path)
    assert card["metrics"] == {"frechet": 1.5}, "as the weights are the same"
    assert card["latent"] == {"points": 4} and "map" in load("a", "cpu", tmp_path).extra
    checkpoint.save(model, place, CARD | {"steps": 7})  # trained anew, measured not yet
    card = checkpoint.card("a", tmp_path)
    assert card["metrics"] == CARD["metrics"] and "latent" not in card and card["steps"] == 7


def test_the_file_is_plain_safetensors_with_json_metadata(tmp_path):
    checkpoint.save(tiny("flow"), tmp_path / "a.safetensors", CARD)
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        meta = {k: json.loads(v) for k, v in file.metadata().items()}
    assert meta["format"] == checkpoint.FORMAT
    assert meta["family"] == "flow" and meta["config"]["widths"] == [16, 32]


def test_available_lists_names_that_load(tmp_path):
    assert available(tmp_path) == []
    for name in ("b", "a"):
        checkpoint.save(tiny("vae"), tmp_path / f"{name}.safetensors", CARD)
    (tmp_path / "c.safetensors.partial").write_bytes(b"half a file")
    assert available(tmp_path) == ["a", "b"]


def test_the_folder_can_be_named_by_the_environment(tmp_path, monkeypatch):
    checkpoint.save(tiny("vae"), tmp_path / "a.safetensors", CARD)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    assert available() == ["a"] and load("a", "cpu").name == "vae"


def test_without_it_the_folder_is_beside_the_code_or_else_in_the_current_one(tmp_path, monkeypatch):
    code, current = tmp_path / "repository" / "gen_core", tmp_path / "current"
    code.mkdir(parents=True)
    current.mkdir()
    monkeypatch.delenv("GEN_WEIGHTS", raising=False)
    monkeypatch.setattr(checkpoint, "__file__", str(code / "training" / "checkpoint.py"))
    monkeypatch.chdir(current)
    assert checkpoint.weights_folder() == current / "weights"
    (code.parent / "weights").mkdir()
    assert checkpoint.weights_folder() == code.parent / "weights"


def refusal(name, folder) -> str:
    """The message of `load`; `card` must refuse such a file too, not hand out half a card."""
    with pytest.raises(CheckpointError):
        checkpoint.card(name, folder)
    with pytest.raises(CheckpointError) as caught:
        load(name, "cpu", folder)
    assert "\n" not in str(caught.value)[:80] and name in str(caught.value)
    return str(caught.value)


def test_a_missing_file_is_named_with_what_there_is(tmp_path):
    assert "there are: none. Choose" in refusal("flow-fashion", tmp_path)
    checkpoint.save(tiny("vae"), tmp_path / "vae-x.safetensors", CARD)
    message = refusal("flow-fashion", tmp_path)
    assert "there are: vae-x. Choose" in message and "GEN_WEIGHTS" in message


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "text"])
def test_a_damaged_file_is_named_with_the_way_out(damage, tmp_path):
    path = tmp_path / "a.safetensors"
    checkpoint.save(tiny("vae"), path, CARD)
    whole = path.read_bytes()
    broken = {
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "noise": bytes(range(256)) * 20,
        "text": b"<html>not found</html>",
    }
    path.write_bytes(broken[damage])
    assert "a.safetensors is damaged" in refusal("a", tmp_path)


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"format": "pt"},
        {"format": '"pt"'},
        {"format": '"noise-to-data/9"', "family": '"vae"'},
    ],
)
def test_a_foreign_file_is_not_called_damaged(metadata, tmp_path):
    save_file({"w": torch.zeros(2)}, tmp_path / "a.safetensors", metadata)
    text = refusal("a", tmp_path)
    assert "format" in text and "damaged" not in text and checkpoint.FORMAT in text


def test_a_family_that_is_not_here_is_named(tmp_path):
    meta = {"format": checkpoint.FORMAT, "family": "spiral", "config": {}}
    save_file(
        {"w": torch.zeros(2)},
        tmp_path / "a.safetensors",
        {k: json.dumps(v) for k, v in meta.items()},
    )
    with pytest.raises(CheckpointError, match="'spiral'; known are .*vae"):
        load("a", "cpu", tmp_path)


@pytest.mark.parametrize("missing", ["family", "config"])
def test_a_file_that_does_not_say_what_it_holds_is_refused(missing, tmp_path):
    checkpoint.save(tiny("vae"), tmp_path / "a.safetensors", CARD)
    tensors, meta = checkpoint.read("a", tmp_path)
    texts = {k: json.dumps(v) for k, v in meta.items() if k != missing}
    save_file(tensors, tmp_path / "a.safetensors", texts)
    assert f"a states no {missing!r}" in refusal("a", tmp_path)
    with pytest.raises(CheckpointError, match=f"states no {missing!r}"):
        checkpoint.config_of({k: v for k, v in meta.items() if k != missing})


def test_a_card_that_names_no_family_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    checkpoint.write_card(tmp_path / "a", {"data": "scenes"})
    assert "a states no 'family'" in refusal("a", tmp_path)
    with pytest.raises(CheckpointError, match="it states no 'family'"):
        checkpoint.kind_of({})


def test_a_config_of_a_family_that_is_not_here_is_refused():
    with pytest.raises(CheckpointError, match="'spiral'; known are .*vae"):
        checkpoint.config_of({"family": "spiral", "config": {}})


def test_weights_that_do_not_fit_their_config_are_refused(tmp_path):
    checkpoint.save(tiny("vae"), tmp_path / "a.safetensors", CARD)
    tensors, meta = checkpoint.read("a", tmp_path)
    meta["config"]["latent"] = 5
    save_file(tensors, tmp_path / "a.safetensors", {k: json.dumps(v) for k, v in meta.items()})
    with pytest.raises(CheckpointError, match="a does not fit its own config"):
        load("a", "cpu", tmp_path)


@pytest.mark.parametrize("name", ["../a", "a/b", "", "a\0b"])
def test_a_name_is_a_name_and_no_path(name, tmp_path):
    (tmp_path / "inner").mkdir()
    checkpoint.save(tiny("vae"), tmp_path / "a.safetensors", CARD)
    with pytest.raises(CheckpointError, match="no weights named"):
        load(name, "cpu", tmp_path / "inner")


@pytest.mark.parametrize("device", ["tpu", "", "cuda:99x", None])
def test_an_absent_device_is_named(device, tmp_path):
    checkpoint.save(tiny("vae"), tmp_path / "a.safetensors", CARD)
    with pytest.raises(KnobError, match=r"device=.*: choose one of auto, cpu"):
        load("a", device, tmp_path)
