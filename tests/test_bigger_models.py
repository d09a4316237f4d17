"""Bigger models: the host's list, and pictures by tiny random pipelines of each kind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from big_pipelines import MAKERS, SIDE, entry, tiny
from conftest import ROOT
from gen_core.families.text_to_image.folder import NAME
from gen_core.hub.listed import Machine, check_runs, obstacles
from gen_core.hub.models import DEFAULTS, LISTED, BigModel, big_models
from gen_core.hub.pipeline import DRAWING, generate, opened
from gen_core.hub.worker import Cancelled
from gen_core.knobs import KnobError

CPU = torch.device("cpu")
GPU = Machine("cuda", memory=64, gpu_memory=80, token=True)
STEPS = {"StableDiffusion": 7, "StableDiffusionXL": 3, "Flux": 3}
"""What the progress ends with: Stable Diffusion's PNDM takes its second step twice."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pipelines")
    return {kind: tiny(kind, folder / kind) for kind in MAKERS}


def model_of(folder: Path, **changes: object) -> BigModel:
    return BigModel(**entry("A model", folder, **changes))


def test_a_large_machine_runs_all_the_defaults():
    assert [model.name for model in DEFAULTS] == [
        "Stable Diffusion 1.5",
        "SDXL-Turbo",
        "FLUX.1-schnell",
    ]
    assert [obstacles(model, GPU) for model in DEFAULTS] == [[], [], []]


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (Machine("cpu", 64, token=True), "FLUX.1-schnell does not run here: it needs a GPU"),
        (Machine("cuda", 64, 24, True), "about 28.6 GB of GPU memory, and this machine has 24.0"),
        (Machine("cuda", 32, 80, True), "about 40.4 GB of memory, and this machine has 32.0"),
        (Machine("mps", 32, 0, True), "needs about 40.4 GB of memory"),
        (Machine("cuda", 64, 80, False), "needs an access token"),
    ],
)
def test_a_machine_that_cannot_says_why(machine, said):
    assert len(obstacles(DEFAULTS[2], machine)) == 1
    with pytest.raises(KnobError, match=said):
        check_runs(DEFAULTS[2], obstacles(DEFAULTS[2], machine))


def test_a_small_model_needs_no_gpu(tmp_path):
    assert obstacles(model_of(tmp_path), Machine("cpu", 4)) == []
    assert obstacles(model_of(tmp_path, gigabytes=2.7), Machine("cpu", 64))


def test_the_host_s_list_takes_the_defaults_place(tmp_path, monkeypatch):
    monkeypatch.delenv(LISTED, raising=False)
    assert big_models() == DEFAULTS
    path = tmp_path / "models.json"
    monkeypatch.setenv(LISTED, str(path))
    path.write_text(json.dumps([entry("Mine", "me/mine", variant="fp16", largest=0.002)]))
    (mine,) = big_models()
    assert (mine.name, mine.repository, mine.on_the_gpu) == ("Mine", "me/mine", 0.002)
    path.write_text("[]")
    assert big_models() == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("{", "Expecting"),
        ('"names"', "write an object"),
        ("17", "not iterable"),
        ('[{"name": "X"}]', "X has no 'repository'"),
        (json.dumps([entry("X", "a/b", trust_remote_code=True)]), "'trust_remote_code': choose of"),
        (json.dumps([entry("X", "a/b"), entry("X", "c/d")]), "two models have the same name"),
        (json.dumps([entry("", "a/b")]), "name='': write some text"),
        (json.dumps([entry("X", "a/b", licence_page="javascript:alert(1)")]), "https://"),
        (json.dumps([entry("X", "a/b", gigabytes="much")]), "gigabytes='much'"),
        (json.dumps([entry("X", "a/b", largest=5)]), "largest=5"),
        (json.dumps([entry("X", "a/b", token="no")]), "token='no': choose true or false"),
        (json.dumps([entry("X", "a/b", steps=2.5)]), "steps=2.5"),
        (json.dumps([entry("X", "a/b", half="int4")]), "half='int4'"),
    ],
)
def test_a_broken_list_is_told_plainly(tmp_path, monkeypatch, content, said):
    path = tmp_path / "models.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(LISTED, str(path))
    with pytest.raises(KnobError, match="GEN_BIG_MODELS=") as told:
        big_models()
    assert said in str(told.value)


@pytest.mark.slow
@pytest.mark.heavy
def test_the_app_does_not_start_with_a_broken_list(tmp_path, monkeypatch):
    monkeypatch.setenv(LISTED, str(tmp_path / "none.json"))
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    # without this folder there is no tab that would read the list
    (tmp_path / NAME / "clip").mkdir(parents=True)
    ended = subprocess.run(
        [sys.executable, "app.py", "--device", "cpu"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 1 and "GEN_BIG_MODELS=" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("kind", MAKERS)
def test_each_kind_draws_the_same_picture_from_the_same_seed(folders, kind):
    guidance = 7.5 if kind == "StableDiffusion" else 0.0
    model = model_of(
        folders[kind], guidance_scale=guidance, steps=6 if guidance else 3, max_sequence_length=16
    )
    pipeline, told = opened(model, str(folders[kind]), CPU), []
    assert type(pipeline).__name__ == f"{kind}Pipeline"
    words = {"negative_prompt": "a dog", "progress": told.append}
    first = generate(pipeline, model, "a red cat", seed=3, **words)
    again = generate(pipeline, model, "a red cat", seed=3, **words)
    other = generate(pipeline, model, "a red cat", seed=4, **words)
    assert first.picture.shape == (SIDE, SIDE, 3) and first.picture.dtype == np.uint8
    assert np.array_equal(first.picture, again.picture)
    assert not np.array_equal(first.picture, other.picture)
    assert first.guided == (kind == "StableDiffusion") and not first.flagged
    assert {p.stage for p in told} == {DRAWING} and first.steps == model.steps
    assert (told[0].done, told[-1].done, told[-1].total) == (0, STEPS[kind], STEPS[kind])
    without = generate(pipeline, model, "a red cat", seed=3)
    assert np.array_equal(without.picture, first.picture) == (not first.guided)


def test_a_cancelled_picture_leaves_the_pipeline_in_order(folders):
    model = model_of(folders["StableDiffusion"])
    pipeline, steps = opened(model, model.repository, CPU), []

    def tired(progress) -> None:
        steps.append(progress.done)
        if progress.done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        generate(pipeline, model, "a red cat", steps=50, progress=tired)
    assert steps == [0, 1, 2]
    fresh = opened(model, model.repository, CPU)
    drawn = [generate(p, model, "a red cat").picture for p in (pipeline, fresh)]
    assert np.array_equal(*drawn)


def test_bad_knobs_are_refused(folders):
    model = model_of(folders["StableDiffusionXL"])
    for knobs in ({"prompt": 7}, {"prompt": "x" * 2001}, {"seed": -1}, {"steps": 0}):
        with pytest.raises(KnobError, match=next(iter(knobs))):
            generate(lambda prompt: None, model, **{"prompt": "a cat"} | knobs)


def test_the_safety_checker_stays_on_and_blackens(folders, tmp_path):
    kind = "StableDiffusion"
    assert opened(model_of(folders[kind]), folders[kind], CPU).safety_checker is not None
    strict = model_of(tiny(kind, tmp_path / "strict", flags=True))
    drawn = generate(opened(strict, strict.repository, CPU), strict, "a red cat")
    assert drawn.flagged and drawn.picture.max() == 0
    without = model_of(tiny(kind, tmp_path / "without", checker=False))
    with pytest.raises(KnobError, match="has no safety checker"):
        opened(without, without.repository, CPU)


def test_no_code_comes_with_a_model(tmp_path):
    folder = tiny("Flux", tmp_path / "model")
    index = json.loads((folder / "model_index.json").read_text())
    for place in (folder, folder / "transformer"):
        (place / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Own: pass\n")
    for change, said in (
        ({"_class_name": ["own", "Own"]}, "can't find a pipeline"),
        ({"transformer": ["own", "Own"]}, "contains custom code"),
    ):
        (folder / "model_index.json").write_text(json.dumps(index | change))
        with pytest.raises(ValueError, match=said):
            opened(model_of(folder), str(folder), CPU)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("kind", "half"), [("StableDiffusion", "float16"), ("Flux", "bfloat16")])
def test_on_a_gpu_in_half_precision_with_its_parts_in_turns(folders, kind, half, monkeypatch):
    offloaded = []
    monkeypatch.setattr(
        f"diffusers.{kind}Pipeline.enable_model_cpu_offload",
        lambda self, device: offloaded.append(device),  # the parts stay here: there may be no GPU
    )
    gpu = torch.device("cuda")
    pipeline = opened(model_of(folders[kind], half=half), str(folders[kind]), gpu)
    assert offloaded == [gpu]
    assert pipeline.vae.dtype == pipeline.text_encoder.dtype == getattr(torch, half)
    assert pipeline.vae.use_slicing and pipeline.vae.use_tiling
