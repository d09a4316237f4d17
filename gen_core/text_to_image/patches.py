"""What is expected where: the text encoder says it patch by patch, and the denoiser looks it up.

A convolutional denoiser that is told in one vector what to draw learns very slowly to lay it out in
space. So the text encoder has a token for each patch of the first thing, as it looks in the middle
of a grey picture: in it stand the latents' numbers, and the patch's row and column. Cross-attention
could find the patch by these, if its queries knew what they need. They do, a little: a linear probe
reads off the hidden state which part of a thing belongs where, and is what queries begin with.
"""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor

from gen_core.data.scenes import MIDDLE, SIZES, Scene, layout
from gen_core.text_to_image.tokens import SIDE

NUMBERS = 16
"""Of a patch: 4 channels of 2 x 2 latent pixels."""
PLACE_AT = slice(-2 * SIDE, None)
NUMBERS_AT = slice(-2 * SIDE - NUMBERS, -2 * SIDE)
"""Where in a patch's token its row and column stand, and where its numbers."""
MARK_AT = -2 * SIDE - NUMBERS - 1
"""Where the encoder, while it works, marks what is a word and no patch."""
STRENGTH = 6.5
"""Of a patch's row and column in its token, where other numbers are about 1."""
SHARPNESS = 6.0
"""How much more a query asks for the row, or column, that it needs than for others."""
GENTLE = 0.05
"""How much of what is found reaches the layer's output at first."""


def patched(latents: Tensor) -> Tensor:
    """(B, 4, 16, 16) -> (B, 64, 16): the numbers of each patch, row by row."""
    tiles = latents.unflatten(2, (SIDE, 2)).unflatten(4, (SIDE, 2))
    return tiles.permute(0, 2, 4, 1, 3, 5).reshape(len(latents), SIDE**2, NUMBERS)


def unpatched(patches: Tensor) -> Tensor:
    """Back again: (B, 64, 16) -> (B, 4, 16, 16)"""
    tiles = patches.unflatten(2, (4, 2, 2)).unflatten(1, (SIDE, SIDE))
    return tiles.permute(0, 3, 1, 4, 2, 5).reshape(len(patches), 4, 2 * SIDE, 2 * SIDE)


def places() -> Tensor:
    """(64, 16): row and column of each patch, as they stand in its token."""
    each = torch.eye(SIDE)
    return torch.cat([each.repeat_interleave(SIDE, 0), each.repeat(SIDE, 1)], 1)


def shown_by(scene: Scene) -> Tensor:
    """(64, 16): for each place of a picture, row and column of the patch that shows the same of the
    first thing when it stands alone in the middle; 0 where nothing of it is."""
    found = torch.zeros(SIDE, SIDE, 2 * SIDE)
    centres, side = layout(scene)
    for x, y in centres[: scene.count]:  # of two things, the first alone
        rows, columns = (_nearest(centre, side) for centre in (y, x))
        there = (rows.sum(1) > 0)[:, None] & (columns.sum(1) > 0)
        both = torch.cat([rows[:, None].expand(-1, SIDE, -1), columns.expand(SIDE, -1, -1)], 2)
        found[there] = both[there]
    return found.flatten(0, 1)


def _nearest(centre: int, side: int) -> Tensor:
    """(8, 8): for each row of places, the rows of a thing of medium size in the middle that show
    the same, when it is `side` pixels wide and its middle at `centre`; 0 beyond its edge."""
    size, half = 2 * MIDDLE / SIDE, SIZES["medium"] / 2
    here = torch.arange(SIDE) * size + size / 2
    there = MIDDLE + (here - centre) * SIZES["medium"] / side
    near = (1 - ((there[:, None] - here) / size).abs()).clamp(min=0)
    return near * ((there - MIDDLE).abs() < half + size / 4)[:, None]


def aim(net: UNet2DConditionModel, x: Tensor, t: Tensor, words: Tensor, wanted: Tensor) -> None:
    """Turns half of the heads of the later cross-attention layers to the patches that they need.

    x, t, words: inputs of the denoiser, some hundreds; wanted: `shown_by` their scenes.
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
            _aim(layer, seen[name].float(), wanted.to(x.device))
    for hook in hooks:
        hook.remove()


def _aim(layer: Attention, hidden: Tensor, wanted: Tensor) -> None:
    """hidden (B, places, channels): what the layer's queries are made of."""
    size, side = hidden.shape[-1] // layer.heads, round(hidden.shape[1] ** 0.5)
    wanted = (
        wanted.unflatten(1, (side, SIDE // side, side, SIDE // side)).mean((2, 4)).flatten(1, 2)
    )
    probe = _regression(hidden, wanted - wanted.mean((0, 1)))  # (channels, 2 * SIDE)
    rng = torch.Generator().manual_seed(0)
    code = torch.eye(2 * SIDE) * SHARPNESS * size**0.5 / STRENGTH
    for head in range(layer.heads // 2):
        own = slice(head * size, (head + 1) * size)
        query, key, value = (torch.zeros_like(w.weight[own]) for w in
                             (layer.to_q, layer.to_k, layer.to_v))  # fmt: skip
        query[: 2 * SIDE] = probe.T
        key[: 2 * SIDE, PLACE_AT] = code
        value[:NUMBERS, NUMBERS_AT] = torch.eye(NUMBERS)
        out = GENTLE * torch.randn(layer.to_out[0].weight[:, own].shape, generator=rng)
        for weight, new in ((layer.to_q, query), (layer.to_k, key), (layer.to_v, value)):
            weight.weight[own] = new
        layer.to_out[0].weight[:, own] = out.to(hidden)


def _regression(x: Tensor, y: Tensor) -> Tensor:
    """Ridge regression of y (B, places, n) on x (B, places, channels)."""
    x, y = x.flatten(0, 1), y.flatten(0, 1)
    ridge = 1e-4 * len(x) * torch.eye(x.shape[1], device=x.device)
    return torch.linalg.solve(x.T @ x + ridge, x.T @ y)
