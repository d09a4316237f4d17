"""What is expected where: the text encoder says it patch by patch, and the denoiser looks it up.

A convolutional denoiser that is told in one vector what to draw learns very slowly to lay it out in
space. So the text encoder has a token for each patch of the latents: in it stand the numbers that
it expects there, and the patch's row and column. Cross-attention could find the patch by them, if
its queries knew where they are. They do, a little, by the padding at the picture's edges: a linear
probe reads it off, and is what queries begin with. From there it learns a hundred times faster than
from random queries.
"""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor

from gen_core.text_to_image.tokens import SIDE

NUMBERS = 16
"""Of a patch: 4 channels of 2 x 2 latent pixels."""
STRENGTH = 3.0
"""Of a patch's row and column in its token, where other numbers are about 1."""
SHARPNESS = 6.0
"""How much more a query asks for its own row, or column, than for others."""


def patched(latents: Tensor) -> Tensor:
    """(B, 4, 16, 16) -> (B, 64, 16): the numbers of each patch, row by row."""
    tiles = latents.unflatten(2, (SIDE, 2)).unflatten(4, (SIDE, 2))
    return tiles.permute(0, 2, 4, 1, 3, 5).reshape(len(latents), SIDE**2, NUMBERS)


def unpatched(patches: Tensor) -> Tensor:
    """Back again: (B, 64, 16) -> (B, 4, 16, 16)"""
    tiles = patches.unflatten(2, (4, 2, 2)).unflatten(1, (SIDE, SIDE))
    return tiles.permute(0, 3, 1, 4, 2, 5).reshape(len(patches), 4, 2 * SIDE, 2 * SIDE)


def places(side: int = SIDE) -> Tensor:
    """(side * side, 2 * SIDE): row and column of each place of a map, as they stand in the tokens
    of patches; a place that several patches share has a part of each."""
    near = torch.eye(SIDE).unflatten(0, (side, -1)).mean(1)
    rows, columns = near.repeat_interleave(side, 0), near.repeat(side, 1)
    return torch.cat([rows, columns], 1)


def aim(net: UNet2DConditionModel, x: Tensor, t: Tensor, words: Tensor) -> None:
    """Turns half of the heads of the later cross-attention layers to the patch at their place.

    x, t, words: inputs of the denoiser, some hundreds of them; t alike in x and words.
    """
    layers = {
        name: module for name, module in net.named_modules()
        if name.endswith("attn2") and not name.startswith("down")
    }  # fmt: skip
    seen: dict[str, Tensor] = {}
    hooks = [
        layer.register_forward_pre_hook(
            lambda _, args, kwargs, name=name: seen.update({name: (*args, *kwargs.values())[0]}),
            with_kwargs=True,
        )
        for name, layer in layers.items()
    ]
    with torch.no_grad():
        net(x, t, words)
        for name, layer in layers.items():
            _aim(layer, seen[name].float())
    for hook in hooks:
        hook.remove()


def _aim(layer: Attention, hidden: Tensor) -> None:
    """hidden (B, places, channels): what the layer's queries are made of."""
    size = hidden.shape[-1] // layer.heads
    wanted = places(round(hidden.shape[1] ** 0.5)).to(hidden)
    probe = _regression(hidden, wanted - wanted.mean(0))  # (channels, 2 * SIDE)
    rng = torch.Generator().manual_seed(0)
    for head in range(layer.heads // 2):
        own = slice(head * size, (head + 1) * size)
        query, key, value = (torch.zeros_like(w.weight[own]) for w in
                             (layer.to_q, layer.to_k, layer.to_v))  # fmt: skip
        query[: 2 * SIDE] = probe.T
        code = torch.eye(2 * SIDE) * SHARPNESS * size**0.5 / STRENGTH
        key[: 2 * SIDE, NUMBERS : NUMBERS + 2 * SIDE] = code
        value[:NUMBERS, :NUMBERS] = torch.eye(NUMBERS)
        out = 0.15 * torch.randn(layer.to_out[0].weight[:, own].shape, generator=rng)
        for weight, new in ((layer.to_q, query), (layer.to_k, key), (layer.to_v, value)):
            weight.weight[own] = new
        layer.to_out[0].weight[:, own] = out.to(hidden)


def _regression(x: Tensor, y: Tensor) -> Tensor:
    """Ridge regression of y (places, n), the same for each picture, on x (B, places, channels)."""
    flat = x.flatten(0, 1)
    ridge = 1e-4 * len(flat) * torch.eye(flat.shape[1], device=x.device)
    return torch.linalg.solve(flat.T @ flat + ridge, flat.T @ y.repeat(len(x), 1))
