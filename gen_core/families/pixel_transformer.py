"""A transformer over pixels: each pixel of a picture from all those before it, in raster order.

Chen et al. 2020, "Generative Pretraining from Pixels" (iGPT); Child et al. 2019, "Generating Long
Sequences with Sparse Transformers". Each grey level is a token, and attention reaches every earlier
pixel at once, where PixelCNN's convolutions see a window. That costs more: a pilot, beside it.
"""

import functools
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gen_core.families.pixels import PixelFamily
from gen_core.families.token_sampler import CachedNext, Exact
from gen_core.family import Phase, register
from gen_core.nets.config import GreyPictures, setting
from gen_core.nets.picture_transformer import PictureTransformer, PictureTransformerConfig
from gen_core.nets.transformer import Memory


@dataclass(frozen=True)
class PixelTransformerConfig(GreyPictures):
    width: int = setting(128, 8, 4096, multiple=8)
    depth: int = setting(4, 1, 64)
    heads: int = setting(4, 1, 64)
    dropout: float = setting(0.0, 0.0, 0.9)


@register
class PixelTransformer(PixelFamily):
    name = "pixel-transformer"
    Config = PixelTransformerConfig
    networks = ("next",)
    small: ClassVar = {"size": 8, "width": 32, "depth": 2, "heads": 2}

    def __init__(self, config: PixelTransformerConfig | None = None) -> None:
        super().__init__(config)
        c = self.config
        self.net = PictureTransformer(
            PictureTransformerConfig(
                codes=c.levels,
                side=c.size,
                choices=(c.classes,),
                measures=0,
                width=c.width,
                depth=c.depth,
                heads=c.heads,
                dropout=c.dropout,
            )
        )
        self.exact = Exact(self.net)

    def phases(self) -> list[Phase]:
        return [Phase("next", list(self.net.parameters()), self.loss, lr=1.5e-3, weight_decay=0.1)]

    def logits(self, x: Tensor, label: Tensor, rng: torch.Generator | None = None) -> Tensor:
        tokens = self.levels(x).clamp(min=0)
        return self.net(label[:, None], tokens[:, :-1], rng=rng)[0]

    def stepwise(self, label: Tensor) -> CachedNext:
        self.exact()
        return CachedNext(functools.partial(self.next, label[:, None]), self.net.length)

    def next(self, label: Tensor, tokens: Tensor, past: Memory) -> tuple[Tensor, Memory]:
        """`PictureTransformer.forward` of the exact network."""
        return self.exact.last(label, tokens, past)
