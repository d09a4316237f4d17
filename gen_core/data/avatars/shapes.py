"""Shapes as distances: negative inside, 0 on the edge, positive outside (iquilezles.org, "2D
distance functions"), and a canvas on which they are painted with soft edges.

Lengths are in halves of a picture: x to the right and y downwards run from -1 to 1.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

Field = np.ndarray
"""(H, W) float32: a number for each pixel."""
Colour = tuple[float, float, float]
"""Red, green, blue, each 0 to 1."""


@dataclass(frozen=True)
class Plane:
    """The places of all pixels, as seen from a point: shapes stand at its origin."""

    x: Field
    y: Field

    @classmethod
    def of(cls, size: int) -> Self:
        middles = (np.arange(size, dtype=np.float32) * 2 + 1) / size - 1
        x, y = np.meshgrid(middles, middles)
        return cls(x, y)

    def at(self, x: float, y: float, angle: float = 0.0) -> Self:
        """Seen from (x, y), turned by `angle` radians, clockwise on the screen."""
        dx, dy = self.x - np.float32(x), self.y - np.float32(y)
        if angle:
            c, s = np.float32(math.cos(angle)), np.float32(math.sin(angle))
            dx, dy = c * dx + s * dy, c * dy - s * dx
        return type(self)(dx, dy)


def ellipse(p: Plane, rx: float, ry: float) -> Field:
    """Distance near the edge to first order: f / |grad f|."""
    u, v = p.x / np.float32(rx), p.y / np.float32(ry)
    k = np.sqrt(u * u + v * v) + np.float32(1e-6)
    slope = np.sqrt((u / rx) ** 2 + (v / ry) ** 2) + np.float32(1e-6)
    return k * (k - 1) / slope


def egg(p: Plane, rx: float, top: float, bottom: float, power: float = 2.0) -> Field:
    """An oval with another height above its middle than below; power above 2: squarer below."""
    ry = np.where(p.y < 0, np.float32(top), np.float32(bottom))
    u, v = np.abs(p.x) / np.float32(rx), np.abs(p.y) / ry
    if power == 2.0:
        k = np.sqrt(u * u + v * v) + np.float32(1e-6)
        slope = np.sqrt((u / rx) ** 2 + (v / ry) ** 2) / k + np.float32(1e-6)
    else:
        n = np.where(p.y < 0, np.float32(2), np.float32(power))
        k = (u**n + v**n) ** (1 / n) + np.float32(1e-6)
        rise = np.hypot(u ** (n - 1) / rx, v ** (n - 1) / ry)
        slope = rise / k ** (n - 1) + np.float32(1e-6)
    return (k - 1) / slope


def box(p: Plane, rx: float, ry: float, round_: float = 0.0) -> Field:
    qx, qy = np.abs(p.x) - (rx - round_), np.abs(p.y) - (ry - round_)
    outside = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0))
    return outside + np.minimum(np.maximum(qx, qy), 0) - np.float32(round_)


def capsule(
    p: Plane, x1: float, y1: float, x2: float, y2: float, r: float, r2: float = -1
) -> Field:
    """A line with round ends, from radius r to r2."""
    r2 = r if r2 < 0 else r2
    dx, dy = x2 - x1, y2 - y1
    along = ((p.x - x1) * dx + (p.y - y1) * dy) / max(dx * dx + dy * dy, 1e-9)
    t = along.clip(0, 1)
    return np.hypot(p.x - x1 - t * dx, p.y - y1 - t * dy) - (r + (r2 - r) * t)


def arc(p: Plane, half: float, rise: float, r: float, taper: float = 0.5) -> Field:
    """A bowed stroke over |x| <= half, its ends `rise` higher than its middle, thinner there."""
    u = (p.x / half).clip(-1, 1)
    slope = 2 * rise * u / half
    away = np.abs(p.y + rise * u * u) / np.sqrt(1 + slope * slope)
    past = np.maximum(np.abs(p.x) - half, 0)
    return np.hypot(away, past) - np.float32(r) * (1 - taper * u * u)


def joined(*shapes: Field) -> Field:
    return np.minimum.reduce(shapes)


def blended(a: Field, b: Field, k: float) -> Field:
    """Both, with a smooth neck of about k between them."""
    h = (0.5 + 0.5 * (b - a) / k).clip(0, 1)
    return b + (a - b) * h - k * h * (1 - h)


def without(a: Field, b: Field) -> Field:
    return np.maximum(a, -b)


def common(*shapes: Field) -> Field:
    return np.maximum.reduce(shapes)


def wavy(p: Plane, count: float, depth: float, phase: float = 0.0) -> Field:
    """What to take from a distance for an edge with `count` bulges around the origin."""
    angle = np.arctan2(p.y, p.x)
    return np.float32(depth) * np.abs(np.sin(angle * count / 2 + phase))


class Canvas:
    """Layers painted one over the other."""

    def __init__(self, plane: Plane, ground: np.ndarray) -> None:
        """ground: (H, W, 3), what is painted over."""
        self.plane, self.size = plane, len(ground)
        self.pixels = ground.astype(np.float32)

    def cover(self, shape: Field, soft: float = 0.0, within: Field | None = None) -> Field:
        """How much of each pixel is inside, 0 to 1; soft: width of the edge beyond a pixel; within:
        another shape that cuts it off."""
        cover = (0.5 - shape / np.float32(2 / self.size + soft)).clip(0, 1)
        return cover if within is None else cover * self.cover(within)

    def paint(
        self,
        shape: Field,
        colour: Colour | np.ndarray,
        strength: float = 1.0,
        *,
        soft: float = 0.0,
        within: Field | None = None,
    ) -> None:
        """colour: one for all or (H, W, 3)"""
        cover = (self.cover(shape, soft, within) * np.float32(strength))[..., None]
        self.pixels += (np.asarray(colour, np.float32) - self.pixels) * cover

    def darken(
        self, shape: Field, factor: Colour, soft: float, within: Field | None = None
    ) -> None:
        """Multiplies by a colour inside, as a shadow does."""
        cover = self.cover(shape, soft, within)[..., None]
        self.pixels *= 1 + (np.asarray(factor, np.float32) - 1) * cover


def mix(a: Colour, b: Colour, share: float) -> Colour:
    return tuple(float(x + (y - x) * share) for x, y in zip(a, b, strict=True))


def shaded(colour: Colour, light: Field, dark: Colour, bright: Colour) -> np.ndarray:
    """(H, W, 3): from colour * dark where light is -1 to colour + bright where it is 1."""
    base = np.asarray(colour, np.float32)
    low, high = (
        base * np.asarray(dark, np.float32),
        base + (1 - base) * np.asarray(bright, np.float32),
    )
    t = light[..., None]
    return np.where(t < 0, base + (base - low) * t, base + (high - base) * t)
