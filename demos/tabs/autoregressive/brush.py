"""Draws pictures pixel by pixel, and keeps what the network said of each pixel."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gen_core.families.pixel_cnn import PixelCNN
from gen_core.sampling import Frame, Meter


@dataclass
class Brush:
    """Draws one picture a seed. label: the class of each; choosing: temperature, top k and top p;
    given: pixels to go on from, as `sample` takes them; taken: by pixel, from 1, and by picture,
    from 1, greys in place of those that are drawn."""

    model: PixelCNN
    seeds: Sequence[int]
    label: Sequence[int] | None
    choosing: Mapping[str, Any]
    given: Tensor | None = None
    taken: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    seconds: float = 0.0
    said: list[Tensor] = field(default_factory=list)
    """Of each pixel that is drawn its logits, (B, levels)."""
    x: Tensor = field(init=False)
    """(B, 1, H, W) in [-1, 1]: the pictures so far."""

    def __post_init__(self) -> None:
        self.pixels = math.prod(self.model.event.shape)
        self.begun = self.pixels - self.model.total({"given": self.given})

    def frames(self) -> Iterator[Frame]:
        """Those of `sample`: up to each pixel that was taken, and on from there with the same
        noise."""
        given, ends = self.given, dict.fromkeys([*self.taken, self.pixels])
        for end in ends:
            meter = Meter(self.model, self.seeds, label=self.label, given=given, **self.choosing)
            for frame in meter.frames():
                self.x = frame.x
                yield frame
                if frame.level == end:
                    break
                self.said.append(frame.out)
            self.seconds += meter.seconds
            self.x = given = self._changed(self.x.clone(), end)

    def _changed(self, x: Tensor, end: int) -> Tensor:
        """x, drawn up to pixel `end`, with the greys taken for that one, and NaN for the rest."""
        rows = x.flatten(1)
        for picture, grey in self.taken.get(end, {}).items():
            rows[picture - 1, end - 1] = 2 * grey / (self.model.config.levels - 1) - 1
        rows[:, end:] = math.nan
        return x

    def logits(self) -> Tensor:
        """(B, n, levels) of the n pixels that were drawn, on the CPU."""
        return torch.stack(self.said, 1).float().cpu()

    def bits(self) -> Tensor:
        """The surprise of each of these, -log2 p, (B, n)."""
        greys = self.model.levels(self.x.cpu())[:, self.begun :, None]
        return -self.logits().log_softmax(-1).gather(-1, greys)[..., 0] / math.log(2)
