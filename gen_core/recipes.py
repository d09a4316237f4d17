"""What each shipped checkpoint was trained with, and how a recipe becomes a checkpoint."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from gen_core import checkpoint
from gen_core.checks import choice
from gen_core.data import Batches, load_data
from gen_core.devices import device_title, pick_device
from gen_core.family import registry
from gen_core.train import Step, fit

MAX_CURVE = 400
"""Points a loss curve keeps in the checkpoint."""


@dataclass(frozen=True)
class Recipe:
    family: str
    steps: int
    config: dict[str, Any] = field(default_factory=dict)
    data: str = "fashion"
    batch: int = 128
    seed: int = 0
    ema: float = 0.999
    warmup: int = 200
    snapshots: int = 0
    """How many snapshots of the generator to keep, evenly spaced in log(step); 0: none."""

    def snapshot_steps(self) -> list[int]:
        """Denser at the start, where a game between two networks changes fastest."""
        first, n = min(50, self.steps), self.snapshots
        return sorted(
            {round(first * (self.steps / first) ** (k / max(1, n - 1))) for k in range(n)}
        )


RECIPES = {
    "judge-fashion": Recipe("judge", steps=4200, ema=0.998),
    "vae-fashion": Recipe("vae", steps=2500),
    "vae-fashion-2d": Recipe("vae", steps=900, config={"latent": 2}),
    "gan-fashion": Recipe(
        "gan", steps=900, batch=64, ema=0.995, config={"classes": 10, "widths": (128, 96, 48)}
    ),
    "gan-fashion-healthy": Recipe("gan", steps=3200, batch=64, ema=0.998, snapshots=14),
    # The same networks without the gradient penalty, and with momentum: it collapses.
    "gan-fashion-collapsed": Recipe(
        "gan", steps=1300, batch=64, ema=0.9, snapshots=14, config={"r1": 0.0, "momentum": 0.5}
    ),
    "flow-fashion": Recipe("flow", steps=2400),
    "diffusion-fashion": Recipe("diffusion", steps=600),
}


@dataclass
class Run:
    """One training of a recipe, in a folder from which it can go on after an interruption."""

    name: str
    recipe: Recipe
    folder: Path
    seconds: float = 0.0

    @property
    def state(self) -> Path:
        return self.folder / "state.safetensors"

    @property
    def log(self) -> Path:
        return self.folder / "log.jsonl"

    def train(
        self, *, device: str = "auto", data_root: str | None = None, save_every: int = 250
    ) -> Iterator[Step]:
        """Yields after each update; the last one has written the checkpoint by then."""
        recipe, kind = self.recipe, registry.classes[self.recipe.family]
        torch.manual_seed(recipe.seed)
        model = kind(kind.Config(**recipe.config)).to(pick_device(device))
        model = model.to(memory_format=torch.channels_last)
        batches = Batches(load_data(recipe.data, "train", data_root), recipe.batch, recipe.seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        resume = self.state if self.state.exists() else None
        self._trim_log(resume)
        marks = set(recipe.snapshot_steps()) if recipe.snapshots else set()
        for step in fit(
            model, batches, steps=recipe.steps, seed=recipe.seed, ema=recipe.ema,
            warmup=recipe.warmup, resume=resume,
        ):  # fmt: skip
            self.seconds += step.seconds
            if step.step % 10 == 0 or step.step == step.total:
                self._write_log(step)
            if step.step in marks:
                self._keep_snapshot(step)
            if step.step == step.total:
                self.finish(step)  # before the state says that all is done
            if step.step % save_every == 0 or step.step == step.total:
                step.trainer.save(self.state)
            yield step

    def _keep_snapshot(self, step: Step) -> None:
        weights = step.trainer.ema.generator.state_dict()
        halves = {k: v.detach().half().cpu().contiguous() for k, v in weights.items()}
        save_file(halves, self.folder / f"snapshot-{step.step:06d}.safetensors")

    def _write_log(self, step: Step) -> None:
        losses = {name: round(float(value), 5) for name, value in step.losses.items()}
        line = {"step": step.step, "seconds": round(self.seconds, 2), **losses}
        with open(self.log, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def read_log(self) -> list[dict[str, float]]:
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def _trim_log(self, resume: Path | None) -> None:
        """Forgets what was logged after the state that training resumes from."""
        from safetensors import safe_open

        done = 0
        if resume is not None:
            with safe_open(resume, "pt") as file:
                done = int(file.metadata()["step"])
        lines = [line for line in self.read_log() if line["step"] <= done]
        self.seconds = lines[-1]["seconds"] if lines else 0.0
        self.log.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def finish(self, last: Step) -> None:
        """Writes the averaged weights, the card, the curves and the snapshots."""
        recipe, device = self.recipe, last.trainer.model.device
        card = {
            "data": recipe.data, "recipe": dataclasses.asdict(recipe), "steps": last.step,
            "pictures": last.step * recipe.batch, "seed": recipe.seed,
            "hardware": device_title(device), "hours": round(self.seconds / 3600, 3),
            "metrics": {},
        }  # fmt: skip
        last.trainer.ema.settle(*last.trainer.recent)
        path = checkpoint.weights_folder() / f"{self.name}.safetensors"
        path.parent.mkdir(exist_ok=True)
        checkpoint.save(last.trainer.ema, path, card, extra=self._curves() | self._snapshots())

    def _curves(self) -> dict[str, Tensor]:
        """Loss curves, each point the mean of its stretch of the log."""
        lines = self.read_log()
        names = [k for k in lines[-1] if k != "seconds"] if lines else []
        stride = max(1, math.ceil(len(lines) / MAX_CURVE))
        groups = [lines[i : i + stride] for i in range(0, len(lines), stride)]

        def mean(group: list[dict[str, float]], name: str) -> float:
            values = [line[name] for line in group if name in line]
            return sum(values) / len(values) if values else math.nan

        return {f"curve.{n}": torch.tensor([mean(g, n) for g in groups]) for n in names}

    def _snapshots(self) -> dict[str, Tensor]:
        tensors = {}
        for path in sorted(self.folder.glob("snapshot-*.safetensors")):
            step = int(path.stem.removeprefix("snapshot-"))
            tensors |= {f"snapshot.{step}.{k}": v for k, v in load_file(path).items()}
        return tensors


def run(name: str, folder: Path | str = "runs", steps: int | None = None) -> Run:
    """The run of a recipe by name; `steps` overrides the recipe's own length."""
    recipe = RECIPES[choice("recipe", name, list(RECIPES))]
    recipe = dataclasses.replace(recipe, steps=steps) if steps else recipe
    return Run(name, recipe, Path(folder) / name)
