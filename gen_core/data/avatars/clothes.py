"""Neck, shoulders and what is worn there."""

from __future__ import annotations

import math

import numpy as np

from gen_core.data.avatars.attributes import CLOTH_COLOURS
from gen_core.data.avatars.head import INK, Head, skin_in
from gen_core.data.avatars.shapes import (
    Canvas,
    Colour,
    Field,
    arc,
    blended,
    box,
    capsule,
    common,
    egg,
    ellipse,
    mix,
    shaded,
)

WHITE: Colour = (0.97, 0.97, 0.98)
COLLAR = {"t-shirt": 0.23, "hoodie": 0.22}
"""Half width of a round neckline."""
POINT = {"v-neck": 0.94, "shirt": 0.80, "blazer": 1.30}
"""y of the lower end of a pointed one."""


def cloth(colour: Colour, light: Field) -> np.ndarray:
    return shaded(colour, light, (0.72, 0.70, 0.76), (0.28, 0.28, 0.26))


def draw_body(c: Canvas, h: Head) -> None:
    kind, p = h.avatar.clothes, c.plane
    colour = CLOTH_COLOURS[h.avatar.cloth_colour]
    light = (0.55 * h.avatar.light * p.x / 0.8 - 0.9 * (p.y - 0.78)).clip(-1, 1)
    if kind == "hoodie":
        hood = ellipse(p.at(0, 0.60), 0.42, 0.22)
        c.paint(hood, cloth(mix(colour, INK, 0.18), light))
    shoulders = egg(p.at(0.02 * h.avatar.turn, 1.16), 0.80 - 0.08 * h.child, 0.56, 0.6)
    c.paint(blended(shoulders, box(p.at(0, 0.86), 0.24, 0.2, 0.1), 0.12), cloth(colour, light))
    if kind in COLLAR:
        neckline = ellipse(p.at(0, 0.66), COLLAR[kind], 0.13)
    elif kind in POINT:
        neckline = _pointed(c, POINT[kind])
    if kind in ("t-shirt", "hoodie", "v-neck"):  # its hem
        c.paint(neckline - 0.028, mix(colour, INK, 0.22))
    if kind != "turtleneck":
        below = cloth(WHITE, light) if kind == "blazer" else skin_in(h, light - 0.2)
        c.paint(neckline, below)
    _draw_neck(c, h)
    if kind in DETAILS:
        DETAILS[kind](c, colour, light)


def _pointed(c: Canvas, point: float) -> Field:
    slope = 0.23 / (point - 0.60)
    side = (np.abs(c.plane.x) - (point - c.plane.y) * slope * 0.9) / math.hypot(1, slope)
    return common(side.astype(np.float32), np.float32(0.52) - c.plane.y)


def _draw_neck(c: Canvas, h: Head) -> None:
    p, slim = c.plane, 0.03 * h.child
    foot = 0.72 if h.avatar.clothes in COLLAR else 0.58
    neck = capsule(p, h.x * 0.7, 0.25, 0, foot, 0.165 - slim, 0.175 - slim)
    c.paint(neck, skin_in(h, (0.5 * h.avatar.light * p.x / 0.2 - 0.15).clip(-1, 1)))
    head = p.at(h.x * 0.9, h.y + 0.085, h.angle)  # its shadow lies lower than itself
    shadow = egg(head, h.rx * 0.90, h.top, h.bottom + 0.03, h.power)
    c.darken(shadow, (0.76, 0.66, 0.66), 0.06, within=neck)


def _roll(c: Canvas, colour: Colour, light: Field) -> None:
    roll = box(c.plane.at(0, 0.655), 0.215, 0.135, 0.08)
    c.paint(roll, cloth(mix(colour, (1, 1, 1), 0.06), light))
    c.paint(arc(c.plane.at(0, 0.775), 0.20, -0.03, 0.011), mix(colour, INK, 0.4), 0.7)


def _flaps(c: Canvas, colour: Colour, light: Field, edge: Colour) -> None:
    for side in (-1, 1):
        flap = box(c.plane.at(side * 0.175, 0.70, side * 0.62), 0.075, 0.135, 0.02)
        c.paint(flap - 0.012, mix(edge, INK, 0.35), 0.55)
        c.paint(flap, cloth(colour, light))


def _shirt(c: Canvas, colour: Colour, light: Field) -> None:
    _flaps(c, mix(colour, (1, 1, 1), 0.12), light, colour)
    c.paint(capsule(c.plane, 0, 0.80, 0, 1.0, 0.007), mix(colour, INK, 0.35), 0.7)
    c.paint(ellipse(c.plane.at(0.03, 0.90), 0.016, 0.016), mix(colour, (1, 1, 1), 0.6))


def _blazer(c: Canvas, colour: Colour, light: Field) -> None:
    _flaps(c, WHITE, light, colour)
    for side in (-1, 1):
        lapel = capsule(c.plane, side * 0.27, 0.66, side * 0.05, 1.02, 0.075, 0.03)
        c.paint(lapel - 0.012, mix(colour, INK, 0.5), 0.8)
        c.paint(lapel, cloth(mix(colour, (1, 1, 1), 0.05), light))


def _strings(c: Canvas, colour: Colour, light: Field) -> None:
    for side in (-1, 1):
        c.paint(capsule(c.plane, side * 0.12, 0.80, side * 0.13, 0.99, 0.014), WHITE)


DETAILS = {"turtleneck": _roll, "shirt": _shirt, "blazer": _blazer, "hoodie": _strings}
"""What lies over the neck."""
