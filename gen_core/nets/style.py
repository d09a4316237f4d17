"""A style-based generator (Karras et al. 2019 and 2020), and a discriminator of the same depth."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.nets.adversarial import PlainBlock
from gen_core.nets.attributes import AttributeEmbedding, AttributeHead

START = 4
"""Side of the map that the generator starts from."""
NOISE_GAIN = 0.1
"""At full rate, noise covered the faces with speckles before there were eyes."""


def linear(wide_in: int, wide_out: int, gain: float = 1.0, bias: float = 0.0) -> nn.Linear:
    """A linear layer that keeps the variance of what comes in, times `gain` squared."""
    layer = nn.Linear(wide_in, wide_out)
    nn.init.normal_(layer.weight, std=gain * wide_in**-0.5)
    nn.init.constant_(layer.bias, bias)
    return layer


class ModulatedConv2d(nn.Module):
    """A convolution whose input channels a style weighs, and whose output is brought back to unit
    variance (Karras et al. 2020, section 2.2); then noise, a bias and a leaky ReLU.

    Weighing the input and dividing the output is the same as changing the weights for each
    picture (eq. 1 and 3), but one convolution does for the whole batch.
    """

    def __init__(self, wide_in: int, wide_out: int, latent: int) -> None:
        super().__init__()
        self.style = linear(latent, wide_in, bias=1.0)
        self.weight = nn.Parameter(torch.randn(wide_out, wide_in, 3, 3) * (9 * wide_in) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(wide_out))
        self.noise_strength = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None = None) -> Tensor:
        """x (B, in, H, W), w (B, latent), noise (B, 1, H, W) or None -> (B, out, H, W)"""
        style = self.style(w).float()
        # Half of what comes is lost in the ReLU: twice the variance goes in.
        spread = (style.square() @ self.weight.square().sum((2, 3)).T / 2 + 1e-8).rsqrt()
        x = F.conv2d(x * _maps(style, x.dtype), self.weight, padding=1)
        x = torch.addcmul(_maps(self.bias[None], x.dtype), x, _maps(spread, x.dtype))
        if noise is not None:
            x = x + (NOISE_GAIN * self.noise_strength * noise).to(x.dtype)
        return F.leaky_relu(x, 0.2)


class StyleGenerator(nn.Module):
    """Latent z and what is asked for -> style w -> a style for each layer -> picture; the widths
    from 4 by 4 up."""

    def __init__(
        self,
        channels: int,
        widths: Sequence[int],
        latent: int,
        mapping: int,
        choices: tuple[int, ...],
        measures: int,
    ) -> None:
        super().__init__()
        self.label = AttributeEmbedding(choices, measures, latent)
        layers: list[nn.Module] = []
        for layer in range(mapping):
            wide = latent if layer else 2 * latent
            layers += [linear(wide, latent, gain=2**0.5), nn.LeakyReLU(0.2)]
        self.mapping = nn.Sequential(*layers)
        self.start = nn.Parameter(torch.randn(widths[0], START, START))
        self.convs = nn.ModuleList([ModulatedConv2d(widths[0], widths[0], latent)])
        for narrow, wide in pairwise(widths):
            self.convs += [
                ModulatedConv2d(narrow, wide, latent),
                ModulatedConv2d(wide, wide, latent),
            ]
        self.to_rgb = nn.ModuleList([nn.Conv2d(width, channels, 1) for width in widths])
        self.register_buffer("mean_style", torch.zeros(1, latent))

    @property
    def layers(self) -> int:
        """How many styles steer a picture."""
        return len(self.convs)

    @property
    def sides(self) -> list[int]:
        """The side of each layer's map: 4, 8, 8, 16, 16, ..."""
        return [START * 2 ** ((layer + 1) // 2) for layer in range(self.layers)]

    def style(self, z: Tensor, label: Tensor) -> Tensor:
        """z (B, latent), label (B, attributes) rows of labels -> w (B, latent)"""
        return self.mapping(torch.cat([_unit(z), _unit(self.label(label))], dim=1))

    def synthesize(
        self, w: Tensor, noise: Sequence[Tensor] | None = None, bounded: bool = True
    ) -> Tensor:
        """w (B, latent) for all layers or (B, layers, latent), noise a map for each layer or None
        -> (B, C, H, W) in [-1, 1]; the colours of all resolutions add up (Karras et al. 2020,
        figure 7).

        Training sees them unbounded: a colour too bright must have a gradient to come back by, and
        it has none past a bound, nor where a tanh is flat.
        """
        if w.ndim == 2:
            w = w[:, None].expand(-1, self.layers, -1)
        x = self.start.expand(len(w), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        rgb = torch.zeros((), device=w.device)
        for layer, conv in enumerate(self.convs):
            if layer % 2:  # the first of two at a new resolution
                x, rgb = _doubled(x), _doubled(rgb)
            x = conv(x, w[:, layer], noise[layer] if noise else None)
            if layer % 2 == 0:
                rgb = rgb + self.to_rgb[layer // 2](x)
        return rgb.float().clamp(-1, 1) if bounded else rgb.float()


def _unit(rows: Tensor) -> Tensor:
    """Each row with a mean square of 1, so that neither of two drowns the other."""
    return rows * torch.rsqrt(rows.square().mean(1, keepdim=True) + 1e-8)


def _maps(rows: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, C) -> (B, C, 1, 1), in the precision of the maps it meets: these are large."""
    return rows.to(dtype)[:, :, None, None]


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class Look(NamedTuple):
    """What a discriminator says of pictures, in float32, and what it sees in them."""

    logit: Tensor
    """(B,): high for "real"."""
    said: Tensor
    """(B, head.count): what else it is asked."""
    maps: tuple[Tensor, ...]
    """What its blocks see on the way, from half the resolution down to 4 by 4: (B, width, H, W)
    each, not always in float32."""


class StyleDiscriminator(nn.Module):
    """Picture -> one number, high for "real", and what else it is asked (Odena et al. 2017); the
    widths from half the resolution down to 4 by 4.

    No normalisation, and nothing that looks at the batch: its answer is about one picture.
    """

    def __init__(
        self, channels: int, size: int, widths: Sequence[int], head: AttributeHead
    ) -> None:
        super().__init__()
        self.head = head
        self.enter = nn.Conv2d(4 * channels, widths[0], 3, padding=1)
        layers: list[nn.Module] = [PlainBlock(widths[0])]
        for narrow, wide in pairwise(widths):
            layers += [nn.Conv2d(narrow, wide, 4, stride=2, padding=1), PlainBlock(wide)]
        self.body = nn.Sequential(*layers)
        side = size // 2 ** len(widths)
        self.deep = nn.Linear(widths[-1] * side**2, widths[-1])
        self.out = nn.Linear(widths[-1], 1 + head.count)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """x (B, C, H, W) -> (B,): how real it looks, and with rows of labels, how much so, on
        average over all categorical attributes, in what these give"""
        look = self.look(x)
        return (
            look.logit
            if label is None
            else look.logit + self.head.logits_of(look.said, label).mean(1)
        )

    def look(self, x: Tensor) -> Look:
        """x (B, C, H, W), in [-1, 1]"""
        x = self.enter(F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last))
        maps = []
        for layer in self.body:
            x = layer(x)
            if isinstance(layer, PlainBlock):
                maps.append(x)
        out = self.out(F.leaky_relu(self.deep(x.flatten(1)), 0.2)).float()
        return Look(out[:, 0], out[:, 1:], (*maps,))
