"""Several processes that train one model: each takes a shard of every batch, then all of them take
the same step, along the mean of their gradients; or, with a recipe's `local_steps`, each
takes some steps by itself before their weights are averaged.

torchrun --nproc-per-node 2 -m gen_core train text-to-image-emoji/denoiser

One process for each GPU, or for each core: a small network's convolutions gain next to nothing
from a second thread (46 pictures a second with two threads, 55 with two processes).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist


@dataclass(frozen=True)
class World:
    """The processes that train together, as one of them sees it."""

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """One process writes the files and shows the progress."""
        return self.rank == 0

    def shard(self, step: int) -> int:
        """The number of this process's own batch in a step: every `size`-th one is its own."""
        return step * self.size + self.rank

    def average(self, gradients: Sequence[Tensor | None]) -> None:
        """Puts the mean over all processes in place of each gradient, weight or moment."""
        present = [gradient for gradient in gradients if gradient is not None]
        if self.size == 1 or not present:
            return
        flat = torch.cat([gradient.flatten() for gradient in present])
        dist.all_reduce(flat)
        flat /= self.size
        pieces = flat.split([gradient.numel() for gradient in present])
        for gradient, piece in zip(present, pieces, strict=True):
            gradient.copy_(piece.view_as(gradient))

    def wait(self) -> None:
        """Until all have come here."""
        if self.size > 1:
            dist.barrier()


SINGLE = World()


def init_distributed() -> World:
    """The processes that torchrun has started with this one; elsewhere this one alone."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        return SINGLE
    if not dist.is_initialized():
        if gpu := torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if gpu else "gloo")
    return World(dist.get_rank(), dist.get_world_size())
