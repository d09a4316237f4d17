"""Writes a text, and keeps what the network said of each token."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from demos.tabs.autoregressive.changes import fitting
from gen_core.families.gpt import GPT
from gen_core.families.token_sampler import standing
from gen_core.family import UNDRAWN
from gen_core.sampling import Frame, Meter


@dataclass
class Pen:
    """Writes one text, and keeps what the network said of each token. choosing: temperature,
    top k and top p; changes: as the knob has them, tokens in place of those that are drawn."""

    model: GPT
    seed: int
    tokens: int
    prompt: str
    choosing: Mapping[str, Any]
    changes: tuple[tuple[int, int], ...] = ()
    seconds: float = 0.0
    x: Tensor = field(init=False)
    """(1, n) int64: the text so far."""

    def __post_init__(self) -> None:
        beginning = self.model.condition.tokens(self.prompt)
        self.begun = len(beginning)
        self.total = self.model.total({"prompt": self.prompt, "tokens": self.tokens})
        self.taken = fitting(self.changes, self.total, self.model.event.vocabulary)
        self.given = torch.full((1, self.model.event.length), UNDRAWN)
        self.given[0, : self.begun] = torch.tensor(beginning)
        for place, kind in self.taken.items():
            self.given[0, self.begun + place - 1] = kind
        self.x = self.given[:, : standing(self.given)].to(self.model.device)
        self.said = [*self.model.next_logits(self.x)[0, : self.x.shape[1]]]

    def frames(self) -> Iterator[Frame]:
        """Those of `sample`."""
        left = self.begun + self.total - self.x.shape[1]
        if not left:
            return
        asked = {"tokens": left, "given": self.given, **self.choosing}
        meter = Meter(self.model, [self.seed], **asked)
        for frame in meter.frames():
            self.x, self.seconds = frame.x[:, : int(frame.level)], meter.seconds
            if frame.out is not None:
                self.said.append(frame.out[0])
            yield frame

    def text(self) -> dict[str, Any]:
        """The text so far: what its tokens write, which they are, how many were given, and how much
        each surprises the network, in bits."""
        kinds, logits = self.so_far()
        bits = -logits.log_softmax(-1)[range(len(kinds)), kinds] / math.log(2)
        return {
            "tokens": [self.model.words.tokens[kind] for kind in kinds],
            "kinds": kinds,
            "begun": self.begun,
            "bits": [round(value, 2) for value in bits.tolist()],
        }

    def so_far(self) -> tuple[list[int], Tensor]:
        """The tokens that stand, and what the network said of each, (n, vocabulary)."""
        kinds = self.x[0].tolist()
        if not kinds:
            return [], torch.zeros(0, 1)
        return kinds, torch.stack(self.said[: len(kinds)]).cpu()
