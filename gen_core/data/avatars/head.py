"""The head: its measures, its skin, eyes, brows, nose and mouth, and the lines of age."""

import math
from functools import cached_property

import numpy as np

from gen_core.data.avatars.schema import EYE_COLOURS, HAIR_COLOURS, SKINS, Avatar
from gen_core.data.avatars.shapes import (
    Canvas,
    Colour,
    Field,
    Plane,
    arc,
    capsule,
    common,
    egg,
    ellipse,
    mix,
    shaded,
)

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


EYE = 25
"""Degrees from the middle of the face to an eye."""
EYE_SHAPES = {
    "round": (0.088, 0.088, 0.0),
    "almond": (0.102, 0.070, -0.14),
    "narrow": (0.100, 0.050, -0.06),
}
"""Half width, half height, slant in radians."""
BROW_SHAPES = {
    "thin": (0.016, 0.022, 0.0),
    "thick": (0.031, 0.018, 0.0),
    "arched": (0.021, 0.050, 0.03),
}
"""Half thickness, how far it is bowed, how much higher it sits."""
NOSE_SHAPES = {
    "small": (0.038, 0.030),
    "button": (0.056, 0.048),
    "long": (0.046, 0.042),
    "wide": (0.078, 0.042),
}
WHITE = (1.0, 1.0, 1.0)


def draw_eyes(c: Canvas, h: Head) -> None:
    lids = h.avatar.lids
    grown = 1.12 + 0.16 * h.child - 0.08 * h.old
    for side in (-1, 1):
        if lids == "closed" or (lids == "wink" and side == 1):
            lid = arc(h.at(EYE * side, 0.015), 0.085 * h.squeeze(EYE * side) * grown, -0.035, 0.019)
            c.paint(lid, INK)
        else:
            _draw_open_eye(c, h, side, grown)
        _draw_brow(c, h, side)


def _draw_open_eye(c: Canvas, h: Head, side: int, grown: float) -> None:
    kind, narrow = h.avatar.eyes, h.squeeze(EYE * side)
    rx, ry, slant = EYE_SHAPES[kind]
    rx, ry = rx * narrow * grown, ry * grown
    p = h.at(EYE * side, 0.0, slant * side)
    white = ellipse(p, rx, ry) if kind == "round" else _lens(p, rx, ry)
    c.paint(white, mix(WHITE, h.skin, 0.05))
    _draw_iris(c, h, p, white, narrow, grown)
    c.darken(common(white, p.y + ry * 0.45), (0.72, 0.70, 0.76), 0.05)  # the upper lid's shadow
    c.paint(common(np.abs(white) - np.float32(0.0135), p.y + ry * 0.10), INK, 0.95)
    if kind == "almond":
        lash = capsule(p, side * rx * 0.85, -ry * 0.35, side * rx * 1.32, -ry * 0.95, 0.012, 0.005)
        c.paint(lash, INK)
    bag = arc(h.at(EYE * side, ry + 0.045), 0.07 * narrow, -0.02, 0.009)
    c.paint(bag, h.crease, 0.55 * h.old, soft=0.01)


def _lens(p: Plane, rx: float, ry: float) -> Field:
    """What two circles have in common that meet in the corners of an eye."""
    r = (rx * rx + ry * ry) / (2 * ry)
    return common(ellipse(p.at(0, r - ry), r, r), ellipse(p.at(0, ry - r), r, r))


def _draw_iris(c: Canvas, h: Head, p: Plane, white: Field, narrow: float, grown: float) -> None:
    right, down = h.avatar.gaze
    p = p.at(0.030 * right * narrow, 0.018 * down + 0.004)
    colour = EYE_COLOURS[h.avatar.eye_colour]
    r = 0.062 * grown
    c.paint(ellipse(p, r * (0.5 + 0.5 * narrow), r), mix(colour, INK, 0.35), within=white)
    bright = ellipse(p.at(0, 0.012), 0.046 * grown, 0.044 * grown)
    c.paint(bright, mix(colour, WHITE, 0.12), within=white, soft=0.02)
    c.paint(ellipse(p, 0.032 * grown, 0.034 * grown), (0.05, 0.04, 0.05), within=white)
    c.paint(ellipse(p.at(-0.020, -0.024), 0.017 * grown, 0.017 * grown), WHITE, within=white)


def _draw_brow(c: Canvas, h: Head, side: int) -> None:
    thick, bow, higher = BROW_SHAPES[h.avatar.brows]
    y = -0.165 - higher - 0.012 * h.avatar.smile
    brow = arc(h.at(26 * side, y, 0.10 * side), 0.098 * h.squeeze(EYE * side), -bow, thick, 0.55)
    c.paint(brow, mix(h.hair, INK, 0.35 if sum(h.hair) > 0.8 else 0.1))


def draw_nose(c: Canvas, h: Head) -> None:
    kind = h.avatar.nose
    dark = 1 if h.avatar.light < 0 else -1  # the side away from the light
    grown = 1 + 0.12 * h.old - 0.2 * h.child
    half, ry = (length * grown for length in NOSE_SHAPES[kind])
    p = h.plane.at(1.25 * h.lon(0), 0.145)  # it stands out of the face
    if kind == "long":
        bridge = capsule(p, dark * 0.012, -0.13, dark * half * 0.95, 0.0, 0.010, 0.018)
        c.paint(bridge, h.crease, 0.5, soft=0.03)
    c.paint(ellipse(p.at(dark * 0.012, 0.012), half * 1.15, ry), h.crease, 0.38, soft=0.035)
    tip = ellipse(p.at(-dark * 0.010, -0.012), half * 0.75, ry * 0.75)
    c.paint(tip, mix(h.skin, WHITE, 0.35), 0.75, soft=0.035)
    c.paint(
        arc(p.at(0, ry * 0.85), half, -0.010 if kind == "small" else -0.018, 0.012), h.crease, 0.9
    )
    if kind == "wide":
        for side in (-1, 1):
            nostril = ellipse(p.at(side * half * 0.5, ry * 0.72), 0.018, 0.010)
            c.paint(nostril, mix(h.crease, INK, 0.5), 0.8)


def draw_mouth(c: Canvas, h: Head) -> None:
    smile = h.avatar.smile
    p = h.plane.at(h.mouth_x, 0.285 - 0.012 * h.child)
    half = (0.125 + 0.035 * max(smile, 0)) * h.squeeze(0) * (1 - 0.12 * h.child)
    u = (p.x / half).clip(-1.3, 1.3)
    bent = Plane(p.x, p.y + np.float32(0.055 * smile) * (u * u - 0.5))
    lip = mix(h.crease, (0.78, 0.25, 0.28), 0.5)
    if h.avatar.mouth == "open":
        deep = 0.075 + 0.025 * smile
        hole = egg(bent.at(0, -0.012), half, 0.016 + 0.02 * max(-smile, 0), deep)
        c.paint(hole - 0.018, lip)
        c.paint(hole, (0.36, 0.09, 0.12))
        tongue = ellipse(bent.at(0, deep * 0.85), half * 0.62, deep * 0.42)
        c.paint(tongue, (0.88, 0.42, 0.44), within=hole)
        c.paint(bent.y - np.float32(0.018), (0.98, 0.97, 0.95), within=hole + 0.006)  # teeth
    else:
        below = ellipse(bent.at(0, 0.026), half * 0.62, 0.030)
        c.paint(below, lip, 0.45 * (1 - 0.5 * h.old), soft=0.02)
        line = np.hypot(bent.y, np.maximum(np.abs(p.x) - half, 0)) - np.float32(0.0135)
        c.paint(line, mix(lip, INK, 0.5))
    for side in (-1, 1) if smile > 0.2 else ():
        dimple = arc(p.at(side * (half + 0.022), -0.03 * smile, side * 1.35), 0.03, -0.008, 0.008)
        c.paint(dimple, h.crease, 0.6 * smile)


def draw_age(c: Canvas, h: Head) -> None:
    """Lines on the forehead, beside the mouth and around the eyes, from sixty in a hundred on."""
    if not h.old:
        return
    for y, half in ((-0.31, 0.17), (-0.25, 0.20)):
        line = arc(h.at(0, y), half, 0.012, 0.009)
        c.paint(line, h.crease, 0.55 * h.old, soft=0.01, within=h.shape)
    for side in (-1, 1):
        fold = capsule(
            h.at(19 * side, 0.225, 0.5 * side), 0, -0.055, side * 0.012, 0.055, 0.009, 0.006
        )
        c.paint(fold, h.crease, 0.65 * h.old, soft=0.01)
        for lift in (-0.4, 0.0, 0.4):
            foot = capsule(h.at(44 * side, 0.0), 0, lift * 0.03, side * 0.035, lift * 0.09, 0.006)
            c.paint(foot, h.crease, 0.5 * h.old, within=h.shape)
