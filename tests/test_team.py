"""Two processes that train one model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from core_fixtures import batches, tiny, write_fashion
from gen_core.knobs import KnobError
from gen_core.training.distributed import SINGLE, World, init_distributed
from gen_core.training.recipes import Recipe, Run
from gen_core.training.train import Trainer

ROOT = Path(__file__).resolve().parent.parent
TRAIN = """
import itertools, json, os, sys
from pathlib import Path
from gen_core.training.recipes import Recipe, Run
from gen_core.training.train import Trainer

local_steps, stop = map(int, sys.argv[1:])

recipe = Recipe(
    "gan", steps=10, batch=16, warmup=2,
    switch_step=4, config_after_switch={"discriminator_every": 2},
    local_steps=local_steps,
    config={"widths": (32, 16, 16), "latent": 8, "discriminator_width": 8},
)
run = Run("shared", recipe, Path("run"))
list(itertools.islice(run.train(device="cpu", save_every=3), stop))
steps = list(run.train(device="cpu", save_every=3))
trainer = steps[-1].trainer
told = {
    "sum": sum(float(p.double().abs().sum()) for p in trainer.model.parameters()),
    "averaged": sum(float(p.double().abs().sum()) for p in trainer.ema.parameters()),
    "steps": [s.step for s in steps], "labels": trainer.recent[1].tolist(),
}
open(f"rank-{os.environ['RANK']}.json", "w").write(json.dumps(told))
"""


def trained_by_two(folder: Path, local_steps: int, stop: int = 0) -> list[dict]:
    """What each of two processes tells of ten steps that were interrupted after `stop`."""
    write_fashion(folder)
    (folder / "train.py").write_text(TRAIN)
    environment = {"GEN_DATA": str(folder), "GEN_WEIGHTS": "weights", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc-per-node",
            "2",
            "train.py",
            str(local_steps),
            str(stop),
        ],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"rank-{k}.json").read_text()) for k in (0, 1)]


@pytest.fixture(scope="module", params=[1, 4])
def local_steps(request) -> int:
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("straight")


@pytest.fixture(scope="module")
def straight(folder, local_steps) -> list[dict]:
    """What the two tell that nobody interrupts."""
    (folder / str(local_steps)).mkdir()
    return trained_by_two(folder / str(local_steps), local_steps)


@pytest.mark.heavy
def test_two_processes_agree_after_their_steps_on_different_pictures(folder, straight, local_steps):
    one, other = straight
    assert one["steps"] == other["steps"] == list(range(1, 11))
    assert one["sum"] == other["sum"] and one["labels"] != other["labels"]
    assert len(one["labels"]) == len(other["labels"]) == 8
    logged = [json.loads(line)["step"] for line in (folder / f"{local_steps}/run/log.jsonl").open()]
    assert logged == sorted(set(logged))


@pytest.mark.slow
@pytest.mark.heavy
def test_two_that_are_interrupted_arrive_at_the_same_place(tmp_path, straight, local_steps):
    resumed = trained_by_two(tmp_path, local_steps, stop=8)  # goes on after step 6
    assert resumed[0]["steps"] == [7, 8, 9, 10]
    assert [one["sum"] for one in resumed] == [one["sum"] for one in straight]
    assert resumed[0]["averaged"] == straight[0]["averaged"]  # the one that is kept


def test_gradients_are_averaged_in_place(monkeypatch):
    other = {(3,): torch.tensor([1.0, 1.0, 1.0]), (2, 1): torch.tensor([[2.0], [4.0]])}

    def all_reduce(flat):
        flat += torch.cat([gradient.flatten() for gradient in other.values()])

    monkeypatch.setattr("gen_core.training.distributed.dist.all_reduce", all_reduce)
    mine = [torch.tensor([3.0, 5.0, 7.0]), None, torch.zeros(2, 1)]
    World(1, 2).average(mine)
    assert mine[0].tolist() == [2, 3, 4] and mine[2].tolist() == [[1], [2]]
    SINGLE.average(mine)
    assert mine[0].tolist() == [2, 3, 4]


def test_batches_are_shared_out():
    own = [[World(rank, 3).shard(step) for step in range(3)] for rank in range(3)]
    assert own == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path, monkeypatch):
    assert init_distributed() is SINGLE
    monkeypatch.setattr("gen_core.training.recipes.init_distributed", lambda: World(0, 3))
    with pytest.raises(KnobError, match="3 processes cannot share batches of 16"):
        next(Run("x", Recipe("vae", steps=1, batch=16), tmp_path).train(device="cpu"))


def test_processes_keep_the_mean_of_what_moves_without_a_gradient():
    """A codebook, which each of them would else learn from its own pictures alone."""
    averaged: list[list[torch.Tensor]] = []

    class Team(World):
        def average(self, values):
            averaged.append(list(values))

    model = tiny("picture-tokens/autoencoder")
    trainer = Trainer(model.train(), steps=2, seed=0, ema=0.9, warmup=0, world=Team(0, 2))
    trainer.update(*batches("picture-tokens/autoencoder")[0])
    gradients, codebook = averaged
    assert len(gradients) == len([*model.parameters()])
    assert [*map(id, codebook)] == [id(model.quantizer.uses), id(model.quantizer.sums)]
