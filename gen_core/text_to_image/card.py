"""A pipeline's card.json: its parts, and what was measured of it, read without opening it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from gen_core.checkpoint import CheckpointError
from gen_core.devices import device_title
from gen_core.files import in_one_move

NAME = "text-to-image-emoji"
"""Of the pipeline's folder in weights/."""
EMOJI = "clip/emoji.safetensors"
"""In that folder, for search."""
JUDGE = "judge.safetensors"
"""In that folder, for `measure`; the pipeline itself draws without it."""
CARD, MEASURED = "card.json", "measured"


def measured(folder: Path | str) -> dict[str, Any]:
    """The figures by name; {} where there is no card, or one without figures."""
    return _read(folder).get(MEASURED, {})


def add_measured(
    folder: Path | str, name: str, figures: dict[str, Any], device: torch.device
) -> None:
    """Puts `figures` under `name`, with the day and the device; all else in the card stays.

    Raises CheckpointError where there is no card to put them into.
    """
    card = _read(folder)
    if not card:
        raise CheckpointError(
            f"no {CARD} in {folder}: `python -m gen_core.text_to_image export` makes it"
        )
    made = {"date": datetime.now(UTC).date().isoformat(), "hardware": device_title(device)}
    _write(folder, card | {MEASURED: card.get(MEASURED, {}) | {name: figures | made}})


def write_parts(folder: Path | str, parts: dict[str, Any]) -> None:
    """A card with what is told of each part; what was measured of the very same parts stays."""
    figures = measured(folder)
    same = {k: v for k, v in _read(folder).items() if k != MEASURED} == parts
    _write(folder, parts | {MEASURED: figures} if figures and same else parts)


def _read(folder: Path | str) -> dict[str, Any]:
    """{} where there is none, or none that can be read: whoever opens the pipeline is told."""
    try:
        return json.loads((Path(folder) / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _write(folder: Path | str, card: dict[str, Any]) -> None:
    with in_one_move(Path(folder) / CARD) as partial:
        partial.write_text(json.dumps(card, indent=1), encoding="utf-8")
