"""A small classifier, trained here, that measures the others: its features stand for pictures."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.evaluation import metrics
from gen_core.family import Losses, Phase, Trainable, register
from gen_core.nets.config import setting
from gen_core.nets.unet import pyramid


@dataclass(frozen=True)
class ImageClassifierConfig:
    channels: int = setting(1, 1, 64)
    widths: tuple[int, ...] = (32, 64, 128)
    classes: int = setting(10, 1, 100_000)


@register
class ImageClassifier(Trainable):
    """A classifier: it has phases to train and features to measure, but no samples."""

    name = "judge"
    Config = ImageClassifierConfig
    networks = ("body",)
    small: ClassVar = {"widths": (8, 16, 16)}
    indexes: ClassVar[bool] = False
    """Whether its checkpoint shall know where each training picture lies (see `TrainingIndex`)."""

    def __init__(self, config: ImageClassifierConfig | None = None) -> None:
        super().__init__(config)
        widths = self.config.widths
        self.body = pyramid(nn.Conv2d(self.config.channels, widths[0], 3, padding=1), widths)
        self.head = nn.Linear(widths[-1], self.outputs)

    @property
    def outputs(self) -> int:
        """How many numbers it says of a picture."""
        return self.config.classes

    def features(self, x: Tensor) -> Tensor:
        """(B, C, H, W) in [-1, 1] -> (B, widths[-1]): the mean over places of the last layer."""
        return self.body(x.contiguous(memory_format=torch.channels_last)).float().mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) in [-1, 1] -> (B, outputs): here, a logit for each class"""
        return self.head(self.features(x))

    def agreement(self, out: Tensor, label: Tensor) -> dict[str, Any]:
        """How often its answers (B, outputs) agree with what pictures show, or should show."""
        return {"accuracy": metrics.accuracy(out, label)}

    def census(self, out: Tensor) -> dict[str, Any]:
        """What it sees in a set of pictures, from its answers (B, outputs), and how often."""
        out = out.cpu()
        shares = metrics.class_shares(out)
        return {
            "inception_score": metrics.inception_score(out.softmax(1)),
            "classes_alive": metrics.classes_alive(shares),
            "class_shares": shares.tolist(),
        }

    def phases(self) -> list[Phase]:
        return [Phase("classify", list(self.parameters()), self.loss, lr=2e-3, weight_decay=0.05)]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """Cross-entropy on pictures shifted by up to two pixels, which the test set rewards."""
        padded = F.pad(x, (2, 2, 2, 2), value=-1.0)
        # Picked by tensors and not cut by numbers, which the host would have to wait for.
        dy, dx = torch.randint(0, 5, (2,), generator=rng, device=x.device)
        rows, columns = (torch.arange(side, device=x.device) for side in x.shape[2:])
        logits = self(padded.index_select(2, dy + rows).index_select(3, dx + columns))
        right = (logits.argmax(1) == label).float().mean()
        return {"loss": F.cross_entropy(logits, label, label_smoothing=0.05), "accuracy": right}
