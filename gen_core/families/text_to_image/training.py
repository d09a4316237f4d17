"""The trainings, one after the other: the denoiser learns with the help of the other parts.

python -m gen_core train text-to-image-emoji/PART
python -m gen_core look    what the denoiser has learned so far, also while it trains
"""

import dataclasses
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from torchvision.utils import save_image
from transformers import CLIPTextModel, CLIPTokenizer

from gen_core.data.emoji import load_emoji
from gen_core.data.emoji.captions import caption
from gen_core.data.emoji.scenes import random_scene
from gen_core.data.splits import SCENES
from gen_core.devices import pick_device
from gen_core.evaluation.prompt_accuracy import measured_accuracy
from gen_core.families.text_to_image import TextToImage, TextToImageConfig
from gen_core.families.text_to_image.batches import (
    ClassifierBatches,
    GuessBatches,
    LatentBatches,
    SceneBatches,
    TextTargetBatches,
    TextTargets,
    WindowBatches,
)
from gen_core.families.text_to_image.folder import NAME, assembled
from gen_core.families.text_to_image.parts import Autoencoder, Decoder, Denoiser, TextEncoder
from gen_core.families.text_to_image.tokens import known_words, learned
from gen_core.family import Trainable
from gen_core.progress import Report, ignore
from gen_core.sampling import Noise, final
from gen_core.training import recipes, tensor_files
from gen_core.training.train import BatchSource, Step

PROMPTS = (
    "a 3d emoji of a red cat, on a teal background",
    "a rocket at night, pixel art",
    "a flat emoji of three lemons, on blue",
    "an owl left of a cactus, 3d",
    "watercolour of a small blue whale",
    "a noto emoji of a pizza, on a red background",
    "a 3d emoji of an octopus, on a green background",
    "a pencil sketch of a castle",
    "a flat emoji of a guitar, on a yellow background",
    "a 3d emoji of a fox, on purple, foggy",
    "a large cupcake, on a pink background",
    "a bicycle above a tree, on a white background",
)
"""What `look` draws, each from the first `SEEDS` seeds."""
SEEDS = 6
RECENT = 50
"""Lines of the log whose mean is given: one line is the loss of a single batch."""


class PartRun(recipes.PartRun):
    """A run whose result waits until all are exported."""

    def __post_init__(self) -> None:
        """Parts that read words take the size of the vocabulary from the tokenizer of the runs."""
        if self.part in ("clip", "words"):
            config = self.recipe.config | {"vocabulary": len(tokenizer(self.folder.parent))}
            self.recipe = dataclasses.replace(self.recipe, config=config)

    @property
    def part(self) -> str:
        return self.name.rpartition("/")[2]

    def _batches(self, device: str, size: int) -> BatchSource:
        emoji, folder, seed = load_emoji(self.data_root), self.folder.parent, self.recipe.seed

        def scenes(twins: bool = False) -> SceneBatches:
            return SceneBatches(emoji, tokenizer(folder), size, seed, twins)

        def targets() -> TextTargets:
            return TextTargets(emoji, TextEncoder.Config(**self.recipe.config).width)

        def trained(name: str) -> Any:
            return part(name, folder).to(pick_device(device))

        def latents() -> tuple[SceneBatches, AutoencoderKL, CLIPTextModel]:
            return scenes(), trained("autoencoder").net, trained("words").net

        sources = {
            "judge": lambda: ClassifierBatches(emoji, size, seed),
            "autoencoder": lambda: WindowBatches(emoji, size, seed),
            "words": lambda: TextTargetBatches(targets(), tokenizer(folder), size, seed),
            "clip": lambda: scenes(twins=True),
            "denoiser": lambda: LatentBatches(*latents()),
            "decoder": lambda: GuessBatches(*latents(), trained("denoiser")),
        }
        self.source = sources[self.part]()
        return self.source

    def _model(self, done: int, device: str) -> Trainable:
        """CLIP's text half begins as the text encoder, the decoder as the autoencoder's."""
        model = super()._model(done, device)
        if self.part == "clip":
            text_encoder = part("words", self.folder.parent)
            model.net.text_model.load_state_dict(text_encoder.net.state_dict())
        if isinstance(model, Decoder):
            autoencoder = part("autoencoder", self.folder.parent)
            model.net.load_state_dict(autoencoder.net.state_dict())
            model.net.register_to_config(scaling_factor=autoencoder.card["scaling_factor"])
        return model

    def card(self, last: Step) -> dict[str, Any]:
        """With what brings the latents to unit size; the decoder decodes the same ones."""
        model = last.trainer.ema
        if not isinstance(model, Autoencoder):
            return super().card(last)
        known = isinstance(model, Decoder)
        scale = model.net.config.scaling_factor if known else self._scaling(model)
        return super().card(last) | {"scaling_factor": scale}

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
        seeds = [(SCENES["tokenizer"], k) for k in range(30_000)]
        captions = [caption(random_scene(seed), seed) for seed in seeds]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as partial:
            learned([*captions, *sorted(known_words()) * 20]).save_pretrained(partial)
            if not place.exists():  # another process may have been faster
                os.rename(partial, place)
    return CLIPTokenizer.from_pretrained(place)


def part(name: str, folder: Path | str) -> Trainable:
    """A part that has been trained, ready to use, on the CPU. Raises FileNotFoundError with the way
    out."""
    model = recipes.trained_part(f"{NAME}/{name}", folder)
    if isinstance(model, Autoencoder):
        model.net.register_to_config(scaling_factor=model.card["scaling_factor"])
    return model


def look(folder: Path | str, device: torch.device, progress: Report = ignore) -> dict[str, Any]:
    """Writes grid-STEP.png to the denoiser's folder of runs, and a line to its progress.jsonl.

    Returns the line; its shares, as `measured_accuracy` gives them, are {} where no classifier is
    trained yet. folder: of all runs. Raises FileNotFoundError for a part that is missing.
    """
    run = recipes.run(f"{NAME}/denoiser", folder)
    model = _as_it_stands(run).to(device)
    drawn = [final(model.sample(Noise(range(SEEDS)), prompt=prompt)) for prompt in PROMPTS]
    step = run.steps_done()
    grid = run.folder / f"grid-{step:06d}.png"
    save_image(torch.cat(drawn), grid, nrow=2 * SEEDS, normalize=True, value_range=(-1, 1))
    lines = [line for line in run.read_log() if line["step"] <= step]
    try:
        classifier = part("judge", run.folder.parent).to(device)
    except FileNotFoundError:
        shares = {}
    else:
        shares = measured_accuracy(model, classifier, progress=progress)
    figures = {
        "step": step,
        "pictures": step * run.recipe.batch,
        "hours": round(lines[-1]["seconds"] / 3600, 2),
        "loss": round(statistics.fmean(line["denoise.loss"] for line in lines[-RECENT:]), 4),
        "shares": shares,
    }
    with open(run.folder / "progress.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(figures) + "\n")
    return figures


def _as_it_stands(run: recipes.Run) -> TextToImage:
    """The pipeline with the average of the weights that the denoiser's state holds."""
    state, _ = run.whole_state()
    if state is None:
        raise FileNotFoundError(
            f"{run.state} is missing or damaged: `python -m gen_core train {run.name}` makes it"
        )
    denoiser, runs = Denoiser(Denoiser.Config(**run.recipe.config)), run.folder.parent
    stored, _ = tensor_files.read(state)
    kept = {k.removeprefix("ema."): v for k, v in stored.items() if k.startswith("ema.")}
    denoiser.load_state_dict(kept)
    parts = [part("autoencoder", runs), part("words", runs), denoiser]
    pipeline = assembled(*(part.net for part in parts), tokenizer(runs))
    config = TextToImageConfig(*(part.config for part in parts))
    return TextToImage(config, pipeline).requires_grad_(False).eval()
