"""What the tests of texts share: a tale, and untrained models."""

from __future__ import annotations

from pathlib import Path

import torch

from core_fixtures import tiny
from gen_core.evaluation.text_quality import TextJudge
from gen_core.families.text import TextFamily
from gen_core.training import checkpoint

BIRD = (
    "Once upon a time there was a king who had a golden bird, and the bird sang every night in the "
    "king's garden. 'Who sings there?' asked the king.\n\nNobody knew; the bird had flown away. "
)
"""A short tale."""
GPTS = {
    "gpt-tales": "tales",
    "gpt-tales-characters": "characters",
    "gpt-shakespeare": "characters",
}
"""Checkpoints and their tokenizers."""
LENGTH = 64


def write_gpts(folder: Path) -> None:
    """Untrained models in place of the three; they write, but no tales."""
    for name, words in GPTS.items():
        model = tiny("gpt", tokenizer=words, length=LENGTH)
        checkpoint.save(model, folder / f"{name}.safetensors", {"data": "tales"})


TALE = (
    "Once upon a time there was a king who had three daughters. The youngest was so beautiful that "
    "the sun himself wondered whenever he shone on her face. Near the castle of the king lay a "
    "great dark forest, and in the forest, under an old lime-tree, was a well."
)
"""What the judge has read."""


def write_pair(folder: Path) -> None:
    """The same, a diffusion beside them, and a judge where it is looked for."""
    write_gpts(folder)
    diffusion = tiny("masked-diffusion", tokenizer="tales", length=LENGTH)
    checkpoint.save(diffusion, folder / "diffusion-tales.safetensors", {"data": "tales"})
    name, judge = "gpt-tales-characters", TextJudge.on(TALE)
    model = tiny("gpt", tokenizer=GPTS[name], length=LENGTH)
    about = {"data": "tales"}
    checkpoint.save(model, folder / f"{name}.safetensors", about, extra=judge.tensors())


def opinionated(family: str, **changes) -> TextFamily:
    """A tiny model whose answers depend on what it reads."""
    model = tiny(family, **changes)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return model
