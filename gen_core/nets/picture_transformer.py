"""A transformer that says how the tokens of a picture go on, row by row from the top left.

What is asked for stands before them, a vector for each attribute. To each token's own vector those
of its row and its column are added: in a line of tokens nothing else tells which stand below each
other.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gen_core.nets.attributes import AttributeTokens
from gen_core.nets.transformer import Memory, Transformer, TransformerConfig


@dataclass(frozen=True)
class PictureTransformerConfig:
    codes: int
    """Kinds of tokens."""
    side: int
    """Tokens in a row, and rows."""
    choices: tuple[int, ...]
    """How many values each categorical attribute has."""
    measures: int
    """How many attributes are numbers."""
    width: int
    depth: int
    heads: int
    dropout: float = 0.0


class PictureTransformer(nn.Module):
    def __init__(self, config: PictureTransformerConfig) -> None:
        super().__init__()
        c = config
        self.asked = AttributeTokens(c.choices, c.measures, c.width)
        self.row, self.column = (nn.Parameter(0.02 * torch.randn(c.side, c.width)) for _ in "rc")
        self.length = self.asked.count + c.side**2 - 1
        """What it reads at most: nobody asks what follows the last token."""
        shape = {"length": self.length, "width": c.width, "depth": c.depth, "heads": c.heads}
        self.net = Transformer(TransformerConfig(c.codes, c.codes, **shape, dropout=c.dropout))

    def forward(
        self,
        label: Tensor,
        tokens: Tensor,
        past: Memory = (),
        rng: torch.Generator | None = None,
    ) -> tuple[Tensor, Memory]:
        """label (B, attributes) int64; tokens (B, n) int64, the first ones of a picture,
        or with a past, as `Transformer` has it, the one after those in the past; rng: of dropout,
        in training.

        Returns the logits of the tokens that follow each of them, and first, without a past, those
        of the first token: (B, n + 1, codes) or (B, 1, codes); and keys and values of what it read.
        """
        places = (self.row[:, None] + self.column).flatten(0, 1)
        if past:
            start = past[0][0].shape[2] - self.asked.count
            return self.net.read(self.net.tokens(tokens) + places[start], past, rng)
        x = self.net.tokens(tokens) + places[: tokens.shape[1]]
        logits, memory = self.net.read(torch.cat([self.asked(label), x], dim=1), rng=rng)
        return logits[:, self.asked.count - 1 :], memory
