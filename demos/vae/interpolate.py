"""From one code to another, straight and on the arc, as a timeline."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from demos.figures import pixels
from demos.widgets.timeline import timeline_from_images
from gen_core.interpolation import spherical, straight

PATHS = {"Straight": straight, "Spherical": spherical}


@torch.inference_mode()
def walks(model: Any, z_a: Tensor, z_b: Tensor, count: int) -> dict[str, Any]:
    """`count` pictures on each path from code z_a to z_b (latent,): arrays and plain values."""
    t = torch.linspace(0, 1, count, device=z_a.device)
    started = time.perf_counter()
    codes = {title: path(z_a, z_b, t) for title, path in PATHS.items()}
    pictures = {title: pixels(model.decode(z)) for title, z in codes.items()}
    seconds = time.perf_counter() - started
    return {
        "t": [round(v, 4) for v in t.tolist()],
        "pictures": pictures,
        "lengths": {k: [round(v, 4) for v in z.norm(dim=1).tolist()] for k, z in codes.items()},
        "ms_per_step": round(1000 * seconds / count, 2),
    }


def timeline(
    walked: dict[str, Any], ends: tuple[str, str], note: str, live: bool
) -> dict[str, Any]:
    """What `walks` gave as the timeline's value, with the distance from the centre as a chart."""
    t = walked["t"]
    chart = {
        "title": "Distance of the code from the centre",
        "x_label": "t",
        "y_label": "length of z",
        "series": [
            {"name": title, "points": [list(point) for point in zip(t, lengths, strict=True)]}
            for title, lengths in walked["lengths"].items()
        ],
        "at": t,
    }
    return timeline_from_images(
        {title: _frames(pictures) for title, pictures in walked["pictures"].items()},
        [f"t = {value:.2f}" for value in t],
        steps=range(1, len(t) + 1),
        step_word="picture",
        ms_per_step=walked["ms_per_step"],
        provenance=note,
        live=live,
        name="vae-interpolation",
        alt=f"from {ends[0]} to {ends[1]}",
        curves=[chart],
        notes=[f"{ends[0]} → {ends[1]}"] * len(t),
        autoplay=live,
    )


def _frames(pictures: np.ndarray) -> list[np.ndarray]:
    """uint8 (N, H, W) -> N pictures (1, H, W), one sample each."""
    return list(np.asarray(pictures)[:, None])
