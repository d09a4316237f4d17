"""Flow matching: learn the velocity that carries noise to data along straight lines.

Lipman et al. 2023, "Flow Matching for Generative Modeling"; Liu et al. 2023, "Rectified flow".
The path is x_t = (1 - t) x_0 + t x_1, with x_0 noise at t = 0 and x_1 data at t = 1.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from gen_core.families.guided import GUIDANCE, STEPS, GuidedFamily, finished
from gen_core.family import Clock, Losses, Phase, register
from gen_core.knobs import Choice
from gen_core.sampling import Frame, Noise
from gen_core.solvers import FLOW_SOLVERS


@register
class Flow(GuidedFamily):
    name = "flow"
    knobs = (STEPS, GUIDANCE, Choice("solver", "euler", FLOW_SOLVERS, advanced=True))
    clock = Clock("t")
    out = "velocity"

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
        velocity = self.net(x_t, t, self.condition.dropout(label, rng)).float()
        return {"loss": (velocity - (x - x_0)).square().mean()}

    @torch.inference_mode()
    def frames(
        self,
        noise: Noise,
        condition: Tensor | None,
        *,
        steps: int,
        guidance_scale: float,
        solver: str,
        **own: Any,
    ) -> Iterator[Frame]:
        """level is t, out the velocity, x0 where it points."""
        velocity = self.guided(condition, len(noise), guidance_scale)
        x = self.prior.draw(noise).to(self.device)
        yield from finished(FLOW_SOLVERS[solver](velocity, x, steps, **own), velocity)
