"""What each shipped checkpoint was trained with, and how a recipe becomes a checkpoint."""

import contextlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from gen_core.data import SCHEMAS, Batches, load_data
from gen_core.data.splits import SCENES
from gen_core.devices import device_title, pick_device
from gen_core.family import Trainable, registry
from gen_core.files import check_folder
from gen_core.knobs import KnobError, choice
from gen_core.training import checkpoint, tensor_files
from gen_core.training.distributed import World, init_distributed
from gen_core.training.run_folder import UNKNOWN, RunFolder, log
from gen_core.training.train import BatchSource, NotFinite, Step, Trainer, fit

LOG_EVERY = 8
"""Updates from one line of the log to the next: also a phase that plays in every second, fourth or
eighth update has its losses there."""
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
    start: str = ""
    """The checkpoint whose weights training begins with; "": with numbers drawn by chance."""
    local_steps: int = 1
    """Of several processes: after how many steps they agree; 1: they share each step's gradient."""
    snapshots: tuple[int, ...] = ()
    """The steps after which to keep a snapshot of the generator."""
    switch_step: int = 0
    """From this step on, `config_after_switch` changes the config; 0: nothing changes."""
    config_after_switch: dict[str, Any] = field(default_factory=dict)

    def config_after(self, step: int) -> dict[str, Any]:
        """What the update that follows `step` is made with."""
        return self.config | (
            self.config_after_switch if self.switch_step and step >= self.switch_step else {}
        )


PORTRAIT_VAE = {"channels": 3, "size": 64, "widths": (48, 96, 128, 160), "latent": 64}
PORTRAIT_UNET = {
    "channels": 3,
    "size": 64,
    "widths": (48, 96, 160),
    "blocks": 1,
    "embedding": 192,
    "classes": 0,
    "choices": tuple(SCHEMAS["avatars"].sizes.values()),
    "measures": len(SCHEMAS["avatars"].continuous),
}
# fmt: off
RECIPES = {
    "judge-fashion": Recipe("judge", steps=4200, ema=0.998),
    "vae-fashion": Recipe("vae", steps=3200),
    "vae-fashion-2d": Recipe("vae", steps=3000, config={"latent": 2}),
    "gan-fashion": Recipe(
        "gan", steps=5000, batch=64, ema=0.998,
        config={"classes": 10, "widths": (128, 96, 48)},
    ),
    "gan-fashion-healthy": Recipe(
        "gan", steps=13500, batch=64, ema=0.999,
        snapshots=(50, 90, 161, 215, 289, 386, 518, 693, 928, 1243, 1665, 2600, 4000, 6500, 13500),
    ),
    # The same networks, trained the same way until the turn. Then the discriminator is neglected:
    # it learns in every fourth step only and without its penalty, while the generator learns
    # four times as fast. What fools a discriminator that stands still is one picture.
    "gan-fashion-collapsed": Recipe(
        "gan", steps=2400, batch=64, ema=0.95,
        snapshots=(
            50, 120, 289, 518, 800, 1000, 1030, 1050, 1070, 1090, 1110, 1140, 1180, 1250, 2400,
        ),
        switch_step=1000,
        config_after_switch={"discriminator_every": 4, "r1": 0.0, "lr_generator": 2e-3},
    ),
    "flow-fashion": Recipe("flow", steps=7600, batch=64),
    "diffusion-fashion": Recipe("diffusion", steps=13500, batch=64),
    "gan-avatars": Recipe("style-gan", 24000, {}, "avatars", batch=64),
    "diffusion-avatars": Recipe("diffusion", 10000, PORTRAIT_UNET, "avatars", batch=64),
    "flow-avatars": Recipe("flow", 10000, PORTRAIT_UNET, "avatars", batch=64),
    "judge-avatars": Recipe("avatar-judge", steps=3000, data="avatars", ema=0.998),
    "vae-avatars": Recipe("vae", 7000, PORTRAIT_VAE, "avatars", batch=64),
    "vae-avatars-free": Recipe("vae", 7000, PORTRAIT_VAE | {"beta": 0.0}, "avatars", batch=64),
    "vae-avatars-strong": Recipe("vae", 7000, PORTRAIT_VAE | {"beta": 4.0}, "avatars", batch=64),
    # What these two show needs neither many steps nor wide layers.
    "vae-avatars-stronger": Recipe(
        "vae", 3500, PORTRAIT_VAE | {"widths": (32, 64, 96, 128), "beta": 64.0},
        "avatars", batch=64,
    ),
    "vae-avatars-cut": Recipe(
        "vae", 1500, PORTRAIT_VAE | {"widths": (24, 32, 48, 64), "reparameterised": False},
        "avatars", batch=64,
    ),
    "gpt-shakespeare": Recipe("gpt", 3200, {}, "shakespeare", batch=8),
    "gpt-tales-characters": Recipe("gpt", 3000, {}, "tales", batch=8),
    "gpt-tales": Recipe("gpt", 2400, {"tokenizer": "tales"}, "tales", batch=8),
    "diffusion-tales": Recipe(
        "masked-diffusion", 3200, {"tokenizer": "tales"}, "tales", batch=8, start="gpt-tales",
    ),
    "autoregressive-fashion": Recipe("pixel-cnn", 16000, {}, "fashion", batch=16),
    "autoregressive-mnist": Recipe("pixel-cnn", 8000, {}, "mnist", batch=16),
    # A pilot, not shipped: one hour on one core, to be held against the PixelCNN's first hour.
    "pixel-transformer-fashion": Recipe("pixel-transformer", 8400, {}, "fashion", batch=4),
    # First the tokens, then what writes them.
    "tokens-avatars/autoencoder": Recipe(
        "picture-tokens/autoencoder", 24000, {}, "avatars", batch=8,
    ),
    "tokens-avatars": Recipe("picture-tokens", 20000, {}, "avatars", batch=8),
    # The parts of the text-to-image model, in the order in which they need each other.
    "text-to-image-emoji/autoencoder": Recipe(
        "text-to-image/autoencoder", 19337, {}, "scenes", batch=16, seed=SCENES["autoencoder"],
    ),
    "text-to-image-emoji/words": Recipe(
        "text-to-image/words", 6000, {}, "scenes", 64, seed=SCENES["text encoder"],
    ),
    "text-to-image-emoji/clip": Recipe(
        "text-to-image/clip", 1500, {}, "scenes", batch=192, seed=SCENES["clip"], warmup=300,
    ),
    "text-to-image-emoji/denoiser": Recipe(
        "text-to-image/denoiser", 15600, {}, "scenes", 64, seed=SCENES["denoiser"],
        warmup=100, local_steps=8,
    ),
    "text-to-image-emoji/decoder": Recipe(
        "text-to-image/decoder", 2400, {}, "scenes", batch=16, seed=SCENES["decoder"],
        ema=0.998, warmup=50,
    ),
    "text-to-image-emoji/judge": Recipe(
        "text-to-image/judge", 4000, {}, "scenes", 64, seed=SCENES["classifier"],
    ),
}
# fmt: on


CONTINUED, CHANGED, AS_WRITTEN = "continued", "settings changed", "as written"
NESTED = ("config", "config_after_switch", "snapshots")
"""Of a recipe: the first is compared as the model's own config, the others keep older names."""


def deviation(name: str, card: Mapping[str, Any]) -> str:
    """Whether its recipe, run once from the start, would make a checkpoint again: `AS_WRITTEN`; or
    why not: training was `CONTINUED` after its end, or its settings have `CHANGED`."""
    if "deviation" in card:
        return card["deviation"]["kind"]
    recipe, said = RECIPES.get(name), card.get("recipe")
    if recipe is None or not said:
        return AS_WRITTEN
    config = registry.classes[recipe.family].Config(**recipe.config)
    plain = {key: value for key, value in _plain(recipe).items() if key not in NESTED}
    same = all(said.get(key, value) == value for key, value in plain.items())
    return AS_WRITTEN if same and config == checkpoint.config_of(card) else CHANGED


def _plain(recipe: Recipe) -> dict[str, Any]:
    """As JSON gives it back."""
    return json.loads(json.dumps(asdict(recipe)))


@dataclass
class Run(RunFolder):
    """One training of a recipe, in a folder from which it can go on after an interruption."""

    name: str
    recipe: Recipe
    folder: Path
    seconds: float = 0.0
    data_root: str | None = None
    """Where to look for the data first; set by `train`."""
    precision: ClassVar[torch.dtype] = torch.float16
    """Of the weights that are kept in the end."""

    @property
    def result(self) -> Path:
        """Where the trained model is in the end."""
        return checkpoint.weights_folder() / f"{self.name}.safetensors"

    def train(
        self,
        *,
        device: str = "auto",
        data_root: str | None = None,
        save_every: int = 250,
        replace: bool = False,
    ) -> Iterator[Step]:
        """Yields after each update; the last one has written the checkpoint by then. Raises
        KnobError, before the first one, where a checkpoint stands that another run has made, unless
        it shall be replaced, and where nothing can be written; OSError once the disk is full."""
        recipe, world = self.recipe, init_distributed()
        if recipe.batch % world.size:
            raise KnobError(
                f"{world.size} processes cannot share batches of {recipe.batch}: choose a divisor"
            )
        pick_device(device)
        self._check_places(replace)
        self.data_root = data_root
        return self._steps(device, save_every, world)

    def _steps(self, device: str, save_every: int, world: World) -> Iterator[Step]:
        recipe = self.recipe
        batches = self._batches(device, recipe.batch // world.size)
        self.folder.mkdir(parents=True, exist_ok=True)
        if world.is_main:
            done = self.steps_done()
            self.seconds = self.mend(recipe.snapshots if done < recipe.steps else ())
            self.note_recipe(done, _plain(recipe))
        with self._naming_what_is_kept():
            while (done := self.steps_done()) < recipe.steps:
                yield from self._updates(done, batches, device, save_every, world)
                world.wait()  # until the state is written
            if world.is_main and done == recipe.steps and not self._result_opens():
                self._finish_again(batches, device)

    def _check_places(self, replace: bool) -> None:
        """Whether the run may write where it is about to."""
        check_folder("folder", self.folder)
        if self.steps_done() >= self.recipe.steps:
            return
        check_folder("GEN_WEIGHTS", self.result.parent)
        elsewhere = self.result.parent != self.folder and self.result.exists()
        if elsewhere and not replace and not self.wrote(self.result):
            raise KnobError(
                f"{self.result} is there already, and this training would replace it: add "
                "--replace if it shall, or set GEN_WEIGHTS to another folder for the result"
            )

    def _result_opens(self) -> bool:
        try:
            return bool(checkpoint.read(self.result.stem, self.result.parent))
        except checkpoint.CheckpointError as error:
            log.warning("%s; it is made again, from %s", error, self.whole_state()[0])
            return False

    def _finish_again(self, batches: BatchSource, device: str) -> None:
        """Writes the result of a training that has come to its end."""
        done, recipe = self.steps_done(), self.recipe
        trainer = Trainer(self._model(done, device), **self._how())
        trainer.restore(self.whole_state()[0])
        x, label = batches[done - 1]
        trainer.recent = x.to(trainer.model.device), label.to(trainer.model.device)
        self.finish(Step(done, recipe.steps, {}, 0.0, trainer))

    def _how(self) -> dict[str, Any]:
        """What `fit` and `Trainer` take of the recipe."""
        names = ("steps", "seed", "ema", "warmup", "local_steps")
        return {name: getattr(self.recipe, name) for name in names}

    def _updates(
        self, done: int, batches: BatchSource, device: str, save_every: int, world: World
    ) -> Iterator[Step]:
        """From the state after `done` updates to the end, or to where the config changes."""
        recipe = self.recipe
        for step in fit(
            self._model(done, device),
            batches,
            resume=self.whole_state()[0],
            world=world,
            **self._how(),
        ):
            saves = step.step % save_every == 0 or step.step in (recipe.switch_step, recipe.steps)
            if saves:
                step.trainer.sync_weights()
            if world.is_main:
                self._keep(step, saves)
            yield step
            if step.step == recipe.switch_step:
                return  # and go on from the state, with the changed config

    @contextlib.contextmanager
    def _naming_what_is_kept(self) -> Iterator[None]:
        """Where it cannot go on, the error names the file that holds the last good state."""
        try:
            yield
        except NotFinite as error:
            raise NotFinite(f"{self.name}, {error}; {self._kept()}") from error
        except tensor_files.Damaged:
            raise
        except OSError as error:
            why = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            raise OSError(
                f"{self.name} could not be written ({why}); {self._kept()}: once there is room, "
                "run the same command again"
            ) from error

    def _kept(self) -> str:
        place, about = self.whole_state()
        return f"{place} holds step {about['step']}" if place else "nothing had been saved yet"

    def _keep(self, step: Step, saves: bool) -> None:
        """Writes what is to be kept of an update."""
        recipe = self.recipe
        self.seconds += step.seconds
        ends = step.step == recipe.steps
        if (logs := step.step % LOG_EVERY == 1 or ends) or saves:
            step.trainer.check_finite()
        if logs:
            self._log(step)
        if step.step in recipe.snapshots:
            self.keep_snapshot(step.step, step.trainer.ema.generator)
        if ends:
            self.finish(step)  # before the state says that all is done
        if saves:
            step.trainer.save(self.state, self.state_before, seconds=f"{self.seconds:.2f}")

    def _batches(self, device: str, size: int) -> BatchSource:
        recipe = self.recipe
        return Batches(load_data(recipe.data, "train", self.data_root), size, recipe.seed)

    def _model(self, done: int, device: str) -> Trainable:
        """A fresh model for the update after `done`; the same each time."""
        kind = registry.classes[self.recipe.family]
        torch.manual_seed(self.recipe.seed)
        model = kind(kind.Config(**self.recipe.config_after(done))).to(pick_device(device))
        if self.recipe.start and not done:
            weights, _ = checkpoint.read(self.recipe.start)
            own = model.state_dict().keys()
            model.load_state_dict({name: weights[name] for name in own})
        return model.to(memory_format=kind.layout)

    def _log(self, step: Step) -> None:
        losses = {name: round(float(value), 5) for name, value in step.losses.items()}
        self.write_log({"step": step.step, "seconds": round(self.seconds, 2), **losses})

    def _deviation(self) -> dict[str, Any]:
        """What the card says where no single run of the recipe led here."""
        stretches = self.stretches()
        if len(stretches) < 2:
            return {}
        *before, (since, now) = stretches
        known = [then for _, then in before if then != UNKNOWN]
        changed = {k for then in known for k in now if then.get(k) != now[k]}
        changed = sorted(changed - {"snapshots"})  # what is kept changes nothing
        kind = CONTINUED if changed == ["steps"] else CHANGED
        what = f"other {', '.join(changed)}"
        if len(known) < len(before):
            kind, what = CHANGED, "settings that nobody knows any more"
        return {"deviation": {"kind": kind, "why": f"until step {since} with {what}"}}

    def finish(self, last: Step) -> None:
        """Writes the averaged weights, the card, the curves and the snapshots."""
        last.trainer.ema.calibrate(*last.trainer.recent)
        self.result.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.save(
            last.trainer.ema,
            self.result,
            self.card(last),
            dtype=self.precision,
            extra=self._curves() | self._snapshots() | self.further(),
        )
        self.note_result(self.result)

    def further(self) -> dict[str, Tensor]:
        """What else a family's checkpoints keep."""
        return {}

    def card(self, last: Step) -> dict[str, Any]:
        """The card, but for what is to be measured."""
        recipe, device = self.recipe, last.trainer.model.device
        return {
            "data": recipe.data,
            "recipe": asdict(recipe),
            "steps": last.step,
            "pictures": last.step * recipe.batch,
            "seed": recipe.seed,
            "hardware": device_title(device),
            "hours": round(self.seconds / 3600, 3),
            "metrics": {},
            **self._deviation(),
        }

    def _curves(self) -> dict[str, Tensor]:
        """Loss curves, each point the mean of its stretch of the log."""
        lines = self.read_log()
        names = sorted({name for line in lines for name in line} - {"seconds"})
        stride = max(1, math.ceil(len(lines) / MAX_CURVE))
        groups = [lines[i : i + stride] for i in range(0, len(lines), stride)]

        def mean(group: list[dict[str, float]], name: str) -> float:
            values = [line[name] for line in group if name in line]
            return sum(values) / len(values) if values else math.nan

        return {f"curve.{n}": torch.tensor([mean(g, n) for g in groups]) for n in names}

    def _snapshots(self) -> dict[str, Tensor]:
        tensors = {}
        for step in self.recipe.snapshots:
            weights = self.whole_snapshot(step)
            tensors |= {f"snapshot.{step}.{k}": v for k, v in weights.items()}
        return tensors


class PartRun(Run):
    """A run whose result stays in its folder, as final.safetensors, for what is trained next."""

    precision: ClassVar = torch.float32

    @property
    def result(self) -> Path:
        return self.folder / "final.safetensors"


def trained_part(name: str, folder: Path | str) -> Trainable:
    """What a recipe of a part, such as "text-to-image-emoji/words", has made, ready to use, on the
    CPU; folder: of the runs of all these parts. Raises FileNotFoundError with the way out."""
    place = Path(folder) / name.rpartition("/")[2]
    if not (place / "final.safetensors").exists():
        raise FileNotFoundError(
            f"{place}/final.safetensors is missing: `python -m gen_core train {name}` makes it"
        )
    return checkpoint.load("final", "cpu", place)


def run(name: str, folder: Path | str = "runs", steps: int | None = None) -> Run:
    """The run of a recipe by name; `steps` overrides the recipe's own length."""
    recipe = RECIPES[choice("recipe", name, list(RECIPES))]
    recipe = replace(recipe, steps=steps) if steps else recipe
    return registry.classes[recipe.family].run(name, recipe, Path(folder) / name)
