"""What diffusion and flow matching share: one conditional network and classifier-free guidance."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from gen_core.conditions import Attributes, Classes, Condition, Nothing
from gen_core.data import SCHEMAS
from gen_core.devices import fast_math
from gen_core.family import Family, Gaussian, Picture
from gen_core.knobs import Number, Whole
from gen_core.nets.unet import UNet, UNetConfig
from gen_core.sampling import Frame
from gen_core.solvers import MAX_STEPS

if TYPE_CHECKING:
    from gen_core.evaluation.evaluate import Evaluation

STEPS = Whole("steps", 20, 1, MAX_STEPS)
GUIDANCE = Number(
    "guidance_scale",
    1.0,
    0,
    20,
    step=0.25,
    label="Guidance",
    info="0 ignores what was asked for, 1 follows it, more exaggerates it",
)


class GuidedFamily(Family):
    """A network that is asked for a class, for attributes or for nothing, with guidance."""

    Config = UNetConfig
    networks = ("net",)
    small: ClassVar = {"widths": (16, 32), "blocks": 1, "embedding": 32}
    typical: ClassVar = {"steps": 20, "guidance_scale": 2.0}
    measured_with: ClassVar = {"steps": 50, "guidance_scale": 1.2}

    def __init__(self, config: UNetConfig | None = None) -> None:
        super().__init__(config)
        self.net = UNet(self.config)
        self.event = Picture(self.config.channels, self.config.size, self.config.size)
        self.prior = Gaussian(self.event.shape)

    @classmethod
    def condition_of(cls, config: UNetConfig) -> Condition:
        if config.choices:
            return Attributes(SCHEMAS[config.schema])
        return Classes(config.classes) if config.classes else Nothing()

    def extra_metrics(self, evaluation: "Evaluation") -> dict[str, Any]:
        """Whether it composes attributes that no training picture showed together."""
        if not isinstance(self.condition, Attributes):
            return {}
        if not evaluation.complete:
            return evaluation.at_a_glance("composing")
        return {"composing": evaluation.compositionality(self)}

    def guided(self, rows: Tensor | None, count: int, guidance_scale: float) -> "GuidedNetwork":
        """The network with guidance. rows: what is asked for, as the condition encodes it; None:
        nothing."""
        null = self.condition.null(count).to(self.device)
        if rows is None:
            return GuidedNetwork(self.net, null, null, 0.0)
        return GuidedNetwork(self.net, null, rows, guidance_scale)


class GuidedNetwork:
    """net(x, time) with classifier-free guidance (Ho & Salimans 2022, eq. 6), which counts how
    often the network is asked about each sample.

    guided = without + scale * (with - without): scale 0 ignores the condition, 1 follows it, more
    exaggerates it. At 0 and 1 one network evaluation does, else two in one batch.
    """

    def __init__(self, net: nn.Module, null: Tensor, wanted: Tensor, scale: float) -> None:
        self.net, self.null, self.wanted, self.scale = net, null, wanted, scale
        self.evaluations = 0

    def __call__(self, x: Tensor, time: Tensor) -> Tensor:
        """x (B, C, H, W), time (B,) in [0, 1] -> (B, C, H, W) float32"""
        with fast_math(x.device):
            if self.scale in (0.0, 1.0):
                self.evaluations += 1
                return self.net(x, time, self.wanted if self.scale else self.null).float()
            self.evaluations += 2
            rows = torch.cat([self.null, self.wanted])
            both = self.net(x.repeat(2, 1, 1, 1), time.repeat(2), rows)
        without, given = both.float().chunk(2)
        return without + self.scale * (given - without)


def finished(frames: Iterator[Frame], network: GuidedNetwork) -> Iterator[Frame]:
    """The same frames with the network evaluations so far; the last one's picture is clipped to
    [-1, 1], the range of the data.

    Guidance and coarse steps overshoot a little. Only the result is clipped: what the solvers
    walk through stays as their formulas say.
    """
    for frame in frames:
        x = frame.x.clamp(-1, 1) if frame.step == frame.total else frame.x
        yield replace(frame, x=x, evaluations=network.evaluations)
