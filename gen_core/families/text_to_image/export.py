"""The trained parts as an ordinary pipeline folder, which diffusers opens with nothing of ours."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from torch import nn

from gen_core.data.emoji import Emoji
from gen_core.families.text_to_image.card import EMOJI, JUDGE, write_parts
from gen_core.families.text_to_image.clip_score import ClipScorer
from gen_core.families.text_to_image.parts import PARTS
from gen_core.families.text_to_image.pipeline import assembled
from gen_core.families.text_to_image.search import write_vectors
from gen_core.families.text_to_image.training import part, tokenizer
from gen_core.training import checkpoint

SHARD = "9MB"
"""No file of the repository is larger than 10 MB."""


def export(runs: Path | str, folder: Path | str, emoji: Emoji | None = None) -> None:
    """Writes the pipeline to `folder`, and beside it the whole of CLIP and the judge, all in half
    precision.

    emoji: all drawings, for search; without them an older file of their vectors is taken away, as
    it may be of another CLIP.
    """
    runs, folder = Path(runs), Path(folder)
    parts = {name: part(name, runs) for name in PARTS}
    halves = [in_half_precision(parts[name].net) for name in ("decoder", "words", "denoiser")]
    pipeline = assembled(*halves, tokenizer(runs))
    pipeline.save_pretrained(folder, max_shard_size=SHARD)
    in_half_precision(parts["clip"].net).save_pretrained(folder / "clip", max_shard_size=SHARD)
    for config in (folder / "text_encoder/config.json", folder / "clip/config.json"):
        _load_as_float32(config)
    if emoji is None:
        (folder / EMOJI).unlink(missing_ok=True)
    else:
        write_vectors(ClipScorer.open(folder), emoji, folder)
    checkpoint.save(
        parts["judge"],
        folder / f"{JUDGE}.safetensors",
        plain(parts["judge"].card),
        extra=parts["judge"].extra,
    )
    size = sum(parameter.numel() for half in halves for parameter in half.parameters())
    write_parts(folder, {name: plain(model.card) for name, model in parts.items()}, size)


def plain(card: dict[str, Any]) -> dict[str, Any]:
    """A part's card without the format of its file."""
    return {key: value for key, value in card.items() if key != "format"}


def in_half_precision(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model).half()


def _load_as_float32(config: Path) -> None:
    """transformers opens a model in the precision its config states, diffusers in float32: where
    the files are halves, the parts of one pipeline would not fit each other."""
    settings = json.loads(config.read_text(encoding="utf-8"))
    for part_of in (settings, settings.get("text_config", {}), settings.get("vision_config", {})):
        if "dtype" in part_of:
            part_of["dtype"] = "float32"
    config.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
