"""A transformer as GPT-2's (Radford et al. 2019), causal or not, with rotary positions.

Layer normalisation before each part, GELU by tanh, the embedding's weights used again to read the
answer. Where a token stands turns its queries and keys (Su et al. 2021, "RoFormer"), so that only
distances matter: with learned positions the small masked model did not leave the frequencies of
single tokens in 600 steps. With the same weights, `transformers.GPTNeoXForCausalLM` says the same.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.nets.config import setting

Memory = tuple[tuple[Tensor, Tensor], ...]
"""Keys and values of each layer, (B, heads, positions, width / heads)."""
LONG = 512
"""Tokens from which on attention is torch's fused one, which never holds all weights at once: with
784 tokens a training step takes less than half the time on a CPU. Up to there, on some CPUs, it
takes up to twice as long."""


@dataclass(frozen=True)
class TransformerConfig:
    inputs: int = setting(97, 2, 65536)
    """Kinds of tokens that it reads, those with a special meaning among them."""
    outputs: int = setting(96, 2, 65536)
    """Kinds of tokens that it gives logits for: the first of those it reads."""
    length: int = setting(256, 1, 8192)
    width: int = setting(192, 8, 4096, multiple=8)
    depth: int = setting(6, 1, 64)
    heads: int = setting(3, 1, 64)
    dropout: float = setting(0.0, 0.0, 0.9)
    causal: bool = True


class Transformer(nn.Module):
    """Tokens (B, n) -> logits (B, n, outputs), of the next token where it is causal."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.inputs, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width)
        nn.init.normal_(self.tokens.weight, std=0.02)
        turns = rotary(config.length, config.width // config.heads)
        self.register_buffer("turns", turns, persistent=False)

    def forward(
        self, tokens: Tensor, past: Memory = (), rng: torch.Generator | None = None
    ) -> tuple[Tensor, Memory]:
        """tokens (B, n) int64, with n = 1 where there is a past, which came before them, and is not
        computed again; rng: of dropout, in training. Returns logits (B, n, outputs), and keys and
        values of the tokens, to be put behind the past."""
        return self.read(self.tokens(tokens), past, rng)

    def read(
        self, x: Tensor, past: Memory = (), rng: torch.Generator | None = None
    ) -> tuple[Tensor, Memory]:
        """The same of vectors (B, n, width) in place of tokens, some of which may stand for what
        the tokens depend on."""
        start = past[0][0].shape[2] if past else 0
        turns = self.turns[:, start : start + x.shape[1]]
        drop = Dropout(self.config.dropout if self.training else 0.0, rng)
        x = drop(x)
        memory = []
        for index, block in enumerate(self.blocks):
            x, *pair = block(x, turns, past[index] if past else None, drop)
            memory.append(tuple(pair))
        return F.linear(self.norm(x), self.tokens.weight[: self.config.outputs]), tuple(memory)

    def attention(self, tokens: Tensor) -> Tensor:
        """(layers, B, heads, n, n): how much each token, row by row, attends to which."""
        x, turns = self.tokens(tokens), self.turns[:, : tokens.shape[1]]
        maps = []
        for block in self.blocks:
            q, k, _ = block.attention.heads_of(block.norm_1(x), turns)
            maps.append(block.attention.weights(q, k))
            x = block(x, turns)[0]
        return torch.stack(maps)


class KeyValueCache:
    """Keys and values of the tokens that were read, so that they are not computed again."""

    def __init__(self, length: int) -> None:
        """length: how many tokens there may be."""
        self.length, self.filled = length, 0
        self._room: Memory = ()

    @property
    def past(self) -> Memory:
        return tuple((k[:, :, : self.filled], v[:, :, : self.filled]) for k, v in self._room)

    def add(self, new: Memory) -> None:
        """Writes those of the tokens that were read last behind the others."""
        if not self._room:

            def empty(x: Tensor) -> Tensor:
                return x.new_empty(*x.shape[:2], self.length, x.shape[3])

            self._room = tuple((empty(k), empty(v)) for k, v in new)
        end = self.filled + new[0][0].shape[2]
        for kept, added in zip(self._room, new, strict=True):
            for to, part in zip(kept, added, strict=True):
                to[:, :, self.filled : end] = part
        self.filled = end


def rotary(length: int, width: int) -> Tensor:
    """(2, length, width): cosine and sine of the angle by which each number of a query or a key is
    turned at each position (Su et al. 2021, eq. 34, with theta_i = 10000^(-2i / width))."""
    speed = 10_000.0 ** -(torch.arange(0, width, 2) / width)
    angle = torch.outer(torch.arange(length), speed).repeat(1, 2)
    return torch.stack([angle.cos(), angle.sin()])


def turned(x: Tensor, turns: Tensor) -> Tensor:
    """x (B, heads, n, d), whose numbers i and i + d / 2 are a point in the plane that turns."""
    cos, sin = turns.to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin


@dataclass(frozen=True)
class Dropout:
    """Zeroes a share of the numbers (Srivastava et al. 2014), drawn from rng alone, so that a
    training can be repeated; torch's own takes its global random numbers."""

    share: float
    rng: torch.Generator | None

    def __call__(self, x: Tensor) -> Tensor:
        if not self.share:
            return x
        kept = torch.rand(x.shape, generator=self.rng, device=x.device) >= self.share
        return x * kept / (1 - self.share)


class Block(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(config)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        # What is added to the residual stream shall not grow with depth (GPT-2, section 2.3).
        for layer in (self.attention.out, self.narrow):
            nn.init.normal_(layer.weight, std=0.02 / math.sqrt(2 * config.depth))
        for layer in (self.attention.qkv, self.widen):
            nn.init.normal_(layer.weight, std=0.02)
        for layer in (self.attention.qkv, self.attention.out, self.widen, self.narrow):
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        x: Tensor,
        turns: Tensor,
        past: tuple[Tensor, Tensor] | None = None,
        drop: Callable[[Tensor], Tensor] = lambda x: x,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x (B, n, width), and the keys and values of these tokens."""
        attended, k, v = self.attention(self.norm_1(x), turns, past)
        x = x + drop(attended)
        narrowed = self.narrow(F.gelu(self.widen(self.norm_2(x)), approximate="tanh"))
        return x + drop(narrowed), k, v


class Attention(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        if config.width % config.heads:
            raise ValueError(f"heads={config.heads}: choose a divisor of width={config.width}")
        self.heads, self.causal = config.heads, config.causal
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)

    def heads_of(self, x: Tensor, turns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (B, heads, n, width / heads)."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return turned(q, turns), turned(k, turns), v

    def weights(self, q: Tensor, k: Tensor) -> Tensor:
        """(B, heads, n, n): softmax of the scaled products (Vaswani et al. 2017, eq. 1)."""
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        if self.causal:
            scores = scores + scores.new_full(scores.shape[-2:], -math.inf).triu(1)
        return scores.softmax(-1)

    def forward(
        self, x: Tensor, turns: Tensor, past: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.heads_of(x, turns)
        if past is not None:
            y = _attend_to_both(q, past, (k, v))
        elif x.shape[1] < LONG:
            y = self.weights(q, k) @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out(y.transpose(1, 2).flatten(2)), k, v


def _attend_to_both(q: Tensor, past: tuple[Tensor, Tensor], new: tuple[Tensor, Tensor]) -> Tensor:
    """Attention of one query to what came before and to its own token; the past, which is long, is
    read where it lies and not copied."""
    scores = torch.cat([q @ k.transpose(-2, -1) for k, _ in (past, new)], dim=-1)
    weights = (scores / math.sqrt(q.shape[-1])).softmax(-1)
    before, own = weights.split([past[0].shape[2], 1], dim=-1)
    return before @ past[1] + own @ new[1]
