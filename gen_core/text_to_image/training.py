"""The trainings, one after the other: the denoiser learns with the help of the other parts.

python -m gen_core.text_to_image train PART
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from pathlib import Path

import torch
from transformers import CLIPTokenizer

from gen_core.checks import choice, whole
from gen_core.data.captions import caption
from gen_core.data.emoji import Emoji, load_emoji
from gen_core.data.scenes import random_scene
from gen_core.devices import device_title, pick_device
from gen_core.family import Trainable
from gen_core.recipes import Recipe, Run
from gen_core.text_to_image.autoencoder import Autoencoder
from gen_core.text_to_image.batches import (
    GuessBatches,
    JudgeBatches,
    LatentBatches,
    SceneBatches,
    WindowBatches,
)  # fmt: skip
from gen_core.text_to_image.decoder import Decoder
from gen_core.text_to_image.parts import PARTS, read_part, write_part
from gen_core.text_to_image.sketches import SketchBatches, Sketches
from gen_core.text_to_image.tokens import learned
from gen_core.text_to_image.vocabulary import known_words
from gen_core.train import BatchSource, Step

RECIPES = {
    "judge": Recipe("judge", steps=4000, data="scenes", batch=64, seed=4),
    "autoencoder": Recipe("autoencoder", steps=19000, data="scenes", batch=16, seed=1),
    "clip": Recipe("clip", steps=1500, data="scenes", batch=192, seed=2, warmup=300),
    "words": Recipe("words", steps=6000, data="scenes", batch=64, seed=5),
    "denoiser": Recipe(
        "denoiser", steps=15600, data="scenes", batch=64, seed=3, warmup=100, local_steps=8
    ),
    "decoder": Recipe("decoder", steps=2400, data="scenes", batch=16, seed=6, ema=0.998, warmup=50),
}


class PartRun(Run):
    """A run whose result stays in its folder, as final.safetensors, until all are exported."""

    layout = torch.contiguous_format
    """The libraries' group normalisation trains half again as fast with it on a CPU."""

    @property
    def result(self) -> Path:
        return self.folder / "final.safetensors"

    def _kind(self) -> type[Trainable]:
        return PARTS[self.recipe.family]

    def _batches(self, data_root: str | None, device: str, size: int) -> BatchSource:
        self.source = self._made(load_emoji(data_root), pick_device(device), size)
        return self.source

    def _made(self, emoji: Emoji, device: torch.device, size: int) -> BatchSource:
        folder, recipe = self.folder.parent, self.recipe
        if recipe.family == "judge":
            return JudgeBatches(emoji, size, recipe.seed)
        if recipe.family == "words":
            width = PARTS["words"].Config(**recipe.config).width
            return SketchBatches(Sketches(emoji, width), tokenizer(folder), size, recipe.seed)
        if recipe.family == "autoencoder":
            return WindowBatches(emoji, size, recipe.seed)
        scenes = SceneBatches(
            emoji, tokenizer(folder), size, recipe.seed, twins=recipe.family == "clip"
        )
        if recipe.family == "clip":
            return scenes
        autoencoder, words = (part(name, folder).to(device) for name in ("autoencoder", "words"))
        if recipe.family == "decoder":
            denoiser = part("denoiser", folder).to(device)
            return GuessBatches(scenes, autoencoder.net, words.net, denoiser)
        return LatentBatches(scenes, autoencoder.net, words.net)

    def _model(self, done: int, device: str) -> Trainable:
        """CLIP's text half begins as the words, the decoder as the autoencoder's."""
        model = super()._model(done, device)
        if self.recipe.family == "clip":
            words = part("words", self.folder.parent)
            model.net.text_model.load_state_dict(words.net.state_dict())
        if isinstance(model, Decoder):
            autoencoder = part("autoencoder", self.folder.parent)
            model.net.load_state_dict(autoencoder.net.state_dict())
            model.net.register_to_config(scaling_factor=autoencoder.card["scaling_factor"])
        return model

    def finish(self, last: Step) -> None:
        """Writes the averaged weights and what is to be told of the run."""
        model = last.trainer.ema
        card = {
            "recipe": dataclasses.asdict(self.recipe), "config": dataclasses.asdict(model.config),
            "steps": last.step, "pictures": last.step * self.recipe.batch,
            "hours": round(self.seconds / 3600, 3), "hardware": device_title(model.device),
        }  # fmt: skip
        if isinstance(model, Decoder):  # it decodes the same latents
            card["scaling_factor"] = model.net.config.scaling_factor
        elif isinstance(model, Autoencoder):
            card["scaling_factor"] = self._scaling(model)
        write_part(model, self.result, card)

    @torch.no_grad()
    def _scaling(self, model: Autoencoder) -> float:
        """What brings latents to unit size (Rombach et al. 2022, appendix G), over 32 batches."""
        squares = [
            model.net.encode(self.source[step][0].to(model.device)).latent_dist.mean.square().mean()
            for step in range(32)
        ]
        return round(1 / float(torch.stack(squares).mean().sqrt()), 4)


def tokenizer(folder: Path) -> CLIPTokenizer:
    """The one in the folder of runs; learned from captions the first time."""
    place = folder / "tokenizer"
    if not place.exists():
        captions = [caption(random_scene((0, k)), (0, k)) for k in range(30_000)]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as partial:
            learned([*captions, *sorted(known_words()) * 20]).save_pretrained(partial)
            if not place.exists():  # another process may have been faster
                os.rename(partial, place)
    return CLIPTokenizer.from_pretrained(place)


def part(name: str, folder: Path | str) -> Trainable:
    """A part that has been trained, ready to use. Raises FileNotFoundError with the way out."""
    path = Path(folder) / name / "final.safetensors"
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing: `python -m gen_core.text_to_image train {name}` makes it"
        )
    return read_part(path)


def run(name: str, folder: Path | str = "runs/text-to-image", steps: int | None = None) -> PartRun:
    """The run of a part by name; `steps` overrides the recipe's own length. Raises KnobError."""
    recipe = RECIPES[choice("part", name, list(RECIPES))]
    if steps is not None:
        recipe = dataclasses.replace(recipe, steps=whole("steps", steps, 1, 10_000_000))
    if name in ("clip", "words"):
        size = {"vocabulary": len(tokenizer(Path(folder)))}
        recipe = dataclasses.replace(recipe, config=recipe.config | size)
    return PartRun(name, recipe, Path(folder) / name)
