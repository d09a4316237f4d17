"""All randomness of sampling: one generator per sample, so a sample depends on its seed alone."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from gen_core.knobs import KnobError, whole

MAX_SEED = 2**32 - 1


class Noise:
    """Normal and uniform noise, one CPU generator per seed.

    Row i is drawn from generator i alone: the same seed gives the same numbers in any batch and
    for any `device`, because they are drawn on the CPU and moved. Drawing moves the generators
    on; make a new Noise to start again. Seeds are whole numbers from 0 to 2**32 - 1.
    """

    def __init__(self, seeds: Iterable[int], device: torch.device | str = "cpu") -> None:
        self.seeds = [whole("seed", s, 0, MAX_SEED) for s in seeds]
        self.device = torch.device(device)
        self.generators = [torch.Generator().manual_seed(s) for s in self.seeds]

    def __len__(self) -> int:
        return len(self.seeds)

    def randn(self, *event: int) -> Tensor:
        """(B, *event) float32 from N(0, 1), on `device`."""
        rows = [torch.randn(event, generator=g) for g in self.generators]
        return torch.stack(rows).to(self.device)

    def rand(self, *event: int) -> Tensor:
        """(B, *event) float32 from [0, 1), all alike, on `device`."""
        rows = [torch.rand(event, generator=g) for g in self.generators]
        return torch.stack(rows).to(self.device)


def seeds_from(seed: int, count: int) -> range:
    """`count` seeds in a row; raises KnobError where there are no more."""
    if seed + count - 1 > MAX_SEED:
        raise KnobError(f"seed={seed}: choose 0 to {MAX_SEED - count + 1}, so that all have one")
    return range(seed, seed + count)
