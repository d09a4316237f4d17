"""Denoising diffusion: learn to undo a little noise, then undo it all, step by step.

Ho et al. 2020, "Denoising Diffusion Probabilistic Models" (DDPM). The network is trained on the
velocity v = sqrt(alpha_bar) eps - sqrt(1 - alpha_bar) x_0 of Salimans & Ho 2022, which stays
well scaled at every noise level; the wrapper turns it into the noise or the guess of x_0.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from gen_core.families.guided import GUIDANCE, STEPS, GuidedFamily, GuidedNetwork, finished
from gen_core.family import Clock, Losses, Phase, register
from gen_core.knobs import Choice
from gen_core.nets.unet import UNetConfig
from gen_core.sampling import Frame, Noise
from gen_core.solvers import DIFFUSION_SOLVERS, NoiseSchedule, Predict, Prediction


@register
class Diffusion(GuidedFamily):
    name = "diffusion"
    knobs = (STEPS, GUIDANCE, Choice("solver", "dpm++2m", DIFFUSION_SOLVERS, advanced=True))
    clock = Clock("t", falling=True)
    out = "noise"

    def __init__(self, config: UNetConfig | None = None) -> None:
        super().__init__(config)
        self.schedule = NoiseSchedule.linear()

    def phases(self) -> list[Phase]:
        return [Phase("denoise", list(self.net.parameters()), self.loss, lr=6e-4)]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """E || v(x_t, t) - v ||^2 with t uniform in 1 .. T (Salimans & Ho 2022, appendix D)."""
        total = self.schedule.total
        t = torch.randint(1, total + 1, (len(x),), generator=rng, device=x.device)
        eps = torch.randn(x.shape, generator=rng, device=x.device)
        x_t = self.schedule.add_noise(x, eps, t)
        signal, spread = self.schedule.scales(t, x)
        predicted = self.net(x_t, t / total, self.condition.dropout(label, rng)).float()
        return {"loss": (predicted - (signal * eps - spread * x)).square().mean()}

    def denoiser(self, network: GuidedNetwork) -> Predict:
        """predict(x_t, t) -> Prediction(x0, eps): all that a solver sees of the network."""

        def predict(x_t: Tensor, t: float) -> Prediction:
            time = torch.full((len(x_t),), t / self.schedule.total, device=x_t.device)
            v = network(x_t, time)
            signal, spread = self.schedule.scales_at(t)
            return Prediction(x0=signal * x_t - spread * v, eps=signal * v + spread * x_t)

        return predict

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
        """level is t from 1000 to 0, out the predicted noise."""
        network = self.guided(condition, len(noise), guidance_scale)
        x_t, predict = self.prior.draw(noise).to(self.device), self.denoiser(network)
        frames = DIFFUSION_SOLVERS[solver](predict, x_t, self.schedule, steps, noise, **own)
        yield from finished(frames, network)
