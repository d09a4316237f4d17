"""What the tests of the Autoregressive tab share: untrained models of text."""

from __future__ import annotations

from pathlib import Path

from core_fixtures import tiny
from gen_core.training import checkpoint

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
