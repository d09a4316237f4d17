"""A text-to-image model's folder: what lies in it besides the pipeline, and what its card says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_core.training import checkpoint
from gen_core.training.checkpoint import CheckpointError

if TYPE_CHECKING:
    from gen_core.classifiers.emoji import SceneClassifier

NAME = "text-to-image-emoji"
"""Of the folder in weights/."""
EMOJI = "clip/emoji.safetensors"
"""In that folder, for search."""
JUDGE = "judge"
"""A checkpoint in that folder, for what is measured; the pipeline itself draws without it."""
MEASURED = ("metrics", "guidance", "sharpness")
"""Sections of the card: what `evaluate` measures, `tradeoff` and `sharpness`."""


def measured(folder: Path | str) -> dict[str, Any]:
    """What was measured, by section; {} where there is no card, or one without figures."""
    folder = Path(folder)
    try:
        card = checkpoint.card(folder.name, folder.parent)
    except CheckpointError:
        return {}
    return {name: card[name] for name in MEASURED if card.get(name)}


def classifier_of(folder: Path) -> SceneClassifier:
    """The classifier that measures the pipeline in a folder, on the CPU."""
    return checkpoint.load(JUDGE, "cpu", folder)


def write_parts(folder: Path | str, parts: Mapping[str, Mapping[str, Any]], size: int) -> None:
    """A card with the cards of the parts, steps and hours of all of them together; what was
    measured of the very same parts stays. size: parameters of the pipeline."""
    folder, figures = Path(folder), {"metrics": {}}
    if measured(folder) and checkpoint.card(folder.name, folder.parent)["parts"] == parts:
        figures |= measured(folder)
    every = parts.values()
    said = {
        "family": "text-to-image",
        "data": "scenes",
        "parameters": size,
        "steps": sum(part["steps"] for part in every),
        "hours": round(sum(part["hours"] for part in every), 3),
        "hardware": parts["denoiser"]["hardware"],
        "parts": parts,
    }
    checkpoint.write_card(folder, said | figures)
