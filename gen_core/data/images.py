"""A labelled set of pictures in memory, and batches of it that depend on (seed, step) alone."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from gen_core.knobs import KnobError
from gen_core.sampling import pixels

LUMA = (0.299, 0.587, 0.114)
"""How bright red, green and blue look, as shares (Rec. ITU-R BT.601)."""


class MissingData(FileNotFoundError):
    """The data set is not on this machine and could not be downloaded. Says where it looked."""


class DataSet(Protocol):
    """What a family trains on: samples (B, *event) with their labels."""

    def __len__(self) -> int: ...

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """The samples so numbered, (B, *event) as the family's event has them, and their labels,
        (B,) or (B, ...) int64; zeros where there are none."""


@dataclass(frozen=True)
class ImageSet:
    name: str
    images: Tensor
    """(N, C, H, W) uint8"""
    labels: Tensor
    """(N,) int64, a class each; of "avatars" several, as `schema.Schema` has them"""
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def pictures(self, indices: Tensor | slice) -> Tensor:
        """(B, C, H, W) float32 in [-1, 1]"""
        return self.images[indices].float() / 127.5 - 1

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """The pictures and their labels."""
        return self.pictures(indices), self.labels[indices]


def grid(
    x: Tensor | np.ndarray, columns: int | None = None, scale: int = 4, gap: int = 2
) -> np.ndarray:
    """Samples side by side, each enlarged `scale` times, `gap` white pixels between them.

    x is a tensor as `pixels` takes it, or what `pixels` gives. Returns uint8 (H, W) or (H, W, 3).
    """
    tiles = pixels(x) if isinstance(x, Tensor) else np.asarray(x)
    tiles = tiles.repeat(scale, axis=1).repeat(scale, axis=2)
    count, height, width = tiles.shape[:3]
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    size = (rows * (height + gap) - gap, columns * (width + gap) - gap)
    sheet = np.full((*size, *tiles.shape[3:]), 255, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = tile
    return sheet


class Batches:
    """batches[step] -> (x, label): each epoch a new order, and no state to save or restore.

    The order of epoch e is a permutation drawn from (seed, e), so a run that resumes at step k
    sees what it would have seen.
    """

    def __init__(self, data: DataSet, size: int, seed: int) -> None:
        if not 1 <= size <= len(data):
            raise KnobError(f"batch size={size}: choose 1 to {len(data)}, as many as there are")
        self.data, self.size, self.seed = data, size, seed
        self.per_epoch = len(data) // size
        self._epoch, self._order = -1, torch.empty(0)

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._shuffle(epoch)
        chosen = self._order[place * self.size : (place + 1) * self.size]
        return self.data.batch(chosen)

    def _shuffle(self, epoch: int) -> None:
        rng = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        self._epoch = epoch
        self._order = torch.randperm(len(self.data), generator=rng)
