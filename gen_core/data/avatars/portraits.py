"""Portraits, painted from back to front."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gen_core.data.avatars.clothes import (
    draw_body,
    draw_earrings,
    draw_glasses,
    draw_hat,
    draw_scarf_behind,
    draw_temples,
)
from gen_core.data.avatars.hair import draw_beard, draw_hair, draw_hair_behind
from gen_core.data.avatars.head import (
    Head,
    draw_age,
    draw_ears,
    draw_eyes,
    draw_head,
    draw_mouth,
    draw_nose,
)
from gen_core.data.avatars.schema import BACKGROUNDS, Avatar, random_avatar
from gen_core.data.avatars.shapes import Canvas, Plane
from gen_core.knobs import whole

LAYERS = (
    draw_hair_behind,
    draw_scarf_behind,
    draw_body,
    draw_ears,
    draw_head,
    draw_age,
    draw_beard,
    draw_mouth,
    draw_nose,
    draw_eyes,
    draw_temples,
    draw_hair,
    draw_earrings,
    draw_glasses,
    draw_hat,
)


def portrait(avatar: Avatar, size: int = 64) -> np.ndarray:
    """(size, size, 3) uint8"""
    plane = Plane.of(size)
    canvas, head = Canvas(plane, _ground(avatar, plane)), Head(avatar, plane)
    for draw in LAYERS:
        draw(canvas, head)
    # Under warm light there is less blue, under cold light less red.
    tint = (1 + 0.04 * avatar.warmth, 1.0, 1 - 0.07 * avatar.warmth)
    lit = canvas.pixels * np.array(tint, np.float32)
    return (lit * 255 + 0.5).clip(0, 255).astype(np.uint8)


def _ground(avatar: Avatar, p: Plane) -> np.ndarray:
    """Lighter behind the head, towards the side that the light comes from."""
    glow = np.exp(-((p.x - 0.25 * avatar.light) ** 2 + (p.y + 0.25) ** 2) * 0.9)[..., None]
    colour = np.asarray(BACKGROUNDS[avatar.background], np.float32)
    return colour * (0.86 + 0.10 * glow) + 0.10 * glow * (1 - colour)


def avatars(seeds: Sequence[int], size: int = 64) -> tuple[Tensor, list[Avatar]]:
    """(N, 3, size, size) uint8, and who is on each picture; seed k is always the same one.

    size: 16 to 1024 pixels. Raises KnobError.
    """
    side = whole("size", size, 16, 1024)
    people = [random_avatar(whole("seed", seed, 0, 2**63 - 1)) for seed in seeds]
    if not people:
        return torch.empty(0, 3, side, side, dtype=torch.uint8), []
    pixels = np.stack([portrait(person, side) for person in people])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), people
