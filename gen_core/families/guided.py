"""What diffusion and flow matching share: one conditional network and classifier-free guidance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from gen_core.checks import labels, number
from gen_core.devices import fast_math
from gen_core.family import Family, Frame
from gen_core.nets.unet import UNet, UNetConfig

MAX_GUIDANCE = 20.0
DROP_LABEL = 0.1
"""Share of training pictures whose label is hidden (Ho & Salimans 2022, p_uncond)."""


class GuidedFamily(Family):
    def __init__(self, config: UNetConfig | None = None) -> None:
        super().__init__(config)
        self.net = UNet(self.config)
        self.event = (self.config.channels, self.config.size, self.config.size)

    def drop_labels(self, label: Tensor, rng: torch.Generator) -> Tensor:
        """Replaces one label in ten by "no label", so that the network learns both."""
        hidden = torch.rand(len(label), generator=rng, device=label.device) < DROP_LABEL
        return torch.where(hidden, self.config.classes, label)

    def guided(
        self, label: int | list[int] | Tensor | None, count: int, guidance_scale: float
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """net(x, time) with classifier-free guidance (Ho & Salimans 2022, eq. 6).

        guided = without + scale * (with - without): scale 0 ignores the label, 1 follows it,
        more exaggerates it. At 0 and 1 one network evaluation does, else two in one batch.
        """
        scale = number("guidance_scale", guidance_scale, 0.0, MAX_GUIDANCE)
        classes = self.config.classes
        if label is None:
            scale, label = 0.0, 0
        wanted = torch.tensor(labels(label, count, classes), device=self.device)
        nothing = torch.full_like(wanted, classes)

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
