"""Flow matching: learn the velocity that carries noise to data along straight lines.

Lipman et al. 2023, "Flow Matching for Generative Modeling"; Liu et al. 2023, "Rectified flow".
The path is x_t = (1 - t) x_0 + t x_1, with x_0 noise at t = 0 and x_1 data at t = 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from gen_core.checks import choice, whole
from gen_core.families.guided import GuidedFamily, ending_in_range
from gen_core.family import Frame, Losses, Phase, register
from gen_core.nets.unet import UNetConfig
from gen_core.noise import Noise
from gen_core.solvers import FLOW_SOLVERS, MAX_STEPS


@register
class Flow(GuidedFamily):
    name = "flow"
    Config = UNetConfig

    def phases(self) -> list[Phase]:
        return [Phase("velocity", list(self.net.parameters()), self.loss, lr=6e-4)]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """E || v(x_t, t) - (x_1 - x_0) ||^2, Lipman et al. eq. 23 with sigma_min = 0.

        t is logit-normal: the middle of the path is hardest (Esser et al. 2024, section 3.1).
        """
        t = torch.randn(len(x), generator=rng, device=x.device).sigmoid()
        x_0 = torch.randn(x.shape, generator=rng, device=x.device)
        at = t[:, None, None, None]
        x_t = (1 - at) * x_0 + at * x
        velocity = self.net(x_t, t, self.condition.hidden(label, rng)).float()
        return {"loss": (velocity - (x - x_0)).square().mean()}

    @torch.inference_mode()
    def sample(
        self, noise: Noise, *, label: Any = None, steps: int = 20,
        guidance_scale: float = 1.0, solver: str = "euler",
    ) -> Iterator[Frame]:  # fmt: skip
        """Yields steps + 1 Frames; level is t, out the velocity, x0 where it points.

        label: a class, or a dict of attributes, for all or one per sample, None for any; steps: 1
        to 1000; guidance_scale: 0 (no label) to 20, 1 asks the network once per evaluation, any
        other value twice.
        """
        steps = whole("steps", steps, 1, MAX_STEPS)
        integrate = FLOW_SOLVERS[choice("solver", solver, list(FLOW_SOLVERS))]
        velocity = self.guided(label, len(noise), guidance_scale)
        x = noise.randn(*self.event).to(self.device)
        yield from ending_in_range(integrate(velocity, x, steps))
