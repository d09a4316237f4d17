"""Glasses and earrings."""

from __future__ import annotations

import math

import numpy as np

from gen_core.data.avatars.face import EYE
from gen_core.data.avatars.head import Head
from gen_core.data.avatars.shapes import (
    Canvas,
    Colour,
    Field,
    arc,
    box,
    capsule,
    egg,
    ellipse,
    joined,
    shaded,
)

FRAMES: dict[str, Colour] = {
    "round": (0.62, 0.42, 0.20),
    "square": (0.15, 0.13, 0.16),
    "sun": (0.13, 0.12, 0.15),
}
GOLD: Colour = (0.96, 0.79, 0.36)


def draw_temples(c: Canvas, h: Head) -> None:
    """Of glasses: hair lies over them, and they end at the ears."""
    if h.avatar.glasses == "none":
        return
    for side in (-1, 1):
        hinge, ear = h.lon(EYE * side), side * (h.rx - 0.01)
        if side * (ear - hinge) > 0.15 * h.squeeze(EYE * side):
            c.paint(capsule(h.plane, hinge, -0.02, ear, -0.045, 0.014), FRAMES["sun"])


def _lens(h: Head, side: int) -> Field:
    p, narrow = h.at(EYE * side, 0.01), h.squeeze(EYE * side)
    if h.avatar.glasses == "round":
        return ellipse(p, 0.145 * narrow, 0.145)
    if h.avatar.glasses == "square":
        return box(p, 0.152 * narrow, 0.118, 0.035)
    return egg(p.at(0, -0.02), 0.158 * narrow, 0.105, 0.145, 2.4)


def draw_glasses(c: Canvas, h: Head) -> None:
    kind = h.avatar.glasses
    if kind == "none":
        return
    lenses = joined(_lens(h, -1), _lens(h, 1))
    if kind == "sun":
        fade = (h.plane.y * 2.2 - 0.05).clip(-1, 1)
        dark = shaded((0.16, 0.16, 0.20), fade, (0.5, 0.5, 0.5), (0.25, 0.28, 0.34))
        c.paint(lenses, dark, 0.96)
    else:
        c.paint(lenses, (0.92, 0.97, 1.0), 0.14)
    for side in (-1, 1):
        gleam = capsule(h.at(EYE * side, 0.01).at(-0.03, -0.03, 0.6), -0.05, 0, 0.05, 0, 0.012)
        c.paint(gleam, (1, 1, 1), 0.45, within=lenses + 0.02, soft=0.01)
    c.paint(np.abs(lenses) - np.float32(0.0145), FRAMES[kind])
    c.paint(arc(h.at(0, -0.02), 0.055, -0.015, 0.014, 0), FRAMES[kind])


def draw_earrings(c: Canvas, h: Head) -> None:
    for side in _ears_seen(h):
        p = h.plane.at(side * (h.rx + 0.015), 0.175)
        if h.avatar.earrings == "studs":
            c.paint(ellipse(p, 0.030, 0.030), GOLD)
            c.paint(ellipse(p.at(-0.008, -0.010), 0.011, 0.011), (1, 1, 1), 0.9)
        else:
            c.paint(np.abs(ellipse(p.at(0, 0.065), 0.058, 0.070)) - np.float32(0.013), GOLD)


def _ears_seen(h: Head) -> list[int]:
    """Those with an earring to be seen: -1 the one on the left of the picture, 1 on the right."""
    if h.avatar.earrings == "none" or h.avatar.hat == "headscarf":
        return []
    return [side for side in (-1, 1) if side * math.sin(h.turn) < 0.34]
