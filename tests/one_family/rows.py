"""A family that stands in this one file: it writes small pictures token by token.

Autoregressive (Bengio & Bengio 2000; van den Oord et al. 2016): p(x) is the product of
p(x_i | x_1 .. x_{i-1}), which a recurrent network says from left to right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.data import LOADERS
from gen_core.family import Clock, Empty, Family, Losses, Phase, Tokens, register
from gen_core.knobs import Number, Whole
from gen_core.sampling import Frame, Noise
from gen_core.training.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from gen_core.evaluation.evaluate import Evaluation


@dataclass(frozen=True)
class RowsConfig:
    length: int = 16
    vocabulary: int = 4
    width: int = 32


@register
class Rows(Family):
    """Tokens one after the other, each drawn from what the network says of those before."""

    name = "rows"
    Config = RowsConfig
    knobs = (
        Number("temperature", 1.0, 0, 2, info="0 takes the likeliest token, 1 draws as trained"),
        Whole("top_k", 4, 1, 16, label="Top k", info="Draws from so many of the likeliest tokens"),
    )
    clock = Clock("token")
    out = "logits"

    def __init__(self, config: RowsConfig | None = None) -> None:
        super().__init__(config)
        c = self.config
        self.event = Tokens(c.length, c.vocabulary)
        self.prior = Empty(self.event)
        self.enter = nn.Embedding(c.vocabulary + 1, c.width)  # the last one stands before the first
        self.body = nn.GRU(c.width, c.width, batch_first=True)
        self.leave = nn.Linear(c.width, c.vocabulary)

    @classmethod
    def tiny(cls) -> RowsConfig:
        return RowsConfig(length=9, width=8)

    def total(self, settings: dict[str, Any]) -> int:
        return self.event.length

    def phases(self) -> list[Phase]:
        return [Phase("next", list(self.parameters()), self.loss, lr=3e-3)]

    def logits(self, tokens: Tensor) -> Tensor:
        """tokens (B, n) -> (B, n + 1, vocabulary): of each next token, the first one's included."""
        start = tokens.new_full((len(tokens), 1), self.event.vocabulary)
        return self.leave(self.body(self.enter(torch.cat([start, tokens], 1)))[0]).float()

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        return {"loss": F.cross_entropy(self.logits(x[:, :-1]).transpose(1, 2), x)}

    @torch.inference_mode()
    def frames(
        self, noise: Noise, condition: None, *, temperature: float, top_k: int
    ) -> Iterator[Frame]:
        """level is the number of tokens drawn; out the logits of the next one."""
        x = self.prior.draw(noise).to(self.device)
        total = self.event.length
        for index in range(total):
            logits = self.logits(x[:, :index])[:, -1]
            yield Frame(index, total, float(index), x, out=logits, evaluations=index + 1)
            x = x.clone()
            x[:, index] = drawn(logits, noise.rand(), temperature, top_k)
        yield Frame(total, total, float(total), x, evaluations=total)

    @torch.inference_mode()
    def extra_metrics(self, evaluation: Evaluation) -> dict[str, Any]:
        """Nats a token of the test set, and of one that draws any token alike."""
        x, _ = evaluation.test_set(self).batch(torch.arange(64))
        logits = self.logits(x.to(self.device)[:, :-1]).transpose(1, 2)
        nats = F.cross_entropy(logits, x.to(self.device))
        return {"nats": float(nats), "uniform": math.log(self.event.vocabulary)}


def drawn(logits: Tensor, chance: Tensor, temperature: float, top_k: int) -> Tensor:
    """logits (B, V), chance (B,) in [0, 1) -> (B,) tokens, by the inverse of the distribution."""
    if temperature == 0:
        return logits.argmax(1)
    least = logits.topk(min(top_k, logits.shape[1])).values[:, -1:]
    shares = (logits.masked_fill(logits < least, -math.inf) / temperature).softmax(1)
    return (shares.cumsum(1) <= chance[:, None].to(shares)).sum(1).clamp(max=logits.shape[1] - 1)


class Stairs:
    """Rows that rise by one, from any token on: 2 3 0 1 2 3 0 ..."""

    def __len__(self) -> int:
        return 256

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        tokens = (indices[:, None] + torch.arange(16)) % 4
        return tokens, torch.zeros_like(indices)


LOADERS["stairs"] = lambda name, split, root, download: Stairs()
RECIPES["rows-stairs"] = Recipe("rows", steps=20, data="stairs", batch=32, warmup=2, ema=0.5)
