"""What the tests of the Odd one out panel share: untrained weights that know what is normal."""

from __future__ import annotations

from pathlib import Path

from core_fixtures import tiny
from demos.page.picture_files import COLOUR_SIDE
from demos.tabs.latent_space.models import PORTRAITS
from gen_core.latent.analyze import SECTION
from gen_core.latent.anomaly import measure
from gen_core.training.checkpoint import save
from sampling_fixtures import write_weights

COUNT = 40
"""Portraits, and odd pictures, that the card of the model tells of."""


def portrait_weights(folder: Path) -> Path:
    """The same folder, with a model of portraits and one of clothing in it."""
    write_weights(folder)
    model = tiny("vae", channels=3, size=COLOUR_SIDE, latent=6)
    figures = {"anomaly": measure(model, COUNT)}
    save(model, folder / f"{PORTRAITS}.safetensors", {"metrics": {}, SECTION: figures})
    return folder
