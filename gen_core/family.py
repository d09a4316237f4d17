"""The words that hold the library together: Frame, Phase, Family and the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gen_core.noise import Noise


@dataclass(frozen=True)
class Frame:
    """One moment of a generation."""

    step: int
    """0 .. total"""
    total: int
    level: float
    """The family's own clock: t, sigma, token index."""
    x: Tensor
    """(B, *event) the state."""
    x0: Tensor | None = None
    """(B, *event) the guess of the clean sample, made from this x; None on the last frame."""
    out: Tensor | None = None
    """(B, *event) what the network said of this x: noise, velocity; None on the last frame."""


Losses = dict[str, Tensor]
"""Scalars by name. "loss" is minimised, the others are only logged."""


@dataclass(frozen=True)
class Phase:
    """What one optimiser does in one training step. A GAN is two phases of one ordinary loop."""

    name: str
    parameters: list[nn.Parameter]
    loss: Callable[[Tensor, Tensor, torch.Generator], Losses]
    """loss(x, label, rng): x (B, C, H, W) in [-1, 1], label (B,) int64; all randomness from rng."""
    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0
    every: int = 1
    """Runs in each `every`-th training step."""
    penalty: Callable[[Tensor, Tensor, torch.Generator], Tensor] | None = None
    """penalty(x, label, rng): a part of the loss too dear for every update. It joins the first of
    each `penalty_every` updates, as many times as heavy (lazy regularisation, Karras et al. 2020,
    section 3), and shares the loss's optimiser: Adam divides each gradient by its usual size, so
    that alone its weight would have no effect."""
    penalty_every: int = 1


class Family(nn.Module):
    """A family of generative models: what training optimises, and how noise becomes data.

    `Config` is a frozen dataclass of plain values and travels in the checkpoint. `sample` is a
    generator: it yields the prior first and the sample last.
    """

    name: ClassVar[str]
    Config: ClassVar[type]

    def __init__(self, config: Any = None) -> None:
        super().__init__()
        self.config = config if config is not None else self.Config()
        self.card: dict[str, Any] = {}
        """What the checkpoint says of itself: recipe, data, steps, seed, hardware, metrics."""
        self.extra: dict[str, Tensor] = {}
        """What the checkpoint holds besides weights: curves, snapshots, features."""

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def phases(self) -> list[Phase]:
        """What one training step optimises, in order."""
        raise NotImplementedError

    def in_turn(self, indices: Sequence[int]) -> Any:
        """The labels of the pictures so numbered when everything that `sample` can be asked for
        has its turn; None for a model that draws what it likes."""
        return None

    def settle(self, x: Tensor, label: Tensor) -> None:
        """Called once after training with some of the data, to measure what `sample` needs."""

    def sample(self, noise: Noise, **knobs: Any) -> Iterator[Frame]:
        """Yields Frames from the prior to the sample; knobs carry the field's names."""
        raise NotImplementedError


@dataclass
class Registry:
    """Classes by name; `register` is a class decorator."""

    classes: dict[str, type] = field(default_factory=dict)

    def register(self, cls: type) -> type:
        if cls.name in self.classes:
            raise ValueError(f"{cls.name!r} is registered already, by {self.classes[cls.name]}")
        self.classes[cls.name] = cls
        return cls


registry = Registry()
register = registry.register


def final(frames: Iterator[Frame]) -> Tensor:
    """The last frame's x: (B, *event) float32 on the CPU."""
    last = None
    for last in frames:  # noqa: B007 - run the generation to its end
        pass
    if last is None:
        raise ValueError("no frames: the generation ended before it began")
    return _ordinary(last.x)


def record(frames: Iterator[Frame], keep: int = 32) -> list[Frame]:
    """At most `keep` frames spread evenly over the generation, first and last always among them.

    Tensors are float32 on the CPU. Memory is bounded by `keep`, not by the number of steps.
    """
    if keep < 2:
        raise ValueError(f"keep={keep}: choose 2 or more, the first and the last frame")
    kept = []
    for frame in frames:
        # Frame s is kept when it is the first one at or past one of `keep` even marks.
        marks = frame.step * (keep - 1)
        if frame.total < keep or marks % frame.total < keep - 1 or frame.step == frame.total:
            kept.append(_on_cpu(frame))
    return kept


def _on_cpu(frame: Frame) -> Frame:
    x0, out = (None if value is None else _ordinary(value) for value in (frame.x0, frame.out))
    return replace(frame, x=_ordinary(frame.x), x0=x0, out=out)


def _ordinary(value: Tensor) -> Tensor:
    """Float32 on the CPU, and a copy: what inference mode made refuses changes and gradients."""
    return value.detach().float().cpu().clone()
