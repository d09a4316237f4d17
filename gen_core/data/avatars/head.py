"""The head: its measures, where on it everything is, and its skin."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from gen_core.data.avatars.attributes import HAIR_COLOURS, SKINS, Avatar
from gen_core.data.avatars.shapes import Canvas, Colour, Field, Plane, egg, ellipse, mix, shaded

INK: Colour = (0.16, 0.10, 0.10)
"""Of lines."""
OUTLINES = {  # half width, height above the middle, below it, squareness of the chin
    "oval": (0.43, 0.52, 0.52, 2.0),
    "round": (0.46, 0.50, 0.46, 2.1),
    "square": (0.43, 0.51, 0.49, 2.7),
    "heart": (0.45, 0.51, 0.53, 1.75),
    "long": (0.405, 0.53, 0.57, 2.15),
}
NAPE, NECK = 0.45, 0.52
"""Height of the point around which the head tilts, and how far above it the head's middle is."""


class Head:
    """Measures of one avatar's head; degrees are longitudes, 0 the middle of the face."""

    def __init__(self, avatar: Avatar, plane: Plane) -> None:
        self.avatar = avatar
        self.child = max(0.0, 1 - avatar.age / 0.3)
        self.old = max(0.0, (avatar.age - 0.6) / 0.4)
        rx, self.top, bottom, self.power = OUTLINES[avatar.face]
        self.rx, self.bottom = rx + 0.01 * self.child, bottom - 0.05 * self.child
        self.turn, self.angle = 0.5 * avatar.turn, 0.16 * avatar.tilt  # radians
        self.x = NECK * math.sin(self.angle) + 0.03 * avatar.turn
        self.y = NAPE - NECK * math.cos(self.angle)
        self.plane = plane.at(self.x, self.y, self.angle)
        """With the middle of the head at its origin."""
        self.skin = SKINS[avatar.skin]
        self.hair = mix(HAIR_COLOURS[avatar.hair_colour], (0.80, 0.80, 0.82), 0.75 * self.old)

    def lon(self, degrees: float) -> float:
        """x of a longitude, as the head is turned."""
        return self.rx * 0.97 * math.sin(math.radians(degrees) + self.turn)

    def squeeze(self, degrees: float) -> float:
        """How wide a thing looks there, as a share of its width when the head looks ahead."""
        there = math.radians(degrees)
        return max(0.35, math.cos(there + self.turn) / math.cos(there))

    def at(self, degrees: float, y: float, angle: float = 0.0) -> Plane:
        return self.plane.at(self.lon(degrees), y, angle)

    @property
    def mouth_x(self) -> float:
        """The mouth stands out a little from the face."""
        return 1.05 * self.lon(0)

    @cached_property
    def shape(self) -> Field:
        return egg(self.plane, self.rx, self.top, self.bottom, self.power)

    @cached_property
    def light(self) -> Field:
        """-1, in shadow, to 1, as of an egg in a light from above and from the avatar's side."""
        u = self.plane.x / self.rx
        v = self.plane.y / np.where(self.plane.y < 0, self.top, self.bottom)
        z = np.sqrt(np.maximum(1 - u * u - v * v, 0))
        towards = 0.62 * self.avatar.light * u - 0.42 * v + 0.62 * z
        return ((towards - 0.42) * 1.5).clip(-1, 1)

    @property
    def crease(self) -> Colour:
        """Of lines in the skin."""
        return tuple(c * f for c, f in zip(self.skin, (0.66, 0.52, 0.50), strict=True))


def skin_in(h: Head, light: Field) -> np.ndarray:
    """(H, W, 3): the skin's colour where the light is so."""
    return shaded(h.skin, light, (0.78, 0.68, 0.68), (0.30, 0.27, 0.24))


def draw_ears(c: Canvas, h: Head) -> None:
    for side in (-1, 1):
        away = 1.6 * max(0.0, side * math.sin(h.turn))  # the far ear goes behind the head
        small = 1 - 0.35 * away
        p = h.plane.at(side * (h.rx - 0.005 - 0.05 * away), 0.04, 0.18 * side)
        c.paint(ellipse(p, 0.085 * small, 0.13 * small), skin_in(h, h.light - 0.15))
        hollow = ellipse(p.at(side * 0.008, 0.005), 0.042 * small, 0.078 * small)
        c.paint(hollow, h.crease, 0.45, soft=0.03)


def draw_head(c: Canvas, h: Head) -> None:
    c.paint(h.shape, skin_in(h, h.light))
    flush = mix(h.skin, (0.93, 0.36, 0.34), 0.5)
    for degrees in (-44, 44):
        cheek = ellipse(h.at(degrees, 0.15), 0.10 * h.squeeze(degrees), 0.075)
        c.paint(cheek, flush, 0.42, soft=0.10, within=h.shape)
