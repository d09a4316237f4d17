"""What the tests of the Latent space tab share: untrained models that know their latent space."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from core_fixtures import portraits, striped, tiny
from demos.page.handlers import App
from gen_core.latent.atlas import Atlas
from gen_core.training.checkpoint import save

COUNT = 100
"""Dots on the maps: as few as t-SNE takes."""


def write_maps(folder: Path) -> None:
    """Two untrained models with an atlas each, of portraits and of striped pictures, and a judge
    of portraits."""
    known = {
        "vae-avatars": (tiny("vae", channels=3, size=64, latent=6), portraits(COUNT, 64)),
        "vae-fashion-2d": (tiny("vae", latent=2), striped(COUNT)),
    }
    for name, (model, data) in known.items():
        model.influence[0] = 0.5  # the second number is the stronger one
        extra = Atlas.of(model, data, data, steps=30).tensors()
        save(model, folder / f"{name}.safetensors", {"metrics": {}}, extra=extra)
    save(tiny("avatar-judge"), folder / "judge-avatars.safetensors", {"metrics": {}})


@contextlib.contextmanager
def lab(folder: Path) -> Iterator[App]:
    """The app with these models, loaded."""
    write_maps(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_WEIGHTS", str(folder))
        app = App("cpu")
        app.warm()
        yield app
