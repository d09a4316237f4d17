"""A pipeline small enough to build in a second, exported as the trained one is."""

import dataclasses
from pathlib import Path

import torch

from gen_core.data.captions import caption
from gen_core.data.emoji import Emoji
from gen_core.data.scenes import random_scene
from gen_core.text_to_image import training
from gen_core.text_to_image.export import export
from gen_core.text_to_image.parts import PARTS, write_part
from gen_core.text_to_image.tokens import learned

TINY = {
    "autoencoder": {"widths": (16, 16, 32)},
    "clip": {"width": 32, "text_layers": 1, "vision_layers": 1, "shared": 16},
    "words": {"width": 32, "text_layers": 1},
    "denoiser": {"widths": (32, 32, 64), "words": 32},
    "decoder": {"widths": (16, 16, 32), "critic_width": 4},
    "judge": {"widths": (16, 16, 16, 32)},
}


def tiny_parts(runs: Path, monkeypatch) -> None:
    """Untrained parts in a folder of runs, under recipes that say how small they are."""
    runs.mkdir(parents=True)
    words = [caption(random_scene(k), k) for k in range(3000)]
    tokenizer = learned(words)
    tokenizer.save_pretrained(runs / "tokenizer")
    for name, kind in PARTS.items():
        config = TINY[name] | ({"vocabulary": len(tokenizer)} if name in ("clip", "words") else {})
        recipe = training.Recipe(name, steps=3, batch=4, warmup=1, data="scenes", config=config)
        monkeypatch.setitem(training.RECIPES, name, recipe)
        torch.manual_seed(0)
        model = kind(kind.Config(**config))
        (runs / name).mkdir()
        card = {"recipe": dataclasses.asdict(recipe), "config": config, "scaling_factor": 0.5}
        write_part(model, runs / name / "final.safetensors", card)


def tiny_pipeline(folder: Path, monkeypatch, emoji: Emoji | None = None) -> Path:
    """The exported folder; with search where `emoji` are given."""
    tiny_parts(folder / "runs", monkeypatch)
    export(folder / "runs", folder / "pipeline", emoji)
    return folder / "pipeline"
