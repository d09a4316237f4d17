"""Vector quantisation: a vector becomes the nearest of the codes in a codebook.

Van den Oord et al. 2017, "Neural Discrete Representation Learning". Three things keep the whole
codebook in use. Vectors and codes are short and of unit length, so that they differ by angle alone
and no code is out of reach (Yu et al. 2022, "Vector-quantized Image Modeling with Improved VQGAN",
section 3.2). A code is the moving average of the vectors that it stood for (appendix A.1 of the
first paper). One that stands for next to none begins again as one of the batch's vectors (Dhariwal
et al. 2020, "Jukebox", section 3.1, "random restarts").
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

DECAY = 0.99
"""Of the moving averages, an update."""
DEAD, REBORN = 0.02, 0.1
"""Of the vectors that a code would stand for were all alike: the share below which it begins again,
and the share that it then begins with, so that it has time to find its vectors."""


class Quantized(NamedTuple):
    vectors: Tensor
    """(B, width, h, w): the codes; gradients go through to what was quantised."""
    tokens: Tensor
    """(B, h, w) int64: which codes."""
    commitment: Tensor
    """How far what was quantised is from its codes, to be minimised: the mean of the squares."""
    perplexity: Tensor
    """e to the entropy of the codes' frequencies: how many there are, were all as frequent."""


class VectorQuantizer(nn.Module):
    """Maps (B, width, h, w) to codes; in training, it learns them as well."""

    def __init__(self, codes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("uses", torch.zeros(codes))
        """How many vectors of a batch each code stood for, as a moving average."""
        self.register_buffer("sums", torch.randn(codes, width))
        """And the sum of these vectors."""

    @property
    def codes(self) -> Tensor:
        """(codes, width), of unit length"""
        return F.normalize(self.sums.float(), dim=-1)

    def forward(self, z: Tensor, rng: torch.Generator | None = None) -> Quantized:
        """rng: of the restarts, in training."""
        with torch.autocast(z.device.type, enabled=False):  # near codes differ by little
            units = F.normalize(z.float(), dim=1)
            tokens = self.nearest(units)
            if self.training:
                self._learn(units.detach().movedim(1, -1).flatten(0, 2), tokens.flatten(), rng)
            codes = self.vectors(tokens)
            shares = self._counts(tokens.flatten()) / tokens.numel()
            return Quantized(
                vectors=units + (codes - units).detach(),
                tokens=tokens,
                commitment=(units - codes).square().sum(1).mean(),
                perplexity=torch.special.entr(shares).sum().exp(),
            )

    def nearest(self, units: Tensor) -> Tensor:
        """(B, width, h, w), of unit length -> (B, h, w) int64"""
        return (units.movedim(1, -1) @ self.codes.T).argmax(-1)

    def vectors(self, tokens: Tensor) -> Tensor:
        """(B, h, w) int64 -> (B, width, h, w); zeros for a negative number, which is no code."""
        known = (tokens >= 0)[..., None]
        return (self.codes[tokens.clamp(min=0)] * known).movedim(-1, 1)

    def _counts(self, tokens: Tensor) -> Tensor:
        ones = torch.ones_like(tokens, dtype=self.uses.dtype)
        return torch.zeros_like(self.uses).index_add_(0, tokens, ones)

    @torch.no_grad()
    def _learn(self, units: Tensor, tokens: Tensor, rng: torch.Generator | None) -> None:
        """Moves the codes towards the units (N, width) that they stand for, tokens (N,)."""
        units = units.nan_to_num()  # the loss tells of what is not finite; no code shall be so
        sums = torch.zeros_like(self.sums).index_add_(0, tokens, units)
        self.uses.lerp_(self._counts(tokens), 1 - DECAY)
        self.sums.lerp_(sums, 1 - DECAY)
        fair = len(units) / len(self.uses)
        chosen = torch.randint(len(units), self.uses.shape, generator=rng, device=units.device)
        dead = self.uses < DEAD * fair
        self.uses.copy_(torch.where(dead, REBORN * fair, self.uses))
        self.sums.copy_(torch.where(dead[:, None], REBORN * fair * units[chosen], self.sums))
