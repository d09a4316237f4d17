"""Small generations whose every shade is known, for the tests of the timeline."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image

from demos.widgets.timeline import timeline_from_images, timeline_value
from gen_core.sampling import Frame

N = 6
SHADES = [10, 60, 110, 160, 210, 250]
"""The first lane's grey in every frame: what the browser must show."""
LONG = 60


def shade(level: int) -> float:
    return level / 127.5 - 1


def make_frames(samples: int = 4) -> list[Frame]:
    """Frame k is one shade of grey, sample 0 inverted; neither x0 nor out in the last frame."""
    frames = []
    for k, grey in enumerate(SHADES):
        x = torch.full((samples, 1, 5, 7), shade(grey))
        x[0] = shade(255 - grey)
        guess = None if k == N - 1 else torch.full_like(x, shade(200))
        noise = None if k == N - 1 else torch.full_like(x, 3.0)
        frames.append(Frame(k, N - 1, 1 - k / (N - 1), x, guess, noise))
    return frames


LANES = [("State", "x"), ("Guess", "x0"), ("Noise", "out")]


def run_value(**extras: object) -> dict:
    return timeline_value(
        make_frames(), LANES, ms_per_step=12.5, provenance="cpu, 75 ms", name="A run!", **extras
    ).to_json()


def training_value() -> dict:
    pictures = [np.full((3, 8, 8, 3), grey, np.uint8) for grey in SHADES]
    at = [100 * k for k in range(N)]
    return timeline_from_images(
        {"Healthy": pictures},
        [f"epoch {k}" for k in range(N)],
        steps=at,
        step_word="training step",
        live=False,
        provenance="computed before",
        notes=[f"recall {0.1 * k:.1f}" for k in range(N)],
        curves=[
            {
                "title": "Loss",
                "x_label": "training step",
                "series": [{"name": "generator", "points": [[0, 1.0], [500, 6.0]]}],
                "at": at,
            }
        ],
        bars=[
            {
                "lane": "Healthy",
                "title": "Share of samples",
                "labels": ["Bag", "Coat"],
                "values": [[0.5 + 0.1 * k, 0.5 - 0.1 * k] for k in range(N)],
                "threshold": 0.01,
                "summary": [f"{2 - (k == N - 1)} of 2 classes alive" for k in range(N)],
                "percent": True,
            }
        ],
        start=0,
    ).to_json()


def long_value() -> dict:
    """So many frames that each is shown for a moment only."""
    pictures = [np.full((1, 8, 8), k, np.uint8) for k in range(LONG)]
    return timeline_from_images(
        {"State": pictures},
        [f"step {k}" for k in range(LONG)],
        steps=list(range(LONG)),
        step_word="step",
        live=False,
        provenance="computed before",
    ).to_json()


def open_gif(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "GIF"
    return image
