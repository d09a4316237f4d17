"""PixelCNN: each pixel of a picture from those before it, in raster order.

Van den Oord et al. 2016, "Conditional Image Generation with PixelCNN Decoders". p(x) is the product
over i of p(x_i | x_1 .. x_(i-1)), each a softmax over all grey levels: the likelihood is exact, of
whole numbers and not of a density.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.conditions import Classes, Condition, Nothing
from gen_core.data.images import MissingData
from gen_core.families.token_sampler import CHOOSING, Exact, TokenSampler, begun, standing
from gen_core.family import UNDRAWN, Clock, Empty, Family, Losses, Phase, Picture, register
from gen_core.knobs import Instance, KnobError
from gen_core.nets.pixel_cnn import REACH, GatedPixelCNN, PixelCNNConfig, framed
from gen_core.progress import Progress
from gen_core.sampling import Frame, Noise

if TYPE_CHECKING:
    from gen_core.evaluation.evaluate import Evaluation

GIVEN = Instance(
    "given", None, info="A picture that stands, NaN for what is to be drawn", kind=Tensor
)
"""Black is -1, as is what is not drawn yet: only NaN says that a pixel shall be drawn."""


@register
class PixelCNN(Family):
    name = "pixel-cnn"
    Config = PixelCNNConfig
    networks = ("row", "pixel")
    small: ClassVar = {"size": 8, "width": 16, "depth": 2}
    knobs = CHOOSING
    inputs = (GIVEN,)
    clock = Clock("pixel")
    out = "logits"

    def __init__(self, config: PixelCNNConfig | None = None) -> None:
        super().__init__(config)
        c = self.config
        self.net = GatedPixelCNN(c)
        self.event = Picture(1, c.size, c.size, levels=c.levels)
        self.prior = Empty(self.event)
        self.exact = Exact(self.net)

    @classmethod
    def condition_of(cls, config: PixelCNNConfig) -> Condition:
        return Classes(config.classes) if config.classes else Nothing()

    def phases(self) -> list[Phase]:
        return [Phase("next", list(self.net.parameters()), self.loss, lr=1e-3)]

    # --- likelihood -------------------------------------------------------------------------------

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """-log p(x_i | x_1 .. x_(i-1)), the mean over all pixels, in nats."""
        logits = self.net(x, self.condition.dropout(label, rng)).float()
        levels = self.levels(x).flatten().clamp(min=0)  # of NaN, which the logits then tell
        return {"loss": F.cross_entropy(logits.flatten(0, 2), levels)}

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
        """What it says of each pixel from those before it, (B, H W, levels); x and label as for
        `log_prob`."""
        label = self.condition.null(len(x)) if label is None else label
        picture = self.picture(self.levels(x.to(self.device)))
        return self.net(picture, label.to(self.device)).flatten(1, 2)

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
        sampler = TokenSampler(Raster(self, null if condition is None else condition), **choosing)
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

    def row(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """`GatedPixelCNN.row` of the exact network."""
        return self.exact.last.row(*inputs)

    def pixel(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """`GatedPixelCNN.pixel` of the exact network."""
        return self.exact.last.pixel(*inputs)

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


class Raster:
    """The logits of the next pixel. The vertical stack is asked once a row and the horizontal one
    once a pixel, about what is new: what they said of the pixels before is kept."""

    def __init__(self, model: PixelCNN, label: Tensor) -> None:
        """label (B,) int64"""
        self.model, self.label = model, label
        c, count, device = model.config, len(label), label.device
        self.columns = c.size
        dtype = model.exact().places.dtype
        black = torch.zeros(count, *model.event.shape, dtype=dtype, device=device)
        self.canvas = framed(black)  # and over it, one by one, what is drawn
        at = torch.arange(c.size, device=device) + REACH
        self.numbers = torch.cartesian_prod(at - REACH, at - REACH).unflatten(0, (c.size, c.size))
        """Row and column of each pixel, on the device: what is sent there is waited for."""
        self.places = (at[:, None] * self.canvas.shape[2] + at).flatten()
        self.above = black.new_zeros(count, c.depth, 1, c.size, c.width)
        self.left, self.said = self.above[:, :, :, :1], self.above
        self.filled = 0
        """Pixels that are written on the canvas."""
        self.asked = (0, 0)
        """The row and the column up to which the network was asked."""

    def __call__(self, x: Tensor) -> Tensor:
        """x (B, n), of which the first ones are those of the call before -> (B, levels)."""
        self._write(x)
        row, column = divmod(x.shape[1], self.columns)
        if row >= self.asked[0]:
            self._ask_of_rows(self.asked[0], row + 1)
        logits = self._ask_of_pixels(row, self.asked[1], column + 1)
        self.asked = row + 1, (column + 1) % self.columns
        return logits.float()

    def _write(self, x: Tensor) -> None:
        new = x[:, self.filled :]
        shades = new.to(self.canvas) / ((self.model.config.levels - 1) / 2) - 1
        self.canvas.flatten(1, 2)[:, self.places[self.filled : x.shape[1]], 0] = shades
        self.filled = x.shape[1]

    def _ask_of_rows(self, start: int, stop: int) -> None:
        numbers = torch.arange(start, stop, device=self.label.device).expand(len(self.label), -1)
        rows = self.canvas[:, start : stop + REACH - 1]
        said, self.above = self.model.row(rows, numbers, self.label, self.above)
        self.said, self.left = said[:, -1:], torch.zeros_like(self.left)

    def _ask_of_pixels(self, row: int, start: int, stop: int) -> Tensor:
        """The logits of the last of these."""
        left = self.canvas[:, row + REACH : row + REACH + 1, start : stop + REACH - 1]
        numbers = self.numbers[row, start].expand(len(left), -1)
        said = self.said[:, :, start:stop]
        logits, self.left = self.model.pixel(left, numbers, said, self.left)
        return logits[:, 0, -1]
