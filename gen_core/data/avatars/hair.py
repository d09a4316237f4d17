"""Hair on and behind the head, and beards. FRONT has the shape of each style that lies on the head,
BEHIND paints what hangs behind it."""

from collections.abc import Callable

import numpy as np

from gen_core.data.avatars.head import INK, Head
from gen_core.data.avatars.schema import COVERING
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
    wavy,
    without,
)


def skullcap(h: Head, sides: float, over: float, down: float) -> Field:
    """The head's outline, so much wider and higher, as far down as y = `down`."""
    whole = egg(h.plane, h.rx + sides, h.top + over, h.bottom + sides, h.power)
    return common(whole, h.plane.y - np.float32(down))


def hairline(h: Head, top: float, wide: float, peak: float = 0.0) -> Field:
    """What the hair leaves free: the face from y = `top` down, so much of the head's width.
    With a peak, hair that is parted in the middle comes down so far there."""
    x, across = 0.10 * h.avatar.turn, h.rx * wide
    if not peak:
        return egg(h.plane.at(x, 0.25), across, 0.25 - top, 0.8)
    bows = (egg(h.plane.at(x + s * 0.15, 0.25), across - 0.15, 0.25 - top, 0.8) for s in (-1, 1))
    return joined(*bows, egg(h.plane.at(x, 0.30), across - 0.02, 0.30 - top - peak, 0.8))


def _zigzag(x: Field, often: float, deep: float) -> Field:
    """To take from a distance for an edge of tufts."""
    return np.float32(deep) * np.abs(np.sin(x * np.float32(often)))


# On the head


def _receding(h: Head) -> Field:
    crown = ellipse(h.plane.at(0.06 * h.avatar.turn, -0.34), h.rx * 0.80, 0.36)
    return without(skullcap(h, 0.05, 0.01, 0.12), joined(hairline(h, -0.20, 0.90), crown))


def _side_part(h: Head) -> Field:
    x = 0.10 * h.avatar.turn
    swept = egg(h.plane.at(x - 0.05, 0.25, -0.22), h.rx * 0.93, 0.58, 0.8)
    body = without(skullcap(h, 0.04, 0.085, 0.06), joined(swept, hairline(h, -0.24, 0.90)))
    lock = egg(h.plane.at(x + 0.16, -0.38, 0.42), 0.34, 0.20, 0.13)
    return blended(body, common(lock, skullcap(h, 0.05, 0.095, 0.0)), 0.04)


def _quiff(h: Head) -> Field:
    x = 0.10 * h.avatar.turn
    wave = blended(
        ellipse(h.plane.at(0.02 + x, -0.52, -0.22), 0.36, 0.19),
        ellipse(h.plane.at(0.22 + x, -0.60, -0.5), 0.20, 0.13),
        0.1,
    )
    return blended(without(skullcap(h, 0.02, 0.04, 0.02), hairline(h, -0.31, 0.90)), wave, 0.06)


def _mohawk(h: Head) -> Field:
    q = h.plane.at(0.09 * h.avatar.turn, 0)
    tuft = ellipse(q.at(0, -0.40), 0.175, 0.13)
    for k in range(-3, 4):
        root, tip = -0.44 + 0.03 * abs(k), -0.80 + 0.055 * abs(k)
        tuft = joined(tuft, capsule(q, 0.045 * k, root, 0.095 * k, tip, 0.085, 0.018))
    return tuft


def _cloud(h: Head, grown: float, count: float, deep: float) -> Field:
    q = h.plane.at(0, -0.15)
    return ellipse(q, h.rx + grown, h.top + grown * 0.6) - wavy(q, count, deep)


def _curls(h: Head, grown: float, count: float, deep: float, wide: float) -> Field:
    """A cloud of curls around the head, with the face free."""
    face = h.plane.at(0.1 * h.avatar.turn, 0.15)
    free = egg(face, h.rx * wide, 0.44, 0.9) + wavy(face, 22, 0.035)
    return without(_cloud(h, grown, count, deep), free)


def _fringe(h: Head) -> Field:
    bowl = common(egg(h.plane.at(0, -0.05), h.rx + 0.075, h.top + 0.04, 0.5, 3.0), h.plane.y - 0.14)
    face = box(h.plane.at(0.10 * h.avatar.turn, 0.32), h.rx * 0.84, 0.52, 0.10)
    return without(bowl, face + _zigzag(h.plane.x, 21, 0.018))


def _bob_shape(h: Head) -> Field:
    return common(egg(h.plane.at(0, -0.06), h.rx + 0.115, h.top, 0.52, 3.2), h.plane.y - 0.40)


def _curtains(h: Head) -> Field:
    """Long hair as it falls beside the face."""
    return common(egg(h.plane.at(0, -0.05), h.rx + 0.09, h.top + 0.02, 0.7, 3.0), h.plane.y - 0.55)


def _waves(p: Plane) -> Field:
    return np.float32(0.026) * np.sin(p.y * np.float32(17))


def _tied(h: Head) -> Field:
    return without(skullcap(h, 0.03, 0.055, 0.02), hairline(h, -0.35, 0.92))


FRONT: dict[str, Callable[[Head], Field]] = {
    "buzz cut": lambda h: without(skullcap(h, 0.012, 0.018, -0.02), hairline(h, -0.34, 0.90)),
    "short": lambda h: without(
        skullcap(h, 0.035, 0.075, 0.06), hairline(h, -0.29, 0.90) + _zigzag(h.plane.x, 24, 0.022)
    ),
    "side part": _side_part,
    "quiff": _quiff,
    "curly": lambda h: _curls(h, 0.09, 19, 0.045, 0.97),
    "afro": lambda h: _curls(h, 0.26, 26, 0.03, 1.0),
    "fringe": _fringe,
    "bob": lambda h: without(_bob_shape(h), hairline(h, -0.27, 0.86, 0.10)),
    "long": lambda h: without(_curtains(h), hairline(h, -0.33, 0.86, 0.08)),
    "wavy": lambda h: without(_curtains(h) + _waves(h.plane), hairline(h, -0.28, 0.86, 0.12)),
    "ponytail": _tied,
    "bun": _tied,
    "braids": lambda h: without(skullcap(h, 0.05, 0.06, 0.26), hairline(h, -0.31, 0.89, 0.10)),
    "mohawk": _mohawk,
    "receding": _receding,
}

# Behind it


def _shade(h: Head) -> Colour:
    return tuple(c * f for c, f in zip(h.hair, (0.72, 0.68, 0.72), strict=True))


def _fallen(h: Head, wider: float, y: float, side: float, long: float, bend: float) -> Field:
    """Long hair that hangs from the crown."""
    crown = ellipse(h.plane.at(0, -0.1), h.rx + wider, h.top)
    return blended(crown, box(h.plane.at(0, y), h.rx + side, long, bend), 0.2)


def _long(h: Head) -> Field:
    return common(_fallen(h, 0.09, 0.5, 0.10, 0.5, 0.2), h.plane.y - 0.92)


def _ponytail_behind(c: Canvas, h: Head) -> None:
    """On the side that the head turns away from."""
    p, s = h.plane, -1 if h.avatar.turn > 0 else 1
    tail = blended(
        capsule(p, s * (h.rx - 0.05), -0.32, s * (h.rx + 0.18), -0.12, 0.12, 0.15),
        capsule(p, s * (h.rx + 0.18), -0.12, s * (h.rx + 0.13), 0.38, 0.15, 0.03),
        0.1,
    )
    c.paint(tail, _shade(h))
    c.paint(capsule(p, s * h.rx, -0.40, s * (h.rx + 0.07), -0.20, 0.035), (0.90, 0.35, 0.42))


def _bun_behind(c: Canvas, h: Head) -> None:
    q = h.plane.at(-0.04 * h.avatar.turn, -h.top - 0.13)
    bun = ellipse(q, 0.19, 0.17)
    c.paint(bun, _shade(h))
    c.paint(arc(q.at(0.0, 0.02), 0.13, 0.06, 0.014), mix(h.hair, INK, 0.45), 0.5, within=bun)
    c.paint(ellipse(q.at(-0.05, -0.05), 0.07, 0.04), mix(h.hair, (1, 1, 1), 0.3), 0.5, soft=0.05)


def _braids_behind(c: Canvas, h: Head) -> None:
    for s in (-1, 1):
        for k in range(5):
            bent = 0.35 if k % 2 else -0.35
            q = h.plane.at(s * (h.rx + 0.05 + 0.012 * k), 0.20 + 0.145 * k, bent)
            c.paint(ellipse(q, 0.088 - 0.006 * k, 0.098), mix(h.hair, INK, 0.12 + 0.10 * (k % 2)))
            gleam = ellipse(q.at(-0.02, -0.02), 0.03, 0.045)
            c.paint(gleam, mix(h.hair, (1, 1, 1), 0.25), 0.4, soft=0.04)


BEHIND: dict[str, Callable[[Canvas, Head], None]] = {
    "curly": lambda c, h: c.paint(_cloud(h, 0.10, 19, 0.045), _shade(h)),
    "afro": lambda c, h: c.paint(_cloud(h, 0.27, 26, 0.03), _shade(h)),
    "bob": lambda c, h: c.paint(_bob_shape(h), _shade(h)),
    "long": lambda c, h: c.paint(_long(h), _shade(h)),
    "wavy": lambda c, h: c.paint(
        _fallen(h, 0.10, 0.42, 0.14, 0.45, 0.25) + _waves(h.plane), _shade(h)
    ),
    "ponytail": _ponytail_behind,
    "bun": _bun_behind,
    "braids": _braids_behind,
}


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
