"""VQ-VAE: an autoencoder whose code is a grid of tokens, each one of a learned codebook.

Van den Oord et al. 2017, "Neural Discrete Representation Learning". It is the first half of a model
that writes pictures as if they were text; `picture_tokens` is the other.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.family import UNDRAWN, Losses, Phase, Trainable, register
from gen_core.nets.config import setting
from gen_core.nets.token_autoencoder import (
    PIXELS,
    TokenAutoencoderConfig,
    TokenDecoder,
    TokenEncoder,
)
from gen_core.nets.vector_quantizer import VectorQuantizer
from gen_core.training.recipes import PartRun

if TYPE_CHECKING:
    from pathlib import Path

    from gen_core.training.recipes import Recipe, Run

DETAIL = 8.0
"""By how much more a pixel counts where the steps to its neighbours, and theirs, are 1 on average.
After 250 updates with it, from step 1,500 on, the classifier read 92.6% of lids; without, 88.6%."""
UNFINISHED = 0.1
"""Share of training pictures of which the decoder is given the first tokens alone."""

AMONG = 6
"""Codes in a row of the square in which one is shown among its like: the middle does not see the
edges, where black begins."""


@dataclass(frozen=True)
class VQVAEConfig(TokenAutoencoderConfig):
    commitment: float = setting(0.02, 0.0, 100.0)
    """Weight of how far the encoder's answers are from the codes (the paper's beta). As these are
    of unit length they cannot run away; at 0.1 the codes came to differ in 4 directions of 16."""


@register
class VQVAE(Trainable):
    """Pictures (B, C, S, S) in [-1, 1] to tokens (B, (S / 4)^2) int64 and back."""

    name = "picture-tokens/autoencoder"
    Config = VQVAEConfig
    averages = ("quantizer.uses", "quantizer.sums")
    small: ClassVar = {"size": 16, "codes": 32, "code_width": 4, "widths": (16, 16)}

    def __init__(self, config: VQVAEConfig | None = None) -> None:
        super().__init__(config)
        self.encoder, self.decoder = TokenEncoder(self.config), TokenDecoder(self.config)
        self.quantizer = VectorQuantizer(self.config.codes, self.config.code_width)

    @property
    def side(self) -> int:
        """Tokens in a row, and rows."""
        return self.config.size // PIXELS

    @classmethod
    def run(cls, name: str, recipe: "Recipe", folder: "Path") -> "Run":
        return PartRun(name, recipe, folder)

    def phases(self) -> list[Phase]:
        return [Phase("reconstruct", list(self.parameters()), self.loss, lr=2e-3)]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """What is lost on the way there and back, and the commitment: eq. 3 of the paper, where
        moving averages take the place of the second term.

        Of pixels | x - x' | + (x - x')^2: the first keeps edges sharp, the second insists on what
        is small and far off, such as eyes; `detail` says how much each counts. The steps between
        neighbours do not count. That sharpens other autoencoders, but at first each detail that
        this one tries adds wrong steps: 150 updates on squares of eight colours left | x - x' | at
        0.59 with them, at 0.19 without.
        """
        quantized = self.quantizer(self.encoder(x), rng)
        drawn = self._drawn(len(x), rng)
        seen = squares(drawn)
        decoded = self.decoder(quantized.vectors * drawn).float()
        error = (decoded - x).abs() * seen
        lost = ((error + error.square()) * detail(x)).mean()
        total = lost + self.config.commitment * quantized.commitment
        return {
            "loss": total,
            "pixels": error.mean(),
            "commitment": quantized.commitment,
            "perplexity": quantized.perplexity,
        }

    def _drawn(self, count: int, rng: torch.Generator) -> Tensor:
        """(count, 1, side, side) bool: up to where pictures are drawn, so that the decoder has met
        some that are not finished."""
        places = torch.arange(self.side**2, device=self.device)
        ends, lot = torch.rand((2, count, 1), generator=rng, device=self.device)
        drawn = (places < ends * self.side**2) | (lot >= UNFINISHED)
        return drawn.unflatten(1, (1, self.side, self.side))

    def encode(self, x: Tensor) -> Tensor:
        """Row by row, from the top left."""
        return self.quantizer(self.encoder(x)).tokens.flatten(1)

    def decode(self, tokens: Tensor) -> Tensor:
        """A token below 0 stands for none: there the picture is `UNDRAWN`."""
        tokens = tokens.unflatten(1, (self.side, self.side))
        decoded = self.decoder(self.quantizer.vectors(tokens)).float().clamp(-1, 1)
        return torch.where(squares(tokens[:, None] >= 0), decoded, UNDRAWN)

    @torch.no_grad()
    def entries(self) -> Tensor:
        """What each code stands for where only its like is around it: (codes, C, 8, 8) in [-1, 1],
        the middle of a square of `AMONG` by `AMONG` codes."""
        rows = torch.arange(self.config.codes, device=self.device)
        middle = slice((AMONG // 2 - 1) * PIXELS, (AMONG // 2 + 1) * PIXELS)
        made = [
            self.decoder(self.quantizer.vectors(some[:, None, None].expand(-1, AMONG, AMONG)))
            for some in rows.split(64)
        ]
        return torch.cat(made)[:, :, middle, middle].float().clamp(-1, 1)


def detail(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, 1, H, W), 1 and more: how much a pixel counts. It is more where much
    happens around it: half of a portrait is flat, and its eyes are a few pixels wide."""
    steps = F.pad(x.diff(dim=3).abs(), (0, 1)) + F.pad(x.diff(dim=2).abs(), (0, 0, 0, 1))
    return 1 + DETAIL * F.avg_pool2d(steps.mean(1, keepdim=True), 5, stride=1, padding=2)


def squares(of_tokens: Tensor) -> Tensor:
    """(B, 1, side, side) -> (B, 1, S, S): what is true of a token, of the pixels it stands for."""
    return of_tokens.repeat_interleave(PIXELS, 2).repeat_interleave(PIXELS, 3)
