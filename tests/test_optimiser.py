"""Three updates of every family against a plain AdamW in float64, whatever lies how in memory."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core_fixtures import TRAINED, batches, tiny
from gen_core.training import train
from gen_core.training.train import Trainer

pytestmark = pytest.mark.heavy
EPS = 1e-8


class PlainAdamW:
    """Loshchilov & Hutter 2019, algorithm 2, one weight at a time, in float64."""

    def __init__(self, parameters: list[Tensor], betas: tuple[float, float], decay: float) -> None:
        self.weights = [p.detach().double().contiguous().clone() for p in parameters]
        self.means = [torch.zeros_like(w) for w in self.weights]
        self.squares = [torch.zeros_like(w) for w in self.weights]
        self.updates = [0] * len(parameters)
        self.betas, self.decay = betas, decay

    def update(self, gradients: list[Tensor | None], rate: float) -> None:
        first, second = self.betas
        for k, gradient in enumerate(gradients):
            if gradient is None:
                continue
            g = gradient.detach().double().contiguous()
            self.updates[k] += 1
            self.means[k] = first * self.means[k] + (1 - first) * g
            self.squares[k] = second * self.squares[k] + (1 - second) * g * g
            mean = self.means[k] / (1 - first ** self.updates[k])
            square = self.squares[k] / (1 - second ** self.updates[k])
            kept = self.weights[k] * (1 - rate * self.decay)
            self.weights[k] = kept - rate * mean / (square.sqrt() + EPS)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("family", TRAINED)
def test_three_updates_are_those_of_a_plain_implementation(family, layout, monkeypatch):
    model = tiny(family).to(memory_format=layout)
    trainer = Trainer(model, steps=10, seed=5, ema=0.9, warmup=4)
    plain = {
        phase.name: PlainAdamW(phase.parameters, phase.betas, phase.weight_decay)
        for phase in trainer.phases
    }
    before = [p.detach().double().clone() for p in model.parameters()]
    whole = torch.autograd.grad

    def noted(outputs, inputs, **options):
        found = whole(outputs, inputs, **options)
        for phase in trainer.phases:
            if inputs is phase.parameters:  # and not those of a penalty inside of a loss
                rate = trainer.optimisers[phase.name].param_groups[0]["lr"]
                plain[phase.name].update(found, rate)
        return found

    monkeypatch.setattr(train.torch.autograd, "grad", noted)
    data = batches(family)
    for step in range(3):
        trainer.update(*data[step])
    for phase in trainer.phases:
        assert max(plain[phase.name].updates) == 3 if phase.every == 1 else True
        for ours, expected in zip(phase.parameters, plain[phase.name].weights, strict=True):
            moved = phase.lr  # about as far as one update goes
            torch.testing.assert_close(
                ours.detach().double(), expected, rtol=1e-5, atol=1e-3 * moved
            )
    after = [p.detach().double() for p in model.parameters()]
    moved = [(a - b).abs().max() for a, b in zip(before, after, strict=True) if a.numel()]
    assert max(map(float, moved)) > 1e-5
