"""An avatar as a picture, painted from back to front."""

from __future__ import annotations

import numpy as np

from gen_core.data.avatars.attributes import BACKGROUNDS, Avatar
from gen_core.data.avatars.clothes import draw_body
from gen_core.data.avatars.face import draw_age, draw_eyes, draw_mouth, draw_nose
from gen_core.data.avatars.glasses import draw_earrings, draw_glasses, draw_temples
from gen_core.data.avatars.hair import draw_beard, draw_hair, draw_hair_behind
from gen_core.data.avatars.hats import draw_hat, draw_scarf_behind
from gen_core.data.avatars.head import Head, draw_ears, draw_head
from gen_core.data.avatars.shapes import Canvas, Plane

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
