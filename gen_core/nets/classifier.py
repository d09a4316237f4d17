"""What every judge here sees with, and how several answers are marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.data.images import UNSEEN
from gen_core.nets.blocks import ResBlock, norm


def pyramid(stem: nn.Module, widths: Sequence[int]) -> nn.Sequential:
    """Residual blocks, each at half the resolution of the one before it, on what `stem` makes of
    a picture: (B, C, H, W) -> (B, widths[-1], h, w)."""
    layers: list[nn.Module] = [stem]
    for narrow, wide in zip(widths, (*widths[1:], widths[-1]), strict=True):
        layers += [ResBlock(narrow, narrow), nn.Conv2d(narrow, wide, 3, stride=2, padding=1)]
    return nn.Sequential(*layers, ResBlock(wide, wide), norm(wide), nn.SiLU())


def marked(logits: Mapping[str, Tensor], answers: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The cross-entropies of all questions, summed, and by question the share of right answers.

    logits: by question, (B, choices); answers (B, questions) in the same order, `UNSEEN` where the
    picture gives none: those are not asked.
    """
    losses, right = [], {}
    for (name, values), answer in zip(logits.items(), answers.T, strict=True):
        asked = (answer != UNSEEN).sum().clamp(min=1)
        error = F.cross_entropy(values, answer, ignore_index=UNSEEN, reduction="sum")
        losses.append(error / asked)
        right[name] = (values.argmax(1) == answer).sum() / asked
    return torch.stack(losses).sum(), right
