"""PixelCNN: each pixel of a picture from those before it, in raster order.

Van den Oord et al. 2016, "Conditional Image Generation with PixelCNN Decoders": by convolutions
that see nothing of what comes later. The likelihood is exact.
"""

from typing import ClassVar

import torch
from torch import Tensor

from gen_core.families.pixels import PixelFamily
from gen_core.families.token_sampler import Exact
from gen_core.family import Phase, register
from gen_core.nets.pixel_cnn import REACH, GatedPixelCNN, PixelCNNConfig, framed


@register
class PixelCNN(PixelFamily):
    name = "pixel-cnn"
    Config = PixelCNNConfig
    networks = ("row", "pixel")
    small: ClassVar = {"size": 8, "width": 16, "depth": 2}

    def __init__(self, config: PixelCNNConfig | None = None) -> None:
        super().__init__(config)
        self.net = GatedPixelCNN(self.config)
        self.exact = Exact(self.net)

    def phases(self) -> list[Phase]:
        return [Phase("next", list(self.net.parameters()), self.loss, lr=1e-3)]

    def logits(self, x: Tensor, label: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.net(x, label).flatten(1, 2)

    def stepwise(self, label: Tensor) -> "Raster":
        return Raster(self, label)

    def row(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """`GatedPixelCNN.row` of the exact network."""
        return self.exact.last.row(*inputs)

    def pixel(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """`GatedPixelCNN.pixel` of the exact network."""
        return self.exact.last.pixel(*inputs)


class Raster:
    """The logits of the next pixel. The vertical stack is asked once a row and the horizontal one
    once a pixel, about what is new: what they said of the pixels before is kept."""

    def __init__(self, model: PixelCNN, label: Tensor) -> None:
        """label (B,) int64"""
        self.model, self.label = model, label
        c, count, device = model.config, len(label), label.device
        self.columns = c.size
        dtype = model.exact().places.dtype
        black = torch.zeros(count, *model.event.shape, dtype=dtype, device=device)
        self.canvas = framed(black)  # and over it, one by one, what is drawn
        at = torch.arange(c.size, device=device) + REACH
        self.numbers = torch.cartesian_prod(at - REACH, at - REACH).unflatten(0, (c.size, c.size))
        """Row and column of each pixel, on the device: what is sent there is waited for."""
        self.places = (at[:, None] * self.canvas.shape[2] + at).flatten()
        self.above = black.new_zeros(count, c.depth, 1, c.size, c.width)
        self.left, self.said = self.above[:, :, :, :1], self.above
        self.filled = 0
        """Pixels that are written on the canvas."""
        self.asked = (0, 0)
        """The row and the column up to which the network was asked."""

    def __call__(self, x: Tensor) -> Tensor:
        """x (B, n), of which the first ones are those of the call before -> (B, levels)."""
        self._write(x)
        row, column = divmod(x.shape[1], self.columns)
        if row >= self.asked[0]:
            self._ask_of_rows(self.asked[0], row + 1)
        logits = self._ask_of_pixels(row, self.asked[1], column + 1)
        self.asked = row + 1, (column + 1) % self.columns
        return logits.float()

    def _write(self, x: Tensor) -> None:
        new = x[:, self.filled :]
        shades = new.to(self.canvas) / ((self.model.config.levels - 1) / 2) - 1
        self.canvas.flatten(1, 2)[:, self.places[self.filled : x.shape[1]], 0] = shades
        self.filled = x.shape[1]

    def _ask_of_rows(self, start: int, stop: int) -> None:
        numbers = torch.arange(start, stop, device=self.label.device).expand(len(self.label), -1)
        rows = self.canvas[:, start : stop + REACH - 1]
        said, self.above = self.model.row(rows, numbers, self.label, self.above)
        self.said, self.left = said[:, -1:], torch.zeros_like(self.left)

    def _ask_of_pixels(self, row: int, start: int, stop: int) -> Tensor:
        """The logits of the last of these."""
        left = self.canvas[:, row + REACH : row + REACH + 1, start : stop + REACH - 1]
        numbers = self.numbers[row, start].expand(len(left), -1)
        said = self.said[:, :, start:stop]
        logits, self.left = self.model.pixel(left, numbers, said, self.left)
        return logits[:, 0, -1]
