"""Training is a generator too: recipes and tests drive this `fit`."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from gen_core.devices import fast_math
from gen_core.family import Losses, Phase, Trainable
from gen_core.training import tensor_files
from gen_core.training.checkpoint import CheckpointError, current_names
from gen_core.training.distributed import SINGLE, World


class BatchSource(Protocol):
    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]: ...


class NotFinite(ArithmeticError):
    """A training has run away: its loss or its weights are NaN or infinite."""


@dataclass(frozen=True)
class Step:
    """What one update did. `losses` holds "<phase>.<name>" scalars; float() them when needed."""

    step: int
    """1 .. total"""
    total: int
    losses: Losses
    seconds: float
    trainer: Trainer


class Trainer:
    """Everything a run must remember: the model, its moving average, the optimisers, the step.

    What is random in step k comes from (seed, k) alone, so a resumed run arrives at the same
    place as one that was never interrupted.
    """

    def __init__(
        self,
        model: Trainable,
        *,
        steps: int,
        seed: int,
        ema: float,
        warmup: int,
        world: World = SINGLE,
        local_steps: int = 1,
    ) -> None:
        self.model, self.steps, self.seed = model, steps, seed
        self.world, self.local_steps = world, local_steps
        self.decay, self.warmup, self.step = ema, warmup, 0
        self.ema = copy.deepcopy(model).requires_grad_(False).eval()
        self.phases = model.phases()
        self.diverged = torch.zeros((), dtype=torch.bool, device=model.device)
        """Whether a loss was not finite: on the device, which the host need not wait for."""
        # Fused: of four million weights on one core 12 ms an update, foreach 30, one by one 34.
        self.optimisers = {
            p.name: torch.optim.AdamW(
                p.parameters, p.lr, p.betas, weight_decay=p.weight_decay, fused=True
            )
            for p in self.phases
        }

    def update(self, x: Tensor, label: Tensor) -> Losses:
        """One training step on x (B, C, H, W) in [-1, 1], label (B,)."""
        device = self.model.device
        x, label = x.to(device, non_blocking=True), label.to(device, non_blocking=True)
        self.recent = x, label
        losses = {}
        for number, phase in enumerate(self.phases):
            if self.step % phase.every == 0:
                rng = torch.Generator(device).manual_seed(self._stream(number))
                for name, value in self._run(phase, x, label, rng).items():
                    losses[f"{phase.name}.{name}"] = value.detach()
        self.step += 1
        self.world.average([self.model.get_buffer(path) for path in self.model.averages])
        if self.local_steps > 1 and self.step % self.local_steps == 0:
            self.world.average(self._weights())
        self._average()
        return losses

    def sync_weights(self) -> None:
        """Averages weights and moments over all processes, before a state is saved from which each
        of them may resume."""
        if self.local_steps > 1:
            states = [s for o in self.optimisers.values() for s in o.state.values()]
            self.world.average([s[key] for s in states for key in ("exp_avg", "exp_avg_sq")])
            self.world.average(self._weights())

    def _weights(self) -> list[Tensor]:
        return [p.detach() for p in self.model.parameters()]

    def _stream(self, phase: int) -> int:
        return self.world.shard((self.seed * 1_000_003 + self.step) * 16 + phase)

    def _run(self, phase: Phase, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        optimiser = self.optimisers[phase.name]
        for group in optimiser.param_groups:
            group["lr"] = phase.lr * self._pace()
        with fast_math(x.device):
            losses = phase.loss(x, label, rng)
        # By the step and not by lot: processes that share a step's gradient do the same work.
        total, updates = losses["loss"], self.step // phase.every
        if phase.penalty is not None and updates % phase.penalty_every == 0:
            total = total + phase.penalty_every * phase.penalty(x, label, rng)
        # Only this phase's gradients are computed: the other players of the game stay untouched.
        self.diverged = self.diverged | ~total.detach().isfinite()
        if x.device.type == "cpu":
            self.check_finite()  # before it reaches the weights
        gradients = torch.autograd.grad(total, phase.parameters, allow_unused=True)
        if self.local_steps == 1:
            self.world.average(gradients)
        for parameter, gradient in zip(phase.parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else _laid_out_as(parameter, gradient)
        optimiser.step()
        return losses

    def check_finite(self) -> None:
        """Raises NotFinite where a loss was not; waits for the device."""
        if self.diverged:
            raise NotFinite(
                f"step {self.step + 1}: the loss is NaN or infinite. Choose a lower learning rate, "
                "or look for what is not finite in the data"
            )

    def _pace(self) -> float:
        """Linear warm-up, then a cosine down to zero at the last step: a share of the rate."""
        if self.step < self.warmup:
            return (self.step + 1) / self.warmup
        done = (self.step - self.warmup) / max(1, self.steps - self.warmup)
        return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

    @torch.no_grad()
    def _average(self) -> None:
        """Exponential moving average of the weights. At the start the mean of a shorter past, by
        the rule of TensorFlow's `ExponentialMovingAverage`: (1 + n) / (10 + n) after n updates."""
        decay = min(self.decay, self.step / (self.step + 9))  # n counts those before this one
        new, kept = list(self.model.parameters()), list(self.ema.parameters())
        torch._foreach_lerp_(kept, new, 1 - decay)
        for shadow, buffer in zip(self.ema.buffers(), self.model.buffers(), strict=True):
            shadow.copy_(buffer)

    def save(self, path: Path | str, before: Path | None = None, **about: str) -> None:
        """Writes all of it, and what else is to be said about it, to one safetensors file, in a
        single move; what was there goes to `before`. Raises NotFinite where the training has run
        away, OSError where the disk does not take it, and then leaves all as it was."""
        self.check_finite()
        if torch.stack([(~p.isfinite()).any() for p in self.ema.parameters()]).any():
            raise NotFinite(f"step {self.step}: the weights are NaN or infinite")
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"ema.{k}": v for k, v in self.ema.state_dict().items()}
        tensors |= {
            f"optimiser.{name}.{index}.{key}": torch.as_tensor(value)
            for name, optimiser in self.optimisers.items()
            for index, state in optimiser.state_dict()["state"].items()
            for key, value in state.items()
        }
        about = {"step": str(self.step), "seed": str(self.seed), **about}
        tensor_files.write(Path(path), tensors, about, before)

    def restore(self, path: Path | str) -> None:
        """Continues where `save` left off. Raises Damaged for half a file, CheckpointError for the
        state of another model."""
        stored, about = tensor_files.read(Path(path))
        self.step, seed = int(about["step"]), int(about["seed"])
        if seed != self.seed:
            raise ValueError(f"{path} was begun with seed={seed}, not {self.seed}: use that seed")
        stored = current_names(stored, type(self.model))
        try:
            self.model.load_state_dict(_under("model.", stored))
            self.ema.load_state_dict(_under("ema.", stored))
        except RuntimeError as error:
            raise CheckpointError(
                f"{path} is of another model than the recipe's ({error}): choose another folder "
                "for the runs, or delete it"
            ) from error
        for phase, optimiser in self.optimisers.items():
            state: dict[int, dict[str, Tensor]] = {}
            for name, value in _under(f"optimiser.{phase}.", stored).items():
                index, key = name.split(".")
                state.setdefault(int(index), {})[key] = value
            optimiser.load_state_dict(optimiser.state_dict() | {"state": state})
            # Fused AdamW walks a weight and its moments side by side in memory, so they must be
            # laid out alike: files are contiguous, weights channels-last.
            for parameter, moments in optimiser.state.items():
                for key in moments.keys() - {"step"}:
                    moments[key] = torch.empty_like(parameter).copy_(moments[key])


def _under(prefix: str, stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """What stands under a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)}


def _laid_out_as(parameter: Tensor, gradient: Tensor) -> Tensor:
    """The gradient in the memory order of its weight, as fused AdamW walks both side by side; the
    second derivatives of a gradient penalty come in another one."""
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


def fit(
    model: Trainable,
    batches: BatchSource,
    *,
    steps: int,
    seed: int = 0,
    ema: float = 0.999,
    warmup: int = 200,
    resume: Path | str | None = None,
    world: World = SINGLE,
    local_steps: int = 1,
) -> Iterator[Step]:
    """Trains `model` in place for `steps` updates and yields after each.

    batches[k] gives step k's (x, label), or that of one of the processes in `world`: they train
    along the mean of their gradients, or, with `local_steps` above 1, each by itself for so many
    steps before their weights are averaged (local SGD, Stich 2019).
    `resume` is a file that `Step.trainer.save` wrote.
    The averaged weights, which samples should come from, are `Step.trainer.ema`.
    """
    trainer = Trainer(
        model.train(),
        steps=steps,
        seed=seed,
        ema=ema,
        warmup=warmup,
        world=world,
        local_steps=local_steps,
    )
    if resume is not None:
        trainer.restore(resume)
    while trainer.step < steps:
        started = time.perf_counter()
        losses = trainer.update(*batches[world.shard(trainer.step)])
        yield Step(trainer.step, steps, losses, time.perf_counter() - started, trainer)
