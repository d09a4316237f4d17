"""Reads traits from codes, and moves codes so that one trait changes and the others stay.

A direction in latent space that makes faces smile need not be the same for every face. So a small
network learns, from labelled pictures, to tell the traits from the code; from a face one goes where
its reading of one trait grows and of the others does not. Shen et al. 2020, "InterFaceGAN", do the
same with one hyperplane for each trait, and part those that go together by projection.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gen_core.latent.traits import TRAITS, moments

WIDTH = 256
TRAINING_STEPS, BATCH, RATE = 1500, 512, 2e-3
BLUR = 0.5
"""Standard deviation of noise on the codes it learns from, so that it reads what codes around have
in common: a sharp reading has directions that no picture follows."""
STEPS = 12
"""Parts that a move is made in: the direction is asked for anew after each."""
ENDS, ROOM = (0.01, 0.99), 1.3
"""Quantiles of the data, and how far beyond them a trait may be moved: readings of blurred codes
fall short of what is there."""
DAMPING = 0.02
"""Added to the effect that directions have on the readings (Levenberg 1944): where a trait cannot
be told, its direction would be without end."""


class TraitRegressor(nn.Module):
    """Codes -> traits, in standard deviations of the data from their mean."""

    def __init__(self, latent: int, traits: int = len(TRAITS)) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(latent, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.out = nn.Linear(WIDTH, traits)
        self.register_buffer("centre", torch.zeros(latent))
        self.register_buffer("covariance", torch.eye(latent))
        self.register_buffer("ends", torch.tensor([[-1.0], [1.0]]).repeat(1, traits))

    def forward(self, z: Tensor) -> Tensor:
        """(N, latent) -> (N, traits)"""
        h = self.first(z - self.centre).tanh()
        return self.out(self.second(h).tanh())

    def slopes(self, z: Tensor) -> Tensor:
        """(N, latent) -> (N, traits, latent): how each reading changes with the code there."""
        h1 = self.first(z - self.centre).tanh()
        h2 = self.second(h1).tanh()
        inner = (1 - h1.square())[:, :, None] * self.first.weight
        outer = (1 - h2.square())[:, :, None] * (self.second.weight @ inner)
        return self.out.weight @ outer

    @torch.inference_mode()
    def moved(self, z: Tensor, by: Mapping[str, float]) -> Tensor:
        """Codes (N, latent), and by how many standard deviations which traits shall change ->
        (N, latent): where that leads, in small steps.

        Of all steps that change the readings as asked, the others not at all, each is the one that
        is shortest in terms of the codes' covariance: along what codes vary in, not out of them.
        No reading is asked to leave the data's range: who wears glasses gets no second pair.
        """
        asked, now = torch.tensor([by.get(name, 0.0) for name in TRAITS]), self(z)
        low, high = torch.minimum(self.ends[0], now), torch.maximum(self.ends[1], now)
        wanted = ((now + asked).clamp(low, high) - now)[..., None] / STEPS
        for _ in range(STEPS if asked.any() else 0):
            slopes = self.slopes(z)
            across = slopes @ self.covariance
            effect = across @ slopes.mT + DAMPING * torch.eye(len(asked))
            z = z + (across.mT @ torch.linalg.solve(effect, wanted))[..., 0]
        return z


def learn(
    codes: Tensor, traits: Tensor, shown: Tensor, *, steps: int = TRAINING_STEPS, seed: int = 0
) -> TraitRegressor:
    """From codes (N, latent) of pictures, their traits (N, T), and where these show (N, T)."""
    mean, spread = moments(traits, shown)
    answers = (traits - mean) / spread.clamp(min=1e-6)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        regressor = TraitRegressor(codes.shape[1], traits.shape[1])
    regressor.centre.copy_(codes.mean(0))
    regressor.covariance.copy_(torch.cov(codes.T))
    known = answers.where(shown, torch.nan).nanquantile(torch.tensor(ENDS), dim=0)
    regressor.ends.copy_(ROOM * known.nan_to_num())
    rng = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(regressor.parameters(), RATE, weight_decay=0.02)
    pace = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, steps)
    for _ in range(steps):
        rows = torch.randint(len(codes), (BATCH,), generator=rng)
        noise = torch.randn((BATCH, codes.shape[1]), generator=rng)
        off = (regressor(codes[rows] + BLUR * noise) - answers[rows]).square() * shown[rows]
        optimiser.zero_grad()
        (off.sum() / shown[rows].sum().clamp(min=1)).backward()
        optimiser.step()
        pace.step()
    return regressor.requires_grad_(False).eval()
