"""Denoising diffusion: learn to undo a little noise, then undo it all, step by step.

Ho et al. 2020, "Denoising Diffusion Probabilistic Models" (DDPM). The network is trained on the
velocity v = sqrt(alpha_bar) eps - sqrt(1 - alpha_bar) x_0 of Salimans & Ho 2022, which stays
well scaled at every noise level; the wrapper turns it into the noise or the guess of x_0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from gen_core.checks import choice, number, whole
from gen_core.families.guided import GuidedFamily, ending_in_range
from gen_core.family import Frame, Losses, Phase, register
from gen_core.nets.unet import UNetConfig
from gen_core.noise import Noise
from gen_core.solvers import DIFFUSION_SOLVERS, MAX_STEPS, NoiseSchedule, Prediction


@register
class Diffusion(GuidedFamily):
    name = "diffusion"
    Config = UNetConfig

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
        predicted = self.net(x_t, t / total, self.condition.hidden(label, rng)).float()
        return {"loss": (predicted - (signal * eps - spread * x)).square().mean()}

    def denoiser(self, label: Any, count: int, guidance_scale: float):
        """predict(x_t, t) -> Prediction(x0, eps): all that a solver sees of the network."""
        evaluate = self.guided(label, count, guidance_scale)

        def predict(x_t: Tensor, t: float) -> Prediction:
            time = torch.full((len(x_t),), t / self.schedule.total, device=x_t.device)
            v = evaluate(x_t, time)
            signal, spread = self.schedule.scales_at(t)
            return Prediction(x0=signal * x_t - spread * v, eps=signal * v + spread * x_t)

        return predict

    @torch.inference_mode()
    def sample(
        self, noise: Noise, *, label: Any = None, steps: int = 20,
        guidance_scale: float = 1.0, solver: str = "dpm++2m", eta: float = 0.0,
    ) -> Iterator[Frame]:  # fmt: skip
        """Yields steps + 1 Frames; level is t from 1000 to 0, out the predicted noise.

        label: a class, or a dict of attributes, for all or one per sample, None for any; steps: 1
        to 1000; guidance_scale: 0 (no label) to 20; solver: one of `DIFFUSION_SOLVERS`; eta: 0 to
        1, DDIM's share of fresh noise.
        """
        steps = whole("steps", steps, 1, MAX_STEPS)
        solve = DIFFUSION_SOLVERS[choice("solver", solver, list(DIFFUSION_SOLVERS))]
        eta = number("eta", eta, 0.0, 1.0)
        predict = self.denoiser(label, len(noise), guidance_scale)
        x_t = noise.randn(*self.event).to(self.device)
        frames = solve(predict, x_t, self.schedule, steps, noise=noise, eta=eta)
        yield from ending_in_range(frames)
