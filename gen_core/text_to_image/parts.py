"""The six trained parts, each one file: weights, and in its metadata what is told of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from gen_core.family import Trainable
from gen_core.files import in_one_move
from gen_core.text_to_image.autoencoder import Autoencoder
from gen_core.text_to_image.clip import Clip
from gen_core.text_to_image.decoder import Decoder
from gen_core.text_to_image.denoiser import Denoiser
from gen_core.text_to_image.judge import SceneJudge
from gen_core.text_to_image.words import Words

PARTS: dict[str, type[Trainable]] = {
    "judge": SceneJudge, "autoencoder": Autoencoder, "words": Words, "clip": Clip,
    "denoiser": Denoiser, "decoder": Decoder,
}  # fmt: skip


def write_part(
    model: Trainable, path: Path, card: dict[str, Any], dtype: torch.dtype | None = None
) -> None:
    """dtype: None for the model's own."""
    tensors = {
        k: v.detach().to("cpu", dtype if v.is_floating_point() else None).contiguous()
        for k, v in model.state_dict().items()
    }
    with in_one_move(path) as partial:
        save_file(tensors, partial, {"card": json.dumps(card)})


def read_part(path: Path) -> Trainable:
    """A part ready to use, in float32, with its `card`."""
    with safe_open(path, "pt") as file:
        card = json.loads(file.metadata()["card"])
    kind = PARTS[card["recipe"]["family"]]
    config = {k: tuple(v) if isinstance(v, list) else v for k, v in card["config"].items()}
    model = kind(kind.Config(**config))
    model.load_state_dict(load_file(path))
    if isinstance(model, Autoencoder):
        model.net.register_to_config(scaling_factor=card["scaling_factor"])
    model.card = card
    return model.requires_grad_(False).eval()
