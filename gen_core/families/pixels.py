"""What models that write pictures pixel by pixel share: grey levels, likelihood, drawing.

p(x) is the product over i of p(x_i | x_1 .. x_(i-1)), in raster order, each a softmax over all grey
levels: the likelihood is exact, of whole numbers and not of a density.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.conditions import Classes, Condition, Nothing
from gen_core.data.images import MissingData
from gen_core.families.token_sampler import CHOOSING, NextLogits, TokenSampler, begun, standing
from gen_core.family import UNDRAWN, Clock, Empty, Family, Losses, Picture
from gen_core.knobs import Instance, KnobError
from gen_core.nets.config import GreyPictures
from gen_core.progress import Progress
from gen_core.sampling import Frame, Noise

if TYPE_CHECKING:
    from gen_core.evaluation.evaluate import Evaluation

GIVEN = Instance(
    "given", None, info="A picture that stands, NaN for what is to be drawn", kind=Tensor
)
"""Black is -1, as is what is not drawn yet: only NaN says that a pixel shall be drawn."""


class PixelFamily(Family):
    """A network that says each pixel of a grey picture from those before it. A subclass gives
    `logits` of whole pictures and, `stepwise`, those of one pixel after another."""

    knobs = CHOOSING
    inputs = (GIVEN,)
    clock = Clock("pixel")
    out = "logits"

    def __init__(self, config: GreyPictures | None = None) -> None:
        super().__init__(config)
        c = self.config
        self.event = Picture(1, c.size, c.size, levels=c.levels)
        self.prior = Empty(self.event)

    @classmethod
    def condition_of(cls, config: GreyPictures) -> Condition:
        return Classes(config.classes) if config.classes else Nothing()

    def logits(self, x: Tensor, label: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """What it says of each pixel of whole pictures from those before it, (B, H W, levels);
        x (B, 1, H, W) in [-1, 1], label (B,) int64, both on its device; rng: of dropout, in
        training."""
        raise NotImplementedError

    def stepwise(self, label: Tensor) -> NextLogits:
        """What a sampler asks for the logits of the next pixel; label (B,) int64."""
        raise NotImplementedError

    # --- likelihood -------------------------------------------------------------------------------

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """-log p(x_i | x_1 .. x_(i-1)), the mean over all pixels, in nats."""
        logits = self.logits(x, self.condition.dropout(label, rng), rng).float()
        nats = F.cross_entropy(logits.flatten(0, 1), self.levels(x).flatten().clamp(min=0))
        return {"loss": nats + 0 * x.mean()}  # of what is not finite there are levels too

    def log_prob(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """log p(x) in nats, (B,), or log p(x | label) with label (B,) int64; x (B, 1, H, W) in
        [-1, 1], of which each pixel is taken for the nearest grey level."""
        return self.pixel_log_probs(x, label).sum((1, 2))

    @torch.inference_mode()
    def pixel_log_probs(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """The same for each pixel, given those before it: (B, H, W)."""
        levels = self.levels(x.to(self.device))
        nats = self.next_logits(x, label).log_softmax(-1).gather(-1, levels[..., None])
        return nats.unflatten(1, self.event.shape[1:])[..., 0]

    @torch.inference_mode()
    def next_logits(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """What it says of each pixel from those before it, float32 (B, H W, levels); x and label as
        for `log_prob`."""
        label = self.condition.null(len(x)) if label is None else label
        picture = self.picture(self.levels(x.to(self.device)))
        return self.logits(picture, label.to(self.device)).float()

    def levels(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) in [-1, 1] -> (B, H W) int64, the nearest grey levels; NaN: `UNDRAWN`."""
        shares = (x.flatten(1) + 1) * ((self.config.levels - 1) / 2)
        return shares.nan_to_num(UNDRAWN).round().long()

    def picture(self, levels: Tensor) -> Tensor:
        """The way back, what is not drawn as -1."""
        shades = levels.clamp(min=0) / ((self.config.levels - 1) / 2) - 1  # as data sets have it
        return shades.unflatten(1, self.event.shape)

    # --- sampling ---------------------------------------------------------------------------------

    def total(self, settings: Mapping[str, Any]) -> int:
        pixels = math.prod(self.event.shape)
        given = settings.get("given")
        return pixels - (0 if given is None else standing(self.levels(given.reshape(-1, pixels))))

    @torch.inference_mode()
    def frames(
        self, noise: Noise, condition: Tensor | None, *, given: Tensor | None, **choosing: Any
    ) -> Iterator[Frame]:
        """level is how many pixels stand, out the logits of the next one."""
        null = self.condition.null(len(noise)).to(self.device)
        levels = self._begun(given, len(noise))
        start = standing(levels)
        total = levels.shape[1] - start
        asked = self.stepwise(null if condition is None else condition)
        sampler = TokenSampler(asked, **choosing)
        u = noise.rand(levels.shape[1], dtype=torch.float64)
        for frame in sampler.frames(levels.to(self.device), u, start, total):
            yield replace(frame, x=self.picture(frame.x))

    def _begun(self, given: Tensor | None, count: int) -> Tensor:
        """Grey levels, `UNDRAWN` where they are to be drawn, (count, H W). Raises KnobError."""
        shape, pixels = self.event.shape, math.prod(self.event.shape)
        if given is None:
            return torch.full((count, pixels), UNDRAWN)
        if given.shape not in (shape, (count, *shape)) or not given.is_floating_point():
            raise KnobError(
                f"given of shape {(*given.shape,)}: give pictures {(count, *shape)} of numbers, or "
                f"one {shape} for all"
            )
        if bool((given.abs() > 1).any()):
            raise KnobError("given: choose pixels from -1 to 1, or NaN to draw one")
        levels = self.levels(given.expand(count, *shape).float())
        return begun(levels, count, pixels, self.config.levels)

    # --- figures ----------------------------------------------------------------------------------

    def extra_metrics(self, evaluation: "Evaluation") -> dict[str, Any]:
        """What the test pictures cost, given their classes, where the data are on this machine."""
        try:
            test = evaluation.test_set(self)
        except MissingData as error:
            return {"left_out": {"bits_per_dimension": str(error)}}
        count = len(test) if evaluation.complete else min(evaluation.samples, len(test))
        nats = 0.0
        for rows in torch.arange(count).split(50):
            x, label = (part.to(self.device) for part in test.batch(rows))
            nats -= float(self.log_prob(x, label).cpu().double().sum())
            evaluation.progress(Progress("test pictures", int(rows[-1]) + 1, count, "pictures"))
        rest = f"{len(test) - count} of {len(test)} test pictures: take more samples"
        return {
            **({"left_out": {"bits_per_dimension": rest}} if count < len(test) else {}),
            "bits_per_dimension": nats / count / math.prod(self.event.shape) / math.log(2),
        }
