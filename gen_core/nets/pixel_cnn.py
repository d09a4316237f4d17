"""The gated PixelCNN (van den Oord et al. 2016, "Conditional Image Generation with PixelCNN
Decoders"): what the next pixel is, from those above it and those left of it.

A vertical stack looks at the rows above, a horizontal one at the row's pixels to the left and at
what the vertical one says, so that no earlier pixel is missed. No weight is masked: maps are
shifted and cut instead. Maps have their channels last, (B, rows, columns, channels).

The same layers run on a whole picture or on what is new: `row` and `pixel` go on from the edge of
what was computed before, and give what `forward` gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.nets.config import GreyPictures, setting

REACH = 3
"""Pixels up, left and right that the first layers see: a window 7 wide (section 2.1)."""


@dataclass(frozen=True)
class PixelCNNConfig(GreyPictures):
    width: int = setting(64, 2, 1024)
    depth: int = setting(9, 1, 64)


class GatedPixelCNN(nn.Module):
    """Grey pictures (B, 1, size, size) in [-1, 1] -> logits (B, size, size, levels): each pixel's,
    from those before it in raster order."""

    def __init__(self, config: PixelCNNConfig) -> None:
        super().__init__()
        self.config = config
        width, size = config.width, config.size
        self.enter_above = nn.Conv2d(2, width, (REACH, 2 * REACH + 1))
        self.enter_left = nn.Linear(2 * REACH, width)
        self.places = nn.Parameter(torch.zeros(size, size, width))
        """A learned vector for each pixel: where in the picture it is."""
        self.label = nn.Embedding(config.classes + 1, config.depth * 4 * width)
        self.layers = nn.ModuleList(Layer(width) for _ in range(config.depth))
        self.head = nn.Sequential(
            nn.ReLU(), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, config.levels)
        )
        nn.init.zeros_(self.label.weight)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """x (B, 1, size, size), label (B,) int64 -> (B, size, size, levels)"""
        canvas, size = framed(x), self.config.size
        place = self.places[None]
        start = x.new_zeros(len(x), self.config.depth, 1, 1, self.config.width)
        above = start.expand(-1, -1, -1, size, -1).unbind(1)
        left = start.expand(-1, -1, size, -1, -1).unbind(1)
        said, _ = self._vertical(canvas[:, :-1], place, label, above)
        return self._horizontal(canvas[:, REACH:, : -REACH - 1], place, said, left)[0]

    def row(
        self, rows: Tensor, numbers: Tensor, label: Tensor, before: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What the vertical stack says of n rows.

        rows (B, n + REACH - 1, size + 2 REACH, 2): of a `framed` picture, those above each; numbers
        (B, n): which ones they are; before (B, depth, 1, size, width): what it kept of the row
        above, zeros at first. Returns (B, n, size, depth, 2 width) for `pixel`, and what it keeps.
        """
        place = self.places[numbers]
        said, kept = self._vertical(rows, place, label, before.unbind(1))
        return torch.stack(said, 3), torch.stack(kept, 1)

    def pixel(
        self, left: Tensor, numbers: Tensor, said: Tensor, before: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The logits of n pixels of a row.

        left (B, 1, n + REACH - 1, 2): of a `framed` picture, those left of each; numbers (B, 2):
        row and column of the first; said (B, 1, n, depth, 2 width): what `row` said of them; before
        (B, depth, 1, 1, width): what was kept of the pixel before, zeros at first. Returns logits
        (B, 1, n, levels), and what it keeps.
        """
        columns = numbers[:, 1:] + torch.arange(said.shape[2], device=numbers.device)
        place = self.places[numbers[:, :1], columns][:, None]
        logits, kept = self._horizontal(left, place, said.unbind(3), before.unbind(1))
        return logits, torch.stack(kept, 1)

    def _vertical(
        self, rows: Tensor, place: Tensor, label: Tensor, before: Sequence[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """What each layer says to the horizontal stack, and the last row of each one's input."""
        x = last(self.enter_above(first(rows))) + place
        asked = self.label(label).unflatten(1, (self.config.depth, 2, 1, 1, -1)).unbind(1)
        said, kept = [], []
        for layer, above, wish in zip(self.layers, before, asked, strict=True):
            seen = torch.cat([above.to(x.dtype), x], 1)
            kept.append(seen[:, -1:])
            h = last(layer.above(first(seen)))
            wish = wish.to(h.dtype)  # under autocast both stay as small as they are
            h = h + wish[:, 0]
            said.append(layer.across(h) + wish[:, 1])
            x = x + gated(h)
        return said, kept

    def _horizontal(
        self, pixels: Tensor, place: Tensor, said: Sequence[Tensor], before: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Logits, and the last column of each layer's input."""
        x = self.enter_left(pixels.unfold(2, REACH, 1).flatten(3)) + place
        kept = []
        for layer, left, heard in zip(self.layers, before, said, strict=True):
            shifted = torch.cat([left.to(x.dtype), x[:, :, :-1]], 2)
            kept.append(x[:, :, -1:])
            h = layer.left(torch.cat([shifted, x], 3)) + heard
            x = x + layer.out(gated(h))
        return self.head(x), kept


class Layer(nn.Module):
    """One layer of both stacks (figure 2), its convolutions cut to what they may see."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.above = nn.Conv2d(width, 2 * width, (2, 3), padding=(0, 1))
        """3 x 3, of which this row and the one above are left."""
        self.across = nn.Linear(2 * width, 2 * width, bias=False)
        """From the vertical stack to the horizontal one, 1 x 1."""
        self.left = nn.Linear(2 * width, 2 * width)
        """1 x 3, of which the pixel at the left and this one are left."""
        self.out = nn.Linear(width, width)


def gated(h: Tensor) -> Tensor:
    """(..., 2 width) -> (..., width): tanh of one half times the other's sigmoid (eq. 2)."""
    value, gate = h.chunk(2, -1)
    return value.tanh() * gate.sigmoid()


def framed(x: Tensor) -> Tensor:
    """(B, 1, H, W) -> (B, H + REACH, W + 2 REACH, 2): each pixel and a one, which tells it from the
    zeros around the picture, at its left, its right and above."""
    both = torch.stack([x[:, 0], torch.ones_like(x[:, 0])], 3)
    return F.pad(both, (0, 0, REACH, REACH, REACH, 0))


def first(x: Tensor) -> Tensor:
    """Channels first, as convolutions have them; nothing moves in memory."""
    return x.permute(0, 3, 1, 2)


def last(x: Tensor) -> Tensor:
    """Channels last."""
    return x.permute(0, 2, 3, 1)
