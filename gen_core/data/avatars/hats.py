"""What is worn on the head."""

from __future__ import annotations

import numpy as np

from gen_core.data.avatars.attributes import CLOTH_COLOURS, Avatar
from gen_core.data.avatars.clothes import cloth
from gen_core.data.avatars.head import INK, Head
from gen_core.data.avatars.shapes import (
    Canvas,
    Colour,
    Field,
    Plane,
    arc,
    blended,
    box,
    common,
    egg,
    ellipse,
    mix,
    without,
)

SHADE: Colour = (0.77, 0.70, 0.72)
"""What a hat's shadow leaves of the light on the face."""


def draw_hat(c: Canvas, h: Head) -> None:
    if h.avatar.hat != "none":
        HATS[h.avatar.hat](c, h, _colour(h.avatar))


def _colour(a: Avatar) -> Colour:
    """Never that of the clothes."""
    names = list(CLOTH_COLOURS)
    return CLOTH_COLOURS[names[(names.index(a.cloth_colour) + 4) % len(names)]]


def _cap(c: Canvas, h: Head, colour: Colour) -> None:
    p, x = h.plane, 0.10 * h.avatar.turn
    c.darken(ellipse(p.at(2.2 * x, -0.17), 0.40, 0.11), SHADE, 0.06, within=h.shape)
    dome = common(egg(p, h.rx + 0.035, h.top + 0.09, 0.6), p.y + 0.22)
    c.paint(dome, cloth(colour, h.light))
    dark = mix(colour, INK, 0.35)
    for s in (-0.2, 0.2):
        seam = np.abs(p.x - x - s * (1 + p.y * 0.9)) - np.float32(0.006)
        c.paint(seam, dark, 0.5, within=dome)
    c.paint(ellipse(p.at(x * 0.5, -h.top - 0.09), 0.035, 0.022), dark)
    brim = common(ellipse(p.at(2.2 * x, -0.24), 0.42, 0.10), -(p.y + 0.30))
    c.paint(brim, cloth(mix(colour, INK, 0.15), h.light * 0.5))
    edge = arc(p.at(2.2 * x, -0.265), 0.40, -0.035, 0.010, 0.2)
    c.paint(edge, mix(colour, (1, 1, 1), 0.3), 0.6)


def _beanie(c: Canvas, h: Head, colour: Colour) -> None:
    p = h.plane
    pompom = ellipse(p.at(-0.02 * h.avatar.turn, -h.top - 0.20), 0.105, 0.10)
    c.paint(pompom, mix(colour, (1, 1, 1), 0.55))
    around = p.x / np.sqrt(np.maximum(1.02 - (p.x / (h.rx + 0.06)) ** 2, 0.05))
    ribs = np.float32(0.25) * np.cos(around * np.float32(26))
    dome = common(egg(p, h.rx + 0.05, h.top + 0.17, 0.6), p.y + 0.24)
    c.paint(dome, cloth(colour, (h.light * 0.9 + ribs * 0.6).clip(-1, 1)))
    band = box(Plane(p.x, p.y - 0.10 * p.x * p.x).at(0, -0.275), h.rx + 0.065, 0.085, 0.05)
    c.darken(band - 0.04, SHADE, 0.05, within=h.shape)
    c.paint(band, cloth(mix(colour, (1, 1, 1), 0.15), (h.light * 0.7 + ribs).clip(-1, 1)))


def _hat(c: Canvas, h: Head, colour: Colour) -> None:
    p = h.plane
    c.darken(ellipse(p.at(0, -0.22), h.rx + 0.1, 0.11), SHADE, 0.07, within=h.shape)
    crown = common(box(p.at(0, -0.56), h.rx * 0.84, 0.26, 0.14), p.y + 0.30)
    c.paint(crown, cloth(colour, h.light))
    ribbon = np.abs(p.y + 0.385 - 0.06 * p.x * p.x) - np.float32(0.045)
    c.paint(common(crown, ribbon), mix(colour, INK, 0.35))
    brim = ellipse(Plane(p.x, p.y + 0.12 * p.x * p.x).at(0, -0.30), h.rx + 0.27, 0.085)
    c.paint(brim, cloth(colour, (h.light * 0.5 + 0.15).clip(-1, 1)))


def draw_scarf_behind(c: Canvas, h: Head) -> None:
    if h.avatar.hat == "headscarf":
        fall = box(c.plane.at(0, 0.72), 0.50, 0.32, 0.22)
        drape = blended(egg(h.plane, h.rx + 0.13, h.top + 0.12, 0.55), fall, 0.2)
        c.paint(drape, cloth(mix(_colour(h.avatar), INK, 0.22), h.light))


def _headscarf(c: Canvas, h: Head, colour: Colour) -> None:
    p = h.plane
    around = egg(p, h.rx + 0.105, h.top + 0.11, h.bottom + 0.10)
    whole = blended(around, ellipse(c.plane.at(0, 0.72), 0.46, 0.27), 0.14)
    face = egg(p.at(0.07 * h.avatar.turn, 0.02), h.rx * 0.84, 0.38, h.bottom - 0.055)
    c.darken(without(whole, face + 0.05), SHADE, 0.06, within=h.shape)
    scarf = without(whole, face)
    c.paint(scarf, cloth(colour, h.light))
    for k, (y, rise) in enumerate(((0.56, -0.10), (0.66, -0.13), (-0.50, 0.07))):
        fold = arc(p.at(0.03 * k * h.avatar.turn, y), 0.30, rise, 0.010)
        c.paint(fold, mix(colour, INK, 0.35), 0.5, within=scarf, soft=0.02)
    c.paint(np.abs(face - 0.012) - np.float32(0.010), mix(colour, (1, 1, 1), 0.25), 0.6)


def _turban(c: Canvas, h: Head, colour: Colour) -> None:
    p, x = h.plane, 0.10 * h.avatar.turn
    wound = without(_wound(h), ellipse(p.at(x, 0.22), h.rx * 0.86, 0.47))
    c.darken(wound - 0.045, SHADE, 0.05, within=h.shape)
    c.paint(wound, cloth(colour, h.light))
    for k in range(4):
        for s in (-1, 1):
            there = p.at(x + s * 0.20, -0.30 - 0.10 * k, s * (0.52 - 0.08 * k))
            fold = arc(there, 0.34, 0.05, 0.009, 0.3)
            c.paint(fold, mix(colour, INK, 0.35), 0.55, within=wound, soft=0.01)
    c.paint(ellipse(p.at(x, -0.40), 0.045, 0.055), (0.97, 0.90, 0.70))


def _wound(h: Head) -> Field:
    brow = h.plane.y + np.float32(0.17) - np.float32(0.10 / h.rx) * np.abs(h.plane.x)
    return common(egg(h.plane.at(0, -0.12), h.rx + 0.10, h.top + 0.04, 0.42), brow)


HATS = {"cap": _cap, "beanie": _beanie, "hat": _hat, "headscarf": _headscarf, "turban": _turban}
