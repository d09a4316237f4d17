"""Draws pictures token by token, and keeps what the network said of each token."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gen_core.families.picture_tokens import PictureTokens, TokenFrame
from gen_core.families.pixels import PixelFamily
from gen_core.sampling import Frame, Meter


@dataclass
class Brush:
    """Draws one picture a seed; a token of a model of pixels is a pixel. asked: what `sample` takes
    besides; given: the tokens or pixels that stand, as it takes them; all that stand before the
    first one that is drawn are the beginning."""

    model: PixelFamily | PictureTokens
    seeds: Sequence[int]
    asked: Mapping[str, Any]
    given: Tensor | None = None
    seconds: float = 0.0
    said: list[Tensor] = field(default_factory=list)
    """Of each token that is drawn its logits, (B, kinds)."""
    frame: Frame | None = None
    """The last one."""

    def __post_init__(self) -> None:
        self.length = self.model.total({})
        self.begun = self.length - self.model.total({"given": self.given})
        """Tokens of the beginning."""

    def frames(self) -> Iterator[Frame]:
        """Those of `sample`."""
        meter = Meter(self.model, self.seeds, given=self.given, **self.asked)
        for frame in meter.frames():
            self.frame, self.seconds = frame, meter.seconds
            if frame.out is not None:
                self.said.append(frame.out)
            yield frame

    @property
    def tokens(self) -> Tensor:
        """(B, length) int64: those so far, and those that were given."""
        if isinstance(self.frame, TokenFrame):
            return self.frame.tokens.cpu()
        return self.model.levels(self.frame.x.cpu())

    def logits(self) -> Tensor:
        """(B, length, kinds): what was said of each token, on the CPU; of those of the beginning
        what is said when they are read."""
        said = [self._of_beginning()] if self.begun else []
        return torch.cat([*said, *(each[:, None] for each in self.said)], 1).float().cpu()

    def bits(self, first: int = 0) -> Tensor:
        """The surprise of each token from the place `first` on, -log2 p, (B, n)."""
        tokens = self.tokens[:, first:, None]
        return -self.logits()[:, first:].log_softmax(-1).gather(-1, tokens)[..., 0] / math.log(2)

    def _of_beginning(self) -> Tensor:
        rows = self.model.condition.read({"label": self.asked.get("label")}, self.seeds)
        if isinstance(self.model, PixelFamily):
            return self.model.next_logits(self.frame.x, rows)[:, : self.begun]
        scale = self.asked.get("guidance_scale", 1.0)
        return self.model.next_logits(self.tokens, rows, scale)[:, : self.begun]
