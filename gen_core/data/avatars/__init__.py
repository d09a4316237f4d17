"""Portraits of people who do not exist, drawn by rule, so that everything about them is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gen_core.checks import whole
from gen_core.data.avatars.attributes import Avatar
from gen_core.data.avatars.held_out import random_avatar
from gen_core.data.avatars.portrait import portrait

__all__ = ["Avatar", "avatars", "portrait", "random_avatar"]


def avatars(seeds: Sequence[int], size: int = 64) -> tuple[Tensor, list[Avatar]]:
    """(N, 3, size, size) uint8, and who is on each picture; seed k is always the same one.

    size: 16 to 1024 pixels. Raises KnobError.
    """
    side = whole("size", size, 16, 1024)
    people = [random_avatar(whole("seed", seed, 0, 2**63 - 1)) for seed in seeds]
    if not people:
        return torch.empty(0, 3, side, side, dtype=torch.uint8), []
    pixels = np.stack([portrait(person, side) for person in people])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), people
