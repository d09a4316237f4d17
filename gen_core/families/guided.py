"""What diffusion and flow matching share: one conditional network and classifier-free guidance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gen_core.checks import number
from gen_core.conditions import Attributes, Classes, Condition
from gen_core.devices import fast_math
from gen_core.family import Family, Frame
from gen_core.nets.unet import UNet, UNetConfig

MAX_GUIDANCE = 20.0


class GuidedFamily(Family):
    def __init__(self, config: UNetConfig | None = None) -> None:
        super().__init__(config)
        self.net = UNet(self.config)
        self.event = (self.config.channels, self.config.size, self.config.size)
        self.condition: Condition = (
            Attributes() if self.config.choices else Classes(self.config.classes)
        )

    def in_turn(self, indices: Sequence[int]) -> Any:
        return self.condition.in_turn(indices)

    def guided(
        self, label: Any, count: int, guidance_scale: float
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """net(x, time) with classifier-free guidance (Ho & Salimans 2022, eq. 6).

        guided = without + scale * (with - without): scale 0 ignores the label, 1 follows it,
        more exaggerates it. At 0 and 1 one network evaluation does, else two in one batch.
        """
        scale = number("guidance_scale", guidance_scale, 0.0, MAX_GUIDANCE)
        nothing = self.condition.nothing(count).to(self.device)
        if label is None:
            scale, wanted = 0.0, nothing
        else:
            wanted = self.condition.rows(label, count).to(self.device)

        def evaluate(x: Tensor, time: Tensor) -> Tensor:
            with fast_math(x.device):
                if scale in (0.0, 1.0):
                    return self.net(x, time, wanted if scale else nothing).float()
                both = self.net(x.repeat(2, 1, 1, 1), time.repeat(2), torch.cat([nothing, wanted]))
            without, given = both.float().chunk(2)
            return without + scale * (given - without)

        return evaluate


def ending_in_range(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The same frames; the last one's picture is clipped to [-1, 1], the range of the data.

    Guidance and coarse steps overshoot a little. Only the result is clipped: what the solvers
    walk through stays as their formulas say.
    """
    for frame in frames:
        last = frame.step == frame.total
        yield replace(frame, x=frame.x.clamp(-1, 1)) if last else frame
