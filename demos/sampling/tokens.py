"""Tokens as pictures, for families that draw none: what is drawn so far, what may come next."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gen_core.family import UNDRAWN, Frame, Tokens

NOT_DRAWN = (-0.55, -0.55, -0.55)
"""The grey of a token that is not drawn yet."""


def token_pictures(event: Tokens) -> Callable[[Frame], Tensor]:
    """Frame -> (B, 3, side, side) in [-1, 1]: each token a cell of its own colour, in rows."""
    side = math.ceil(math.sqrt(event.length))
    colours = torch.cat([torch.tensor([NOT_DRAWN]), _palette(event.vocabulary)])

    def pictured(frame: Frame) -> Tensor:
        cells = torch.full((len(frame.x), side * side), UNDRAWN, device=frame.x.device)
        cells[:, : event.length] = frame.x
        return colours[cells.cpu() + 1].unflatten(1, (side, side)).permute(0, 3, 1, 2)

    return pictured


def next_token(event: Tokens) -> Callable[[Frame], Tensor | None]:
    """Frame -> (B, 1, side, vocabulary) in [-1, 1]: how likely each next token is, the brighter
    the likelier; None where the network said nothing."""

    def pictured(frame: Frame) -> Tensor | None:
        if frame.out is None:
            return None
        shares = frame.out.float().softmax(1).cpu()
        brightness = 2 * shares / shares.amax(1, keepdim=True) - 1
        rows = max(1, event.vocabulary // 4)
        return brightness[:, None, None, :].expand(-1, 1, rows, -1).contiguous()

    return pictured


def _palette(count: int) -> Tensor:
    """(count, 3) in [-1, 1]: from dark blue to pale yellow, evenly."""
    t = torch.linspace(0, 1, count)[:, None]
    low, high = torch.tensor([[-0.7, -0.6, 0.1]]), torch.tensor([[1.0, 0.9, 0.3]])
    return low + t * (high - low)
