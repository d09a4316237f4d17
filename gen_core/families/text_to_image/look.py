"""What the denoiser has learned so far, hour by hour: a grid, its loss, and how many are right.

`look` may be called while the training runs. Nothing is kept but a picture and a line of figures.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torchvision.utils import save_image

from gen_core.evaluation.prompt_accuracy import measured_accuracy
from gen_core.families.text_to_image import TextToImage, TextToImageConfig
from gen_core.families.text_to_image.card import NAME
from gen_core.families.text_to_image.denoiser import Denoiser
from gen_core.families.text_to_image.pipeline import assembled
from gen_core.families.text_to_image.training import part, tokenizer
from gen_core.family import final
from gen_core.noise import Noise
from gen_core.progress import Report, ignore
from gen_core.training import recipes

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
SEEDS = 6
RECENT = 50
"""Lines of the log whose mean is told: one line is the loss of a single batch."""


def look(folder: Path | str, device: torch.device, report: Report = ignore) -> dict[str, Any]:
    """Writes grid-STEP.png to the denoiser's folder of runs, and a line to its progress.jsonl.

    Returns the line; its shares, as `measure` tells them, are {} where no judge is trained yet.
    folder: of all runs. Raises FileNotFoundError for a part that is missing.
    """
    training = recipes.run(f"{NAME}/denoiser", folder)
    model = _as_it_stands(training).to(device)
    drawn = [final(model.sample(Noise(range(SEEDS)), prompt=prompt)) for prompt in PROMPTS]
    step = training.steps_done()
    grid = training.folder / f"grid-{step:06d}.png"
    save_image(torch.cat(drawn), grid, nrow=2 * SEEDS, normalize=True, value_range=(-1, 1))
    lines = [line for line in training.read_log() if line["step"] <= step]
    told = {
        "step": step,
        "pictures": step * training.recipe.batch,
        "hours": round(lines[-1]["seconds"] / 3600, 2),
        "loss": round(statistics.fmean(line["denoise.loss"] for line in lines[-RECENT:]), 4),
        "shares": _shares(training.folder.parent, model, report),
    }
    with open(training.folder / "progress.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(told) + "\n")
    return told


def _as_it_stands(training: recipes.Run) -> TextToImage:
    """The pipeline with the average of the weights that the denoiser's state holds."""
    if not training.state.exists():
        raise FileNotFoundError(
            f"{training.state} is missing: `python -m gen_core train {training.name}` makes it"
        )
    denoiser, runs = Denoiser(Denoiser.Config(**training.recipe.config)), training.folder.parent
    with safe_open(training.state, "pt") as file:
        names = (name for name in file.keys() if name.startswith("ema."))  # noqa: SIM118
        denoiser.load_state_dict({n.removeprefix("ema."): file.get_tensor(n) for n in names})
    autoencoder, words = part("autoencoder", runs), part("words", runs)
    pipeline = assembled(autoencoder.net, words.net, denoiser.net, tokenizer(runs))
    config = TextToImageConfig(autoencoder.config, words.config, denoiser.config)
    return TextToImage(config, pipeline).requires_grad_(False).eval()


def _shares(runs: Path, model: TextToImage, report: Report) -> dict[str, Any]:
    try:
        judge = part("judge", runs)
    except FileNotFoundError:
        return {}
    return measured_accuracy(model, judge.to(model.device), report=report)
