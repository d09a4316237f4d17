"""Endless batches of scenes. Batch k depends on (seed, k) alone: a run can resume at any step."""

import functools
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.classifiers.emoji import half, truth
from gen_core.conditions import Text
from gen_core.data.emoji import SIZE, STYLES, Emoji, concepts
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
    any_scene,
    paint,
    random_scene,
    twin,
)
from gen_core.devices import fast_math
from gen_core.families.text_to_image.parts import Denoiser
from gen_core.families.text_to_image.tokens import encoded
from gen_core.sampling import in_range

if TYPE_CHECKING:
    from diffusers import AutoencoderKL
    from transformers import CLIPTextModel, CLIPTokenizer


def pictures(scenes: list[Scene], emoji: Emoji) -> Tensor:
    """(B, 3, 64, 64) float32 in [-1, 1]"""
    return in_range(np.stack([paint(scene, emoji) for scene in scenes]))


@dataclass
class SceneBatches:
    """(pictures, tokens of their captions)."""

    emoji: Emoji
    tokenizer: "CLIPTokenizer"
    size: int
    seed: int
    twins: bool = False
    """Every second scene is the one before it with one thing changed."""

    def scenes(self, step: int) -> list[Scene]:
        first = step * self.size
        if not self.twins:
            return [random_scene((self.seed, first + k)) for k in range(self.size)]
        pairs = []
        for k in range(first, first + self.size, 2):
            scene = random_scene((self.seed, k))
            tries = (twin(scene, (self.seed, k, attempt)) for attempt in itertools.count())
            said = caption(scene, self._manner(k))
            pairs += [scene, next(t for t in tries if caption(t, self._manner(k)) != said)]
        return pairs

    def _manner(self, number: int) -> tuple[int, int]:
        """Seed of a caption: twins are described alike; only the change tells them apart."""
        return self.seed + 1, number // 2 if self.twins else number

    def captions(self, step: int, scenes: list[Scene]) -> list[str]:
        """What is said of a step's scenes."""
        first = step * self.size
        return [caption(s, self._manner(first + k)) for k, s in enumerate(scenes)]

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        scenes = self.scenes(step)
        words = self.captions(step, scenes)
        return pictures(scenes, self.emoji), encoded(self.tokenizer, words)


WINDOW = 32
"""Side in pixels of what the autoencoder sees at a time."""


@dataclass
class WindowBatches:
    """(windows of scenes, nothing): two of each scene, their edges on the grid of the latents.

    The autoencoder has no layer that sees far, and it learns from many small steps more than from
    whole pictures: in four minutes of a core half the error that it comes to with those.
    """

    emoji: Emoji
    size: int
    seed: int

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng((self.seed, step))
        numbers = range(step * self.size // 2, (step + 1) * self.size // 2)
        scenes = pictures([random_scene((self.seed, k)) for k in numbers], self.emoji)
        corners = 4 * rng.integers((SIZE - WINDOW) // 4 + 1, size=(self.size, 2))
        windows = [
            scenes[k // 2, :, top : top + WINDOW, left : left + WINDOW]
            for k, (top, left) in enumerate(corners)
        ]
        return torch.stack(windows), torch.empty(self.size, 0)


@dataclass
class ClassifierBatches:
    """(pictures, right answers) of all kinds of scenes, the held-out ones too: a classifier must
    know what the model may not. Of two things mostly the half in which one of them stands."""

    emoji: Emoji
    size: int
    seed: int

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng((self.seed, step))
        scenes = [any_scene(rng) for _ in range(self.size)]
        x, answers = pictures(scenes, self.emoji), []
        for row, scene in enumerate(scenes):
            shown = int(rng.integers(3)) if scene.relation else 0  # first, second, or the whole
            if scene.relation and shown < 2:
                dx, dy = RELATIONS[scene.relation]
                x[row] = half(x[row : row + 1], (-dx, -dy) if shown else (dx, dy))[0]
            answers.append(truth(scene, None if shown == 2 else shown))
        return x, torch.tensor(answers)


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
    """What a scene looks like, in as many numbers as a token has: what the text encoder learns.

    A denoiser that is given *which* of 900 drawings to make must learn each by heart: after 230,000
    pictures it had learned none. Given *how it looks*, it has one map to learn, the same for all.

    A target is made of three pieces: the first thing's looks and the second's, as principal
    components of all drawings seen from afar, and the sum of its words' directions.
    """

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
    """(targets, tokens of captions); every second scene shows two things, which are harder."""

    targets: TextTargets
    tokenizer: "CLIPTokenizer"
    size: int
    seed: int

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        numbers = range(step * self.size, (step + 1) * self.size)
        scenes = [self._scene(number) for number in numbers]
        said = [caption(s, (self.seed + 1, n)) for s, n in zip(scenes, numbers, strict=True)]
        return torch.stack([self.targets.of(s) for s in scenes]), encoded(self.tokenizer, said)

    def _scene(self, number: int) -> Scene:
        drawn = (random_scene((self.seed, number, attempt)) for attempt in itertools.count())
        return next(scene for scene in drawn if number % 2 == 0 or scene.relation)


def latents_of(x: Tensor, autoencoder: "AutoencoderKL") -> Tensor:
    """(B, 3, 64, 64) -> (B, 4, 16, 16) of about unit size, on the autoencoder's device"""
    with fast_math(autoencoder.device):
        latents = autoencoder.encode(x.to(autoencoder.device)).latent_dist.mean
    return latents.float() * autoencoder.config.scaling_factor


VISITS, KEPT = 8, 1000
"""Each of `KEPT` batches of latents is met so often, in other words and other noise each time,
before the next are made: painting and encoding would take a good part of the training."""


@dataclass
class LatentBatches:
    """(latents, encoded captions), made by the two parts that are trained already."""

    scenes: SceneBatches
    autoencoder: "AutoencoderKL"
    text_encoder: "CLIPTextModel"
    kept: dict[int, Tensor] = field(default_factory=dict)

    @torch.no_grad()
    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        drawn = step // (VISITS * KEPT) * KEPT + step % KEPT
        scenes = self.scenes.scenes(drawn)
        tokens = encoded(self.scenes.tokenizer, self.scenes.captions(step, scenes))
        rng = torch.Generator().manual_seed(self.scenes.seed * 1_000_003 + step)
        text = Text(functools.partial(encoded, self.scenes.tokenizer))
        tokens = text.dropout(tokens, rng)  # some captions are left empty, for guidance
        latents = self._latents(drawn, scenes)
        with fast_math(latents.device):
            words = self.text_encoder(tokens.to(latents.device)).last_hidden_state
        return latents.float(), words.float()

    def _latents(self, drawn: int, scenes: list[Scene]) -> Tensor:
        """(B, 4, 16, 16) of about unit size, in half precision as they are kept."""
        if drawn not in self.kept:
            if any(other // KEPT != drawn // KEPT for other in self.kept):
                self.kept.clear()
            x = pictures(scenes, self.scenes.emoji)
            self.kept[drawn] = latents_of(x, self.autoencoder).half()
        return self.kept[drawn]


LITTLE = 400
"""Steps of noise, of 1000, below which the denoiser's guess of the latents is not far off."""
UNTOUCHED = 0.25
"""Share of latents that come as they are: real pictures are decoded too."""


@dataclass
class GuessBatches:
    """(pictures, their latents as the denoiser guesses them from a little noise)."""

    scenes: SceneBatches
    autoencoder: "AutoencoderKL"
    text_encoder: "CLIPTextModel"
    denoiser: Denoiser

    @torch.no_grad()
    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        x, tokens = self.scenes[step]
        latents = latents_of(x, self.autoencoder)
        rng = torch.Generator().manual_seed(self.scenes.seed * 1_000_003 + step)
        t = torch.randint(1, LITTLE, (len(x),), generator=rng)
        eps = torch.randn(latents.shape, generator=rng).to(latents.device)
        with fast_math(latents.device):
            words = self.text_encoder(tokens.to(latents.device)).last_hidden_state
            guess = self.denoiser.guess(latents, t.to(latents.device), eps, words.float())
        untouched = torch.rand(len(x), 1, 1, 1, generator=rng) < UNTOUCHED
        kept = torch.where(untouched.to(latents.device), latents, guess)
        return x, kept / self.autoencoder.config.scaling_factor
