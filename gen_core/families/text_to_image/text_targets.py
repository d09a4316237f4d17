"""What a scene looks like, in as many numbers as a token has: what the text encoder learns to say.

A denoiser that is told *which* of 900 drawings to make must learn each by heart: after 230,000
pictures it had learned none. Told *how it looks*, it has one map to learn, the same for all.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPTokenizer

from gen_core.data.emoji import STYLES, Emoji, concepts
from gen_core.data.emoji.captions import caption
from gen_core.data.emoji.scenes import (
    COLOURS,
    FAULTS,
    LIGHTS,
    MEDIA,
    PLACES,
    RELATIONS,
    SIZES,
    TINTS,
    Scene,
    random_scene,
)
from gen_core.families.text_to_image.batches import pictures
from gen_core.families.text_to_image.tokens import encoded

WORDS = (
    *(f"on {c}" for c in COLOURS),
    *(f"first {t}" for t in TINTS),
    *(f"second {t}" for t in TINTS),
    *STYLES,
    *SIZES,
    *(f"at {p}" for p in PLACES),
    *RELATIONS,
    *map(str, range(1, 5)),
    *LIGHTS,
    *MEDIA,
    *FAULTS,
)
"""What a caption can say beside the things: each has a direction of its own, drawn at random."""


class TextTargets:
    """A scene's sketch is made of three pieces: the first thing's looks and the second's, as
    principal components of all drawings seen from afar, and the sum of its words' directions."""

    def __init__(self, emoji: Emoji, width: int) -> None:
        plain = [
            Scene((thing,), style=style, background="grey")
            for thing in range(len(concepts()))
            for style in STYLES
        ]
        afar = F.avg_pool2d(pictures(plain, emoji), 4).flatten(1)  # as fine as latents are
        looks = afar - afar.mean(0)
        kept = 3 * width // 8
        basis = torch.linalg.svd(looks, full_matrices=False).Vh[:kept]
        self.looks = looks @ basis.T
        """(drawings, kept), of unit size"""
        self.looks /= self.looks.std()
        rng = torch.Generator().manual_seed(0)
        self.words = 0.4 * torch.randn(len(WORDS), width - 2 * kept, generator=rng)
        """(words, the rest of the width): about seven are said of a scene"""

    def of(self, scene: Scene) -> Tensor:
        """(width,) float32"""
        style = STYLES.index(scene.style)
        first, *other = (self.looks[thing * len(STYLES) + style] for thing in scene.things)
        second = other[0] if other else torch.zeros_like(first)
        said = self.words[[WORDS.index(word) for word in _words(scene)]].sum(0)
        return torch.cat([first, second, said])


def _words(scene: Scene) -> list[str]:
    tints = zip(("first", "second"), scene.tints, strict=False)
    said = [
        f"on {scene.background}",
        scene.style,
        scene.size,
        f"at {scene.place}",
        str(scene.count),
        scene.relation,
        scene.light,
        scene.medium,
        scene.fault,
        *(f"{which} {tint}" for which, tint in tints if tint),
    ]
    return [word for word in said if word]


@dataclass
class TextTargetBatches:
    """(sketches, tokens of captions); every second scene shows two things, which are harder."""

    sketches: TextTargets
    tokenizer: CLIPTokenizer
    size: int
    seed: int

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        numbers = range(step * self.size, (step + 1) * self.size)
        scenes = [self._scene(number) for number in numbers]
        said = [caption(s, (self.seed + 1, n)) for s, n in zip(scenes, numbers, strict=True)]
        return torch.stack([self.sketches.of(s) for s in scenes]), encoded(self.tokenizer, said)

    def _scene(self, number: int) -> Scene:
        drawn = (random_scene((self.seed, number, attempt)) for attempt in itertools.count())
        return next(scene for scene in drawn if number % 2 == 0 or scene.relation)
