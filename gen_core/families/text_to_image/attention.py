"""Where each word looked: the cross-attention of a denoiser, kept while it works."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor
from torch import Tensor

SIDE = 8
"""Latent pixels of a heat map's side: maps of other layers are brought to it."""


class Watched(AttnProcessor):
    """Cross-attention step by step, as in the paper, keeping the weights that it computes."""

    def __init__(self, kept: list[Tensor]) -> None:
        super().__init__()
        self.kept = kept

    def __call__(self, attn: Attention, hidden_states: Tensor, *args, **kwargs) -> Tensor:
        compute = attn.get_attention_scores

        def kept_scores(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
            weights = compute(query, key, mask)  # (B * heads, places, tokens), rows sum to 1
            self.kept.append(weights.unflatten(0, (-1, attn.heads)).mean(1))
            return weights

        attn.get_attention_scores = kept_scores
        try:
            return super().__call__(attn, hidden_states, *args, **kwargs)
        finally:
            del attn.get_attention_scores


@contextlib.contextmanager
def watched(net: UNet2DConditionModel) -> Iterator[list[Tensor]]:
    """Within it, each evaluation of `net` adds its layers' maps to the list.

    One model serves one visitor at a time: the processors are put back at the end.
    """
    kept: list[Tensor] = []
    before = net.attn_processors
    cross = {name for name in before if ".attn2." in name}
    net.set_attn_processor({k: Watched(kept) if k in cross else v for k, v in before.items()})
    try:
        yield kept
    finally:
        net.set_attn_processor(before)


def heat(maps: list[Tensor]) -> Tensor:
    """The layers' maps (B, places, tokens) as one: (B, tokens, 8, 8), 0 to 1 over the tokens."""
    pictures = []
    for weights in maps:
        side = round(weights.shape[1] ** 0.5)
        picture = weights.float().transpose(1, 2).unflatten(2, (side, side))
        pictures.append(
            torch.nn.functional.interpolate(picture, (SIDE, SIDE), mode="bilinear")
            if side != SIDE
            else picture
        )
    return torch.stack(pictures).mean(0)
