"""From a picture back to the noise that it could have come from, and forwards as another class.

The probability-flow ODE has no noise in it, so it can be walked backwards (Song et al. 2021,
"Denoising Diffusion Implicit Models", section 4.3): the noise at its end keeps what a class does
not say. Steps of finite length do not come back exactly where they began, least of all with
guidance, which bends the way (Mokady et al. 2023, "Null-text Inversion", section 3.1).
"""

from collections.abc import Iterator, Sequence
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
    label: int | Sequence[int] | None = None,
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
    label: int | Sequence[int] | None = None,
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
    label: int | Sequence[int] | None = None,
    guidance_scale: float = 1.0,
    guidance_back: float | None = None,
    steps: int = 50,
    strength: float = 1.0,
    method: str = "heun",
) -> Iterator[Frame]:
    """Pictures (B, C, H, W) to their noise and back as the same class; frames of both ways, as
    `recast` has them. guidance_back: on the way back, if not the same on both."""
    how = {"label": label, "steps": steps, "strength": strength, "method": method}
    there = invert(model, picture=picture, guidance_scale=guidance_scale, more=steps, **how)
    for frame in there:
        if frame.step < steps:
            yield frame
    x, spent = frame.x, frame.evaluations
    scale = guidance_scale if guidance_back is None else guidance_back
    for frame in return_from(model, x, guidance_scale=scale, done=steps, **how):
        yield replace(frame, evaluations=spent + frame.evaluations)
