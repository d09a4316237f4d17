"""VQ-VAE: an autoencoder whose code is a grid of tokens, each one of a learned codebook.

Van den Oord et al. 2017, "Neural Discrete Representation Learning". It is the first half of a model
that writes pictures as if they were text; `picture_tokens` is the other.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from gen_core.family import Losses, Phase, Trainable, register
from gen_core.nets.autoencoder import difference
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


@dataclass(frozen=True)
class VQVAEConfig(TokenAutoencoderConfig):
    commitment: float = setting(0.1, 0.0, 100.0)
    """Weight of how far the encoder's answers are from the codes (the paper's beta)."""


@register
class VQVAE(Trainable):
    """Pictures (B, C, S, S) in [-1, 1] to tokens (B, (S / 4)^2) int64 and back."""

    name = "picture-tokens/autoencoder"
    Config = VQVAEConfig
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
        return [Phase("reconstruct", list(self.parameters()), self.loss, lr=1e-3)]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """What is lost of pixels and edges on the way there and back, and the commitment: eq. 3 of
        the paper, where averages take the place of the second term."""
        quantized = self.quantizer(self.encoder(x), rng)
        pixels, edges = difference(self.decoder(quantized.vectors).float(), x)
        total = pixels + edges + self.config.commitment * quantized.commitment
        return {
            "loss": total,
            "pixels": pixels,
            "commitment": quantized.commitment,
            "perplexity": quantized.perplexity,
        }

    def encode(self, x: Tensor) -> Tensor:
        """Row by row, from the top left."""
        return self.quantizer(self.encoder(x)).tokens.flatten(1)

    def decode(self, tokens: Tensor) -> Tensor:
        """A token below 0 stands for none: there the picture is a guess from what is around it."""
        vectors = self.quantizer.vectors(tokens.unflatten(1, (self.side, self.side)))
        return self.decoder(vectors).float().clamp(-1, 1)
