"""From a picture back to the noise that it could have come from, and forwards as another class.

The probability-flow ODE has no noise in it, so it can be walked backwards (Song et al. 2021,
"Denoising Diffusion Implicit Models", section 4.3): the noise at its end keeps what a class does
not say. Steps of finite length do not come back exactly where they began, least of all with
guidance, which bends the way (Mokady et al. 2023, "Null-text Inversion", section 3.1).
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from gen_core.editing.given import checked_picture
from gen_core.editing.path import Step, ahead, ahead_twice, path_of, walk
from gen_core.editing.redrawing import clipped
from gen_core.families.guided import GuidedFamily
from gen_core.knobs import choice
from gen_core.sampling import Frame, Noise

METHODS: dict[str, Step] = {"ddim": ahead, "heun": ahead_twice}
"""Of first order, which asks the network once a step, and of second, which asks twice."""


@torch.inference_mode()
def invert(
    model: GuidedFamily,
    *,
    picture: Tensor,
    label: int | None = None,
    guidance_scale: float = 1.0,
    steps: int = 50,
    strength: float = 1.0,
    method: str = "heun",
    more: int = 0,
) -> Iterator[Frame]:
    """Frames from pictures (B, C, H, W) to their noise, whose x is the last one's.

    label: what the pictures show; strength: how far towards noise; more: steps that shall follow.
    """
    picture = checked_picture(model, picture)
    path = path_of(model, len(picture), label, guidance_scale)
    step = METHODS[choice("method", method, list(METHODS))]
    yield from walk(path, picture, path.levels(steps, strength)[::-1], step, more=more)


@torch.inference_mode()
def return_from(
    model: GuidedFamily,
    x: Tensor,
    *,
    label: int | None = None,
    guidance_scale: float = 1.0,
    steps: int = 50,
    strength: float = 1.0,
    method: str = "heun",
    done: int = 0,
) -> Iterator[Frame]:
    """Frames from x, the end of an inversion of the same strength, to pictures."""
    path = path_of(model, len(x), label, guidance_scale)
    step = METHODS[choice("method", method, list(METHODS))]
    for frame in walk(path, x, path.levels(steps, strength), step, done=done):
        yield clipped(frame)


def recast(
    model: GuidedFamily,
    noise: Noise,
    *,
    picture: Tensor,
    shows: int | None = None,
    label: int | None = None,
    guidance_scale: float = 1.0,
    steps: int = 50,
    strength: float = 1.0,
    method: str = "heun",
) -> Iterator[Frame]:
    """The picture as another class: inverted as what it shows, without guidance, and walked back as
    `label`. Frames of both ways, 2 x steps + 1 of them. Of the noise only the number of rows
    matters, for nothing is left to chance."""
    shared = {"steps": steps, "strength": strength, "method": method}
    x = checked_picture(model, picture)
    for frame in invert(model, picture=x, label=shows, more=steps, **shared):
        frame = replace(frame, x=frame.x.expand(len(noise), *frame.x.shape[1:]))
        if frame.step < steps:
            yield frame
    there, spent = frame.x, frame.evaluations
    back = return_from(
        model, there, label=label, guidance_scale=guidance_scale, done=steps, **shared
    )
    for frame in back:
        yield replace(frame, evaluations=spent + frame.evaluations)


def round_trip(
    model: GuidedFamily,
    *,
    picture: Tensor,
    label: int | None = None,
    guidance_scale: float = 1.0,
    steps: int = 50,
    strength: float = 1.0,
    method: str = "heun",
) -> Iterator[Frame]:
    """Pictures (B, C, H, W) to their noise and back, as the same class and with the same guidance
    on both ways; frames of both, as `recast` has them."""
    how = {"label": label, "guidance_scale": guidance_scale}
    how |= {"steps": steps, "strength": strength, "method": method}
    for frame in invert(model, picture=picture, more=steps, **how):
        if frame.step < steps:
            yield frame
    yield from return_from(model, frame.x, done=steps, **how)
