"""A classifier of scenes, trained apart from the model, that measures whether it did as asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_core.data.emoji import STYLES, concepts
from gen_core.data.emoji.scenes import COLOURS, RELATIONS, TINTS, Scene
from gen_core.families.text_to_image.parts import Part
from gen_core.family import Losses, Phase, register
from gen_core.nets.attributes import IGNORE_INDEX, masked_cross_entropy
from gen_core.nets.unet import pyramid

QUESTIONS = {
    "concept": len(concepts()),
    "style": len(STYLES),
    "background": len(COLOURS),
    "tint": 1 + len(TINTS),
}
"""And how many answers each has; the first tint is none."""


@dataclass(frozen=True)
class SceneClassifierConfig:
    widths: tuple[int, ...] = (32, 64, 128, 192)


@register
class SceneClassifier(Part):
    """Answers `QUESTIONS` about a picture."""

    name = "text-to-image/judge"
    libraries = ()
    Config = SceneClassifierConfig
    networks = ("body",)
    small: ClassVar = {"widths": (16, 16, 16, 32)}

    def __init__(self, config: SceneClassifierConfig | None = None) -> None:
        super().__init__(config)
        widths = self.config.widths
        self.body = pyramid(nn.Conv2d(3, widths[0], 4, stride=2, padding=1), widths)
        self.heads = nn.ModuleDict({q: nn.Linear(widths[-1], n) for q, n in QUESTIONS.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """(B, 3, 64, 64) in [-1, 1] -> logits by question, each (B, choices)"""
        h = self.body(x.contiguous(memory_format=torch.channels_last)).float().mean((2, 3))
        return {name: head(h) for name, head in self.heads.items()}

    def phases(self) -> list[Phase]:
        return [Phase("classify", list(self.parameters()), self.loss, lr=2e-3, weight_decay=0.05)]

    def loss(self, x: Tensor, label: Tensor, rng: torch.Generator) -> Losses:
        """x (B, 3, 64, 64), label (B, 4): the answers, `IGNORE_INDEX` where there is none."""
        loss, right = masked_cross_entropy(self(x), label)
        return {"loss": loss, **right}


def truth(scene: Scene, thing: int | None = 0) -> list[int]:
    """The right answers for one thing of a scene; None: for two things together, which are not one
    concept. A pencil sketch shows no background and no tint."""
    concept = IGNORE_INDEX if thing is None else scene.things[thing]
    style = STYLES.index(scene.style)
    if scene.medium == "pencil sketch":
        return [concept, style, IGNORE_INDEX, IGNORE_INDEX]
    tint = IGNORE_INDEX if thing is None else ("", *TINTS).index(scene.tints[thing])
    return [concept, style, list(COLOURS).index(scene.background), tint]


def half(x: Tensor, direction: tuple[int, int]) -> Tensor:
    """The square (B, 3, 32, 32) of a picture in which one of two things stands, enlarged to 64."""
    dx, dy = direction
    left, top = 16 + 16 * dx, 16 + 16 * dy
    square = x[..., top : top + 32, left : left + 32]
    return F.interpolate(square, scale_factor=2, mode="bilinear", align_corners=False)


@torch.inference_mode()
def thing_found(classifier: SceneClassifier, x: Tensor, concept: int) -> list[bool]:
    """Whether each picture (B, 3, 64, 64) looks most like that one of all things."""
    return (classifier(x)["concept"].argmax(1) == concept).tolist()


@torch.inference_mode()
def relation_found(
    classifier: SceneClassifier, x: Tensor, things: Sequence[tuple[int, int]]
) -> list[tuple[str, tuple[bool, bool]]]:
    """For each picture the likeliest of the four relations, and which of the things are there.

    x (B, 3, 64, 64), things: the two concepts of each. A relation is as likely as the first is
    in its own half of the picture and the second in the other; a picture of neither is right by
    chance in one case of four. A thing is there when it is what its half looks most like.
    """
    first, second = torch.tensor(things, device=x.device).T
    rows = torch.arange(len(x), device=x.device)
    scores, found = [], []
    for dx, dy in RELATIONS.values():
        here = classifier(half(x, (dx, dy)))["concept"].log_softmax(1)
        there = classifier(half(x, (-dx, -dy)))["concept"].log_softmax(1)
        scores.append(here[rows, first] + there[rows, second])
        found.append(torch.stack([here.argmax(1) == first, there.argmax(1) == second], 1))
    best = torch.stack(scores).argmax(0)
    both = torch.stack(found)[best, rows].tolist()
    return [(list(RELATIONS)[k], tuple(b)) for k, b in zip(best.tolist(), both, strict=True)]
