"""GPT-2's transformer (Radford et al. 2019), causal or not.

Layer normalisation before each part, learned positions, GELU by tanh, the embedding's weights used
again to read the answer. With the same weights it says what `transformers.GPT2LMHeadModel` says.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.nets.config import setting

Memory = tuple[tuple[Tensor, Tensor], ...]
"""Keys and values of each layer, (B, heads, positions, width / heads)."""


@dataclass(frozen=True)
class TransformerConfig:
    inputs: int = setting(97, 2, 65536)
    """Kinds of tokens that it reads, those with a special meaning among them."""
    outputs: int = setting(96, 2, 65536)
    """Kinds of tokens that it gives logits for: the first of those it reads."""
    length: int = setting(256, 1, 8192)
    width: int = setting(192, 8, 4096, multiple=8)
    depth: int = setting(6, 1, 64)
    heads: int = setting(6, 1, 64)
    dropout: float = setting(0.0, 0.0, 0.9)
    causal: bool = True


class Transformer(nn.Module):
    """Tokens (B, n) -> logits (B, n, outputs), of the next token where it is causal."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.inputs, config.width)
        self.positions = nn.Parameter(torch.empty(config.length, config.width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width)
        for weight in (self.tokens.weight, self.positions):
            nn.init.normal_(weight, std=0.02)

    def forward(self, tokens: Tensor, past: Memory = ()) -> tuple[Tensor, Memory]:
        """tokens (B, n) int64, with n = 1 where there is a past, which came before them; causal:
        what the past says is not computed again. Returns logits (B, n, outputs), and keys and
        values of the tokens, to be put behind the past."""
        start = past[0][0].shape[2] if past else 0
        x = self.tokens(tokens) + self.positions[start : start + tokens.shape[1]]
        x = F.dropout(x, self.config.dropout, self.training)
        memory = []
        for index, block in enumerate(self.blocks):
            x, *pair = block(x, past[index] if past else None)
            memory.append(tuple(pair))
        return F.linear(self.norm(x), self.tokens.weight[: self.config.outputs]), tuple(memory)

    def attention(self, tokens: Tensor) -> Tensor:
        """(layers, B, heads, n, n): how much each token, row by row, attends to which."""
        x = self.tokens(tokens) + self.positions[: tokens.shape[1]]
        maps = []
        for block in self.blocks:
            q, k, _ = block.attention.heads_of(block.norm_1(x))
            maps.append(block.attention.weights(q, k))
            x = block(x)[0]
        return torch.stack(maps)


class Block(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(config)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dropout = config.dropout
        # What is added to the residual stream shall not grow with depth (GPT-2, section 2.3).
        for layer in (self.attention.out, self.narrow):
            nn.init.normal_(layer.weight, std=0.02 / math.sqrt(2 * config.depth))
        for layer in (self.attention.qkv, self.widen):
            nn.init.normal_(layer.weight, std=0.02)
        for layer in (self.attention.qkv, self.attention.out, self.widen, self.narrow):
            nn.init.zeros_(layer.bias)

    def forward(
        self, x: Tensor, past: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x (B, n, width), and the keys and values of these tokens."""
        attended, k, v = self.attention(self.norm_1(x), past)
        x = x + F.dropout(attended, self.dropout, self.training)
        narrowed = self.narrow(F.gelu(self.widen(self.norm_2(x)), approximate="tanh"))
        return x + F.dropout(narrowed, self.dropout, self.training), k, v


class Attention(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        if config.width % config.heads:
            raise ValueError(f"heads={config.heads}: choose a divisor of width={config.width}")
        self.heads, self.causal = config.heads, config.causal
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)

    def heads_of(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (B, heads, n, width / heads)."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return q, k, v

    def weights(self, q: Tensor, k: Tensor) -> Tensor:
        """(B, heads, n, n): softmax of the scaled products (Vaswani et al. 2017, eq. 1)."""
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        if self.causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
            scores = scores.masked_fill(later, -math.inf)
        return scores.softmax(-1)

    def forward(
        self, x: Tensor, past: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.heads_of(x)
        if past is None:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        else:
            y = _attend_to_both(q, past, (k, v))
        return self.out(y.transpose(1, 2).flatten(2)), k, v


def _attend_to_both(q: Tensor, past: tuple[Tensor, Tensor], new: tuple[Tensor, Tensor]) -> Tensor:
    """Attention of one query to what came before and to its own token; the past, which is long, is
    read where it lies and not copied."""
    scores = torch.cat([q @ k.transpose(-2, -1) for k, _ in (past, new)], dim=-1)
    weights = (scores / math.sqrt(q.shape[-1])).softmax(-1)
    before, own = weights.split([past[0].shape[2], 1], dim=-1)
    return before @ past[1] + own @ new[1]
