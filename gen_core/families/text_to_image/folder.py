"""A text-to-image model's folder: the pipeline, which diffusers opens with nothing of ours, what
lies beside it, and what its card says."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from torch import nn

from gen_core.families.text_to_image.parts import SCHEDULE
from gen_core.training import checkpoint

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline
    from transformers import CLIPTokenizer

    from gen_core.classifiers.emoji import SceneClassifier
    from gen_core.data.emoji import Emoji

NAME = "text-to-image-emoji"
"""Of the folder in weights/."""
EMOJI = "clip/emoji.safetensors"
"""In that folder, for search."""
JUDGE = "judge"
"""A checkpoint in that folder, for what is measured; the pipeline itself draws without it."""
MEASURED = ("metrics", "guidance", "sharpness")
"""Sections of the card: what `evaluate` measures, `tradeoff` and `sharpness`."""
MAX_FILE = "9MB"
"""No file of the repository is larger than 10 MB."""


def measured(folder: Path | str) -> dict[str, Any]:
    """What was measured, by section; {} where there is no card, or one without figures."""
    folder = Path(folder)
    try:
        card = checkpoint.card(folder.name, folder.parent)
    except checkpoint.CheckpointError:
        return {}
    return {name: card[name] for name in MEASURED if card.get(name)}


def classifier_of(folder: Path) -> "SceneClassifier":
    """The classifier that measures the pipeline in a folder, on the CPU."""
    return checkpoint.load(JUDGE, "cpu", folder)


def assembled(
    autoencoder: nn.Module, text_encoder: nn.Module, denoiser: nn.Module, tokenizer: "CLIPTokenizer"
) -> "StableDiffusionPipeline":
    """The parts' networks as diffusers' pipeline."""
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

    return StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=denoiser,
        scheduler=DPMSolverMultistepScheduler(**SCHEDULE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def opened(folder: Path) -> "StableDiffusionPipeline":
    """The pipeline in a folder, in float32. Raises CheckpointError for a damaged one."""
    from diffusers import StableDiffusionPipeline

    try:
        return StableDiffusionPipeline.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, low_cpu_mem_usage=False
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise checkpoint.CheckpointError(
            f"{folder.name} is damaged ({error}): fetch it again"
        ) from error


def export(runs: Path | str, folder: Path | str, emoji: "Emoji | None" = None) -> None:
    """Writes the trained parts as a pipeline to `folder`, and beside it the whole of CLIP and the
    classifier, all in half precision.

    emoji: all drawings, for search; without them an older file of their vectors is taken away, as
    it may be of another CLIP.
    """
    from gen_core.families.text_to_image import TextToImage
    from gen_core.families.text_to_image.training import part, tokenizer

    runs, folder = Path(runs), Path(folder)
    parts = {name: part(name, runs) for name in TextToImage.parts}
    nets = [parts[name].net.half() for name in ("decoder", "words", "denoiser")]
    assembled(*nets, tokenizer(runs)).save_pretrained(folder, max_shard_size=MAX_FILE)
    parts["clip"].net.half().save_pretrained(folder / "clip", max_shard_size=MAX_FILE)
    for config in (folder / "text_encoder/config.json", folder / "clip/config.json"):
        _load_as_float32(config)
    if emoji is None:
        (folder / EMOJI).unlink(missing_ok=True)
    else:
        _write_search(emoji, folder)
    cards = {
        name: {key: value for key, value in model.card.items() if key != "format"}
        for name, model in parts.items()
    }
    path, classifier = folder / f"{JUDGE}.safetensors", parts["judge"]
    checkpoint.save(classifier, path, cards["judge"], extra=classifier.extra)
    size = sum(parameter.numel() for net in nets for parameter in net.parameters())
    _write_card(folder, cards, size)


def _write_search(emoji: "Emoji", folder: Path) -> None:
    """What search needs of the drawings, by the parts that lie in the folder."""
    from gen_core.families.text_to_image import TextToImage
    from gen_core.families.text_to_image.clip_score import ClipScorer
    from gen_core.families.text_to_image.search import write_index

    write_index(ClipScorer.open(folder), emoji, folder, TextToImage(None, opened(folder)).encode)


def _write_card(folder: Path, parts: dict[str, dict[str, Any]], size: int) -> None:
    """A card with the cards of the parts, steps and hours of all of them together; what was
    measured of the very same parts stays. size: parameters of the pipeline."""
    figures = measured(folder)
    if figures and checkpoint.card(folder.name, folder.parent)["parts"] != parts:
        figures = {}
    every = parts.values()
    said = {
        "family": "text-to-image",
        "data": "scenes",
        "parameters": size,
        "steps": sum(part["steps"] for part in every),
        "hours": round(sum(part["hours"] for part in every), 3),
        "hardware": parts["denoiser"]["hardware"],
        "parts": parts,
        "metrics": {},
    }
    checkpoint.write_card(folder, said | figures)


def _load_as_float32(config: Path) -> None:
    """transformers opens a model in the precision its config states, diffusers in float32: where
    the files are halves, the parts of one pipeline would not fit each other."""
    settings = json.loads(config.read_text(encoding="utf-8"))
    for part_of in (settings, settings.get("text_config", {}), settings.get("vision_config", {})):
        if "dtype" in part_of:
            part_of["dtype"] = "float32"
    config.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
