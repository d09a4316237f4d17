"""Several attributes at once as one embedding, any of them missing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gen_core.data.avatars.labels import THOUSANDTHS


class AttributeEmbedding(nn.Module):
    """Rows of choices and measures -> (B, width). What is below its attribute's range is missing
    and adds nothing."""

    def __init__(self, choices: tuple[int, ...], measures: int, width: int) -> None:
        super().__init__()
        self.choices = len(choices)
        self.values = nn.Embedding(sum(choices), width)
        nn.init.normal_(self.values.weight, std=len(choices) ** -0.5)
        self.measures = nn.Linear(2 * measures, width, bias=False)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        first = torch.tensor([0, *choices[:-1]]).cumsum(0)
        self.register_buffer("first", first, persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        """rows: (B, choices + measures) int64, the measures in thousandths -> (B, width)"""
        chosen, measured = rows[:, : self.choices], rows[:, self.choices :] / THOUSANDTHS
        told = (chosen >= 0)[..., None]
        values = self.values((self.first + chosen).clamp(min=0)) * told
        known = (measured >= -1).float()
        numbers = self.measures(torch.cat([measured * known, known], dim=1))
        return self.mlp(values.sum(1) + numbers)
