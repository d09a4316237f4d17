"""The trainings, one after the other: the denoiser learns with the help of the other parts.

python -m gen_core train text-to-image-emoji/PART
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import torch
from transformers import CLIPTokenizer

from gen_core.data.emoji import Emoji, load_emoji
from gen_core.data.emoji.captions import caption
from gen_core.data.emoji.scenes import random_scene
from gen_core.devices import pick_device
from gen_core.families.text_to_image.autoencoder import Autoencoder
from gen_core.families.text_to_image.batches import (
    GuessBatches,
    ClassifierBatches,
    LatentBatches,
    SceneBatches,
    WindowBatches,
)
from gen_core.families.text_to_image.card import NAME
from gen_core.families.text_to_image.decoder import Decoder
from gen_core.families.text_to_image.parts import PARTS
from gen_core.families.text_to_image.text_targets import TextTargetBatches, TextTargets
from gen_core.families.text_to_image.tokens import learned
from gen_core.families.text_to_image.vocabulary import known_words
from gen_core.family import Trainable
from gen_core.training import checkpoint
from gen_core.training.recipes import Recipe, Run
from gen_core.training.train import BatchSource, Step


class PartRun(Run):
    """A run whose result stays in its folder, as final.safetensors, until all are exported."""

    precision: ClassVar = torch.float32

    @property
    def part(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def result(self) -> Path:
        return self.folder / "final.safetensors"

    def _batches(self, data_root: str | None, device: str, size: int) -> BatchSource:
        self.source = self._made(load_emoji(data_root), pick_device(device), size)
        return self.source

    def _made(self, emoji: Emoji, device: torch.device, size: int) -> BatchSource:
        folder, recipe = self.folder.parent, self.recipe
        if self.part == "judge":
            return ClassifierBatches(emoji, size, recipe.seed)
        if self.part == "words":
            width = PARTS["words"].Config(**recipe.config).width
            return TextTargetBatches(TextTargets(emoji, width), tokenizer(folder), size, recipe.seed)
        if self.part == "autoencoder":
            return WindowBatches(emoji, size, recipe.seed)
        scenes = SceneBatches(
            emoji, tokenizer(folder), size, recipe.seed, twins=self.part == "clip"
        )
        if self.part == "clip":
            return scenes
        autoencoder, words = (part(name, folder).to(device) for name in ("autoencoder", "words"))
        if self.part == "decoder":
            denoiser = part("denoiser", folder).to(device)
            return GuessBatches(scenes, autoencoder.net, words.net, denoiser)
        return LatentBatches(scenes, autoencoder.net, words.net)

    def _model(self, done: int, device: str) -> Trainable:
        """CLIP's text half begins as the words, the decoder as the autoencoder's."""
        model = super()._model(done, device)
        if self.part == "clip":
            words = part("words", self.folder.parent)
            model.net.text_model.load_state_dict(words.net.state_dict())
        if isinstance(model, Decoder):
            autoencoder = part("autoencoder", self.folder.parent)
            model.net.load_state_dict(autoencoder.net.state_dict())
            model.net.register_to_config(scaling_factor=autoencoder.card["scaling_factor"])
        return model

    def told(self, last: Step) -> dict[str, Any]:
        """With what brings the latents to unit size; the decoder decodes the same ones."""
        model = last.trainer.ema
        if not isinstance(model, Autoencoder):
            return super().told(last)
        known = isinstance(model, Decoder)
        scale = model.net.config.scaling_factor if known else self._scaling(model)
        return super().told(last) | {"scaling_factor": scale}

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
    """A part that has been trained, ready to use, on the CPU. Raises FileNotFoundError with the way
    out."""
    place = Path(folder) / name
    if not (place / "final.safetensors").exists():
        raise FileNotFoundError(
            f"{place}/final.safetensors is missing: `python -m gen_core train {NAME}/{name}` "
            "makes it"
        )
    model = checkpoint.load("final", "cpu", place)
    if isinstance(model, Autoencoder):
        model.net.register_to_config(scaling_factor=model.card["scaling_factor"])
    return model


def part_run(name: str, recipe: Recipe, folder: Path) -> PartRun:
    """The run of a part, beside those of the others in the folder of runs: those that read words
    take the size of the vocabulary from the tokenizer there."""
    run = PartRun(name, recipe, folder)
    if run.part in ("clip", "words"):
        size = {"vocabulary": len(tokenizer(folder.parent))}
        run.recipe = dataclasses.replace(recipe, config=recipe.config | size)
    return run
