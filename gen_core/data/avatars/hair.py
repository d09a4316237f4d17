"""Hair on and behind the head, and beards; the styles themselves are in `hair_styles`."""

from __future__ import annotations

import numpy as np

from gen_core.data.avatars.attributes import COVERING
from gen_core.data.avatars.hair_styles import BEHIND, FRONT, hairline, skullcap
from gen_core.data.avatars.head import INK, Head
from gen_core.data.avatars.shapes import (
    Canvas,
    Field,
    arc,
    blended,
    capsule,
    common,
    egg,
    ellipse,
    joined,
    mix,
    shaded,
    without,
)


def draw_hair_behind(c: Canvas, h: Head) -> None:
    if h.avatar.hat not in COVERING and h.avatar.hair in BEHIND:
        BEHIND[h.avatar.hair](c, h)


def draw_hair(c: Canvas, h: Head) -> None:
    a = h.avatar
    if a.hat in COVERING:
        return
    if a.hair == "bald":
        gleam = ellipse(h.plane.at(0.16 * a.light + 0.05 * a.turn, -0.36), 0.13, 0.06)
        c.paint(gleam, (1, 1, 1), 0.35, soft=0.10)
        return
    shape = FRONT[a.hair](h)
    if a.hat != "none":  # pressed flat
        shape = common(shape, egg(h.plane, h.rx + 0.14, h.top + 0.02, 1.2))
    buzzed = a.hair == "buzz cut"
    if a.hair == "mohawk":
        shaved = without(skullcap(h, 0.0, 0.005, -0.02), hairline(h, -0.35, 0.92))
        c.paint(shaved, mix(h.skin, h.hair, 0.6), 0.55, soft=0.02)
    if not buzzed:  # the shadow that it throws on the face
        c.darken(shape - 0.035, (0.80, 0.72, 0.72), 0.05, within=h.shape)
    c.paint(shape, _colours(h), 0.80 if buzzed else 1.0, soft=0.03 if buzzed else 0.0)
    if a.hair == "side part":
        line = arc(h.plane.at(-0.17 + 0.1 * a.turn, -0.46, 1.15), 0.12, 0.02, 0.010)
        c.paint(line, mix(h.hair, INK, 0.45), 0.7, within=shape)


def _colours(h: Head) -> np.ndarray:
    """(H, W, 3): strands, and a band of shine across the top."""
    p = h.plane
    angle = np.arctan2(p.x, -(p.y + 0.9))
    strands = 0.10 * np.sin(angle * 46) + 0.07 * np.sin(angle * 27 + 1)
    shine = np.exp(-(((np.hypot(p.x * 0.9, p.y - 0.05) - 0.44) / 0.05) ** 2)) * (p.y < -0.1)
    side = 0.5 + 0.5 * h.avatar.light * (p.x / h.rx)
    tone = (h.light * 0.55 + strands + 0.45 * shine * side - 0.1).clip(-1, 1)
    return shaded(h.hair, tone, (0.60, 0.56, 0.60), (0.34, 0.32, 0.30))


def draw_beard(c: Canvas, h: Head) -> None:
    """Before the mouth, which lies over it."""
    kind, colour = h.avatar.beard, mix(h.hair, INK, 0.12)
    if kind == "none":
        return
    mouth = h.plane.at(h.mouth_x, 0.285)
    lip = joined(
        *(capsule(mouth, s * 0.02, -0.062, s * 0.135, -0.030, 0.034, 0.014) for s in (-1, 1))
    )
    hairs = shaded(colour, (h.light * 0.6).clip(-1, 1), (0.66, 0.62, 0.64), (0.25, 0.24, 0.22))
    if kind == "stubble":
        grown = joined(_jaw(h), lip)
        c.paint(grown, mix(h.skin, colour, 0.7), 0.38, soft=0.06, within=h.shape)
    elif kind == "moustache":
        c.paint(lip - 0.006, hairs)
    elif kind == "goatee":
        c.paint(joined(ellipse(mouth.at(0, 0.155), 0.105, 0.10), lip), hairs)
    else:
        bare = ellipse(mouth.at(0, 0.012), 0.105, 0.045)
        c.paint(without(blended(_jaw(h), lip, 0.04), bare), hairs)


def _jaw(h: Head) -> Field:
    """Where a full beard grows: below the cheeks, a little out from the chin."""
    grown = egg(h.plane, h.rx + 0.018, h.top, h.bottom + 0.055, h.power)
    cheeks = egg(h.plane.at(h.mouth_x * 0.6, -0.08), h.rx * 0.93, 0.4, 0.345, 2.6)
    return common(without(grown, cheeks), -h.plane.y)
