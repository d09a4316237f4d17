"""A pipeline small enough to build in a second, exported as the trained one is."""

import dataclasses
from pathlib import Path

import torch

from gen_core.data.emoji import Emoji
from gen_core.data.emoji.captions import caption
from gen_core.data.emoji.scenes import random_scene
from gen_core.families.text_to_image import TextToImage
from gen_core.families.text_to_image.folder import NAME, export
from gen_core.families.text_to_image.tokens import learned
from gen_core.training import checkpoint, recipes
from gen_core.training.recipes import Recipe


def tiny_parts(folder: Path, monkeypatch) -> Path:
    """Untrained parts in a folder of runs, under recipes that say how small they are. Returns the
    folder of these parts."""
    runs = folder / NAME
    runs.mkdir(parents=True)
    words = [caption(random_scene(k), k) for k in range(3000)]
    tokenizer = learned(words)
    tokenizer.save_pretrained(runs / "tokenizer")
    for name, kind in TextToImage.parts.items():
        config = dataclasses.asdict(kind.tiny())
        if "vocabulary" in config:
            config["vocabulary"] = len(tokenizer)
        recipe = Recipe(kind.name, steps=3, batch=4, warmup=1, data="scenes", config=config)
        monkeypatch.setitem(recipes.RECIPES, f"{NAME}/{name}", recipe)
        torch.manual_seed(0)
        model = kind(kind.Config(**config))
        (runs / name).mkdir()
        card = {
            "recipe": dataclasses.asdict(recipe),
            "data": "scenes",
            "seed": 0,
            "steps": 0,
            "hours": 0.5,
            "hardware": "none",
            "metrics": {},
            "scaling_factor": 0.5,
        }
        path = runs / name / "final.safetensors"
        checkpoint.save(model, path, card, dtype=torch.float32)
    return runs


def tiny_pipeline(folder: Path, monkeypatch, emoji: Emoji | None = None) -> Path:
    """The exported folder; with search where `emoji` are given."""
    runs = tiny_parts(folder / "runs", monkeypatch)
    export(runs, folder / NAME, emoji)
    return folder / NAME
