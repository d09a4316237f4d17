"""What is worn: clothes with the neck they leave bare, glasses, earrings, hats."""

import math

import numpy as np

from gen_core.data.avatars.head import EYE, INK, Head, skin_in
from gen_core.data.avatars.schema import CLOTH_COLOURS, Avatar
from gen_core.data.avatars.shapes import (
    Canvas,
    Colour,
    Field,
    Plane,
    arc,
    blended,
    box,
    capsule,
    common,
    egg,
    ellipse,
    joined,
    mix,
    shaded,
    without,
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
