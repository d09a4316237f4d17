"""Edits that noise a picture and draw it anew, as a whole or in part."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from gen_core.editing.given import checked_mask, checked_picture
from gen_core.editing.path import STRENGTH, ancestral, path_of, walk
from gen_core.families.guided import GuidedFamily
from gen_core.knobs import Whole
from gen_core.sampling import Frame, Noise

ROUNDS = Whole("rounds", 4, 1, 10, info="How often each step is taken, so that old and new fit")


@torch.inference_mode()
def fill(
    model: GuidedFamily,
    noise: Noise,
    *,
    picture: Tensor,
    mask: Tensor,
    label: int | None = None,
    guidance_scale: float = 1.0,
    steps: int = 25,
    rounds: int = ROUNDS.default,
) -> Iterator[Frame]:
    """Inpainting: what lies under the mask is drawn anew, the rest stays as it is, bit for bit.

    At each step the known pixels are those of the picture with as much noise as the others have
    (Lugmayr et al. 2022, "RePaint", eq. 8). rounds: how often each step is taken; in between it is
    undone with fresh noise (their algorithm 1, with jumps of one step), so that known and drawn
    pixels come to fit.

    picture: (1, C, H, W) in [-1, 1]; mask: (1, 1, H, W), 1 where to draw. Raises KnobError for a
    mask that is empty or whole, and for what is no such picture.
    """
    picture = checked_picture(model, picture)
    drawn = checked_mask(mask, picture) > 0.5
    path = path_of(model, len(noise), label, guidance_scale)
    levels, rounds = path.levels(steps), ROUNDS.check(rounds)

    def fresh() -> Tensor:
        return noise.randn(*model.event.shape).to(model.device)

    def known(x: Tensor, t: float) -> Tensor:
        return torch.where(drawn, x, path.mixed(picture, fresh(), t))

    x = known(fresh(), levels[0])
    for k, (t, s) in enumerate(zip(levels, levels[1:], strict=False)):
        guess = path.guess(x, t)
        yield Frame(k, steps, t, x, guess.x0, guess.eps, path.network.evaluations)
        for left in reversed(range(rounds)):
            x = known(ancestral(path, guess, t, s, noise), s)
            if left:
                kept, added = path.between(t, s)
                x = kept * x + added * fresh()
                guess = path.guess(x, t)
    x = torch.where(drawn, x.clamp(-1, 1), picture)
    yield Frame(steps, steps, levels[-1], x, evaluations=path.network.evaluations)


@torch.inference_mode()
def redraw(
    model: GuidedFamily,
    noise: Noise,
    *,
    picture: Tensor,
    strength: float = STRENGTH.default,
    label: int | None = None,
    guidance_scale: float = 1.0,
    steps: int = 25,
) -> Iterator[Frame]:
    """The picture with noise, and from there what could have become of it: strokes turn into a
    picture (Meng et al. 2022, "SDEdit", algorithm 2), a picture into variations of itself.

    What noise has covered is forgotten: small things first, at strength 1 all. Without fresh noise
    on the way back, which takes fewer steps than theirs.

    picture: (1, C, H, W) in [-1, 1]; strength: how much of the way to noise is gone, above 0, to 1.
    """
    picture = checked_picture(model, picture)
    path = path_of(model, len(noise), label, guidance_scale)
    levels = path.levels(steps, strength)
    eps = noise.randn(*model.event.shape).to(model.device)
    for frame in walk(path, path.mixed(picture, eps, levels[0]), levels):
        yield clipped(frame)


def clipped(frame: Frame) -> Frame:
    """The last frame's picture in [-1, 1], the range of the data."""
    return replace(frame, x=frame.x.clamp(-1, 1)) if frame.step == frame.total else frame
