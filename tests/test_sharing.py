"""Models on the hub: put there, and opened from there by somebody who has nothing else of ours."""

from __future__ import annotations

import errno
import os

import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import save_file

from fake_hub import COMMIT, REPOSITORY, Hub, serving
from gen_core import Family, Noise, available, final, load
from gen_core.classifiers.images import ImageClassifier
from gen_core.families.flow import Flow
from gen_core.families.vae import VAE
from gen_core.training.checkpoint import EXTRA, CheckpointError

NAMES = [name for name in available() if not name.startswith("judge")]


@pytest.fixture
def hub(tmp_path, monkeypatch):
    (tmp_path / "repository").mkdir()
    with serving(Hub(tmp_path / "repository"), tmp_path / "cache", monkeypatch) as hub:
        constants = "huggingface_hub.constants"
        monkeypatch.setattr(f"{constants}.ENDPOINT", hub.address)
        template = f"{hub.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(f"{constants}.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setenv("HF_TOKEN", "hf_ours")
        yield hub


def drawn(model: Family) -> torch.Tensor:
    steps = {"steps": 2} if "steps" in {knob.name for knob in model.every_knob} else {}
    return final(model.sample(Noise([5, 6]), **steps))


@pytest.mark.parametrize("name", NAMES)
def test_what_was_saved_draws_the_same(name, tmp_path):
    model = load(name, "cpu")
    place = model.save_pretrained(tmp_path / name)
    assert torch.equal(drawn(Family.from_pretrained(place, device="cpu")), drawn(model))
    front, page = (place / "README.md").read_text(encoding="utf-8").split("---\n")[1:]
    assert yaml.safe_load(front)["license"] == "mit"
    assert f"# {name}\n" in page and f'Family.from_pretrained("{name}")' in page


def test_a_model_goes_to_the_hub_and_comes_back(hub):
    model = load("vae-fashion", "cpu")
    assert model.push_to_hub("some-model") == f"{hub.address}/{REPOSITORY}"
    assert sorted(hub.files()) == ["README.md", "model.safetensors"]
    back = VAE.from_pretrained(REPOSITORY, device="cpu")
    assert torch.equal(drawn(back), drawn(model))
    assert back.card["metrics"] == model.card["metrics"]
    assert "README.md" not in hub.given  # what is not needed is not fetched


def test_the_lines_of_its_page_run(hub):
    load("flow-fashion", "cpu").push_to_hub(REPOSITORY)
    page = hub.files()["README.md"].decode()
    lines = page.split("```python\n")[1].split("```")[0]
    assert REPOSITORY in lines
    exec(lines, known := {})
    assert known["x"].shape == (4, 1, 28, 28)


def test_weights_stay_as_they_are_in_ours(tmp_path):
    place = load("gan-fashion", "cpu").save_pretrained(tmp_path / "gan")
    with safe_open(place / "model.safetensors", "pt") as file:
        names = [name for name in file.keys() if not name.startswith(EXTRA)]  # noqa: SIM118
        kinds = {file.get_tensor(name).dtype for name in names}
    assert torch.float16 in kinds and torch.float32 not in kinds


def test_a_classifier_travels_too(tmp_path):
    place = load("judge-fashion", "cpu").save_pretrained(tmp_path / "judge-fashion")
    back, x = ImageClassifier.from_pretrained(place, device="cpu"), torch.zeros(2, 1, 28, 28)
    assert torch.equal(back(x), load("judge-fashion", "cpu")(x))
    assert "ImageClassifier.from_pretrained" in (place / "README.md").read_text(encoding="utf-8")


def test_a_model_that_nobody_has_trained_can_be_saved(tmp_path):
    model = VAE(VAE.tiny()).eval()
    back = VAE.from_pretrained(model.save_pretrained(tmp_path / "mine"), device="cpu")
    assert back.config == model.config


def test_another_kind_is_named(tmp_path):
    place = load("vae-fashion", "cpu").save_pretrained(tmp_path / "vae")
    with pytest.raises(CheckpointError, match=r"of the family 'vae': open it by VAE\.from_pre"):
        Flow.from_pretrained(place)


@pytest.mark.parametrize(
    ("repository", "options", "said"),
    [
        ("nobody/nothing", {}, "nobody/nothing is not on the hub, or is private"),
        ("no/such/folder", {}, "neither a folder nor a repository's name"),
        (REPOSITORY, {"local_files_only": True}, "was never fetched whole, and no network is"),
    ],
)
def test_what_is_not_there_is_said_with_a_way_out(hub, repository, options, said):
    with pytest.raises(CheckpointError, match=said):
        Family.from_pretrained(repository, **options)


def test_a_pipeline_of_others_is_not_ours_and_is_not_fetched(hub):
    for name in ("model_index.json", "unet/model.safetensors", "vae/config.json"):
        (hub.folder / name).parent.mkdir(exist_ok=True)
        (hub.folder / name).write_bytes(b"{}" * 1000)
    neither = f"{REPOSITORY} is not a model of .* has neither model.safetensors nor card.json"
    with pytest.raises(CheckpointError, match=neither):
        Family.from_pretrained(REPOSITORY)
    with pytest.raises(CheckpointError, match=f"{hub.folder} is not a model .* neither"):
        Family.from_pretrained(hub.folder)
    assert hub.given == []


def test_weights_of_others_are_known_by_their_beginning(hub):
    weights = {"w": torch.zeros(200_000)}
    save_file(weights, hub.folder / "model.safetensors", {"format": "pt"})
    (hub.folder / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match=f"{REPOSITORY}: .* the format 'pt': ours have"):
        Family.from_pretrained(REPOSITORY)
    assert hub.given == []


def test_a_card_of_others_is_all_that_is_fetched_of_them(hub):
    (hub.folder / "card.json").write_text('{"name": "ace of spades"}')
    (hub.folder / "huge.safetensors").write_bytes(b"{}" * 1000)
    with pytest.raises(CheckpointError, match=f"{REPOSITORY}: .* the format None: ours have"):
        Family.from_pretrained(REPOSITORY)
    assert hub.given == ["card.json"]


def test_what_was_fetched_once_opens_without_the_hub(hub):
    VAE(VAE.tiny()).push_to_hub(REPOSITORY)
    for options in ({}, {"local_files_only": True}):
        VAE.from_pretrained(REPOSITORY, device="cpu", **options)
    assert hub.given == ["model.safetensors"]
    hub.shutdown()
    hub.server_close()
    VAE.from_pretrained(REPOSITORY, device="cpu")


def test_the_cache_alone_is_looked_at_where_no_network_is_allowed(hub, tmp_path):
    snapshot = tmp_path / f"cache/models--{REPOSITORY.replace('/', '--')}/snapshots/{COMMIT}"
    snapshot.mkdir(parents=True)
    VAE(VAE.tiny()).push_to_hub(REPOSITORY)
    with pytest.raises(CheckpointError, match="neither"):
        VAE.from_pretrained(REPOSITORY, revision=COMMIT, local_files_only=True)
    assert hub.given == []


def test_a_gated_one_says_what_to_do(tmp_path, monkeypatch, hub):
    hub.gated = True
    (hub.folder / "model.safetensors").write_bytes(b"secret")
    with pytest.raises(CheckpointError, match="is gated: accept its licence .*, and set HF_TOKEN"):
        Family.from_pretrained(REPOSITORY, revision=COMMIT)


@pytest.mark.parametrize(
    ("status", "way_out"),
    [(401, "Check HF_TOKEN"), (429, "Try again later"), (500, "Try again later")],
)
def test_an_error_of_the_hub_is_told_by_its_number(hub, status, way_out):
    hub.failing = status
    said = f"{hub.address} answered with the error {status}. {way_out}"
    with pytest.raises(CheckpointError, match=said):
        Family.from_pretrained(REPOSITORY)


def test_a_hub_that_is_away_is_no_error_of_its_own(hub):
    hub.shutdown()
    hub.server_close()
    with pytest.raises(CheckpointError, match=f"was never fetched whole, and {hub.address} does"):
        Family.from_pretrained(REPOSITORY)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "does not fit on the disk with .*cache: make room, or set HF_HUB_CACHE"),
        (errno.EACCES, "could not be stored: .* to write to .*cache. Set HF_HUB_CACHE"),
        (errno.EROFS, "could not be stored: .* permission to write"),
        (errno.EIO, f"could not be fetched: .*{os.strerror(errno.EIO)}"),
    ],
)
def test_a_disk_that_takes_no_file_says_why(hub, monkeypatch, number, said):
    VAE(VAE.tiny()).push_to_hub(REPOSITORY)

    def write(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("huggingface_hub.file_download.http_get", write)
    with pytest.raises(CheckpointError, match=f"{REPOSITORY} {said}"):
        Family.from_pretrained(REPOSITORY)


def test_an_error_that_nobody_foresaw_stays_what_it_is(hub, monkeypatch):
    def download(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    with pytest.raises(ZeroDivisionError):
        Family.from_pretrained(REPOSITORY)
