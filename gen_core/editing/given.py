"""What an edit is given, checked before anything is drawn."""

import torch
from torch import Tensor

from gen_core.families.guided import GuidedFamily
from gen_core.knobs import KnobError


def checked_picture(model: GuidedFamily, picture: Tensor, name: str = "picture") -> Tensor:
    """One picture (1, C, H, W), or one for each that is drawn, on the model's device. Raises
    KnobError for another shape, NaN, and values beyond [-1, 1]."""
    shape = model.event.shape
    if not isinstance(picture, Tensor) or picture.dim() != 4 or picture.shape[1:] != shape:
        found = tuple(getattr(picture, "shape", ())) or type(picture).__name__
        raise KnobError(f"{name} of {found}: this model takes (1, {', '.join(map(str, shape))})")
    return _finite(name, picture, 1.0).to(model.device)


def checked_mask(mask: Tensor | None, picture: Tensor) -> Tensor:
    """(1, 1, H, W) as the picture is, 1 where to draw. Raises KnobError where that is nowhere, or
    everywhere."""
    shape = (1, 1, *picture.shape[2:])
    if mask is None:
        raise KnobError("mask: nothing is painted, paint over the part to draw anew")
    if mask.shape != shape:
        raise KnobError(f"mask of {tuple(mask.shape)}: takes {shape}")
    drawn = _finite("mask", mask.float(), 1.0) > 0.5
    if not drawn.any():
        raise KnobError("mask: nothing is painted, paint over the part to draw anew")
    if drawn.all():
        raise KnobError("mask: all is painted, leave some of the picture to go by")
    return mask.to(picture.device)


def checked_measurement(y: Tensor, shape: tuple[int, ...]) -> Tensor:
    """What a camera saw, (1, *shape); noise may have carried it beyond [-1, 1]."""
    if y.dim() != 4 or y.shape[1:] != shape:
        raise KnobError(f"measurement of {tuple(y.shape)}: takes (1, {', '.join(map(str, shape))})")
    return _finite("measurement", y, 100.0)


def _finite(name: str, values: Tensor, most: float) -> Tensor:
    if not values.isfinite().all() or values.abs().max() > most + 1e-4:
        raise KnobError(f"{name}: its values are not all numbers from {-most:g} to {most:g}")
    return values.to(torch.float32)
